// `runt stats`: a live table for a person. `events --stats` is the same for a program.
import { monotonicTime } from '../../native/linux/syscalls.ts';
import { stringifyJson } from '../../spec/json.ts';
import { readStatistics, UNLIMITED, type Statistics } from '../cgroup/statistics.ts';
import { containerIds, readState } from '../container/state.ts';
import { currentStatus } from '../container/status.ts';
import { sleep } from '../sleep.ts';
import { formatOf, isOn, valueOf, type Command } from './command.ts';
import { durationOf } from './events.ts';
import { tableText } from './list.ts';

const FIRST_LOOK = 200; // milliseconds: a share of CPU needs two readings
const CLEAR = '\u001b[H\u001b[2J';

interface Reading {
  readonly id: string;
  readonly at: number;
  readonly statistics: Statistics;
}

export const command: Command = {
  name: 'stats', summary: 'what containers use, as a live table', words: '[CONTAINER...]', least: 0, most: Infinity,
  flags: [
    { name: 'no-stream', help: 'one table, then end' },
    { name: 'interval', value: 'DURATION', help: 'between two tables (default: 1s)' },
    { name: 'format', short: 'f', value: 'table|json', help: 'default: table; json is a list, with exact numbers' },
  ],
  examples: ['runt stats', 'runt stats --no-stream web'],
  run: (call) => {
    const { root } = call.globals;
    const interval = durationOf(valueOf(call, 'interval') ?? '1s');
    const format = formatOf(call);
    for (const id of call.words) readState(root, id);
    let before = readAll(root, call.words);
    sleep(FIRST_LOOK);
    for (;;) {
      const now = readAll(root, call.words);
      const text = format === 'json' ? `${stringifyJson(now.map(({ id, statistics }) => ({ id, ...statistics })))}\n` : tableOf(before, now);
      call.stdout(isOn(call, 'no-stream') || format === 'json' ? text : `${CLEAR}${text}`);
      if (isOn(call, 'no-stream') || now.length === 0) return 0;
      before = now;
      sleep(interval);
    }
  },
};

/** Containers that run and have a cgroup; what ends while we look is left out. */
function readAll(root: string, ids: readonly string[]): readonly Reading[] {
  return (ids.length === 0 ? containerIds(root) : ids).flatMap((id) => {
    try {
      const state = readState(root, id);
      if (state.cgroup === null || currentStatus(state, `${root}/${id}`) === 'stopped') return [];
      return [{ id, at: monotonicTime(), statistics: readStatistics(state.cgroup.path) }];
    } catch {
      return [];
    }
  });
}

function tableOf(before: readonly Reading[], now: readonly Reading[]): string {
  const rows = now.map((reading) => {
    const { memory, pids, blkio } = reading.statistics;
    const limit = memory.usage.limit === UNLIMITED || memory.usage.limit === 0n ? '-' : bytes(memory.usage.limit);
    const moved = (op: string): string => bytes((blkio.ioServiceBytesRecursive ?? []).filter((one) => one.op === op).reduce((sum, { value }) => sum + value, 0n));
    return [reading.id, share(before.find(({ id }) => id === reading.id), reading), `${bytes(memory.usage.usage ?? 0n)} / ${limit}`, String(pids.current ?? '-'), `${moved('Read')} / ${moved('Write')}`];
  });
  return tableText([['ID', 'CPU %', 'MEMORY / LIMIT', 'PIDS', 'READ / WRITTEN'], ...rows]);
}

function share(before: Reading | undefined, now: Reading): string {
  if (before === undefined) return '-';
  const nanoseconds = Number(now.statistics.cpu.usage.total - before.statistics.cpu.usage.total);
  return ((nanoseconds / 1e6 / (now.at - before.at)) * 100).toFixed(1);
}

/** `12.5M`: powers of 1024, at most four characters and a unit. */
function bytes(count: bigint): string {
  const units = ['B', 'K', 'M', 'G', 'T'];
  let value = Number(count);
  let power = 0;
  for (; value >= 1000 && power < units.length - 1; power++) value /= 1024;
  return `${power === 0 ? value : value.toFixed(1)}${units[power]}`;
}
