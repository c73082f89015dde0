// `runt doctor`: can this host run containers, and which?
import { diagnose, type Diagnosis } from '../check/doctor.ts';
import { paintFor, type Paint } from '../color.ts';
import { RuntimeError } from '../errors.ts';
import { valueOf, type Command } from './command.ts';

export const command: Command = {
  name: 'doctor', summary: 'what this host offers, what is missing for which feature, and how to get it', words: '', least: 0, most: 0,
  flags: [{ name: 'format', short: 'f', value: 'text|json', help: 'default: text' }],
  examples: ['runt doctor', 'runt doctor --format json'],
  notes: 'exit status: 0, or 1 when something is missing that every container needs',
  run: (call) => {
    const format = valueOf(call, 'format') ?? 'text';
    if (format !== 'text' && format !== 'json') throw new RuntimeError(`invalid format option: ${format}`, { hint: 'text or json' });
    const found = diagnose(call.globals.root);
    call.stdout(format === 'json' ? `${JSON.stringify(found, null, 2)}\n` : doctorText(found, paintFor(1)));
    return found.some(({ status }) => status === 'broken') ? 1 : 0;
  },
};

function doctorText(found: readonly Diagnosis[], paint: Paint): string {
  const width = Math.max(...found.map(({ feature }) => feature.length));
  let text = '';
  let topic = '';
  for (const one of found) {
    if (one.topic !== topic) text += `${paint('bold', (topic = one.topic))}\n`;
    const mark = { ok: paint('green', 'ok     '), missing: paint('yellow', 'missing'), broken: paint('red', 'broken ') }[one.status];
    text += `  ${mark}  ${one.feature.padEnd(width)}  ${one.found}\n`;
    if (one.advice !== undefined) text += `${' '.repeat(width + 13)}try: ${one.advice}\n`;
  }
  const broken = found.filter(({ status }) => status === 'broken').length;
  return `${text}${broken > 0 ? paint('red', `${broken} things that every container needs are missing\n`) : 'what every container needs is there\n'}`;
}
