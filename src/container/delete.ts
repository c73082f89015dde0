// `delete`: undoes create (runtime.md#delete): processes, cgroup, state, then poststop hooks. It works on half-made containers too.
import { closeSync, lstatSync, rmdirSync } from 'node:fs';
import { call, pollReadable, waitStatus } from '../../native/linux/syscalls.ts';
import { killCgroup, removeCgroup } from '../cgroup/remove.ts';
import { RuntimeError } from '../errors.ts';
import { killInit } from './kill.ts';
import { withLock } from './lock.ts';
import { containerExists, hookState, isHalfRemoved, processStartTime, readState, removeStateDirectory, sweepStateDirectory, type ContainerState } from './state.ts';
import { currentStatus } from './status.ts';
import { loadSystemdFor, systemd } from './systemd.ts';

const PATIENCE = 10_000;

/**
 * Deletes a container. Without `force` only a stopped or created one; with it a missing one is no error. With `pid` only the one whose init has
 * that pid: another that was given the same id since stays as it is.
 */
export async function deleteContainer(root: string, id: string, { force, pid }: { readonly force: boolean; readonly pid?: number | undefined }, warn: (message: string) => void): Promise<void> {
  const directory = `${root}/${id}`;
  if (!containerExists(root, id)) {
    if (force || isHalfRemoved(directory)) return sweepStateDirectory(root, id); // the rest of a delete that did not end
    throw new RuntimeError('container does not exist');
  }
  checkOwner(directory);
  await loadSystemdFor(root, id);
  const remove = async (): Promise<void> => {
    const state = stateOrNothing(root, id, force);
    if (pid !== undefined && state?.pid !== pid) return;
    if (state === undefined) return removeUnreadable(directory, warn);
    const now = currentStatus(state, directory);
    if (!force && now !== 'stopped' && now !== 'created') throw new RuntimeError(`cannot delete container ${id} that is not stopped: ${now}`, { hint: 'kill it first, or delete --force' });
    end(state);
    await removeContainer(directory, state, warn);
  };
  try {
    await withLock(directory, remove);
  } catch (error) {
    if (!force || containerExists(root, id)) throw error; // whoever had the lock has deleted it
  }
}

/** What someone else wrote could name any process and any cgroup: not even --force believes it. */
function checkOwner(directory: string): void {
  for (const path of [directory, `${directory}/state.json`, `${directory}/program`]) {
    const owner = lstatSync(path, { throwIfNoEntry: false })?.uid;
    if (owner !== undefined && owner !== process.geteuid!()) throw new RuntimeError(`${path} belongs to uid ${owner}`, { hint: 'what it says is not trusted: remove the directory by hand' });
  }
}

/** Nothing but the flight recorder says what there was: its cgroup holds every process. */
async function removeUnreadable(directory: string, warn: (message: string) => void): Promise<void> {
  const { recordedCgroup, recordedUnit } = await import('./record.ts');
  const path = recordedCgroup(directory);
  if (path !== undefined) {
    killCgroup(path);
    const unit = recordedUnit(directory);
    endCgroup({ path, ...(unit === undefined ? {} : { unit }) }, warn);
  }
  await removeResctrl(directory);
  removeStateDirectory(directory);
}

/** resctrl has nothing to wait for: a class goes with what is left in it. One that is gone is done. */
async function removeResctrl(directory: string): Promise<void> {
  const { recordedResctrl } = await import('./record.ts');
  for (const path of recordedResctrl(directory)) {
    try {
      rmdirSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Removes a cgroup nobody is in; its systemd unit is stopped first, which removes it too. */
function endCgroup({ path, unit, isUser }: NonNullable<ContainerState['cgroup']>, warn: (message: string) => void): void {
  if (unit !== undefined) {
    killCgroup(path); // systemd would wait for each process to end by itself
    try {
      systemd(isUser).stopUnit(unit);
    } catch (error) {
      warn((error as Error).message);
    }
  }
  removeCgroup(path);
}

/** A state file that cannot be read: without force its error, with force the directory goes all the same. */
function stateOrNothing(root: string, id: string, force: boolean): ContainerState | undefined {
  try {
    return readState(root, id);
  } catch (error) {
    if (force) return undefined;
    throw error;
  }
}

/** Kills what still runs and waits until init is gone; a child of ours is reaped. */
function end(state: ContainerState): void {
  if (state.pid > 0 && processStartTime(state.pid) === state.startTime) {
    const pidfd = call('pidfd_open', state.pid, 0);
    killInit(state);
    if (pidfd >= 0) {
      pollReadable(pidfd, PATIENCE);
      closeSync(pidfd);
    }
    waitStatus(state.pid, true);
  }
}

/** Removes cgroup, with what is still in it, and state of a container that has ended, then runs its poststop hooks; their failure is a warning. */
export async function removeContainer(directory: string, state: ContainerState, warn: (message: string) => void): Promise<void> {
  if (state.cgroup !== null) {
    if (state.status === 'creating' || !state.privatePidNamespace) killCgroup(state.cgroup.path); // what does not die with init
    endCgroup(state.cgroup, warn);
  }
  if (state.resctrl === true) await removeResctrl(directory);
  if (!state.hooks.poststop) return removeStateDirectory(directory);
  const [{ runHook }, { storedConfig }] = await Promise.all([import('./hooks.ts'), import('./stored-config.ts')]);
  const config = storedConfig(directory);
  removeStateDirectory(directory);
  for (const [index, hook] of (config.hooks?.poststop ?? []).entries()) {
    try {
      runHook('poststop', index, hook, hookState(state, config.annotations, 'stopped', 0), state.bundle);
    } catch (error) {
      warn((error as Error).message);
    }
  }
}
