// `runt events`: what the container uses, line by line, and when memory ran out. runc's JSON.
import { monotonicTime } from '../../native/linux/syscalls.ts';
import { stringifyJson } from '../../spec/json.ts';
import { pairs, readStatistics } from '../cgroup/statistics.ts';
import { watchCgroup } from '../cgroup/watch.ts';
import { cgroupOf } from '../container/pause.ts';
import { readState } from '../container/state.ts';
import { currentStatus } from '../container/status.ts';
import { RuntimeError } from '../errors.ts';
import { isOn, valueOf, type Command } from './command.ts';

export const command: Command = {
  name: 'events', summary: 'statistics and out-of-memory events of a container, as JSON lines', words: 'CONTAINER', least: 1, most: 1,
  flags: [
    { name: 'interval', value: 'DURATION', help: 'between two statistics (default: 5s)' },
    { name: 'stats', help: 'one line, then end' },
  ],
  examples: ['runt events --stats web', 'runt events --interval 1s web'],
  run: (call) => {
    const id = call.words[0]!;
    const { root } = call.globals;
    const interval = durationOf(valueOf(call, 'interval') ?? '5s');
    const state = readState(root, id);
    if (currentStatus(state, `${root}/${id}`) === 'stopped') throw new RuntimeError(`container with id ${id} is not running`);
    const cgroup = cgroupOf(state);
    const line = (type: string, data?: unknown): void => call.stdout(`${stringifyJson({ type, id, data })}\n`);
    if (isOn(call, 'stats')) {
      line('stats', readStatistics(cgroup));
      return 0;
    }
    const watch = watchCgroup(cgroup, ['cgroup.events', 'memory.events']);
    /** How often the kernel has killed for want of memory. A host without the controller never has. */
    const killsNow = (): bigint => pairs(watch.read('memory.events') ?? '')['oom_kill'] ?? 0n;
    let kills = killsNow();
    for (let next = monotonicTime() + interval; ; ) {
      const isPopulated = watch.read('cgroup.events')?.includes('populated 1') === true; // asked first: the kill that ended it is counted by then
      const now = killsNow();
      if (now > kills) line('oom');
      if (!isPopulated) return 0;
      kills = now;
      if (monotonicTime() >= next) {
        line('stats', readStatistics(cgroup));
        next += interval;
      }
      watch.wait(next - monotonicTime());
    }
  },
};

/** Go's durations, of which `5s`, `500ms`, `1m30s` are in use: milliseconds. Throws RuntimeError. */
export function durationOf(text: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) throw new RuntimeError(`invalid value "${text}" for -interval`, { hint: '5s, 500ms, 1m30s' });
  const total = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce((sum, [, number, unit]) => sum + Number(number) * units[unit!]!, 0);
  if (total <= 0) throw new RuntimeError('duration interval must be greater than 0');
  return total;
}
