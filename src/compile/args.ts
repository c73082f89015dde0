// process.args and process.env: what will be executed, looked up as the user in the container's PATH (execvp(3)).
import { AT_EACCESS, AT_FDCWD, S_IFMT, S_IFREG, STATX_TYPE } from '../../native/linux/constants.ts';
import { RuntimeError } from '../errors.ts';
import { part, stepsFor, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

const X_OK = 1;
const STATX_MODE_OFFSET = 28; // struct statx, stx_mode
const EACCES = 13;

/** Paths that execvp(3) would try, in order. An absolute or relative path is taken as it is. */
export function candidates(context: Context): readonly string[] {
  const command = context.config.process?.args?.[0] ?? '';
  if (command.includes('/')) return [command];
  if (command === '') return []; // not the directories of PATH themselves
  const path = environment(context).find((entry) => entry.startsWith('PATH='))?.slice(5) ?? '';
  return path.split(':').filter((directory) => directory !== '').map((directory) => `${directory}/${command}`);
}

const known = new WeakMap<Context, readonly string[]>();

/** process.env: the last of equal names counts, HOME is filled in from the container's /etc/passwd. */
export function environment(context: Context): readonly string[] {
  let entries = known.get(context);
  if (entries === undefined) known.set(context, (entries = entriesOf(context)));
  return entries;
}

function entriesOf({ config, host, request }: Context): readonly string[] {
  const byName = new Map<string, string>();
  for (const entry of config.process?.env ?? []) byName.set(entry.slice(0, entry.indexOf('=')), entry);
  if ((byName.get('HOME') ?? 'HOME=') === 'HOME=') byName.set('HOME', `HOME=${host.home}`);
  if (request.listenFds > 0) {
    byName.set('LISTEN_FDS', `LISTEN_FDS=${request.listenFds}`);
    byName.set('LISTEN_PID', 'LISTEN_PID=1');
    if (request.listenFdNames !== undefined) byName.set('LISTEN_FDNAMES', `LISTEN_FDNAMES=${request.listenFdNames}`);
  }
  return [...byName.values()];
}

/** The first candidate that is a regular file the user may execute is $exeN; none is an error of `create`. */
export function findExecutable(context: Context): readonly Step[] {
  const paths = candidates(context);
  const step = part('container', '/process/args/0');
  if (paths.length === 0) {
    const name = JSON.stringify(context.config.process?.args?.[0] ?? '');
    throw new RuntimeError(`unable to start container process: exec: ${name}: executable file not found in $PATH`, { pointer: '/process/args/0', errno: 'ENOENT', hint: context.config.process?.args?.[0] ? 'process.env has no PATH to look it up in' : 'a command that is not empty' });
  }
  const missing = ['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP'];
  return stepsFor(paths, (path, index) => {
    const isLast = index === paths.length - 1;
    const options = { unless: 'exe', ...(isLast ? {} : { tolerate: missing }) };
    const memory = { out: `stat${index}`, size: 256 };
    return [
      step('faccessat2', [AT_FDCWD, path, X_OK, AT_EACCESS], 'with the ids execve will have', { ...options, result: `may${index}` }),
      step('statx', [AT_FDCWD, path, 0, STATX_TYPE, memory], 'a directory is executable too', { ...options, needs: `may${index}` }),
      step('expect', [{ ...memory, offset: STATX_MODE_OFFSET }, 2, S_IFMT, S_IFREG, EACCES], 'a regular file', { ...options, needs: `may${index}`, result: `exe${index}` }),
      step('expect', [memory, 0, 0, 0, EACCES], 'found: no other is looked at', { unless: 'exe', needs: `exe${index}`, result: 'exe' }),
    ];
  });
}

/** One execve for each candidate; only the found one's slot is set. */
export function execveSteps(context: Context): readonly Step[] {
  const step = part('container', '/process/args');
  const args = { words: context.config.process?.args ?? [] };
  const env = { words: environment(context) };
  return candidates(context).map((path, index) => step('execve', [path, args, env], 'the process', { needs: `exe${index}` }));
}
