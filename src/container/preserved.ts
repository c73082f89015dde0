// Descriptors from 3 on that the process keeps: those the caller gave, never one of the engine's own.
import { readlinkSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';

const FIRST = 3;

/** Throws RuntimeError when the caller gave fewer than `count` descriptors from 3 on. */
export function checkPreserved(count: number): void {
  for (let index = 0; index < count; index++) {
    if (isGiven(FIRST + index)) continue;
    throw new RuntimeError(`unable to stat preserved-fd ${index} (of ${count}): descriptor ${FIRST + index} is not open`, { hint: '--preserve-fds and LISTEN_FDS count descriptors from 3 on' });
  }
}

/** The first number that nobody gave holds what both engines open first: their epoll instance. */
function isGiven(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) !== 'anon_inode:[eventpoll]';
  } catch {
    return false;
  }
}
