// `start`: meets init at its gate, and learns from the same connection whether execve worked (runtime.md#start).
import { closeSync, readFileSync, unlinkSync } from 'node:fs';
import { AF_UNIX, F_SETFD, FD_CLOEXEC, SOCK_CLOEXEC } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, receiveMessage, SOCK_SEQPACKET } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import type { Watch } from '../execute/execute.ts';
import { openImage, opOf, statusOf, type Image } from '../program/decode.ts';
import { header, status } from '../program/layout.ts';
import { killInit } from './kill.ts';
import { withLock } from './lock.ts';
import { callByPath } from './socket-path.ts';
import { gateOf, hookState, readState, type ContainerState } from './state.ts';
import { currentStatus, type Status } from './status.ts';

/** What `run`, which has just created the container, still has of it. */
export interface Running {
  readonly state: ContainerState;
  readonly image: Image;
  readonly watch: Watch | undefined;
}

/** Starts a created container; gives its state. Throws RuntimeError: not created, already started, or the process could not be executed. */
export async function startContainer(root: string, id: string, running?: Running): Promise<ContainerState> {
  return withLock(`${root}/${id}`, async () => {
    const state = running?.state ?? readState(root, id);
    const connection = connectionLeft();
    if (connection === undefined) checkStatus(currentStatus(state, `${root}/${id}`));
    await passGate(`${root}/${id}`, state, root, running, connection);
    return state;
  });
}

/**
 * Starts a container, and where NOTIFY_SOCKET is set tells the manager of the host when it is ready. One that takes init
 * for its main process (`watchesInit`) is waited for, as in runc; it is told meanwhile where runt itself stays.
 */
export async function startAndTell(root: string, id: string, watchesInit: boolean, running?: Running): Promise<void> {
  const notify = process.env['NOTIFY_SOCKET'] ? (await import('./notify.ts')).listenForReady(`${root}/${id}`) : undefined;
  const { pid } = await startContainer(root, id, running);
  const told = notify?.forwardReady(pid, watchesInit ? pid : undefined);
  if (watchesInit) await told;
  else told?.catch(() => {});
}

function checkStatus(now: Status): void {
  if (now === 'stopped') throw new RuntimeError('cannot start a container that has stopped');
  if (now === 'running' || now === 'paused') throw new RuntimeError('cannot start an already running container');
  if (now === 'creating') throw new RuntimeError('cannot start a container that is still being created');
}

/** The prepared `start` (prepared/verbs.ts) went through the gate, and what init said there is still to be heard. */
function connectionLeft(): number | undefined {
  const given = process.env['RUNT_GATE'];
  if (given === undefined) return undefined;
  const fd = Number(given);
  call('fcntl', fd, F_SETFD, FD_CLOEXEC); // no hook is to have it
  return fd;
}

async function passGate(directory: string, state: ContainerState, root: string, running: Running | undefined, connection: number | undefined): Promise<void> {
  const socket = connection ?? call('socket', AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  const connected = connection === undefined ? callByPath('connect', socket, gateOf(directory)) : 0;
  if (connected < 0) {
    closeSync(socket);
    throw new RuntimeError(`cannot start an already running container (${errnoName(-connected)})`);
  }
  try {
    const message = receiveMessage(socket);
    if (typeof message === 'number') throw new RuntimeError(`recvmsg: ${errnoName(-message)}`);
    if (message.data.length > 0) (await import('./gate-service.ts')).serve(socket, directory, state, root, message, running);
    else if (!reachedExecve(running?.image ?? openImage(readFileSync(`${directory}/program`)))) throw new RuntimeError('container process is already dead', { hint: 'it was killed while it waited for start' });
  } finally {
    closeSync(socket);
    try {
      unlinkSync(gateOf(directory));
    } catch {
      // delete came in between
    }
  }
  if (state.hooks.poststart) await poststart(directory, state);
}

/** config.md#poststart: the process runs already; a failure stops the container. */
async function poststart(directory: string, state: ContainerState): Promise<void> {
  const [{ runHook }, { storedConfig }] = await Promise.all([import('./hooks.ts'), import('./stored-config.ts')]);
  const config = storedConfig(directory);
  try {
    for (const [index, hook] of (config.hooks?.poststart ?? []).entries()) runHook('poststart', index, hook, hookState(state, config.annotations, 'running', state.pid), state.bundle);
  } catch (error) {
    killInit(state);
    throw error;
  }
}

/** The connection closed: by execve, or by the death of init? The recorder knows. */
function reachedExecve(image: Image | undefined): boolean {
  if (image === undefined) return false;
  const index = image.bytes.readUInt32LE(header.position);
  return opOf(image, index) === 'execve' && statusOf(image, index) === status.done;
}
