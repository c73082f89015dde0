// A shell of the host inside a half-made container: a program that enters the namespaces init is in by now, and executes it.
import { existsSync, readlinkSync } from 'node:fs';
import {
  AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, CLONE_NEWNS, CLONE_PARENT, MOVE_MOUNT_F_EMPTY_PATH, MS_PRIVATE, MS_REC, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE,
} from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { exitCode, waitStatus } from '../../native/linux/syscalls.ts';
import { ownDescriptors } from '../compile/descriptors.ts';
import { namespaceFlags } from '../compile/namespaces.ts';
import { callersEnvironment } from '../environment.ts';
import { RuntimeError } from '../errors.ts';
import { runShortProgram } from '../execute/short-program.ts';
import { readRecords } from '../program/decode.ts';
import { status } from '../program/layout.ts';
import { part, slot, type Program, type Step } from '../program/step.ts';
import { namespaceFiles, type Subject } from './show.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a shell, or one command line, and waits for it. Throws RuntimeError when it cannot be entered or executed. */
export function openShell(subject: Subject, commandLine: string): void {
  if (subject.pid <= 0) throw new RuntimeError('there is no process of the container yet: this step is made by the runtime on the host');
  runShortProgram({
    program: compileShell(subject, commandLine),
    header: { id: subject.id, command: 'shell' },
    options: { handlers: {}, firstDescriptor: 3, inherited: [] },
    failed: ({ record, errno }, image) => {
      throw new RuntimeError(`the shell cannot enter: ${readRecords(image)[record]!.op}: ${errnoName(errno)}`);
    },
    done: (pid) => {
      const ended = waitStatus(pid);
      const code = typeof ended === 'object' ? exitCode(ended.status) : 0;
      if (commandLine !== '' && code !== 0) throw new RuntimeError(`exit status ${code}`);
    },
  });
}

/** Whether paths of the container side are still the host's. */
const isPivoted = ({ image }: Subject): boolean => readRecords(image).some(({ op, side, status: outcome }) => side === 'container' && (op === 'pivot_root' || op === 'chroot') && outcome === status.done);

/** Where the container's tree appears beside the host's tools, once init has pivoted into it: the first that exists. */
const places = ['/mnt', '/media', '/tmp'];

/**
 * Before pivot_root the mount namespace of init still shows the host's tools, and the rootfs where it lies. After it the
 * shell gets a copy of that namespace in which the host's tree is the root and the container's lies on /mnt: files are the
 * container's own, mounts made in the shell are not. The pid namespace is left out, for job control, and so that the shell
 * outlives init; the user namespace too, as long as the runtime is root: more can be looked at.
 */
function compileShell(subject: Subject, commandLine: string): Program {
  const pivoted = isPivoted(subject);
  const isRoot = process.geteuid!() === 0;
  const place = places.find((path) => existsSync(path)) ?? '/';
  const isCopy = pivoted && isRoot;
  let flags = 0;
  for (const [type, file] of namespaceFiles) {
    if (type === 'pid' || type === 'time' || type === 'cgroup' || (type === 'user' && isRoot) || (type === 'mount' && pivoted && !isRoot)) continue;
    if (link(subject.pid, file) !== link('self', file)) flags |= namespaceFlags[type]!;
  }
  const step = part('container', '');
  const shell = process.env['SHELL'] || '/bin/sh';
  const args = commandLine === '' ? [shell] : ['/bin/sh', '-c', commandLine];
  const directory = pivoted ? (isCopy ? place : `/proc/${subject.pid}/root`) : subject.rootfs;
  const env = { PATH: DEFAULT_PATH, ...callersEnvironment(), PS1: `(${subject.id} ${subject.view.index}) # `, RUNT_PID: String(subject.pid), RUNT_ROOTFS: directory };
  const tree = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE;
  const apart = { struct: 'mount_attr', members: { propagation: MS_PRIVATE } } as const;
  const steps: Step[] = [
    ...ownDescriptors('', 3, 5, ''),
    step('pidfd_open', [subject.pid, 0], '', { result: 'target' }),
    ...(isCopy ? [step('open_tree', [AT_FDCWD, '/', tree], '', { result: 'host' }), step('mount_setattr', [slot('host'), '', AT_EMPTY_PATH | AT_RECURSIVE, apart, 32], '')] : []),
    ...(flags === 0 ? [] : [step('setns', [slot('target'), flags], '')]),
    ...(isCopy ? [
      step('unshare', [CLONE_NEWNS], ''),
      step('mount', [null, '/', null, MS_REC | MS_PRIVATE, null], ''),
      step('open_tree', [AT_FDCWD, '/', tree], '', { result: 'inside' }),
      step('move_mount', [slot('host'), '', AT_FDCWD, '/', MOVE_MOUNT_F_EMPTY_PATH], ''),
      step('fchdir', [slot('host')], ''),
      step('chroot', ['.'], ''),
      step('move_mount', [slot('inside'), '', AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH], ''),
    ] : []),
    step('clone3', [{ struct: 'clone_args', members: { flags: CLONE_PARENT } }, 88], '', { result: 'init' }),
    step('chdir', [directory], '', { tolerate: ['ENOENT', 'EACCES'] }),
    step('execve', [args[0]!, { words: args }, { words: Object.entries(env).map(([name, value]) => `${name}=${value ?? ''}`) }], ''),
  ];
  return { steps, inherited: {} };
}

function link(pid: number | string, file: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/${file}`);
  } catch {
    return '';
  }
}
