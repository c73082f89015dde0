// Which processes a container has: those of its cgroup and of what is below.
import { readdirSync } from 'node:fs';
import { members } from '../cgroup/remove.ts';
import { processStartTime, type ContainerState } from './state.ts';

/** Pids as the runtime sees them, in ascending order. A container without a cgroup shows its init alone. */
export function processesOf(state: ContainerState): readonly number[] {
  if (state.cgroup !== null) return tree(state.cgroup.path).sort((a, b) => a - b);
  return processStartTime(state.pid) === state.startTime ? [state.pid] : [];
}

function tree(path: string): number[] {
  const pids = [...members(path)];
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) if (entry.isDirectory()) pids.push(...tree(`${path}/${entry.name}`));
  } catch {
    // gone while we looked
  }
  return pids;
}
