// The conversation at a stop: a prompt on standard error, a line from standard input.
import { readSync } from 'node:fs';
import { call } from '../../native/linux/syscalls.ts';
import { write } from '../log.ts';
import { sleep } from '../sleep.ts';

export interface Talk {
  readonly say: (text: string) => void;
  /** The next line, without its end; undefined at the end of input. */
  readonly ask: (prompt: string) => string | undefined;
  /** Signals have their old effect again. */
  readonly end: () => void;
}

const SIGINT = 2;
const SIGTSTP = 20;
const SIG_IGN = 1n;
const SET_BYTES = 8;

/** Begins one. ^C and ^Z are for what runs in the shell: here they would leave a half-made container behind. */
export function beginTalk(): Talk {
  const restores = [SIGINT, SIGTSTP].map(ignore);
  return {
    say: (text) => write(2, text),
    ask: (prompt) => {
      write(2, prompt);
      return readLine();
    },
    end: () => restores.forEach((restore) => restore()),
  };
}

/** struct sigaction as the kernel has it: handler, flags, restorer, mask. */
function ignore(signal: number): () => void {
  const ignored = Buffer.alloc(32);
  ignored.writeBigUInt64LE(SIG_IGN, 0);
  const before = Buffer.alloc(32);
  call('rt_sigaction', signal, ignored, before, SET_BYTES);
  return () => void call('rt_sigaction', signal, before, 0, SET_BYTES);
}

/** Byte by byte: what follows the line is for the container's process, which has the same input. */
function readLine(): string | undefined {
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  for (;;) {
    let got = 0;
    try {
      got = readSync(0, one, 0, 1, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EINTR' || code === 'EAGAIN') {
        sleep(10);
        continue;
      }
    }
    if (got === 0) return bytes.length === 0 ? undefined : Buffer.from(bytes).toString();
    if (one[0] === 0x0a) return Buffer.from(bytes).toString();
    bytes.push(one[0]!);
  }
}
