// `runt trace`: the flight recorder of a container, living, stopped or failed.
import { readFileSync } from 'node:fs';
import { errnoName } from '../../native/linux/errno.ts';
import { findRecord, lastFailed } from '../container/record.ts';
import { validateContainerId } from '../container/state.ts';
import { RuntimeError } from '../errors.ts';
import { openImage, readRecords } from '../program/decode.ts';
import { status } from '../program/layout.ts';
import { printStep } from '../program/print.ts';
import { recordTimes } from '../program/times.ts';
import { isOn, valueOf, type Command } from './command.ts';

const words = Object.fromEntries(Object.entries(status).map(([name, number]) => [number, name]));

export const command: Command = {
  name: 'trace', summary: 'print what each step of a container returned and how long it took', words: '[CONTAINER]', least: 0, most: 1,
  flags: [
    { name: 'format', short: 'f', value: 'text|json', help: 'default: text' },
    { name: 'last', help: 'the container that failed last' },
    { name: 'all', short: 'a', help: 'show skipped steps too' },
  ],
  examples: ['runt trace web', 'runt trace --last'],
  run: (call) => {
    const { root } = call.globals;
    const format = valueOf(call, 'format') ?? 'text';
    if (format !== 'text' && format !== 'json') throw new RuntimeError(`invalid format option: ${format}`, { hint: 'text or json' });
    const id = isOn(call, 'last') ? lastFailed(root) : call.words[0];
    if (id === undefined) throw new RuntimeError(isOn(call, 'last') ? 'no container failed under this root' : '"trace" requires a CONTAINER or --last', { usage: !isOn(call, 'last') });
    validateContainerId(id);
    const path = findRecord(root, id);
    if (path === undefined) throw new RuntimeError('container does not exist', { hint: `looked in ${root}` });
    const image = openImage(readFileSync(path));
    if (image === undefined) throw new RuntimeError(`${path} is damaged, or of another version`);
    const times = recordTimes(image);
    const rows = readRecords(image).map((view) => ({
      index: view.index, side: view.side, status: words[view.status] ?? 'pending',
      result: view.status === status.failed || view.status === status.tolerated ? -Number(view.value) : Number(view.value),
      microseconds: times[view.index], step: printStep(image, view), at: view.pointer, why: view.why, op: view.op,
    }));
    if (format === 'json') {
      call.stdout(`${JSON.stringify({ id, steps: rows }, null, 2)}\n`);
      return 0;
    }
    const shown = rows.filter((row) => isOn(call, 'all') || row.status !== 'skipped');
    call.stdout(shown.map((row) => {
      const took = row.microseconds === undefined ? '' : row.microseconds.toFixed(1);
      const outcome = row.status === 'done' ? `= ${row.result}` : row.status === 'failed' || row.status === 'tolerated' ? `= ${errnoName(row.result)}${row.status === 'failed' ? ' FAILED' : ''}` : row.status;
      return `${String(row.index).padStart(4)} ${took.padStart(9)} us  ${row.side === 'runtime' ? 'r' : 'c'}  ${row.op === 'hand_over' ? '── hand over ──' : row.step} ${outcome}\n`;
    }).join(''));
    return 0;
  },
};
