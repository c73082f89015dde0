// The option tmpcopyup in a user namespace: cp(1) as the container's root, because only ids that are mapped can own what is in its tmpfs.
import { CLONE_NEWUSER, CLONE_PARENT } from '../../native/linux/constants.ts';
import { part, slot, type Program } from '../program/step.ts';
import { ownDescriptors } from './descriptors.ts';

/** Descriptors of the program besides standard input, output and error: the directory that is copied, and the one it is copied into. */
export const copied = { from: 3, to: 4, end: 5 } as const;

/** Copies the contents of a directory with owners, modes, times, links and extended attributes; the directory itself is left alone. */
export const copyWords = ['cp', '-a', `/proc/self/fd/${copied.from}/.`, `/proc/self/fd/${copied.to}/`] as const;

export const COPY = '/bin/cp';

/** Enters the user namespace of a process. */
export function compileCopy(pid: number): Program {
  const step = part('container', '');
  const steps = [
    ...ownDescriptors('', copied.end, copied.end + 2, 'nothing of the runtime'),
    step('pidfd_open', [pid, 0], '', { result: 'target' }),
    step('setns', [slot('target'), CLONE_NEWUSER], 'whose tmpfs it is'),
    step('close', [slot('target')], ''),
    step('clone3', [{ struct: 'clone_args', members: { flags: CLONE_PARENT } }, 88], 'waited for by the runtime', { result: 'init' }),
    step('setresgid', [0, 0, 0], 'the container’s root'),
    step('setresuid', [0, 0, 0], 'the container’s root'),
    step('execve', [COPY, { words: copyWords }, { words: [] }], 'end of file on the hand-over socket says that it worked'),
  ];
  return { steps, inherited: {} };
}
