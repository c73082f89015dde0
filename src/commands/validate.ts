// `runt validate`: all that is wrong with a bundle, before anything is tried.
import { checkBundle } from '../check/bundle.ts';
import { jsonReport, sarifReport, textReport } from '../check/report.ts';
import { paintFor } from '../color.ts';
import { RuntimeError } from '../errors.ts';
import { isOn, valueOf, type Command } from './command.ts';
import { VERSION } from './version.ts';

export const command: Command = {
  name: 'validate', summary: 'check a bundle: config.json, and what this host can give', words: '[BUNDLE]', least: 0, most: 1,
  flags: [
    { name: 'format', short: 'f', value: 'text|json|sarif', help: 'default: text, a line for each finding as compilers print it' },
    { name: 'no-host', help: 'only what is wrong on any host' },
    { name: 'strict', help: 'warnings count as errors' },
    { name: 'bundle', short: 'b', value: 'DIR', help: 'the same as the word' },
  ],
  examples: ['runt validate', 'runt validate --no-host --strict /tmp/web', 'runt validate --format sarif /tmp/web > web.sarif'],
  notes: 'exit status: 0 nothing is wrong (there may be warnings), 1 something is, 2 there is no config.json to read',
  run: (call) => {
    const format = valueOf(call, 'format') ?? 'text';
    if (!['text', 'json', 'sarif'].includes(format)) throw new RuntimeError(`invalid format option: ${format}`, { hint: 'text, json or sarif', exitCode: 2 });
    const checked = check(call.words[0] ?? valueOf(call, 'bundle') ?? process.cwd(), !isOn(call, 'no-host'));
    call.stdout(format === 'json' ? jsonReport(checked) : format === 'sarif' ? sarifReport(checked, VERSION) : textReport(checked, paintFor(1)));
    return checked.findings.some(({ severity }) => severity === 'error' || isOn(call, 'strict')) ? 1 : 0;
  },
};

function check(directory: string, withHost: boolean): ReturnType<typeof checkBundle> {
  try {
    return checkBundle(directory, withHost);
  } catch (error) {
    if (error instanceof RuntimeError) throw new RuntimeError(error.message, { ...error.details, exitCode: 2 });
    throw error;
  }
}
