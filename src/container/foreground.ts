// `run` without --detach: signals go to init, and the terminal of the caller is the terminal of the container.
import { closeSync, writeSync, read as readFd } from 'node:fs';
import { isatty } from 'node:tty';
import { TCGETS, TCSETS, TIOCGWINSZ, TIOCSWINSZ } from '../../native/linux/constants.ts';
import { call } from '../../native/linux/syscalls.ts';
import { signalInit } from './kill.ts';
import type { ContainerState } from './state.ts';

export interface Foreground {
  /** Gives the caller its terminal back as it was. */
  readonly restore: () => void;
  /** Writes what the container still had to say, then restores. */
  readonly finish: () => Promise<void>;
}

const forwarded = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGCONT', 'SIGTSTP'] as const;

/** Begins forwarding. `terminal` is the pty's master, or -1 when the container uses the caller's stdio itself. */
export async function foreground(state: ContainerState, terminal: number): Promise<Foreground> {
  const numbers = (await import('node:os')).constants.signals;
  for (const name of forwarded) process.on(name, () => void signalInit(state, numbers[name]));
  if (terminal < 0) return { restore: () => {}, finish: async () => {} };

  const saved = isatty(0) ? rawMode() : undefined;
  const resize = (): void => {
    const size = Buffer.alloc(8);
    if (isatty(0) && call('ioctl', 0, TIOCGWINSZ, size) === 0) call('ioctl', terminal, TIOCSWINSZ, size);
  };
  resize();
  process.on('SIGWINCH', resize);
  // Not a read on a worker thread: one that never returns would keep the engine from ending.
  const input = process.stdin;
  input.on('data', (chunk: Buffer) => writeAll(terminal, chunk));
  input.on('end', () => writeAll(terminal, Buffer.from([4])));
  input.on('error', () => {});
  const output = copyOut(terminal);
  const restore = (): void => {
    if (saved !== undefined) call('ioctl', 0, TCSETS, saved);
  };
  return {
    restore,
    finish: async () => {
      await output;
      input.destroy();
      restore();
      closeSync(terminal);
    },
  };
}

/** Reads the master until the last slave is closed (EIO, pty(7)). */
function copyOut(terminal: number): Promise<void> {
  const bytes = Buffer.alloc(65536);
  return new Promise((resolve) => {
    const next = (): void => {
      readFd(terminal, bytes, 0, bytes.length, null, (error, length) => {
        if (error !== null || length === 0) return resolve();
        writeAll(1, bytes.subarray(0, length));
        next();
      });
    };
    next();
  });
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
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
