// NOTIFY_SOCKET (sd_notify(3)), as runc: the container gets a socket of its own, and the host's manager hears that it is ready.
import { chmodSync, closeSync, mkdirSync } from 'node:fs';
import { AF_UNIX, POLLIN, SOCK_CLOEXEC, SOCK_DGRAM } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, pipe, pollAsync, receiveMessage, sendMessage } from '../../native/linux/syscalls.ts';
import type { Config } from '../../spec/config.ts';
import { RuntimeError } from '../errors.ts';
import { callByPath } from './socket-path.ts';

const INSIDE = '/run/notify';
const SOCKET = 'notify.sock';
const BARRIER_PATIENCE = 30_000; // milliseconds, sd_notify_barrier(3) as runc calls it

const isAsked = (): boolean => (process.env['NOTIFY_SOCKET'] ?? '') !== '';

/** config.json with the directory of the container's socket mounted and named; unchanged without NOTIFY_SOCKET. */
export function withNotifySocket(config: Config, stateDirectory: string): Config {
  if (!isAsked() || config.process === undefined) return config;
  const mount = { destination: INSIDE, type: 'bind', source: `${stateDirectory}/notify`, options: ['bind', 'nosuid', 'noexec', 'nodev', 'ro'] };
  return {
    ...config,
    mounts: [...(config.mounts ?? []), mount],
    process: { ...config.process, env: [...(config.process.env ?? []), `NOTIFY_SOCKET=${INSIDE}/${SOCKET}`] },
  };
}

/** Makes that directory, when the state directory is there. */
export function makeNotifyDirectory(stateDirectory: string): void {
  if (isAsked()) mkdirSync(`${stateDirectory}/notify`, { mode: 0o755 });
}

export interface Notify {
  /** Resolves when the process is ready and the manager knows, or when it has ended; `mainPid` is told as well unless it is undefined. */
  readonly forwardReady: (pid: number, mainPid?: number) => Promise<void>;
}

/** Listens for the container, which has not started yet. Undefined without NOTIFY_SOCKET. Throws RuntimeError. */
export function listenForReady(stateDirectory: string): Notify | undefined {
  if (!isAsked()) return undefined;
  const path = `${stateDirectory}/notify/${SOCKET}`;
  const socket = call('socket', AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bound = callByPath('bind', socket, path);
  if (bound === -2) return undefined; // ENOENT: create was called without NOTIFY_SOCKET
  if (bound < 0) throw new RuntimeError(`cannot bind ${path}: ${errnoName(-bound)}`, { errno: errnoName(-bound) });
  chmodSync(path, 0o777);
  return { forwardReady: (pid, mainPid) => forwardReady(socket, pid, mainPid) };
}

async function forwardReady(socket: number, pid: number, mainPid: number | undefined): Promise<void> {
  const pidfd = call('pidfd_open', pid, 0);
  for (;;) {
    const [message = 0, end = 0] = await pollAsync([[socket, POLLIN], [pidfd, POLLIN]], -1);
    if ((message & POLLIN) === 0) {
      if (end !== 0 || pidfd < 0) return;
      continue;
    }
    const received = receiveMessage(socket);
    if (typeof received === 'number') return;
    for (const fd of received.fds) closeSync(fd);
    const ready = received.data.toString().split('\n').find((line) => line.startsWith('READY='));
    if (ready !== undefined) return await tellManager(ready, mainPid);
  }
}

/** READY first, then whom to watch, then a barrier: its descriptor is closed when the manager has read all of it. */
async function tellManager(ready: string, mainPid: number | undefined): Promise<void> {
  const host = process.env['NOTIFY_SOCKET']!;
  const socket = call('socket', AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const connected = callByPath('connect', socket, host);
  if (connected < 0) throw new RuntimeError(`cannot connect to NOTIFY_SOCKET ${host}: ${errnoName(-connected)}`, { errno: errnoName(-connected) });
  sendMessage(socket, Buffer.from(`${ready}\n`));
  if (mainPid !== undefined) sendMessage(socket, Buffer.from(`MAINPID=${mainPid}\n`));
  const ends = pipe();
  if (typeof ends === 'number') return;
  sendMessage(socket, Buffer.from('BARRIER=1'), [ends[1]]);
  closeSync(ends[1]);
  await pollAsync([[ends[0], POLLIN]], BARRIER_PATIENCE);
}
