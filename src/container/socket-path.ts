// A unix socket's name holds 107 bytes (unix(7)); a longer path is reached through a descriptor of its directory.
import { closeSync } from 'node:fs';
import { O_CLOEXEC, O_PATH } from '../../native/linux/constants.ts';
import { call, text, unixAddress } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import { gateOf } from './state.ts';

const LONGEST = 107;

const openDirectory = (path: string): number => call('openat', -100, text(path), O_PATH | O_CLOEXEC, 0);

/** bind(2) or connect(2) of a socket to a path of any length; -errno. */
export function callByPath(name: 'bind' | 'connect', socket: number, path: string): number {
  const withName = (short: string): number => {
    const address = unixAddress(short);
    return call(name, socket, address, address.length);
  };
  if (Buffer.byteLength(path) <= LONGEST) return withName(path);
  const slash = path.lastIndexOf('/');
  const directory = openDirectory(path.slice(0, slash) || '/');
  if (directory < 0) return directory;
  try {
    return withName(`/proc/self/fd/${directory}${path.slice(slash)}`);
  } finally {
    closeSync(directory);
  }
}

/** The state directory under a name in which the gate's socket can be bound; a descriptor that it needs stays open. Throws RuntimeError. */
export function gateDirectory(stateDirectory: string): string {
  if (Buffer.byteLength(gateOf(stateDirectory)) <= LONGEST) return stateDirectory;
  const fd = openDirectory(stateDirectory);
  if (fd < 0) throw new RuntimeError(`cannot open ${stateDirectory}`);
  return `/proc/self/fd/${fd}`;
}
