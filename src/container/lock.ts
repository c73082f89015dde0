// One operation at a time on a container: flock(2) on its state directory, released when the runtime ends, however it ends.
import { closeSync } from 'node:fs';
import { AT_EMPTY_PATH, AT_FDCWD, LOCK_EX, LOCK_NB, O_CLOEXEC, O_DIRECTORY, STATX_BASIC_STATS, statx } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import { sleep } from '../sleep.ts';

const PATIENCE = 10_000;
const PAUSE = 5;

/** Runs `body` while holding the container's lock. Throws RuntimeError when another operation keeps it for ten seconds. */
export async function withLock<T>(directory: string, body: () => T | Promise<T>): Promise<T> {
  for (let waited = 0; ; waited += PAUSE) {
    const fd = call('openat', AT_FDCWD, text(directory), O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) throw new RuntimeError(errnoName(-fd) === 'ENOENT' ? 'container does not exist' : `cannot open ${directory}: ${errnoName(-fd)}`);
    try {
      if (call('flock', fd, LOCK_EX | LOCK_NB) === 0 && isStill(fd, directory)) return await body();
    } finally {
      closeSync(fd);
    }
    if (waited >= PATIENCE) throw new RuntimeError('another operation on this container is still under way');
    sleep(PAUSE);
  }
}

/** Whether the path still names what was opened: who held the lock may have deleted that container, and another may have its id. */
function isStill(fd: number, directory: string): boolean {
  const [opened, named] = [Buffer.alloc(statx.bytes), Buffer.alloc(statx.bytes)];
  call('statx', fd, text(''), AT_EMPTY_PATH, STATX_BASIC_STATS, opened);
  call('statx', AT_FDCWD, text(directory), 0, STATX_BASIC_STATS, named);
  return opened.readBigUInt64LE(statx.inodeAndSize) === named.readBigUInt64LE(statx.inodeAndSize);
}
