// `pause` and `resume`: the freezer of the container's cgroup. `state` reads the freezer itself, so nothing is stored.
import { setFrozen } from '../cgroup/freeze.ts';
import { RuntimeError } from '../errors.ts';
import { readState, type ContainerState } from './state.ts';
import { currentStatus } from './status.ts';

/** Freezes a running or created container. Throws RuntimeError with runc's words otherwise. */
export function pauseContainer(root: string, id: string): void {
  change(root, id, (state, now) => {
    if (now !== 'running' && now !== 'created') throw new RuntimeError(now === 'paused' ? 'container already paused' : 'container not running');
    setFrozen(cgroupOf(state), true);
  });
}

/** Thaws a paused container. */
export function resumeContainer(root: string, id: string): void {
  change(root, id, (state, now) => {
    if (now !== 'paused') throw new RuntimeError('container not paused');
    setFrozen(cgroupOf(state), false);
  });
}

/** Without the container's lock, whose flock(2) would cost a third of the whole command: the freezer is one file, and what else happens meanwhile holds for frozen processes too. */
function change(root: string, id: string, body: (state: ContainerState, now: string) => void): void {
  const state = readState(root, id);
  body(state, currentStatus(state, `${root}/${id}`));
}

/** The container's cgroup. Throws RuntimeError for a container that has none. */
export function cgroupOf(state: ContainerState): string {
  if (state.cgroup === null) throw new RuntimeError('the container has no cgroup', { hint: 'it was made with --cgroup-manager disabled, or without rights over one' });
  return state.cgroup.path;
}
