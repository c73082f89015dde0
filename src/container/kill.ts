// `kill`: signals through a pidfd, so that a pid that was used again is never hit (pidfd_send_signal(2)).
import { closeSync } from 'node:fs';
import { errnoName } from '../../native/linux/errno.ts';
import { signalByName } from '../../native/linux/signals.ts';
import { call } from '../../native/linux/syscalls.ts';
import { killCgroup, signalTree } from '../cgroup/remove.ts';
import { RuntimeError } from '../errors.ts';
import { withLock } from './lock.ts';
import { processStartTime, readState, type ContainerState } from './state.ts';
import { currentStatus } from './status.ts';

const SIGKILL = 9;

/** `TERM`, `sigterm`, `SIGTERM`, `SIGRTMIN+3` or `15` → 15. Throws RuntimeError for anything else. */
export function signalNumber(signal: string): number {
  if (/^\d+$/.test(signal)) {
    const number = Number(signal);
    if (number <= 64) return number;
  }
  const name = signal.toUpperCase().replace(/^SIG/, '');
  const known = signalByName(name);
  if (known !== undefined) return known;
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realtime !== null) {
    const number = (realtime[1] === 'MIN' ? 34 : 64) + (realtime[2] === '-' ? -1 : 1) * Number(realtime[3] ?? 0);
    if (number >= 34 && number <= 64) return number;
  }
  throw new RuntimeError(`unknown signal "${signal}"`, { hint: 'a name with or without SIG, or a number' });
}

/** Signals a container's init, or with `all` every process in its cgroup. */
export async function killContainer(root: string, id: string, signal: string, all: boolean): Promise<void> {
  const number = signalNumber(signal);
  await withLock(`${root}/${id}`, () => {
    const state = readState(root, id);
    const isStopped = currentStatus(state, `${root}/${id}`) === 'stopped';
    const endsEverything = number === SIGKILL && !state.privatePidNamespace;
    if (all || endsEverything) killAll(state, number);
    if (all) return;
    if (isStopped) throw new RuntimeError('container not running');
    const error = signalInit(state, number);
    if (error === 'ESRCH' && endsEverything) return; // Ended by the line above, and gone already.
    if (error === 'ESRCH') throw new RuntimeError('container not running');
    if (error !== undefined) throw new RuntimeError(`cannot signal pid ${state.pid}: ${error}`, { errno: error });
  });
}

function killAll(state: ContainerState, signal: number): void {
  if (state.cgroup === null) {
    signalInit(state, signal);
    return;
  }
  if (signal === SIGKILL) killCgroup(state.cgroup.path);
  else signalTree(state.cgroup.path, signal);
}

/** Signals init if it is still the process that was created; gives the errno's name when it was not done. */
export function signalInit(state: ContainerState, signal: number): string | undefined {
  if (state.pid <= 0) return 'ESRCH';
  const pidfd = call('pidfd_open', state.pid, 0);
  if (pidfd < 0) return errnoName(-pidfd);
  try {
    if (processStartTime(state.pid) !== state.startTime) return 'ESRCH';
    const sent = call('pidfd_send_signal', pidfd, signal, 0, 0);
    return sent < 0 ? errnoName(-sent) : undefined;
  } finally {
    closeSync(pidfd);
  }
}

/** SIGKILL to init, and to everything in its cgroup when there is no pid namespace that dies with it. */
export function killInit(state: ContainerState): void {
  signalInit(state, SIGKILL);
  if (!state.privatePidNamespace && state.cgroup !== null) killCgroup(state.cgroup.path);
}
