// A file in memory alone (memfd_create(2)).
import { MFD_CLOEXEC } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';

/** A descriptor of a new one, close-on-exec; /proc shows the name. Throws RuntimeError. */
export function memoryFile(name: string): number {
  const fd = call('memfd_create', text(name), MFD_CLOEXEC);
  if (fd < 0) throw new RuntimeError(`memfd_create: ${errnoName(-fd)}`, { errno: errnoName(-fd) });
  return fd;
}
