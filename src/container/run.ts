// `run`: create and start in one; in the foreground it stays, forwards signals and the terminal, and ends as the process ends.
import { PR_SET_CHILD_SUBREAPER } from '../../native/linux/constants.ts';
import { call, waitStatus } from '../../native/linux/syscalls.ts';
import { createContainer, type Created } from './create.ts';
import { deleteContainer, removeContainer } from './delete.ts';
import { endsPlainly } from './facts.ts';
import { beginForeground, type Foreground } from './foreground.ts';
import { killInit } from './kill.ts';
import type { RunOptions } from './options.ts';
import { startAndTell } from './start.ts';
import { loadSystemd } from './systemd.ts';

/** Runs a container; resolves to the exit status runt is to end with. Throws RuntimeError when it cannot be made. */
export async function runContainer(options: RunOptions, warn: (message: string) => void): Promise<number> {
  if (!options.detach && !options.noSubreaper) call('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (options.cgroupManager === 'systemd') await loadSystemd();
  const foreground = options.detach ? undefined : await beginForeground(options.debugging?.watch === undefined && !process.env['NOTIFY_SOCKET']);
  const created = await createContainer(options, !options.detach);
  const { state, image } = created;
  const watch = options.debugging?.watch;
  return stay(options, created, foreground, warn, async () => {
    await startAndTell(options.root, options.id, options.detach, { state, image, watch });
    options.debugging?.ended?.(image);
  });
}

/** What is left to do when there is a container: start it, and in the foreground stay until it ends. A failure ends it. */
export async function stay(options: RunOptions, { state, terminal }: Pick<Created, 'state' | 'terminal'>, foreground: Foreground | undefined, warn: (message: string) => void, start?: () => Promise<void>): Promise<number> {
  const directory = `${options.root}/${options.id}`;
  const isWatched = options.debugging?.watch !== undefined;
  try {
    if (!isWatched) await foreground?.attach(state.pid, terminal);
    await start?.();
    if (isWatched) await foreground?.attach(state.pid, terminal); // a debugger still needs the terminal as it is
    if (foreground === undefined) return 0;
    if (options.keep) foreground.leave();
    else if (endsPlainly(state)) foreground.leave(options.globalWords);
    const status = await foreground.ended();
    if (!options.keep) await deleteContainer(options.root, options.id, { force: true, pid: state.pid }, warn);
    return status;
  } catch (error) {
    foreground?.restore();
    killInit(state);
    waitStatus(state.pid);
    await removeContainer(directory, state, warn);
    throw error;
  }
}
