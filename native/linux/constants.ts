// Kernel constants under their man-page names, and the tables that print them again. Values: the kernel's uapi headers.

const isArm = process.arch === 'arm64';

/** The few that differ: [x86-64, aarch64]. */
export const perArchitecture: Readonly<Record<string, readonly [number, number]>> = { O_DIRECTORY: [0x10000, 0x4000], O_NOFOLLOW: [0x20000, 0x8000] };

export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0x40;
export const O_EXCL = 0x80;
export const O_NOCTTY = 0x100;
export const O_TRUNC = 0x200;
export const O_APPEND = 0x400;
export const O_NONBLOCK = 0x800;
export const O_SYNC = 0x101000;
export const O_DIRECTORY = isArm ? 0x4000 : 0x10000;
export const O_NOFOLLOW = isArm ? 0x8000 : 0x20000;
export const O_CLOEXEC = 0x80000;
export const O_PATH = 0x200000;
export const RESOLVE_NO_XDEV = 1;
export const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_NO_SYMLINKS = 4;
export const RESOLVE_BENEATH = 8;
export const RESOLVE_IN_ROOT = 0x10;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EACCESS = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_REMOVEDIR = 0x200; // of unlinkat(2); AT_EACCESS of faccessat(2) is the same bit
export const AT_EMPTY_PATH = 0x1000;
export const AT_RECURSIVE = 0x8000;
export const OPEN_TREE_CLONE = 1;
export const OPEN_TREE_CLOEXEC = 0x80000;
export const MOVE_MOUNT_F_SYMLINKS = 1;
export const MOVE_MOUNT_F_AUTOMOUNTS = 2;
export const MOVE_MOUNT_F_EMPTY_PATH = 4;
export const MOVE_MOUNT_T_SYMLINKS = 0x10;
export const MOVE_MOUNT_T_AUTOMOUNTS = 0x20;
export const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
export const FSOPEN_CLOEXEC = 1;
export const FSMOUNT_CLOEXEC = 1;
export const FSCONFIG_SET_FLAG = 0;
export const FSCONFIG_SET_STRING = 1;
export const FSCONFIG_SET_BINARY = 2;
export const FSCONFIG_SET_PATH = 3;
export const FSCONFIG_SET_FD = 5;
export const FSCONFIG_CMD_CREATE = 6;
export const FSCONFIG_CMD_RECONFIGURE = 7;
export const MOUNT_ATTR_RDONLY = 1;
export const MOUNT_ATTR_NOSUID = 2;
export const MOUNT_ATTR_NODEV = 4;
export const MOUNT_ATTR_NOEXEC = 8;
export const MOUNT_ATTR_NOATIME = 0x10;
export const MOUNT_ATTR_STRICTATIME = 0x20;
export const MOUNT_ATTR_NODIRATIME = 0x80;
export const MOUNT_ATTR_IDMAP = 0x100000;
export const MOUNT_ATTR_NOSYMFOLLOW = 0x200000;
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_SYNCHRONOUS = 0x10;
export const MS_REMOUNT = 0x20;
export const MS_MANDLOCK = 0x40;
export const MS_DIRSYNC = 0x80;
export const MS_NOSYMFOLLOW = 0x100;
export const MS_NOATIME = 0x400;
export const MS_NODIRATIME = 0x800;
export const MS_BIND = 0x1000;
export const MS_MOVE = 0x2000;
export const MS_REC = 0x4000;
export const MS_SILENT = 0x8000;
export const MS_POSIXACL = 0x10000;
export const MS_UNBINDABLE = 0x20000;
export const MS_PRIVATE = 0x40000;
export const MS_SLAVE = 0x80000;
export const MS_SHARED = 0x100000;
export const MS_RELATIME = 0x200000;
export const MS_I_VERSION = 0x800000;
export const MS_STRICTATIME = 0x1000000;
export const MS_LAZYTIME = 0x2000000;
export const MNT_FORCE = 1;
export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;
export const CLONE_VM = 0x100;
export const CLONE_PIDFD = 0x1000;
export const CLONE_VFORK = 0x4000;
export const CLONE_PARENT = 0x8000;
export const CLONE_NEWNS = 0x20000;
export const CLONE_NEWCGROUP = 0x2000000;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWIPC = 0x8000000;
export const CLONE_NEWUSER = 0x10000000;
export const CLONE_NEWPID = 0x20000000;
export const CLONE_NEWNET = 0x40000000;
export const CLONE_NEWTIME = 0x80;
export const CLONE_INTO_CGROUP = 0x200000000;
export const PR_SET_PDEATHSIG = 1;
export const PR_GET_DUMPABLE = 3;
export const PR_SET_DUMPABLE = 4;
export const PR_SET_KEEPCAPS = 8;
export const PR_SET_NAME = 0xf;
export const PR_CAPBSET_DROP = 0x18;
export const PR_SET_NO_NEW_PRIVS = 0x26;
export const PR_SET_CHILD_SUBREAPER = 0x24;
export const PR_CAP_AMBIENT = 0x2f;
export const RLIMIT_CPU = 0;
export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_STACK = 3;
export const RLIMIT_CORE = 4;
export const RLIMIT_RSS = 5;
export const RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;
export const RLIMIT_LOCKS = 0xa;
export const RLIMIT_SIGPENDING = 0xb;
export const RLIMIT_MSGQUEUE = 0xc;
export const RLIMIT_NICE = 0xd;
export const RLIMIT_RTPRIO = 0xe;
export const RLIMIT_RTTIME = 0xf;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;
export const SOCK_CLOEXEC = 0x80000;
export const SOCK_NONBLOCK = 0x800;
export const SECCOMP_FILTER_FLAG_TSYNC = 1;
export const SECCOMP_FILTER_FLAG_LOG = 2;
export const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;
export const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
export const SECCOMP_FILTER_FLAG_TSYNC_ESRCH = 0x10;
export const SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 0x20;
export const CLOSE_RANGE_UNSHARE = 2;
export const CLOSE_RANGE_CLOEXEC = 4;
export const TIOCSPTLCK = 0x40045431;
export const TIOCGPTPEER = 0x5441;
export const TIOCSCTTY = 0x540e;
export const TIOCSWINSZ = 0x5414;
export const TIOCGWINSZ = 0x5413;
export const TIOCGPTN = 0x80045430;
export const SIOCGIFFLAGS = 0x8913;
export const SIOCSIFFLAGS = 0x8914;
export const TCGETS = 0x5401;
export const TCSETS = 0x5402;
export const KEYCTL_GET_KEYRING_ID = 0;
export const KEYCTL_JOIN_SESSION_KEYRING = 1;
export const KEYCTL_SETPERM = 5;
export const BPF_PROG_LOAD = 5;
export const BPF_PROG_ATTACH = 8;
export const BPF_PROG_DETACH = 9;
export const BPF_PROG_GET_FD_BY_ID = 0xd;
export const BPF_OBJ_GET_INFO_BY_FD = 0xf;
export const BPF_PROG_QUERY = 0x10;
export const F_DUPFD = 0;
export const F_GETFD = 1;
export const F_SETFD = 2;
export const FD_CLOEXEC = 1;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_DUPFD_CLOEXEC = 0x406;
export const F_ADD_SEALS = 0x409;
export const CAP_CHOWN = 0;
export const CAP_DAC_OVERRIDE = 1;
export const CAP_DAC_READ_SEARCH = 2;
export const CAP_FOWNER = 3;
export const CAP_FSETID = 4;
export const CAP_KILL = 5;
export const CAP_SETGID = 6;
export const CAP_SETUID = 7;
export const CAP_SETPCAP = 8;
export const CAP_LINUX_IMMUTABLE = 9;
export const CAP_NET_BIND_SERVICE = 0xa;
export const CAP_NET_BROADCAST = 0xb;
export const CAP_NET_ADMIN = 0xc;
export const CAP_NET_RAW = 0xd;
export const CAP_IPC_LOCK = 0xe;
export const CAP_IPC_OWNER = 0xf;
export const CAP_SYS_MODULE = 0x10;
export const CAP_SYS_RAWIO = 0x11;
export const CAP_SYS_CHROOT = 0x12;
export const CAP_SYS_PTRACE = 0x13;
export const CAP_SYS_PACCT = 0x14;
export const CAP_SYS_ADMIN = 0x15;
export const CAP_SYS_BOOT = 0x16;
export const CAP_SYS_NICE = 0x17;
export const CAP_SYS_RESOURCE = 0x18;
export const CAP_SYS_TIME = 0x19;
export const CAP_SYS_TTY_CONFIG = 0x1a;
export const CAP_MKNOD = 0x1b;
export const CAP_LEASE = 0x1c;
export const CAP_AUDIT_WRITE = 0x1d;
export const CAP_AUDIT_CONTROL = 0x1e;
export const CAP_SETFCAP = 0x1f;
export const CAP_MAC_OVERRIDE = 0x20;
export const CAP_MAC_ADMIN = 0x21;
export const CAP_SYSLOG = 0x22;
export const CAP_WAKE_ALARM = 0x23;
export const CAP_BLOCK_SUSPEND = 0x24;
export const CAP_AUDIT_READ = 0x25;
export const CAP_PERFMON = 0x26;
export const CAP_BPF = 0x27;
export const CAP_CHECKPOINT_RESTORE = 0x28;
export const AT_FDCWD = -100;
export const S_IFREG = 0x8000;
export const S_IFDIR = 0x4000;
export const S_IFCHR = 0x2000;
export const S_IFBLK = 0x6000;
export const S_IFIFO = 0x1000;
export const S_IFMT = 0xf000;
export const SECCOMP_SET_MODE_FILTER = 1;
export const PR_CAP_AMBIENT_CLEAR_ALL = 4;
export const PR_CAP_AMBIENT_RAISE = 2;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_NETLINK = 16;
export const NETLINK_ROUTE = 0;
export const SOL_SOCKET = 1;
export const SO_RCVTIMEO = 20;
export const SCM_RIGHTS = 1;
export const F_SEAL_SEAL = 1;
export const F_SEAL_SHRINK = 2;
export const F_SEAL_GROW = 4;
export const F_SEAL_WRITE = 8;
export const MFD_CLOEXEC = 1;
export const MFD_ALLOW_SEALING = 2;
export const MFD_EXEC = 0x10;
export const STATX_TYPE = 1;
export const STATX_MODE = 2;
export const STATX_BASIC_STATS = 0x7ff;
export const PROC_SUPER_MAGIC = 0x9fa0;
export const DEVPTS_SUPER_MAGIC = 0x1cd1;
export const CGROUP2_SUPER_MAGIC = 0x63677270;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_FIXED_NOREPLACE = 0x100000;
export const LOCK_EX = 2;
export const LOCK_SH = 1;
export const LOCK_NB = 4;
export const LOCK_UN = 8;
export const EPOLL_CTL_ADD = 1;
export const EPOLLIN = 1;
export const EPOLLPRI = 2;
export const POLLIN = 1;
export const POLLOUT = 4;
export const POLLHUP = 0x10;
export const MSG_PEEK = 2;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_CMSG_CLOEXEC = 0x40000000;
export const SIG_SETMASK = 2;
export const SIGPWR = 30;
export const P_PIDFD = 3;
export const P_PID = 1;
export const WEXITED = 4;
export const WNOHANG = 1;
export const MOUNT_ATTR__ATIME = 0x70;
export const IFF_UP = 1;
export const LINUX_CAPABILITY_VERSION = 0x20080522;
export const BPF_PROG_TYPE_CGROUP_DEVICE = 0xf;
export const BPF_CGROUP_DEVICE = 6;
export const BPF_F_ALLOW_MULTI = 2;
export const BPF_F_REPLACE = 4;
export const KEY_SPEC_SESSION_KEYRING = -3;

/** Name tables by argument format: `flags` are or-ed bits, `enum` is one value. Used by the printers of both languages. */
export const nameTables = {
  open: { kind: 'flags', names: {
    O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_NOCTTY, O_TRUNC, O_APPEND, O_NONBLOCK, O_SYNC, O_DIRECTORY, O_NOFOLLOW, O_CLOEXEC, O_PATH, } },
  resolve: { kind: 'flags', names: {
    RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT, } },
  at: { kind: 'flags', names: {
    AT_SYMLINK_NOFOLLOW, AT_EACCESS, AT_SYMLINK_FOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH, AT_RECURSIVE, } },
  openTree: { kind: 'flags', names: {
    OPEN_TREE_CLONE, OPEN_TREE_CLOEXEC, AT_SYMLINK_NOFOLLOW, AT_NO_AUTOMOUNT, AT_EMPTY_PATH, AT_RECURSIVE, } },
  moveMount: { kind: 'flags', names: {
    MOVE_MOUNT_F_SYMLINKS, MOVE_MOUNT_F_AUTOMOUNTS, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_SYMLINKS, MOVE_MOUNT_T_AUTOMOUNTS,
    MOVE_MOUNT_T_EMPTY_PATH, } },
  fsopen: { kind: 'flags', names: {
    FSOPEN_CLOEXEC, } },
  fsmount: { kind: 'flags', names: {
    FSMOUNT_CLOEXEC, } },
  fsconfig: { kind: 'enum', names: {
    FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING, FSCONFIG_SET_BINARY, FSCONFIG_SET_PATH, FSCONFIG_SET_FD, FSCONFIG_CMD_CREATE,
    FSCONFIG_CMD_RECONFIGURE, } },
  mountAttr: { kind: 'flags', names: {
    MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOATIME, MOUNT_ATTR_STRICTATIME,
    MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_IDMAP, MOUNT_ATTR_NOSYMFOLLOW, } },
  mount: { kind: 'flags', names: {
    MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_SYNCHRONOUS, MS_REMOUNT, MS_MANDLOCK, MS_DIRSYNC, MS_NOSYMFOLLOW, MS_NOATIME, MS_NODIRATIME,
    MS_BIND, MS_MOVE, MS_REC, MS_SILENT, MS_POSIXACL, MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_RELATIME, MS_I_VERSION, MS_STRICTATIME, MS_LAZYTIME, } },
  umount: { kind: 'flags', names: {
    MNT_FORCE, MNT_DETACH, UMOUNT_NOFOLLOW, } },
  clone: { kind: 'flags', names: {
    CLONE_VM, CLONE_PIDFD, CLONE_VFORK, CLONE_PARENT, CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
    CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWTIME, CLONE_INTO_CGROUP, } },
  prctl: { kind: 'enum', names: {
    PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_NAME, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS,
    PR_SET_CHILD_SUBREAPER, PR_CAP_AMBIENT, } },
  rlimit: { kind: 'enum', names: {
    RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_MEMLOCK,
    RLIMIT_AS, RLIMIT_LOCKS, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME, } },
  sock: { kind: 'flags', names: {
    SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM, SOCK_CLOEXEC, SOCK_NONBLOCK, } },
  seccomp: { kind: 'flags', names: {
    SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_NEW_LISTENER,
    SECCOMP_FILTER_FLAG_TSYNC_ESRCH, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, } },
  closeRange: { kind: 'flags', names: {
    CLOSE_RANGE_UNSHARE, CLOSE_RANGE_CLOEXEC, } },
  ioctl: { kind: 'enum', names: {
    TIOCSPTLCK, TIOCGPTPEER, TIOCSCTTY, TIOCSWINSZ, TIOCGWINSZ, TIOCGPTN, SIOCGIFFLAGS, SIOCSIFFLAGS, TCGETS, TCSETS, } },
  keyctl: { kind: 'enum', names: {
    KEYCTL_GET_KEYRING_ID, KEYCTL_JOIN_SESSION_KEYRING, KEYCTL_SETPERM, } },
  bpf: { kind: 'enum', names: {
    BPF_PROG_LOAD, BPF_PROG_ATTACH, BPF_PROG_DETACH, BPF_PROG_GET_FD_BY_ID, BPF_PROG_QUERY, } },
  fcntl: { kind: 'enum', names: {
    F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_ADD_SEALS, } },
  capability: { kind: 'enum', names: {
    CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP,
    CAP_LINUX_IMMUTABLE, CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST, CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK, CAP_IPC_OWNER,
    CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_SYS_PACCT, CAP_SYS_ADMIN, CAP_SYS_BOOT, CAP_SYS_NICE,
    CAP_SYS_RESOURCE, CAP_SYS_TIME, CAP_SYS_TTY_CONFIG, CAP_MKNOD, CAP_LEASE, CAP_AUDIT_WRITE, CAP_AUDIT_CONTROL, CAP_SETFCAP,
    CAP_MAC_OVERRIDE, CAP_MAC_ADMIN, CAP_SYSLOG, CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND, CAP_AUDIT_READ, CAP_PERFMON, CAP_BPF,
    CAP_CHECKPOINT_RESTORE, } },
} as const satisfies Record<string, { kind: 'flags' | 'enum'; names: Record<string, number> }>;

export type NameTable = keyof typeof nameTables;

/** Offsets and sizes in struct statx (statx(2)); of its time of change the padding is left out. */
export const statx = { bytes: 256, uid: 20, inodeAndSize: 32, inodeAndSizeBytes: 16, inodeBytes: 8, changed: 96, changedBytes: 12 } as const;
