// Runs hooks (config.md#posix-platform-hooks) in the runtime's namespaces, by posix_spawn; what all hooks share.
import { closeSync, readSync } from 'node:fs';
import type { Config, Hook } from '../../spec/config.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { spawn } from '../../native/linux/spawn.ts';
import { call, exitCode, pollReadable, waitStatus } from '../../native/linux/syscalls.ts';
import { callersEnvironment } from '../environment.ts';
import { RuntimeError } from '../errors.ts';
import { memoryFile } from '../execute/memory-file.ts';
import type { HookState } from './state.ts';

export type HookKind = keyof NonNullable<Config['hooks']>;

const LONGEST_OUTPUT = 4096;

/** Runs one hook in the runtime's namespaces. Throws RuntimeError when it fails, is killed or takes too long. */
export function runHook(kind: HookKind, index: number, hook: Hook, state: HookState, directory: string): void {
  const env = hook.env ?? Object.entries(callersEnvironment()).map(([name, value]) => `${name}=${value}`);
  withFiles(state, (input, output) => {
    const fds = new Map([[0, input], [1, output], [2, output]]);
    const pid = spawn({ path: hook.path, args: hook.args?.length ? hook.args : [hook.path], env, fds, cwd: directory });
    if (pid < 0) throw hookFailure(kind, index, hook, `cannot be executed: ${errnoName(-pid)}`, '');
    awaitHook(pid, kind, index, hook, output);
  });
}

/** Standard input holds the state, output is kept for the error message: files, so that nobody waits for a pipe to close. */
export function withFiles(state: HookState, run: (input: number, output: number) => void): void {
  const input = memoryFile('hook-stdin');
  const output = memoryFile('hook-output');
  try {
    const bytes = Buffer.from(JSON.stringify(state));
    call('pwrite64', input, bytes, bytes.length, 0);
    run(input, output);
  } finally {
    closeSync(input);
    closeSync(output);
  }
}

/** Waits for a hook as long as it may take. Throws RuntimeError when it fails, is killed or takes too long. */
export function awaitHook(pid: number, kind: HookKind, index: number, hook: Hook, output: number): void {
  if (hook.timeout !== undefined) {
    const pidfd = call('pidfd_open', pid, 0);
    const isDone = pidfd < 0 || pollReadable(pidfd, Number(hook.timeout) * 1000);
    if (pidfd >= 0) closeSync(pidfd);
    if (!isDone) {
      call('kill', pid, 9);
      waitStatus(pid);
      throw hookFailure(kind, index, hook, `took longer than its timeout of ${hook.timeout} s and was killed`, tail(output));
    }
  }
  const ended = waitStatus(pid);
  const code = typeof ended === 'object' ? exitCode(ended.status) : 255;
  if (code !== 0) throw hookFailure(kind, index, hook, code > 128 ? `was killed by signal ${code - 128}` : `exit status ${code}`, tail(output));
}

function tail(fd: number): string {
  const bytes = Buffer.alloc(LONGEST_OUTPUT);
  const length = readSync(fd, bytes, 0, bytes.length, 0);
  return bytes.toString('utf8', 0, length).trim();
}

/** `error running poststart hook #0 /bin/x: exit status 1, output: …`, with its place. */
export function hookFailure(kind: HookKind, index: number, hook: Hook, what: string, output: string): RuntimeError {
  const said = output === '' ? '' : `, output: ${output.replace(/\n/g, ' | ')}`;
  return new RuntimeError(`error running ${kind} hook #${index} ${hook.path}: ${what}${said}`, { pointer: `/hooks/${kind}/${index}` });
}
