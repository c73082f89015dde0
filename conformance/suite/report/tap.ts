// TAP 14: one subtest for each runtime, with YAML below what failed.
import type { Outcome, RuntimeResults } from '../run.ts';

const escape = (text: string): string => text.replace(/[\\#]/g, '\\$&').replaceAll('\n', ' ');

function line(outcome: Outcome, number: number): string {
  const directive = outcome.result === 'skip' ? ` # SKIP ${escape(outcome.reason)}` : '';
  const { requirement } = outcome.case;
  const own = `${outcome.result === 'fail' ? 'not ok' : 'ok'} ${number} - ${escape(`${outcome.case.id} (${requirement.id} ${requirement.level})`)}${directive}\n`;
  const notes = outcome.notes.map((note) => `# ${note}\n`).join('');
  if (outcome.result !== 'fail') return own + notes;
  const fields = [['message', outcome.reason], ['requirement', requirement.text], ['section', requirement.section], ['level', requirement.level], ['duration_ms', Math.round(outcome.milliseconds)], ...(outcome.kept === undefined ? [] : [['reproduce', `${outcome.kept}/reproduce.sh`]])];
  return `${own}  ---\n${fields.map(([name, value]) => `  ${name}: ${JSON.stringify(value)}\n`).join('')}  ...\n${notes}`;
}

const indent = (text: string): string => text.replace(/^(?=.)/gm, '    ');

export function tap(results: readonly RuntimeResults[]): string {
  const subtests = results.map(({ name, version, outcomes }, index) => {
    const failed = outcomes.filter((one) => one.result === 'fail').length;
    const body = `1..${outcomes.length}\n${outcomes.map((outcome, number) => line(outcome, number + 1)).join('')}`;
    return `# Subtest: ${escape(`${name}: ${version}`)}\n${indent(body)}${failed > 0 ? 'not ok' : 'ok'} ${index + 1} - ${escape(name)}\n`;
  });
  return `TAP version 14\n1..${results.length}\n${subtests.join('')}`;
}
