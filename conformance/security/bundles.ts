// Bundles with a rootfs of their own, for checks that prepare it, and what such a check may find afterwards.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { baseConfig, makeBundle, makeRootfs, until, type Json, type Result, type Runtime } from '../harness.ts';

export type Config = ReturnType<typeof baseConfig>;

let count = 0;
/** An id that nothing else has. */
export const fresh = (): string => `sec${process.pid}-${count++}`;

/** A directory that is gone when the process ends. */
export function temporary(prefix = 'security-'): string {
  const directory = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(directory, 0o755);
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A rootfs that may be spoilt. */
export function ownRootfs(): string {
  const directory = temporary('trap-');
  makeRootfs(directory);
  return directory;
}

/** What a check is told: the runtime, and short ways to run a container. */
export class Subject {
  readonly runtime: Runtime;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  /** `run` in the foreground, and the container cleared. */
  run(config: Json): Result {
    return this.runBundle(makeBundle(config));
  }

  /** The same for a bundle that is there. */
  runBundle(bundle: string): Result {
    const id = fresh();
    const result = this.runtime.run(['run', '--bundle', bundle, id]);
    if (result.code !== 0) this.runtime.run(['delete', '--force', id]);
    return result;
  }

  /** The output of a shell script in a container that must run. */
  sh(script: string, change: (config: Config) => void = () => {}): string {
    const config = baseConfig('/bin/sh', '-c', script);
    change(config);
    const result = this.run(config);
    if (result.code !== 0) throw new Error(`exit status ${result.code}: ${result.stderr}`);
    return result.stdout.trim();
  }

  /** A container that sleeps while `body` looks at it. */
  running(config: Config, body: (id: string, pid: number) => void, isStarted = true): void {
    const id = fresh();
    const created = this.runtime.create(id, makeBundle(config));
    try {
      if (created.code !== 0) throw new Error(created.stderr);
      const { pid } = this.runtime.state(id) as { pid: number };
      if (isStarted) {
        const started = this.runtime.run(['start', id]);
        if (started.code !== 0) throw new Error(started.stderr);
      }
      body(id, pid);
    } finally {
      this.runtime.run(['delete', '--force', id]);
    }
  }
}

/** A host directory that nothing may ever appear in. */
export function sentinel(): { readonly path: string; readonly isUntouched: () => boolean } {
  const path = temporary('sentinel-');
  return { path, isUntouched: () => readdirSync(path).length === 0 };
}

const swapper = String.raw`
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	for (pid_t parent = getppid(); getppid() == parent;)
		for (int i = 0; i < 1000; i++)
			renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE);
	return argc < 0;
}
`;

let binary: string | undefined;

/** A process that exchanges two names of a directory as fast as it can, until it is ended. */
export function swap(one: string, other: string): ChildProcess {
  if (binary === undefined) {
    binary = join(temporary('swap-'), 'swap');
    const compiled = spawnSync('cc', ['-O1', '-o', binary, '-x', 'c', '-'], { input: swapper, encoding: 'utf8' });
    if (compiled.status !== 0) throw new Error(`cc: ${compiled.stderr}`);
  }
  return spawn(binary, [one, other], { stdio: 'ignore' });
}

/** A listener for console sockets that keeps what it is sent; ended by the caller. */
export function consoleReceiver(directory: string): { readonly socket: string; readonly end: () => void } {
  mkdirSync(directory, { recursive: true });
  const socket = join(directory, `console${count++}`);
  writeFileSync(`${socket}.py`, 'import socket,sys\ns=socket.socket(socket.AF_UNIX);s.bind(sys.argv[1]);s.listen(4)\nkept=[]\nwhile True:\n  c,_=s.accept();kept.append(socket.recv_fds(c,4096,4))\n');
  const child = spawn('python3', [`${socket}.py`, socket], { stdio: 'ignore' });
  until('the console socket', () => existsSync(socket));
  return { socket, end: () => void child.kill() };
}
