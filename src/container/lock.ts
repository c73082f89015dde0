// One operation at a time on a container: flock(2) on its state directory, released when the runtime ends, however it ends.
import { closeSync } from 'node:fs';
import { LOCK_EX, LOCK_NB, O_CLOEXEC, O_DIRECTORY } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import { sleep } from '../sleep.ts';

const PATIENCE = 10_000;
const PAUSE = 5;

/** Runs `body` while holding the container's lock. Throws RuntimeError when another operation keeps it for ten seconds. */
export async function withLock<T>(directory: string, body: () => T | Promise<T>): Promise<T> {
  const fd = call('openat', -100, text(directory), O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) throw new RuntimeError(errnoName(-fd) === 'ENOENT' ? 'container does not exist' : `cannot open ${directory}: ${errnoName(-fd)}`);
  try {
    for (let waited = 0; call('flock', fd, LOCK_EX | LOCK_NB) < 0; waited += PAUSE) {
      if (waited >= PATIENCE) throw new RuntimeError('another operation on this container is still under way');
      sleep(PAUSE);
    }
    return await body();
  } finally {
    closeSync(fd);
  }
}
