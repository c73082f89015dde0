// process.execCPUAffinity (config.md#linux-process): lists of CPUs as `0-3,7`, for exec only.
import { part, type Step } from '../program/step.ts';
import type { Context } from './context.ts';
import { nodeMask } from './scheduler.ts';

function affinity({ config }: Context, when: 'initial' | 'final', why: string): readonly Step[] {
  const mask = nodeMask(config.process?.execCPUAffinity?.[when] ?? '');
  if (mask === undefined) return [];
  return [part('container', `/process/execCPUAffinity/${when}`)('sched_setaffinity', [0, mask.length, { bytes: mask }], why)];
}

export function initialAffinity(context: Context): readonly Step[] {
  return affinity(context, 'initial', 'where the set-up itself runs');
}

export function finalAffinity(context: Context): readonly Step[] {
  return affinity(context, 'final', 'among the CPUs of the cgroup');
}
