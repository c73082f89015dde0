// The matrix in Markdown: sums by group, then each case in which a runtime failed or differs, with what was seen.
import type { RuntimeResults } from '../run.ts';
import { count, differences, groups, rows } from './matrix.ts';

const cell = (text: string): string => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
const short = (text: string): string => (text.length > 160 ? `${text.slice(0, 160)}…` : text);

export function markdown(results: readonly RuntimeResults[]): string {
  const all = rows(results), names = results.map(({ name }) => name);
  const head = (first: string): string[] => [`| ${first} | ${names.join(' | ')} |`, `|---|${names.map(() => '---|').join('')}`];
  const sums = (own: typeof all): string => results.map((_, index) => {
    const column = own.map((row) => row.outcomes[index]!), skipped = count(column, 'skip');
    return `${count(column, 'pass')}/${column.length - skipped}${skipped > 0 ? ` (${skipped} skipped)` : ''}`;
  }).join(' | ');
  const mark = { pass: 'pass', fail: '**fail**', skip: 'skip' };
  const different = differences(all);
  return [
    ...results.map(({ name, version }) => `- ${name}: ${version}`), '', ...head('passed of those that could run'),
    ...groups(all).map((group) => `| ${group} | ${sums(all.filter((row) => row.case.group === group))} |`), `| **all** | ${sums(all)} |`, '',
    ...(different.length === 0 ? [] : [
      ...head('case'), ...different.map(({ case: one, outcomes }) => `| ${cell(one.id)} (${one.requirement.section}, ${one.requirement.level}) | ${outcomes.map(({ result }) => mark[result]).join(' | ')} |`), '',
      ...different.flatMap(({ case: one, outcomes }) => [`- **${cell(one.id)}**: ${cell(one.requirement.text)}`, ...outcomes.flatMap(({ result, reason }, index) => (result === 'pass' ? [] : [`  - ${names[index]}: ${result === 'skip' ? 'skipped, ' : ''}${cell(short(reason))}`]))]), '',
    ]),
  ].join('\n');
}
