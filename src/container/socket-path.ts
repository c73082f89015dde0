// A unix socket's name holds 107 bytes (unix(7)); a longer path is reached through a descriptor of its directory.
import { closeSync } from 'node:fs';
import { posix } from 'node:path';
import { O_CLOEXEC, O_PATH } from '../../native/linux/constants.ts';
import { call, text } from '../../native/linux/syscalls.ts';

const LONGEST = 107;

/** Calls `use` with a name of the same socket that fits; -errno when the directory cannot be opened. */
export function withShortPath(path: string, use: (short: string) => number): number {
  if (Buffer.byteLength(path) <= LONGEST) return use(path);
  const directory = call('openat', -100, text(posix.dirname(path)), O_PATH | O_CLOEXEC, 0);
  if (directory < 0) return directory;
  try {
    return use(`/proc/self/fd/${directory}/${posix.basename(path)}`);
  } finally {
    closeSync(directory);
  }
}
