// Which processes a container has: those of its cgroup and of what is below.
import { membersOfTree } from '../cgroup/files.ts';
import { processStartTime, type ContainerState } from './state.ts';

/** Pids as the runtime sees them, in ascending order. A container without a cgroup shows its init alone. */
export function processesOf(state: ContainerState): readonly number[] {
  if (state.cgroup !== null) return membersOfTree(state.cgroup.path);
  return processStartTime(state.pid) === state.startTime ? [state.pid] : [];
}
