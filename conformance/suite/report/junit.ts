// JUnit XML: a testsuite for each runtime and group.
import type { Outcome, RuntimeResults } from '../run.ts';

// Characters that XML 1.0 has no way to write are left out.
export const xml = (text: string): string => text.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/g, '').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function testcase(name: string, { case: one, result, reason, notes, milliseconds, kept }: Outcome): string {
  const inside = [
    result === 'fail' ? `      <failure message="${xml(reason)}" type="${xml(one.requirement.level)}">${xml(`${one.requirement.id}: ${one.requirement.text}${kept === undefined ? '' : `\n${kept}/reproduce.sh`}`)}</failure>\n` : '',
    result === 'skip' ? `      <skipped message="${xml(reason)}"/>\n` : '', notes.length > 0 ? `      <system-out>${xml(notes.join('\n'))}</system-out>\n` : '',
  ].join('');
  const head = `    <testcase classname="${xml(`${name}.${one.group}`)}" name="${xml(one.id)}" time="${(milliseconds / 1000).toFixed(3)}"`;
  return inside === '' ? `${head}/>\n` : `${head}>\n${inside}    </testcase>\n`;
}

export function junit(results: readonly RuntimeResults[]): string {
  const suites = results.flatMap(({ name, outcomes }) => [...new Set(outcomes.map((one) => one.case.group))].map((group) => {
    const own = outcomes.filter((one) => one.case.group === group), count = (result: string): number => own.filter((one) => one.result === result).length;
    const time = own.reduce((sum, one) => sum + one.milliseconds, 0) / 1000;
    return `  <testsuite name="${xml(`${name} ${group}`)}" tests="${own.length}" failures="${count('fail')}" errors="0" skipped="${count('skip')}" time="${time.toFixed(3)}">\n${own.map((one) => testcase(name, one)).join('')}  </testsuite>\n`;
  }));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`;
}
