// What a container is doing now (runtime.md#state), from the process, the gate and the freezer: never stored, so never stale.
import { existsSync, readFileSync } from 'node:fs';
import { gateOf, processStartTime, type ContainerState } from './state.ts';

export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

/** Uses files only: `state` is polled by managers and must not pay for koffi. */
export function currentStatus(state: ContainerState, directory: string): Status {
  if (state.status === 'creating') return state.pid === 0 ? 'creating' : 'stopped';
  if (processStartTime(state.pid) !== state.startTime) return 'stopped';
  if (isFrozen(state)) return 'paused';
  return existsSync(gateOf(directory)) ? 'created' : 'running';
}

function isFrozen(state: ContainerState): boolean {
  if (state.cgroup === null) return false;
  try {
    return readFileSync(`${state.cgroup.path}/cgroup.freeze`, 'latin1').startsWith('1');
  } catch {
    return false;
  }
}
