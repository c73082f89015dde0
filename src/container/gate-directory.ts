// Where the gate's socket is bound and connected.
import { O_CLOEXEC, O_PATH } from '../../native/linux/constants.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';

/** sun_path holds 107 bytes (unix(7)); a longer state directory is reached through a descriptor. */
const LONGEST_GATE_DIRECTORY = 107 - '/start.sock'.length;

/** The state directory under a name short enough for a socket address. */
export function gateDirectory(directory: string): string {
  if (Buffer.byteLength(directory) <= LONGEST_GATE_DIRECTORY) return directory;
  const fd = call('openat', -100, text(directory), O_PATH | O_CLOEXEC, 0);
  if (fd < 0) throw new RuntimeError(`cannot open ${directory}`);
  return `/proc/self/fd/${fd}`;
}
