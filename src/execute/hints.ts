// What most likely helps, by call and errno. A hint is here only with a test that provokes it; no hint is better than a guess.
import { errnoName } from '../../native/linux/errno.ts';
import { readRecords, readText, slotName, type Image, type RecordView } from '../program/decode.ts';
import { kind } from '../program/layout.ts';

interface Hint {
  readonly op: string;
  readonly errno: string;
  /** Beginning of the JSON pointer, when the call alone does not say enough. */
  readonly pointer?: string;
  readonly side?: 'runtime' | 'container';
  /** Type of the file system whose context the call is about (fsopen(2)). */
  readonly fileSystem?: string;
  readonly hint: string;
}

const hints: readonly Hint[] = [
  { op: 'fsmount', errno: 'EPERM', hint: 'the user namespace does not own the namespace this file system shows, or /proc is partly masked where runt runs' },
  { op: 'open_tree', errno: 'ENOENT', pointer: '/mounts', hint: 'the source does not exist on the host' },
  { op: 'openat2', errno: 'ENOTDIR', pointer: '/mounts', hint: 'the source is a directory and the destination a file: are source and destination of the same kind?' },
  { op: 'move_mount', errno: 'ENOTDIR', pointer: '/mounts', hint: 'a file can be bound on a file only, a directory on a directory only' },
  { op: 'move_mount', errno: 'EINVAL', pointer: '/mounts', hint: 'a file can be bound on a file only: is the destination a directory?' },
  { op: 'openat2', errno: 'ELOOP', pointer: '/mounts', hint: 'proc and sysfs must be mounted on ordinary directories, and the rootfs has a symlink there (CVE-2019-19921)' },
  { op: 'refuse', errno: 'EXDEV', pointer: '/mounts', hint: 'a symlink of the rootfs leads this destination into /proc, where nothing may be mounted (CVE-2023-28642)' },
  { op: 'mkdirat', errno: 'EROFS', pointer: '/mounts', hint: 'the mount point does not exist and its file system is read-only: create it in the image, or list this mount earlier' },
  { op: 'fsconfig', errno: 'ENOENT', fileSystem: 'overlay', hint: 'one of lowerdir, upperdir and workdir does not exist on the host' },
  { op: 'fsconfig', errno: 'EINVAL', fileSystem: 'overlay', hint: 'upperdir needs workdir, an empty directory beside it on the same file system, which is no overlay itself; dmesg says more' },
  { op: 'fsopen', errno: 'ENODEV', hint: 'this kernel has no such file system (see /proc/filesystems)' },
  { op: 'mount_setattr', errno: 'EINVAL', pointer: '/mounts', hint: 'an idmapped mount needs a source whose file system allows it (ext4, xfs, btrfs, tmpfs since Linux 6.3), and that is not idmapped already' },
  { op: 'setgroups', errno: 'EPERM', hint: 'cannot set any additional groups in a rootless container: its gid map was written without newgidmap, which denies setgroups(2) for good' },
  { op: 'mount_setattr', errno: 'EPERM', pointer: '/mounts', hint: 'the host has locked this flag: a container in a user namespace may add to it, not clear it (mount_namespaces(7))' },
  { op: 'openat', errno: 'ENOENT', pointer: '/linux/namespaces', hint: 'the namespace to join is gone: does its container still run?' },
  { op: 'setns', errno: 'EINVAL', hint: 'the path is a namespace of another kind, or the one the runtime is already in' },
  { op: 'prlimit64', errno: 'EPERM', hint: 'raising a hard limit needs CAP_SYS_RESOURCE, which the runtime lacks here' },
  { op: 'capset', errno: 'EPERM', hint: 'config.json asks for a capability that the runtime itself does not have' },
  { op: 'write', errno: 'EACCES', pointer: '/process/oomScoreAdj', hint: 'lowering the score needs CAP_SYS_RESOURCE' },
  { op: 'setresuid', errno: 'EINVAL', hint: 'this uid is not mapped in the user namespace (linux.uidMappings)' },
  { op: 'setresgid', errno: 'EINVAL', hint: 'this gid is not mapped in the user namespace (linux.gidMappings)' },
  { op: 'setgroups', errno: 'EINVAL', hint: 'a gid is not mapped in the user namespace (linux.gidMappings)' },
  { op: 'write_file', errno: 'ENOENT', pointer: '/linux/resources', hint: 'the controller of this file is not available to the cgroup (cgroup.controllers): a parent that holds processes cannot give it' },
  { op: 'mkdirat', errno: 'EAGAIN', side: 'runtime', hint: 'the limit of cgroups is reached (cgroup.max.descendants or cgroup.max.depth of a parent)' },
  { op: 'faccessat2', errno: 'EACCES', pointer: '/process/args', hint: 'it is not executable by process.user, or lies on a mount with noexec' },
  { op: 'execve', errno: 'ENOENT', hint: 'the file is there, its interpreter is not: the #! line or the dynamic loader names a path that the rootfs lacks' },
  { op: 'execve', errno: 'ENOEXEC', hint: 'neither a binary of this architecture nor a script with a #! line' },
  { op: 'clone3', errno: 'EPERM', hint: 'making namespaces needs CAP_SYS_ADMIN, or a user namespace in linux.namespaces' },
  { op: 'clone3', errno: 'ENOSPC', hint: 'the limit of namespaces is reached (/proc/sys/user/max_*_namespaces)' },
  { op: 'clone3', errno: 'EBUSY', hint: 'linux.cgroupsPath shares controllers with cgroups below it, and then takes no processes itself: its cgroup.subtree_control is not empty' },
  { op: 'clone3', errno: 'EAGAIN', hint: 'the limit of processes is reached (pids.max of the cgroup, or RLIMIT_NPROC)' },
  { op: 'write', errno: 'ENOENT', pointer: '/process/apparmorProfile', hint: 'no profile of this name is loaded (aa-status lists them, apparmor_parser -r loads one)' },
  { op: 'write', errno: 'EINVAL', pointer: '/process/apparmorProfile', hint: 'this kernel has no AppArmor, or it is off (/sys/module/apparmor/parameters/enabled)' },
  { op: 'fsconfig', errno: 'EINVAL', pointer: '/linux/mountLabel', hint: 'this kernel has no SELinux, or it is off' },
  { op: 'openat', errno: 'ENOENT', pointer: '/linux/intelRdt', hint: 'there is no such class of service, and no schema to make it of' },
  { op: 'move_net_device', errno: 'ENODEV', hint: 'no network device of this name where runt runs (ip link)' },
  { op: 'move_net_device', errno: 'EEXIST', hint: 'the container’s network namespace has a device of this name already' },
  { op: 'move_net_device', errno: 'EPERM', hint: 'moving a device needs CAP_NET_ADMIN where it is and where it goes' },
  { op: 'keyctl', errno: 'EDQUOT', hint: 'the quota of keys is used up (/proc/sys/kernel/keys/maxkeys): raise it, or use --no-new-keyring' },
];

/** The hint for a failed record, or undefined. */
export function hintFor(image: Image, view: RecordView, errno: number): string | undefined {
  const name = errnoName(errno);
  const fits = (row: Hint): boolean => row.op === view.op && row.errno === name && (row.pointer === undefined || view.pointer.startsWith(row.pointer))
    && (row.side === undefined || row.side === view.side) && (row.fileSystem === undefined || row.fileSystem === fileSystemOf(image, view));
  return hints.find(fits)?.hint;
}

/** What fsopen was asked for by the record that made the slot this one is about. */
function fileSystemOf(image: Image, { args }: RecordView): string | undefined {
  if (args[0]?.kind !== kind.slot) return undefined;
  const name = slotName(image, Number(args[0].value));
  const opened = readRecords(image).find(({ op, result }) => op === 'fsopen' && result === name);
  return opened === undefined ? undefined : readText(image.bytes, Number(opened.args[0]!.value) - image.base);
}
