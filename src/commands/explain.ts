// `runt explain`: the sequence a bundle compiles to.
import { explainBundle } from '../container/explain.ts';
import { RuntimeError } from '../errors.ts';
import { readRecords } from '../program/decode.ts';
import { printCall, printListing, printStep } from '../program/print.ts';
import { valueOf, type Command } from './command.ts';

export const command: Command = {
  name: 'explain', summary: 'print the sequence a bundle compiles to, without running it', words: '[BUNDLE]', least: 0, most: 1,
  flags: [
    { name: 'format', short: 'f', value: 'text|json', help: 'default: text' },
    { name: 'bundle', short: 'b', value: 'DIR', help: 'the same as the word' },
  ],
  examples: ['runt explain', 'runt explain /tmp/web', 'runt explain --format json /tmp/web', 'runt --systemd-cgroup explain /tmp/web'],
  run: (call) => {
    const format = valueOf(call, 'format') ?? 'text';
    if (format !== 'text' && format !== 'json') throw new RuntimeError(`invalid format option: ${format}`, { hint: 'text or json' });
    const { image } = explainBundle(call.words[0] ?? valueOf(call, 'bundle') ?? process.cwd(), call.globals.root, 'explained', call.globals.cgroupManager === 'systemd');
    if (format === 'text') call.stdout(printListing(image));
    else {
      const steps = readRecords(image).map((view) => ({ index: view.index, side: view.side, op: view.op, step: printStep(image, view), call: printCall(image, view), at: view.pointer, why: view.why }));
      call.stdout(`${JSON.stringify({ steps }, null, 2)}\n`);
    }
    return 0;
  },
};
