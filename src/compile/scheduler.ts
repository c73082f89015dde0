// process.scheduler, process.ioPriority, linux.personality, linux.memoryPolicy, and the CPU affinity the caller had.
import { part, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

const policies: Readonly<Record<string, number>> = { SCHED_OTHER: 0, SCHED_FIFO: 1, SCHED_RR: 2, SCHED_BATCH: 3, SCHED_ISO: 4, SCHED_IDLE: 5, SCHED_DEADLINE: 6 };
const flags: Readonly<Record<string, number>> = {
  SCHED_FLAG_RESET_ON_FORK: 1, SCHED_FLAG_RECLAIM: 2, SCHED_FLAG_DL_OVERRUN: 4, SCHED_FLAG_KEEP_POLICY: 8, SCHED_FLAG_KEEP_PARAMS: 16,
  SCHED_FLAG_UTIL_CLAMP_MIN: 32, SCHED_FLAG_UTIL_CLAMP_MAX: 64,
};
const ioClasses: Readonly<Record<string, number>> = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 };
const personalities: Readonly<Record<string, number>> = { LINUX: 0, LINUX32: 8 };
const memoryModes: Readonly<Record<string, number>> = {
  MPOL_DEFAULT: 0, MPOL_PREFERRED: 1, MPOL_BIND: 2, MPOL_INTERLEAVE: 3, MPOL_LOCAL: 4, MPOL_PREFERRED_MANY: 5, MPOL_WEIGHTED_INTERLEAVE: 6,
};
const memoryFlags: Readonly<Record<string, number>> = { MPOL_F_STATIC_NODES: 1 << 15, MPOL_F_RELATIVE_NODES: 1 << 14, MPOL_F_NUMA_BALANCING: 1 << 13 };

const EVERY_CPU = 1024; // bytes of a mask: 8192 CPUs
const ALL_PROCESSES = 0;
const IOPRIO_WHO_PROCESS = 1;

export function scheduling({ config }: Context): readonly Step[] {
  const steps: Step[] = [
    part('container', '')('sched_setaffinity', [ALL_PROCESSES, EVERY_CPU, { bytes: Buffer.alloc(EVERY_CPU, 0xff) }], 'not the caller’s CPUs: all that the cgroup allows', { tolerate: ['EPERM', 'EINVAL'] }),
  ];
  const scheduler = config.process?.scheduler;
  if (scheduler !== undefined) {
    const members = {
      size: 48,
      sched_policy: policies[scheduler.policy] ?? -1,
      sched_flags: (scheduler.flags ?? []).reduce((sum, name) => sum | (flags[name] ?? 0), 0),
      sched_nice: Number(scheduler.nice ?? 0),
      sched_priority: Number(scheduler.priority ?? 0),
      sched_runtime: scheduler.runtime ?? 0,
      sched_deadline: scheduler.deadline ?? 0,
      sched_period: scheduler.period ?? 0,
    };
    steps.push(part('container', '/process/scheduler')('sched_setattr', [0, { struct: 'sched_attr', members }, 0], 'needs CAP_SYS_NICE'));
  }
  const io = config.process?.ioPriority;
  if (io !== undefined) {
    const value = ((ioClasses[io.class] ?? 0) << 13) | Number(io.priority ?? 0);
    steps.push(part('container', '/process/ioPriority')('ioprio_set', [IOPRIO_WHO_PROCESS, 0, value], ''));
  }
  const domain = config.linux?.personality?.domain;
  if (domain !== undefined) steps.push(part('container', '/linux/personality')('personality', [personalities[domain] ?? 0], 'before seccomp, which may forbid it'));
  const memory = config.linux?.memoryPolicy;
  if (memory !== undefined) {
    const mode = (memoryModes[memory.mode] ?? 0) | (memory.flags ?? []).reduce((sum, name) => sum | (memoryFlags[name] ?? 0), 0);
    const nodes = nodeMask(memory.nodes ?? '');
    const args = nodes === undefined ? [mode, null, 0] : [mode, { bytes: nodes }, nodes.length * 8 + 1];
    steps.push(part('container', '/linux/memoryPolicy')('set_mempolicy', args, 'inherited through execve'));
  }
  return steps;
}

/** `0-3,7` → a bit mask of whole words, lowest bit first; undefined for no nodes. */
export function nodeMask(list: string): Buffer | undefined {
  const numbers = list.split(',').flatMap((range) => {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(range);
    if (match === null) return [];
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
  });
  if (numbers.length === 0) return undefined;
  const mask = Buffer.alloc(8 * (Math.floor(Math.max(...numbers) / 64) + 1));
  for (const number of numbers) mask[number >> 3]! |= 1 << (number & 7);
  return mask;
}
