// The matrix in HTML: one page without scripts, every case a row, reasons to fold out.
import type { Outcome, RuntimeResults } from '../run.ts';
import { xml } from './junit.ts';
import { count, groups, rows } from './matrix.ts';

const style = `body{font:15px/1.4 system-ui,sans-serif;margin:2em;color:#222;background:#fff}table{border-collapse:collapse;margin:1em 0}th,td{border:1px solid #ccc;padding:.25em .6em;text-align:left;vertical-align:top}
.pass{background:#e3f4e3}.fail{background:#f9d9d9}.skip{background:#eee;color:#555}details{max-width:32em}summary{cursor:pointer}small{color:#666}@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#ddd}.pass{background:#1f3a1f}.fail{background:#552222}.skip{background:#333;color:#aaa}th,td{border-color:#555}}`;

const cell = ({ result, reason, notes }: Outcome): string => {
  const more = [reason, ...notes].filter((text) => text !== '').map(xml).join('<br>');
  return `<td class="${result}">${more === '' ? result : `<details><summary>${result}</summary>${more}</details>`}</td>`;
};

export function html(results: readonly RuntimeResults[]): string {
  const all = rows(results);
  const head = results.map(({ name, version }) => `<th>${xml(name)}<br><small>${xml(version)}</small></th>`).join('');
  const sums = results.map(({ outcomes }) => `<td>${count(outcomes, 'pass')} passed, ${count(outcomes, 'fail')} failed, ${count(outcomes, 'skip')} skipped</td>`).join('');
  const body = groups(all).map((group) => `<tr><th colspan="${results.length + 2}">${xml(group)}</th></tr>${all.filter((row) => row.case.group === group).map(({ case: one, outcomes }) =>
    `<tr><td>${xml(one.id.slice(group.length + 1))}<br><small>${xml(one.requirement.text)}</small></td><td>${xml(one.requirement.section)}<br><small>${one.requirement.level}</small></td>${outcomes.map(cell).join('')}</tr>`).join('\n')}`).join('\n');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>OCI runtime conformance</title><style>${style}</style><h1>OCI runtime conformance</h1><p>runtime-spec 1.3 on Linux, by runt-conformance.</p>\n`
    + `<table><tr><th>case</th><th>section</th>${head}</tr><tr><td colspan="2">all</td>${sums}</tr>\n${body}</table></html>\n`;
}
