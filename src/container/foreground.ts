// `run` and `exec` without --detach: once the process runs the executable gives way to its launcher; what cannot, stays (attached.ts).
import { SIG_SETMASK, SIGPWR } from '../../native/linux/constants.ts';
import { isExecutable } from '../../native/linux/koffi.ts';
import { call } from '../../native/linux/syscalls.ts';
import type { Attached } from './attached.ts';
import { leaveToLauncher } from './leave.ts';

export interface Foreground {
  /** Signals are for this child of ours; `terminal` is the master of its pty, or -1 when it has the caller's stdio itself. */
  readonly attach: (pid: number, terminal: number) => void | Promise<void>;
  /** The launcher takes the place of this process where it can, and then this does not return (leave.ts). With `globalWords` it deletes the container at the end. */
  readonly leave: (globalWords?: number) => void;
  /** The exit status of the process, once it has ended and all it wrote is shown; the caller's terminal is as it was. */
  readonly ended: () => Promise<number>;
  /** Gives the caller its terminal back. */
  readonly restore: () => void;
}

/**
 * Keeps signals from now on: those that come before there is a process are for it. With `mayLeave` the executable, which has no other thread
 * that could take them, holds them back until its launcher or an engine that stays forwards them. A terminal needs an engine: the launcher knows none.
 */
export async function beginForeground(mayLeave: boolean): Promise<Foreground> {
  const load = async (): Promise<Attached> => (await import('./attached.ts')).attached();
  if (!mayLeave || !isExecutable) return { ...await load(), leave: () => {} };
  const before = maskSignals(allButSigpwr());
  let child = 0;
  let staying: Attached | undefined;
  const stay = async (terminal: number): Promise<Attached> => {
    if (staying !== undefined) return staying;
    staying = await load();
    maskSignals(before);
    staying.attach(child, terminal);
    return staying;
  };
  return {
    attach: async (pid, terminal) => {
      child = pid;
      if (terminal >= 0) await stay(terminal);
    },
    leave: (globalWords) => {
      if (staying === undefined) leaveToLauncher(child, globalWords);
    },
    ended: async () => (await stay(-1)).ended(),
    restore: () => staying?.restore(),
  };
}

const SIGSET_BYTES = 8;

/** JavaScriptCore stops threads by SIGPWR. */
function allButSigpwr(): Buffer {
  const set = Buffer.alloc(SIGSET_BYTES, 0xff);
  set[(SIGPWR - 1) >> 3]! &= ~(1 << ((SIGPWR - 1) & 7));
  return set;
}

/** rt_sigprocmask(2); gives what there was. */
function maskSignals(set: Buffer): Buffer {
  const before = Buffer.alloc(SIGSET_BYTES);
  call('rt_sigprocmask', SIG_SETMASK, set, before, SIGSET_BYTES);
  return before;
}
