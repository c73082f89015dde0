// An engine that stays in the foreground, as with a terminal and on Node: signals go to the process, and the caller's terminal is its terminal.
import { closeSync } from 'node:fs';
import { F_SETFL, O_NONBLOCK, O_RDWR, POLLHUP, POLLIN, POLLOUT, TCGETS, TCSETS } from '../../native/linux/constants.ts';
import { signalByName } from '../../native/linux/signals.ts';
import { call, exitCode, pollAsync, pollUntilSignal, waitAnyAsync, waitStatus } from '../../native/linux/syscalls.ts';
import { write } from '../log.ts';
import { takeCallersSize } from './giving.ts';

export interface Attached {
  /** Signals now go to this child of ours; `terminal` is the master of its pty, or -1 when it has the caller's stdio itself. */
  readonly attach: (pid: number, terminal: number) => void;
  /** The exit status of the process, once it has ended and all it wrote is shown; the caller's terminal is as it was. */
  readonly ended: () => Promise<number>;
  /** Gives the caller its terminal back. */
  readonly restore: () => void;
}

/** As runc all but SIGCHLD, SIGURG and SIGPIPE, as far as both engines hand them out: SIGPWR is JavaScriptCore's own. */
const forwarded = [
  'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTRAP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGTERM', 'SIGSTKFLT', 'SIGCONT', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU',
  'SIGXCPU', 'SIGXFSZ', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGSYS',
] as const;

/** Where runt itself uses the caller's terminal, a job in the background is stopped by them, as any other. */
const jobControl = ['SIGTTIN', 'SIGTTOU'] as const;

/** Handles signals from now on: those that come before there is a process are kept for it. */
export function attached(): Attached {
  let child = { pid: 0, pidfd: -1 };
  let terminal = -1;
  let saved: Buffer | undefined;
  const early: number[] = [];
  const signal = (number: number): void => {
    if (child.pidfd < 0) early.push(number);
    else call('pidfd_send_signal', child.pidfd, number, 0, 0);
  };
  for (const name of forwarded) process.on(name, () => signal(signalByName(name.slice(3))!));
  const restore = (): void => {
    if (saved !== undefined) call('ioctl', 0, TCSETS, saved);
    saved = undefined;
  };
  return {
    restore,
    attach: (pid, master) => {
      child = { pid, pidfd: call('pidfd_open', pid, 0) };
      terminal = master;
      early.forEach(signal);
      if (terminal < 0) return;
      const resize = (): void => takeCallersSize(terminal);
      resize();
      process.on('SIGWINCH', resize);
      process.on('exit', restore);
      saved = rawMode();
      if (saved !== undefined) for (const name of jobControl) process.removeAllListeners(name);
    },
    ended: async () => {
      const status = terminal < 0 && await endsSoon(child.pidfd) ? reap(child.pid) : reapUntil(child.pid);
      if (terminal >= 0) {
        await copy(terminal, child.pidfd);
        restore();
        closeSync(terminal);
      }
      return status;
    },
  };
}

const NOT_OURS = 255;

function reap(pid: number): number {
  const ended = waitStatus(pid);
  return typeof ended === 'object' ? exitCode(ended.status) : NOT_OURS;
}

/** Milliseconds: most processes that somebody waits for need no more. */
const SOON = 100;

/** Waits a little in this thread: an asynchronous wait starts three others, which cost a short container a twentieth of its time. */
async function endsSoon(pidfd: number): Promise<boolean> {
  const end = Date.now() + SOON;
  for (let left = SOON; pidfd >= 0 && left > 0; left = Math.min(SOON, end - Date.now())) {
    const hasEnded = pollUntilSignal(pidfd, left);
    if (hasEnded !== undefined) return hasEnded;
    await new Promise((resolve) => setTimeout(resolve, 0)); // the signal's handlers run now
  }
  return false;
}

/** As a subreaper we are given the orphans of a container without a pid namespace; they must not stay zombies. */
async function reapUntil(pid: number): Promise<number> {
  for (;;) {
    const ended = await waitAnyAsync();
    if (ended === undefined) return NOT_OURS;
    if (ended.pid === pid) return exitCode(ended.status);
  }
}

const END_OF_FILE = Buffer.from([4]); // VEOF as termios(3) has it at first
const NOTHING = Buffer.alloc(0);
/** Reads of what a process left in its terminal: who still writes there writes for ever. */
const MOST_LEFT = 256;

/**
 * Copies between the caller's streams and the terminal until the process has ended and nothing of it is left, though
 * others may still hold the terminal. One poll(2) for all, because neither side may wait for the other: the terminal
 * takes no more input while nobody takes its output. The caller's descriptors stay as they are, blocking or not.
 */
async function copy(terminal: number, process: number): Promise<void> {
  call('fcntl', terminal, F_SETFL, O_RDWR | O_NONBLOCK);
  const bytes = Buffer.alloc(65536);
  let input: Uint8Array = NOTHING;
  let [isOpen, hasInput, hasEnded] = [true, true, false];
  for (let left = MOST_LEFT; left > 0; left -= hasEnded ? 1 : 0) {
    const [ready = 0, typed = 0, end = 0] = await pollAsync([
      [isOpen ? terminal : -1, POLLIN | (input.length > 0 ? POLLOUT : 0)],
      [hasInput && input.length === 0 ? 0 : -1, POLLIN],
      [hasEnded ? -1 : process, POLLIN],
    ], hasEnded ? 0 : -1);
    if ((ready & POLLIN) !== 0) {
      const length = call('read', terminal, bytes, bytes.length);
      if (length > 0) write(1, bytes.subarray(0, length));
      else isOpen = false; // EIO: the last slave is closed (pty(7))
    } else if (hasEnded) return;
    else if ((ready & POLLHUP) !== 0) isOpen = false;
    if ((ready & POLLOUT) !== 0) input = input.subarray(Math.max(0, call('write', terminal, input, input.length)));
    if (typed !== 0) {
      const chunk = Buffer.alloc(4096);
      const length = call('read', 0, chunk, chunk.length);
      hasInput = length > 0;
      input = hasInput ? chunk.subarray(0, length) : END_OF_FILE;
    }
    hasEnded ||= end !== 0;
  }
}

/** termios(3) cfmakeraw on standard input; returns what was there, undefined when it is no terminal. */
function rawMode(): Buffer | undefined {
  const saved = Buffer.alloc(64);
  if (call('ioctl', 0, TCGETS, saved) < 0) return undefined;
  const raw = Buffer.from(saved);
  raw.writeUInt32LE(raw.readUInt32LE(0) & ~0o2753, 0); // c_iflag: IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
  raw.writeUInt32LE(raw.readUInt32LE(4) & ~1, 4); // c_oflag: OPOST
  raw.writeUInt32LE((raw.readUInt32LE(8) & ~0o460) | 0o60, 8); // c_cflag: CSIZE PARENB, CS8
  raw.writeUInt32LE(raw.readUInt32LE(12) & ~0o100113, 12); // c_lflag: ECHO ECHONL ICANON ISIG IEXTEN
  call('ioctl', 0, TCSETS, raw);
  return saved;
}
