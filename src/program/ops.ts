// The language: every operation a program may contain, and how its arguments are laid out and printed.
// The only place that gives operations their numbers; native/interpreter/program.h is generated from it.
import type { NameTable } from '../../native/linux/constants.ts';
import type { SyscallName } from '../../native/linux/syscall-numbers.ts';

/**
 * How one argument reads. `text` is a NUL-ended string, `data` counted bytes (the count is the next argument),
 * `words` a NULL-ended array of strings, `out` memory the kernel fills, `bytes` memory shown only by its size.
 */
export type Format =
  | 'int' | 'hex' | 'octal' | 'fd' | 'device' | 'text' | 'data' | 'words' | 'out' | 'bytes' | 'errno'
  | `name ${NameTable}`
  | `struct ${StructName}`;

/** Kernel structures that travel in the data area. */
export type StructName =
  | 'open_how' | 'timespec' | 'mount_attr' | 'clone_args' | 'rlimit64' | 'winsize' | 'cap_header' | 'cap_data' | 'sock_fprog' | 'sched_attr' | 'ifreq' | 'int';

/** Which process may run an operation: the runtime (TypeScript, many threads) or the container side (the interpreter). */
export type Legal = 'both' | 'container' | 'runtime';

export interface Op {
  readonly legal: Legal;
  readonly formats: readonly Format[];
}

/** Size in bytes and format of one member; members follow each other without gaps. */
export type Member = readonly [name: string, size: 1 | 2 | 4 | 8 | 16, format: Format];

/** Their members, as the man pages give them. */
export const structs: Readonly<Record<StructName, readonly Member[]>> = {
  open_how: [['flags', 8, 'name open'], ['mode', 8, 'octal'], ['resolve', 8, 'name resolve']],
  timespec: [['tv_sec', 8, 'int'], ['tv_nsec', 8, 'int']],
  mount_attr: [['attr_set', 8, 'name mountAttr'], ['attr_clr', 8, 'name mountAttr'], ['propagation', 8, 'name mount'], ['userns_fd', 8, 'fd']],
  clone_args: [
    ['flags', 8, 'name clone'], ['pidfd', 8, 'hex'], ['child_tid', 8, 'hex'], ['parent_tid', 8, 'hex'], ['exit_signal', 8, 'int'],
    ['stack', 8, 'hex'], ['stack_size', 8, 'int'], ['tls', 8, 'hex'], ['set_tid', 8, 'hex'], ['set_tid_size', 8, 'int'], ['cgroup', 8, 'fd'],
  ],
  rlimit64: [['rlim_cur', 8, 'int'], ['rlim_max', 8, 'int']],
  winsize: [['ws_row', 2, 'int'], ['ws_col', 2, 'int'], ['ws_xpixel', 2, 'int'], ['ws_ypixel', 2, 'int']],
  cap_header: [['version', 4, 'hex'], ['pid', 4, 'int']],
  cap_data: [
    ['effective', 4, 'hex'], ['permitted', 4, 'hex'], ['inheritable', 4, 'hex'],
    ['effective_high', 4, 'hex'], ['permitted_high', 4, 'hex'], ['inheritable_high', 4, 'hex'],
  ],
  sock_fprog: [['len', 8, 'int'], ['filter', 8, 'hex']],
  sched_attr: [
    ['size', 4, 'int'], ['sched_policy', 4, 'int'], ['sched_flags', 8, 'hex'], ['sched_nice', 4, 'int'], ['sched_priority', 4, 'int'],
    ['sched_runtime', 8, 'int'], ['sched_deadline', 8, 'int'], ['sched_period', 8, 'int'],
  ],
  ifreq: [['ifr_name', 16, 'text'], ['ifr_flags', 8, 'hex'], ['ifr_rest', 16, 'out']],
  int: [['value', 4, 'int']],
};

const call = (...formats: Format[]): Op => ({ legal: 'both', formats });
const contained = (...formats: Format[]): Op => ({ legal: 'container', formats });
const hosted = (...formats: Format[]): Op => ({ legal: 'runtime', formats });

/** System calls, under their own names; the order is the numbering. */
export const syscallOps = {
  openat: call('fd', 'text', 'name open', 'octal'),
  openat2: call('fd', 'text', 'struct open_how', 'int'),
  close: call('fd'),
  close_range: contained('int', 'hex', 'name closeRange'),
  read: call('fd', 'out', 'int'),
  write: call('fd', 'data', 'int'),
  dup3: contained('fd', 'fd', 'name open'),
  fcntl: call('fd', 'name fcntl', 'int'),
  ioctl: call('fd', 'name ioctl', 'hex'),
  mkdirat: call('fd', 'text', 'octal'),
  mknodat: call('fd', 'text', 'octal', 'device'),
  symlinkat: call('text', 'fd', 'text'),
  linkat: call('fd', 'text', 'fd', 'text', 'name at'),
  unlinkat: call('fd', 'text', 'hex'),
  fchmod: call('fd', 'octal'),
  fchown: call('fd', 'int', 'int'),
  fchmodat: call('fd', 'text', 'octal', 'name at'),
  fchownat: call('fd', 'text', 'int', 'int', 'name at'),
  faccessat2: call('fd', 'text', 'int', 'name at'),
  statx: call('fd', 'text', 'name at', 'hex', 'out'),
  fstatfs: call('fd', 'out'),
  getcwd: contained('out', 'int'),
  chdir: contained('text'),
  fchdir: contained('fd'),
  chroot: contained('text'),
  umask: contained('octal'),
  mount: contained('text', 'text', 'text', 'name mount', 'text'),
  umount2: contained('text', 'name umount'),
  pivot_root: contained('text', 'text'),
  fsopen: call('text', 'name fsopen'),
  fsconfig: call('fd', 'name fsconfig', 'text', 'text', 'int'),
  fsmount: call('fd', 'name fsmount', 'name mountAttr'),
  open_tree: call('fd', 'text', 'name openTree'),
  move_mount: call('fd', 'text', 'fd', 'text', 'name moveMount'),
  mount_setattr: call('fd', 'text', 'name at', 'struct mount_attr', 'int'),
  unshare: contained('name clone'),
  setns: contained('fd', 'name clone'),
  clone3: contained('struct clone_args', 'int'),
  setsid: contained(),
  sethostname: contained('data', 'int'),
  setdomainname: contained('data', 'int'),
  prctl: contained('name prctl', 'text', 'int', 'int', 'int'),
  prlimit64: call('int', 'name rlimit', 'struct rlimit64', 'hex'),
  setgroups: contained('int', 'out'),
  setresuid: contained('int', 'int', 'int'),
  setresgid: contained('int', 'int', 'int'),
  capset: contained('struct cap_header', 'struct cap_data'),
  seccomp: contained('int', 'name seccomp', 'struct sock_fprog'),
  keyctl: contained('name keyctl', 'text', 'hex', 'int', 'int'),
  personality: contained('hex'),
  sched_setattr: contained('int', 'struct sched_attr', 'int'),
  sched_setaffinity: call('int', 'int', 'bytes'),
  ioprio_set: contained('int', 'int', 'hex'),
  set_mempolicy: contained('int', 'bytes', 'int'),
  socket: call('int', 'name sock', 'int'),
  bind: call('fd', 'bytes', 'int'),
  listen: call('fd', 'int'),
  accept4: contained('fd', 'hex', 'hex', 'name sock'),
  bpf: hosted('name bpf', 'bytes', 'int'),
  pidfd_open: call('int', 'int'),
  geteuid: hosted(),
  flock: hosted('fd', 'hex'),
  pread64: hosted('fd', 'out', 'int', 'int'),
  pwrite64: hosted('fd', 'text', 'int', 'int'),
  connect: hosted('fd', 'bytes', 'int'),
  recvfrom: hosted('fd', 'out', 'int', 'hex', 'text', 'int'),
  pidfd_send_signal: hosted('fd', 'int', 'text', 'int'),
  renameat2: hosted('fd', 'text', 'fd', 'text', 'hex'),
  epoll_create1: hosted('name open'),
  epoll_ctl: hosted('fd', 'int', 'fd', 'bytes'),
  epoll_pwait: hosted('fd', 'out', 'int', 'int', 'text', 'int'),
  clock_nanosleep: hosted('int', 'int', 'struct timespec', 'text'),
  execve: contained('text', 'words', 'words'),
  execveat: contained('fd', 'text', 'words', 'words', 'name at'),
} as const satisfies Partial<Record<SyscallName, Op>>;

/** Operations that are not one system call; each is here because the kernel leaves no other way. */
export const otherOps = {
  // Gives the turn to the runtime and waits for it; the arguments are descriptors that travel along. Derived, never written by hand.
  hand_over: contained('fd', 'fd', 'fd', 'fd', 'fd', 'fd'),
  // Loads 1, 2, 4 or 8 bytes that a call before left in memory and fails with errno unless (value & mask) == expected.
  expect: call('out', 'int', 'hex', 'hex', 'errno'),
  // Loads 1, 2, 4 or 8 bytes that a call before left in memory; what the mask leaves of them is the result.
  load: call('out', 'int', 'octal'),
  // From here on, reports and hand-overs travel over this connection.
  report_to: contained('fd'),
  // Gives back the pages of the program until they are needed again (madvise(2) MADV_DONTNEED): init may wait for long.
  release_pages: contained(),
  // open(2), write(2), close(2) of one file of cgroupfs or procfs: the kernel acts on the one write.
  write_file: hosted('text', 'data', 'int'),
  // Opens a file below /proc/$init: the pid is part of the path.
  open_in_proc: hosted('text'),
  // State becomes `created`, the pid file appears: create has succeeded once the container side goes on.
  publish: hosted('text', 'text'),
  // One hook of config.json, by kind and index (config.md#posix-platform-hooks).
  hook: hosted('text', 'int', 'text'),
  // Connects to a unix socket and passes one descriptor (SCM_RIGHTS): the console socket's protocol.
  send_fd: hosted('text', 'fd', 'text'),
  // Sends the seccomp listener with the container process state (config-linux.md#containerprocessstate).
  send_listener: hosted('text', 'fd', 'text'),
  // A user namespace that holds these id maps, for an idmapped mount: a helper is cloned, mapped and ended.
  map_user_namespace: hosted('data', 'int', 'data', 'int'),
  // Writes an id map, by newuidmap(1) or newgidmap(1) where the runtime may not write it itself.
  write_id_map: hosted('text', 'data', 'int', 'text'),
  // Loads and attaches a device filter (BPF_PROG_TYPE_CGROUP_DEVICE): bpf(2) twice, the program dies with its cgroup.
  attach_device_filter: hosted('fd', 'bytes', 'int'),
  // A pidfd of a container's init, if the pid still is that process: pidfd_open(2), then the start time is compared.
  open_init: hosted('int', 'text'),
  // Starts a transient systemd unit with these properties around the interpreter's first process, and waits for its job.
  start_unit: hosted('text', 'words'),
  // Has a user's systemd move the interpreter's first process into a unit: the kernel lets only root do it from everywhere.
  attach_to_unit: hosted('text'),
  // Writes the pid of init into a file: it is known only once init exists.
  write_pid: hosted('text'),
  // Moves a network device of the runtime's namespace into the container's, with its addresses: netlink requests that depend on answers.
  move_net_device: hosted('fd', 'text', 'text'),
  // Copies the directory a tmpfs will cover into it (mount option tmpcopyup).
  copy_tree: hosted('fd', 'fd'),
  // As expect, the other way round: fails with errno when (value & mask) is what is not to be.
  refuse: contained('out', 'int', 'hex', 'hex', 'errno'),
  // Compares so many bytes in memory with others and fails with errno unless they are the same; in prepared programs alone, as the next.
  same: hosted('out', 'out', 'int', 'errno'),
  // When a process started, from what was read of its /proc/PID/stat (proc_pid_stat(5), field 22); ESRCH for one that has ended.
  start_time: hosted('out', 'int'),
  // Ends a prepared program: the engine does the verb instead.
  give_up: hosted('errno'),
} as const satisfies Record<string, Op>;

export type SyscallOpName = keyof typeof syscallOps;
export type OtherOpName = keyof typeof otherOps;
export type OpName = SyscallOpName | OtherOpName;

/** All operations by name. */
export const ops: Readonly<Record<OpName, Op>> = { ...syscallOps, ...otherOps };

/** Operation names by number: the number is the index. */
export const opNames = Object.keys(ops) as readonly OpName[];
