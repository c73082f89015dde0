// What `state` prints (runtime.md#query-state), as runc does: `owner` and `rootfs` are its extensions.
import type { ContainerState, HookState } from './state.ts';
import type { Status } from './status.ts';

/** The state object of a container with this status. */
export function stateObject(state: ContainerState, annotations: HookState['annotations'], status: Status): Record<string, unknown> {
  return {
    ociVersion: '1.3.0',
    id: state.id,
    pid: status === 'stopped' ? 0 : state.pid,
    status,
    bundle: state.bundle,
    rootfs: state.rootfs,
    created: state.created,
    ...(annotations === undefined || Object.keys(annotations).length === 0 ? {} : { annotations }),
    owner: '',
  };
}

/** The same as text. */
export function stateReport(state: ContainerState, annotations: HookState['annotations'], status: Status): string {
  return `${JSON.stringify(stateObject(state, annotations, status), null, 2)}\n`;
}
