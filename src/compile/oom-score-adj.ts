// process.oomScoreAdj (proc_pid_oom_score_adj(5)).
import { AT_FDCWD, O_CLOEXEC, O_WRONLY } from '../../native/linux/constants.ts';
import { part, slot, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

export function oomScoreAdj({ config }: Context): readonly Step[] {
  const value = config.process?.oomScoreAdj;
  if (value === undefined) return [];
  const step = part('container', '/process/oomScoreAdj');
  const text = String(value);
  return [
    step('openat', [AT_FDCWD, '/proc/self/oom_score_adj', O_WRONLY | O_CLOEXEC, 0], 'the host’s procfs, before anything of the container is mounted', { result: 'oom' }),
    step('write', [slot('oom'), text, text.length], 'lowering needs CAP_SYS_RESOURCE over the host'),
    step('close', [slot('oom')], ''),
  ];
}
