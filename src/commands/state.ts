// `runt state` (runtime.md#query-state). Loads neither koffi nor the compiler: managers poll it.
import { readState, type ContainerState } from '../container/state.ts';
import { currentStatus } from '../container/status.ts';
import type { Command } from './command.ts';

/** The state object as runc prints it: `owner` and `rootfs` are its extensions. */
export function stateObject(state: ContainerState, directory: string): Record<string, unknown> {
  const status = currentStatus(state, directory);
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

export const command: Command = {
  name: 'state', summary: 'print the state of a container as JSON', words: 'CONTAINER', least: 1, most: 1, flags: [],
  examples: ['runt state web'],
  run: (call) => {
    const { root } = call.globals;
    const id = call.words[0]!;
    call.stdout(`${JSON.stringify(stateObject(readState(root, id), `${root}/${id}`), null, 2)}\n`);
    return 0;
  },
};
