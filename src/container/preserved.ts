// Descriptors from 3 on that the process keeps: those the caller gave, never one of the engine's own.
import { call } from '../../native/linux/syscalls.ts';
import { F_GETFD } from '../../native/linux/constants.ts';
import { RuntimeError } from '../errors.ts';

const FIRST = 3;

/** Throws RuntimeError when fewer than `count` descriptors are open from 3 on. */
export function checkPreserved(count: number): void {
  for (let fd = FIRST; fd < FIRST + count; fd++) {
    if (call('fcntl', fd, F_GETFD, 0) < 0) {
      throw new RuntimeError(`unable to stat preserved-fd ${fd - FIRST} (of ${count}): descriptor ${fd} is not open`, { hint: '--preserve-fds and LISTEN_FDS count descriptors from 3 on' });
    }
  }
}
