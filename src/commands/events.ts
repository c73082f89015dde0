// `runt events`: what the container uses, line by line, and when memory ran out. runc's JSON.
import { stringifyJson } from '../../spec/json.ts';
import { readCgroupFile } from '../cgroup/files.ts';
import { pairs, readStatistics } from '../cgroup/statistics.ts';
import { cgroupOf } from '../container/pause.ts';
import { readState } from '../container/state.ts';
import { currentStatus } from '../container/status.ts';
import { RuntimeError } from '../errors.ts';
import { sleep } from '../sleep.ts';
import { isOn, valueOf, type Command } from './command.ts';

const GLANCE = 100; // milliseconds between two looks for an oom kill

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
    let kills = killsOf(cgroup) ?? 0n;
    for (let waited = 0; ; waited += GLANCE) {
      const now = killsOf(cgroup);
      if (now === undefined) return 0;
      if (now > kills) line('oom');
      kills = now;
      if (!isPopulated(cgroup)) return 0;
      if (waited >= interval) {
        line('stats', readStatistics(cgroup));
        waited = 0;
      }
      sleep(GLANCE);
    }
  },
};

/** How often the kernel has killed for want of memory; undefined once the cgroup is gone. A host without the controller never has. */
function killsOf(cgroup: string): bigint | undefined {
  if (readCgroupFile(`${cgroup}/cgroup.events`) === undefined) return undefined;
  return pairs(readCgroupFile(`${cgroup}/memory.events`) ?? '')['oom_kill'] ?? 0n;
}

const isPopulated = (cgroup: string): boolean => readCgroupFile(`${cgroup}/cgroup.events`)?.includes('populated 1') ?? false;

/** Go's durations, of which `5s`, `500ms`, `1m30s` are in use: milliseconds. Throws RuntimeError. */
export function durationOf(text: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) throw new RuntimeError(`invalid value "${text}" for -interval`, { hint: '5s, 500ms, 1m30s' });
  const total = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce((sum, [, number, unit]) => sum + Number(number) * units[unit!]!, 0);
  if (total <= 0) throw new RuntimeError('duration interval must be greater than 0');
  return total;
}
