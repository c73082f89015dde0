// The mount option tmpcopyup: what a tmpfs would hide is copied into it.
import { chmodSync, chownSync, closeSync, fstatSync, readFileSync } from 'node:fs';
import { O_CLOEXEC, O_DIRECTORY } from '../../native/linux/constants.ts';
import { errnoName, errnoNumber, errnoText } from '../../native/linux/errno.ts';
import { spawn } from '../../native/linux/spawn.ts';
import { call, exitCode, text, waitStatus } from '../../native/linux/syscalls.ts';
import { compileCopy, copied, COPY, copyWords } from '../compile/copy-program.ts';
import { RuntimeError } from '../errors.ts';
import { memoryFile } from '../execute/memory-file.ts';
import { runShortProgram } from '../execute/short-program.ts';
import { write } from '../log.ts';

/**
 * Copies the contents of one directory into another, both given by descriptor, with owners, modes, times, links and
 * extended attributes: by cp(1), whose copying is better kept than ours would be. The directory itself keeps its own
 * owner and mode. `inside`: a process whose user namespace the new directory belongs to; cp is the root of that then.
 * Returns 0 or -errno; what cp said goes to standard error where no errno says it.
 */
export function copyTree(from: number, to: number, inside: number | undefined): number {
  // O_PATH descriptors cannot be passed on as directories of cp's own: reopened through /proc/self/fd.
  const source = call('openat', from, text('.'), O_DIRECTORY | O_CLOEXEC, 0);
  if (source < 0) return source;
  const { mode, uid, gid } = fstatSync(to);
  const said = memoryFile('cp');
  const pid = inside === undefined ? copyHere(source, to, said) : copyInside(inside, source, to, said);
  closeSync(source);
  if (pid < 0) throw new RuntimeError(`tmpcopyup needs cp(1): ${COPY}: ${errnoName(-pid)}`, { hint: 'apt-get install coreutils' });
  const ended = waitStatus(pid);
  const changed = fstatSync(to);
  if (changed.uid !== uid || changed.gid !== gid) chownSync(`/proc/self/fd/${to}`, uid, gid);
  if (changed.mode !== mode) chmodSync(`/proc/self/fd/${to}`, mode & 0o7777);
  const words = readFileSync(`/proc/self/fd/${said}`, 'utf8');
  closeSync(said);
  return typeof ended === 'object' && exitCode(ended.status) === 0 ? 0 : -errnoOf(words);
}

const copyHere = (source: number, to: number, said: number): number =>
  spawn({ path: COPY, args: copyWords, env: [], fds: new Map([[0, 0], [1, 1], [2, said], [copied.from, source], [copied.to, to]]) });

/** The same, by a program that enters the user namespace first. Gives the pid, or -errno. */
const copyInside = (inside: number, source: number, to: number, said: number): number => runShortProgram({
  program: compileCopy(inside),
  header: { command: 'tmpcopyup' },
  options: { handlers: {}, firstDescriptor: copied.end, inherited: [], stdio: [0, 1, said, source, to] },
  failed: ({ errno }) => -errno,
  done: (pid) => pid,
});

/** cp(1) has one exit status for every failure: which it was is in its words alone. */
function errnoOf(words: string): number {
  const name = ['ENOSPC', 'EDQUOT', 'EPERM', 'EACCES', 'EROFS', 'ENOMEM'].find((one) => words.toLowerCase().includes(`: ${errnoText(one)}\n`));
  if (name === undefined) write(2, words);
  return errnoNumber(name ?? 'EIO');
}
