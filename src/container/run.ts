// `run`: create and start in one; in the foreground it stays, forwards signals and the terminal, and ends as the process ends.
import { PR_SET_CHILD_SUBREAPER } from '../../native/linux/constants.ts';
import { call, exitCode, waitStatus, waitStatusAsync } from '../../native/linux/syscalls.ts';
import { createContainer } from './create.ts';
import { removeContainer } from './delete.ts';
import { killInit } from './kill.ts';
import type { RunOptions } from './options.ts';
import { startContainer } from './start.ts';

/** Runs a container; resolves to the exit status runt is to end with. Throws RuntimeError when it cannot be made. */
export async function runContainer(options: RunOptions, warn: (message: string) => void): Promise<number> {
  if (!options.detach && !options.noSubreaper) call('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const created = createContainer(options, !options.detach);
  const { state, terminal } = created;
  const directory = `${options.root}/${options.id}`;
  const discard = (): void => {
    killInit(state);
    waitStatus(state.pid);
    removeContainer(directory, state, warn);
  };
  try {
    if (options.detach) {
      startContainer(options.root, options.id);
      return 0;
    }
    const { foreground } = await import('./foreground.ts');
    const proxy = await foreground(state, terminal);
    try {
      startContainer(options.root, options.id);
    } catch (error) {
      proxy.restore();
      throw error;
    }
    const status = exitCode(await waitStatusAsync(state.pid));
    await proxy.finish();
    if (!options.keep) removeContainer(directory, state, warn);
    return status;
  } catch (error) {
    discard();
    throw error;
  }
}
