// The limits that the prepared `update` changes: one flag, one write to one file of the cgroup. What it has set since config.json was written
// is <state directory>/limits: for each of them a text of `limitBytes`, with NUL at its end, empty when it was not set.
import type { Resources } from '../../spec/config.ts';

export interface PlainLimit {
  readonly flag: string;
  /** Its place in linux.resources. */
  readonly controller: 'cpu' | 'memory' | 'pids';
  readonly key: string;
  readonly file: string;
  /** A list of numbers, as `0-3,7`; else one number above 0. */
  readonly isList: boolean;
}

/** In the order in which the engine writes them (compile/resources.ts). */
export const limits: readonly PlainLimit[] = [
  { flag: 'cpu-quota', controller: 'cpu', key: 'quota', file: 'cpu.max', isList: false }, // one number leaves the period as it is
  { flag: 'cpuset-cpus', controller: 'cpu', key: 'cpus', file: 'cpuset.cpus', isList: true },
  { flag: 'cpuset-mems', controller: 'cpu', key: 'mems', file: 'cpuset.mems', isList: true },
  { flag: 'memory', controller: 'memory', key: 'limit', file: 'memory.max', isList: false },
  { flag: 'memory-reservation', controller: 'memory', key: 'reservation', file: 'memory.low', isList: false },
  { flag: 'pids-limit', controller: 'pids', key: 'limit', file: 'pids.max', isList: false },
];

/** Name and room for each in the state directory. */
export const LIMITS = 'limits';
export const limitBytes = 64;

/** Digits of the longest number: exact as a double. */
export const longestNumber = 15;

/**
 * Whether each of them is that one write, whatever a container has besides: swap is counted with memory, a burst bounds the quota,
 * checkBeforeUpdate asks for a look first, and a cpu.max of `unified` has a period that is not cpu.period.
 */
export function arePlain(resources: Resources | undefined): boolean {
  const { memory, cpu, unified } = resources ?? {};
  return !memory?.swap && memory?.checkBeforeUpdate !== true && cpu?.burst === undefined && unified?.['cpu.max'] === undefined;
}
