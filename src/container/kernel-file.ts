// Files of the kernel's, which take a value whole by one write(2) or refuse it: cgroupfs, id maps, resctrl's tasks.
import { closeSync } from 'node:fs';
import { O_CLOEXEC, O_WRONLY } from '../../native/linux/constants.ts';
import { call, text, utf8 } from '../../native/linux/syscalls.ts';

/** Opens, writes once, closes. `bytes`: a buffer, or the address of one. Returns the count written, or -errno. */
export function writeOnce(path: string, bytes: Uint8Array | number, length: number): number {
  const fd = call('openat', -100, text(path), O_WRONLY | O_CLOEXEC, 0);
  if (fd < 0) return fd;
  const written = call('write', fd, bytes, length);
  closeSync(fd);
  return written;
}

/** The same for a pid, which is known only once the process exists. */
export function writePid(path: string, pid: number): number {
  const bytes = utf8(`${pid}\n`);
  return writeOnce(path, bytes, bytes.length);
}
