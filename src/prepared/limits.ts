// The limits that the prepared `update` changes: one flag, one write to one file of the cgroup. What it has set since config.json was written
// is <state directory>/limits: for each of them a text of `limitBytes`, with NUL at its end, empty when it was not set.
import type { Resources } from '../../spec/config.ts';

export interface PlainLimit {
  readonly flag: string;
  /** Its place in linux.resources. */
  readonly controller: 'cpu' | 'memory' | 'pids';
  readonly key: string;
  readonly file: string;
  /** A number above 0; one that may have a unit (k, m, g), which the kernel knows as well; a list of numbers, as `0-3,7`. */
  readonly kind: 'number' | 'size' | 'list';
}

/** In the order in which the engine writes them (compile/resources.ts). */
export const limits: readonly PlainLimit[] = [
  { flag: 'cpu-quota', controller: 'cpu', key: 'quota', file: 'cpu.max', kind: 'number' }, // one number leaves the period as it is
  { flag: 'cpuset-cpus', controller: 'cpu', key: 'cpus', file: 'cpuset.cpus', kind: 'list' },
  { flag: 'cpuset-mems', controller: 'cpu', key: 'mems', file: 'cpuset.mems', kind: 'list' },
  { flag: 'memory', controller: 'memory', key: 'limit', file: 'memory.max', kind: 'size' },
  { flag: 'memory-reservation', controller: 'memory', key: 'reservation', file: 'memory.low', kind: 'size' },
  { flag: 'pids-limit', controller: 'pids', key: 'limit', file: 'pids.max', kind: 'number' },
];

/** Name and room for each in the state directory. */
export const LIMITS = 'limits';
export const limitBytes = 64;

/** Digits of the longest number, and of the longest with a unit: exact as a double. */
export const longestNumber = 15;
export const longestWithUnit = 6;

/**
 * Whether each of them is that one write, whatever a container has besides: swap is counted with memory, a burst bounds the quota,
 * checkBeforeUpdate asks for a look first, and a cpu.max of `unified` has a period that is not cpu.period.
 */
export function arePlain(resources: Resources | undefined): boolean {
  const { memory, cpu, unified } = resources ?? {};
  return !memory?.swap && memory?.checkBeforeUpdate !== true && cpu?.burst === undefined && unified?.['cpu.max'] === undefined;
}
