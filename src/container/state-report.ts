// What `state` prints (runtime.md#query-state), as runc does: `owner` and `rootfs` are its extensions.
import type { ContainerState } from './state.ts';
import type { Status } from './status.ts';

/** The state object of a container with this status. */
export function stateObject(state: ContainerState, status: Status): Record<string, unknown> {
  return {
    ociVersion: '1.3.0',
    id: state.id,
    pid: status === 'stopped' ? 0 : state.pid,
    status,
    bundle: state.bundle,
    rootfs: state.rootfs,
    created: state.created,
    ...(Object.keys(state.annotations ?? {}).length === 0 ? {} : { annotations: state.annotations }),
    owner: '',
  };
}

/** The same as text. */
export function stateReport(state: ContainerState, status: Status): string {
  return `${JSON.stringify(stateObject(state, status), null, 2)}\n`;
}
