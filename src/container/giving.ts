// Operations that give a descriptor away: the pty's master, the seccomp listener, a pidfd (SCM_RIGHTS, unix(7)).
import { closeSync } from 'node:fs';
import { AF_UNIX, F_DUPFD_CLOEXEC, SOCK_CLOEXEC, SOCK_STREAM, TIOCGWINSZ, TIOCSWINSZ } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, sendMessage } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import { getSlot, type Handler } from '../execute/records.ts';
import { readText, type Image } from '../program/decode.ts';
import { callByPath } from './socket-path.ts';
import { hookState, type ContainerState, type HookState } from './state.ts';

/** Handlers of create and exec; a seccomp agent is told this status. `terminal` gives the master the runtime keeps, or -1. */
export function givingHandlers(state: ContainerState, annotations: HookState['annotations'], status: string): { readonly handlers: Readonly<Record<string, Handler>>; readonly terminal: () => number } {
  let terminal = -1;
  const handlers: Record<string, Handler> = {
    send_fd: (args, view, image) => {
      const path = textOf(image, args[0]!);
      if (path !== '') return sendDescriptor(view.pointer, path, args[1]!, Buffer.from(textOf(image, args[2]!)));
      terminal = call('fcntl', args[1]!, F_DUPFD_CLOEXEC, 0); // what came with the hand-over is closed when the turn is over
      if (terminal < 0) return terminal;
      takeCallersSize(terminal); // before execve: the first thing a process asks may be how wide it is
      return 0;
    },
    ...listenerHandlers((pid) => hookState(state, annotations, status, status === 'running' ? state.pid : pid)),
  };
  return { handlers, terminal: () => terminal };
}

/** Gives a pty the size of the terminal that is standard input; none, and it keeps its own (ioctl_tty(2)). */
export function takeCallersSize(terminal: number): void {
  const size = Buffer.alloc(8);
  if (call('ioctl', 0, TIOCGWINSZ, size) === 0) call('ioctl', terminal, TIOCSWINSZ, size);
}

/** Hands the seccomp listener of a process to its agent, with the container process state (config-linux.md#containerprocessstate). */
export function listenerHandlers(stateFor: (pid: number) => HookState): Readonly<Record<string, Handler>> {
  return {
    send_listener: (args, view, image) => {
      const pid = getSlot(image, 'init') ?? 0;
      const state = stateFor(pid);
      const report = { ociVersion: state.ociVersion, fds: ['seccompFd'], pid, metadata: textOf(image, args[2]!), state };
      return sendDescriptor(view.pointer, textOf(image, args[0]!), args[1]!, Buffer.from(JSON.stringify(report)));
    },
  };
}

/** Text at an address of the image. */
export function textOf(image: Image, address: number): string {
  return readText(image.bytes, address - image.base);
}

/** The texts of a NULL-ended array at an address of the image. */
export function wordsOf(image: Image, address: number): readonly string[] {
  const words: string[] = [];
  for (let at = address - image.base; at + 8 <= image.bytes.length; at += 8) {
    const text = Number(image.bytes.readBigUInt64LE(at));
    if (text === 0) break;
    words.push(textOf(image, text));
  }
  return words;
}

/** Connects to a listening unix socket and passes one descriptor with some bytes: console-socket and seccomp listener protocol. */
export function sendDescriptor(pointer: string, path: string, fd: number, data: Uint8Array): number {
  const socket = call('socket', AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return socket;
  try {
    const connected = callByPath('connect', socket, path);
    if (connected < 0) throw new RuntimeError(`cannot connect to ${path}: ${errnoName(-connected)}`, { pointer, errno: errnoName(-connected), hint: 'its owner must be listening before the runtime is called' });
    return Math.min(0, sendMessage(socket, data, [fd]));
  } finally {
    closeSync(socket);
  }
}
