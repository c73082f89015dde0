// A pid into a file of the kernel's: known only once the process exists.
import { closeSync } from 'node:fs';
import { O_CLOEXEC, O_WRONLY } from '../../native/linux/constants.ts';
import { call, text, utf8 } from '../../native/linux/syscalls.ts';

/** One write, as resctrl's tasks takes it: the count written, or -errno. */
export function writePid(path: string, pid: number): number {
  const bytes = utf8(`${pid}\n`);
  const fd = call('openat', -100, text(path), O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  const written = call('write', fd, bytes, bytes.length);
  closeSync(fd);
  return written;
}
