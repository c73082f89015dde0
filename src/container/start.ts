// `start`: meets init at its gate, and learns from the same connection whether execve worked (runtime.md#start).
import { closeSync, openSync, readFileSync, readSync, unlinkSync } from 'node:fs';
import { AF_UNIX, SOCK_CLOEXEC } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, mapFile, mappedBytes, receiveMessage, SOCK_SEQPACKET, unixAddress } from '../../native/linux/syscalls.ts';
import type { Config } from '../../spec/config.ts';
import { RuntimeError } from '../errors.ts';
import { beginExecution, followChannel, StepFailure, type Message, type Watch } from '../execute/execute.ts';
import { describeFailure } from '../execute/failure.ts';
import { openImage, type Image } from '../program/decode.ts';
import { header, status } from '../program/layout.ts';
import { readRecord } from '../program/decode.ts';
import { gateDirectory } from './create.ts';
import { gatherHost } from './host.ts';
import { runHook, runHookInside, type HookKind } from './hooks.ts';
import { prepareFilter } from './filters.ts';
import { killInit } from './kill.ts';
import { withLock } from './lock.ts';
import { hookState, readState, type ContainerState } from './state.ts';
import { currentStatus } from './status.ts';
import { storedConfig, storedPosition } from './stored-config.ts';

/** What `run`, which has just created the container, still has of it. */
export interface Running {
  readonly image: Image;
  readonly watch: Watch | undefined;
}

/** Starts a created container; gives its state. Throws RuntimeError: not created, already started, or the process could not be executed. */
export function startContainer(root: string, id: string, running?: Running): ContainerState {
  return withLock(`${root}/${id}`, () => {
    const state = readState(root, id);
    const now = currentStatus(state, `${root}/${id}`);
    if (now === 'stopped') throw new RuntimeError('cannot start a container that has stopped');
    if (now === 'running' || now === 'paused') throw new RuntimeError('cannot start an already running container');
    if (now === 'creating') throw new RuntimeError('cannot start a container that is still being created');
    passGate(`${root}/${id}`, state, root, running);
    return state;
  });
}

/**
 * Starts a container, and where NOTIFY_SOCKET is set tells the manager of the host when it is ready. One that takes init
 * for its main process (`watchesInit`) is waited for, as in runc; it is told meanwhile where runt itself stays.
 */
export async function startAndTell(root: string, id: string, watchesInit: boolean, running?: Running): Promise<void> {
  const notify = process.env['NOTIFY_SOCKET'] ? (await import('./notify.ts')).listenForReady(`${root}/${id}`) : undefined;
  const { pid } = startContainer(root, id, running);
  const told = notify?.forwardReady(pid, watchesInit ? pid : undefined);
  if (watchesInit) await told;
  else told?.catch(() => {});
}

function passGate(directory: string, state: ContainerState, root: string, running: Running | undefined): void {
  const socket = call('socket', AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  const address = unixAddress(`${gateDirectory(directory)}/start.sock`);
  const connected = call('connect', socket, address, address.length);
  if (connected < 0) {
    closeSync(socket);
    throw new RuntimeError(`cannot start an already running container (${errnoName(-connected)})`);
  }
  try {
    const message = receiveMessage(socket);
    if (typeof message === 'number') throw new RuntimeError(`recvmsg: ${errnoName(-message)}`);
    if (message.data.length > 0) serve(socket, directory, state, root, message, running);
    else if (!reachedExecve(`${directory}/program`)) throw new RuntimeError('container process is already dead', { hint: 'it was killed while it waited for start' });
  } finally {
    closeSync(socket);
    try {
      unlinkSync(`${directory}/start.sock`);
    } catch {
      // delete came in between
    }
  }
  if (state.hooks.poststart) poststart(directory, state);
}

/** Hand-overs of startContainer hooks, and the report of a failed execve. */
function serve(socket: number, directory: string, state: ContainerState, root: string, first: Message, running: Running | undefined): void {
  const image = running?.image ?? mapProgram(`${directory}/program`);
  const config = storedConfig(directory);
  try {
    followChannel(beginExecution({ image, fd: -1 }), socket, {
      handlers: {
        hook: (args) => {
          const index = args[1]!;
          const hook = config.hooks!.startContainer![index]!;
          runHookInside(hookContext(config, directory, state, root), { kind: 'startContainer', init: state.pid, index }, index, hook, hookState(state, 'created', state.pid));
          return 0;
        },
      },
      watch: running?.watch,
    }, first);
  } catch (error) {
    killInit(state);
    if (error instanceof StepFailure) throw describeFailure(image, error, storedPosition(directory));
    throw error;
  }
}

function hookContext(config: Config, directory: string, state: ContainerState, root: string): Parameters<typeof runHookInside>[0] {
  const host = gatherHost(config, state.bundle, state.rootfs, undefined);
  const request = {
    id: state.id, bundle: state.bundle, rootfs: state.rootfs, stateDirectory: directory, gateDirectory: directory, pidFile: undefined, pidfdSocket: undefined, noPivot: false,
    noNewKeyring: true, preservedFds: 0, listenFds: 0, listenFdNames: undefined, console: { kind: 'none' }, filter: prepareFilter(config, root), deviceFilter: undefined,
  } as const;
  return { config, host, request };
}

/** config.md#poststart: the process runs already; a failure stops the container. */
function poststart(directory: string, state: ContainerState): void {
  const config = storedConfig(directory);
  try {
    for (const [index, hook] of (config.hooks?.poststart ?? []).entries()) runHook('poststart' satisfies HookKind, index, hook, hookState(state, 'running', state.pid), state.bundle);
  } catch (error) {
    killInit(state);
    throw error;
  }
}

/** The connection closed: by execve, or by the death of init? The recorder knows. */
function reachedExecve(path: string): boolean {
  const image = openImage(readFileSync(path));
  if (image === undefined) return false;
  const view = readRecord(image, image.bytes.readUInt32LE(header.position));
  return view.op === 'execve' && view.status === status.done;
}

function mapProgram(path: string): Image {
  const fd = openSync(path, 'r+');
  try {
    const head = Buffer.alloc(header.bytes);
    readSync(fd, head, 0, head.length, 0);
    const base = Number(head.readBigUInt64LE(header.base));
    const size = head.readUInt32LE(header.size);
    const result = mapFile(fd, base, size);
    if (result < 0) throw new RuntimeError(`mmap(${path}): ${errnoName(-result)}`);
    const image = openImage(mappedBytes(base, size));
    if (image === undefined) throw new RuntimeError(`${path} is not a program of this version`);
    return image;
  } finally {
    closeSync(fd);
  }
}

