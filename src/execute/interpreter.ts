// Starts the interpreter: from a sealed copy of itself, with nothing but the descriptors a program names.
import { closeSync, openSync, readFileSync } from 'node:fs';
import { F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, F_ADD_SEALS, F_DUPFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_CLOEXEC, MFD_EXEC } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { installDirectory } from '../../native/linux/koffi.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import { spawn } from '../../native/linux/spawn.ts';
import { RuntimeError } from '../errors.ts';

/** Descriptors of the interpreter's process: 0 to 2 and preserved ones as they are, then these from `first` on. */
export interface InterpreterDescriptors {
  readonly first: number;
  /** In order: the program file, the hand-over socket, and what the program inherits. */
  readonly ours: readonly number[];
  /** What becomes standard input, output, error and what is preserved; the runtime's own of that number when absent. */
  readonly stdio?: readonly number[];
}

/**
 * Spawns the interpreter on a program file; returns its pid. It is a copy in a sealed memfd, so no file of the host
 * can be reached through /proc/self/exe (CVE-2019-5736). Throws RuntimeError.
 */
export function spawnInterpreter(descriptors: InterpreterDescriptors): number {
  const { first, ours } = descriptors;
  const beyond = first + ours.length;
  const opened: number[] = [];
  const outside = (fd: number): number => {
    if (fd >= beyond) return fd;
    const moved = call('fcntl', fd, F_DUPFD_CLOEXEC, beyond);
    if (moved < 0) throw new RuntimeError(`fcntl(F_DUPFD_CLOEXEC): ${errnoName(-moved)}`);
    opened.push(moved);
    return moved;
  };
  try {
    const program = outside(sealedCopy(opened));
    const fds = new Map<number, number>();
    for (let fd = 0; fd < first; fd++) fds.set(fd, descriptors.stdio?.[fd] === undefined ? fd : outside(descriptors.stdio[fd]!));
    ours.forEach((fd, index) => fds.set(first + index, outside(fd)));
    const pid = spawn({ path: `/proc/self/fd/${program}`, args: ['runt-init', String(first)], env: [], fds });
    if (pid < 0) throw new RuntimeError(`posix_spawn of the interpreter: ${errnoName(-pid)}`, { errno: errnoName(-pid), hint: errnoName(-pid) === 'EAGAIN' ? 'the limit of processes is reached (pids.max of the cgroup, or RLIMIT_NPROC)' : undefined });
    return pid;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

function sealedCopy(opened: number[]): number {
  const path = `${installDirectory}/runt-init`;
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new RuntimeError(`the interpreter is missing beside the executable: ${path}`, { cause: error, hint: 'npm run build, or npm run install:system' });
  }
  const name = text('runt-init');
  let fd = call('memfd_create', name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (fd < 0) fd = call('memfd_create', name, MFD_CLOEXEC | MFD_ALLOW_SEALING); // before Linux 6.3 there is no MFD_EXEC
  if (fd < 0) throw new RuntimeError(`memfd_create: ${errnoName(-fd)}`, { errno: errnoName(-fd) });
  opened.push(fd);
  const written = call('write', fd, bytes, bytes.length);
  const sealed = call('fcntl', fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  if (written !== bytes.length || sealed < 0) throw new RuntimeError('the interpreter cannot be sealed', { errno: errnoName(-Math.min(written, sealed)) });
  // A file that is open for writing cannot be executed (ETXTBSY): reopen it for reading.
  const readable = openSync(`/proc/self/fd/${fd}`, 'r');
  closeSync(fd);
  opened[opened.length - 1] = readable;
  return readable;
}
