// `run` and `exec` without --detach: signals go to the process, and the terminal of the caller is its terminal.
import { closeSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { F_SETFL, O_NONBLOCK, O_RDWR, POLLIN, TCGETS, TCSETS, TIOCGWINSZ, TIOCSWINSZ } from '../../native/linux/constants.ts';
import { errnoNumber } from '../../native/linux/errno.ts';
import { call, exitCode, pollAsync, waitStatus, waitStatusAsync } from '../../native/linux/syscalls.ts';
import { write } from '../log.ts';

export interface Foreground {
  /** Signals now go to this child of ours; `terminal` is the master of its pty, or -1 when it has the caller's stdio itself. */
  readonly attach: (pid: number, terminal: number) => void;
  /** The exit status of the process, once it has ended and all it wrote is shown; the caller's terminal is as it was. */
  readonly ended: () => Promise<number>;
  /** Gives the caller its terminal back. */
  readonly restore: () => void;
}

/** All that a JavaScript engine hands out and that are not its own affair (SIGCHLD, SIGURG, SIGPIPE), as runc. */
const forwarded = [
  'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTRAP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGTERM', 'SIGSTKFLT', 'SIGCONT', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU',
  'SIGXCPU', 'SIGXFSZ', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGPWR', 'SIGSYS',
] as const;

/** Catches signals from now on: those that come before there is a process are kept for it. */
export function beginForeground(): Foreground {
  let child = { pid: 0, pidfd: -1 };
  let terminal = -1;
  let saved: Buffer | undefined;
  const early: number[] = [];
  const signal = (number: number): void => {
    if (child.pidfd < 0) early.push(number);
    else call('pidfd_send_signal', child.pidfd, number, 0, 0);
  };
  for (const name of forwarded) process.on(name, () => signal(constants.signals[name]));
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
      const resize = (): void => {
        const size = Buffer.alloc(8);
        if (call('ioctl', 0, TIOCGWINSZ, size) === 0) call('ioctl', terminal, TIOCSWINSZ, size);
      };
      resize();
      process.on('SIGWINCH', resize);
      process.on('exit', restore);
      if (isatty(0)) saved = rawMode();
      copyIn(terminal);
    },
    ended: async () => {
      if (terminal < 0) return exitCode(await waitStatusAsync(child.pid));
      await copyOut(terminal, child.pidfd);
      process.stdin.destroy();
      restore();
      closeSync(terminal);
      const ended = waitStatus(child.pid);
      return typeof ended === 'object' ? exitCode(ended.status) : 255;
    },
  };
}

/** Reads of what a process left in its terminal: who still writes there writes for ever. */
const MOST_LEFT = 256;

/**
 * Shows what the terminal has until the process ends and nothing is left, though others may still hold the terminal.
 * Not a read on a worker thread: one that never returns would keep the engine from ending.
 */
async function copyOut(terminal: number, process: number): Promise<void> {
  const bytes = Buffer.alloc(65536);
  for (let isOpen = true, hasEnded = false, left = MOST_LEFT; left > 0; ) {
    const [output = 0, end = 0] = await pollAsync([isOpen ? terminal : -1, hasEnded ? -1 : process], hasEnded ? 0 : -1);
    if ((output & POLLIN) !== 0) {
      try {
        write(1, bytes.subarray(0, readSync(terminal, bytes)));
      } catch {
        isOpen = false; // EIO: the last slave is closed (pty(7))
      }
    } else if (hasEnded) return;
    else if (output !== 0) isOpen = false;
    hasEnded ||= end !== 0;
    if (hasEnded) left--;
  }
}

const EAGAIN = -errnoNumber('EAGAIN');
const PAUSE = 5;

/** Never waits for the terminal to take more: its owner may wait for us to show what it wrote. */
function copyIn(terminal: number): void {
  call('fcntl', terminal, F_SETFL, O_RDWR | O_NONBLOCK);
  const input = process.stdin;
  const waiting: Buffer[] = [];
  const pump = (): void => {
    for (let chunk = waiting[0]; chunk !== undefined; chunk = waiting[0]) {
      const written = call('write', terminal, chunk, chunk.length);
      if (written === EAGAIN) {
        input.pause();
        setTimeout(pump, PAUSE);
        return;
      }
      waiting.shift();
      if (written >= 0 && written < chunk.length) waiting.unshift(chunk.subarray(written));
    }
    input.resume();
  };
  const put = (chunk: Buffer): void => {
    waiting.push(chunk);
    if (waiting.length === 1) pump();
  };
  input.on('data', put);
  input.on('end', () => put(Buffer.from([4])));
  input.on('error', () => {});
}

/** termios(3) cfmakeraw on standard input; returns what was there. */
function rawMode(): Buffer {
  const saved = Buffer.alloc(64);
  call('ioctl', 0, TCGETS, saved);
  const raw = Buffer.from(saved);
  raw.writeUInt32LE(raw.readUInt32LE(0) & ~0o2753, 0); // c_iflag: IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
  raw.writeUInt32LE(raw.readUInt32LE(4) & ~1, 4); // c_oflag: OPOST
  raw.writeUInt32LE((raw.readUInt32LE(8) & ~0o460) | 0o60, 8); // c_cflag: CSIZE PARENB, CS8
  raw.writeUInt32LE(raw.readUInt32LE(12) & ~0o100113, 12); // c_lflag: ECHO ECHONL ICANON ISIG IEXTEN
  call('ioctl', 0, TCSETS, raw);
  return saved;
}
