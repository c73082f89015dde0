// What the compiler is told: config.json, facts about the host, and the request. Plain records, printable, nothing to call.
import type { Config } from '../../spec/config.ts';

/** Facts about the machine that the order or the choice of steps depends on; gathered once, before compilation. */
export interface Host {
  /** Effective user id of the runtime, and whether it is the initial user namespace's root. */
  readonly euid: number;
  readonly isPrivileged: boolean;
  /** Paths of config.json (bind sources) that are not directories: a file is bound on a file. */
  readonly files: ReadonlySet<string>;
  /** Names at the top of the rootfs that are no symlinks, of those on which a tmpfs is mounted and in that another. */
  readonly plainNames: ReadonlySet<string>;
  /** Whether /proc/kcore exists: /dev/core then points to it. */
  readonly hasKcore: boolean;
  /** Whether SELinux is on; asked for only when a label is. */
  readonly hasSelinux: boolean;
  /** HOME of process.user in the rootfs's own /etc/passwd; `/` when it has none. */
  readonly home: string;
  /** Where the rootfs's file system is mounted; asked for only when its propagation matters. */
  readonly rootfsMountPoint: string | undefined;
  readonly cgroup: CgroupHost | undefined;
  /** Mount point of resctrl; asked for only where config.json has linux.intelRdt. */
  readonly resctrl?: string | undefined;
  /** Mount point of cgroup2, also where the container gets no cgroup of its own (rootless); undefined without one. */
  readonly cgroupMount: string | undefined;
}

/** Where the container's cgroup will be; undefined when cgroups are disabled or the host has no cgroup2 mount. */
export interface CgroupHost {
  /** Mount point of cgroup2, as `/sys/fs/cgroup`. */
  readonly mount: string;
  /** The container's cgroup, absolute in the file system. */
  readonly path: string;
  /** Its ancestors below the mount that do not exist yet, outermost first, and itself last. */
  readonly missing: readonly string[];
  /** Existing or missing ancestors (mount first) whose subtree_control lacks controllers: path → what to enable. */
  readonly enable: readonly { readonly path: string; readonly controllers: readonly string[] }[];
  /** Controllers available to the container's cgroup. */
  readonly controllers: readonly string[];
  /** Of `missing` and itself those that must be made threaded: what is above them is (kernel doc cgroup-v2, Threads). */
  readonly threaded: readonly string[];
  /** Files a container that owns its cgroup may write: /sys/kernel/cgroup/delegate, read only when they are needed. */
  readonly delegate: readonly string[];
  /** The transient unit that makes the cgroup, with its properties as NAME=value; undefined under the cgroupfs driver. */
  readonly unit?: { readonly unit: string; readonly properties: readonly string[] };
}

/** What the command line asks for, and what was prepared for it. */
export interface Request {
  readonly id: string;
  /** Absolute bundle directory. */
  readonly bundle: string;
  /** Absolute rootfs directory. */
  readonly rootfs: string;
  /** The container's state directory. */
  readonly stateDirectory: string;
  /** The same directory under a name short enough for a socket address (unix(7)). */
  readonly gateDirectory: string;
  readonly pidFile: string | undefined;
  /** A listening unix socket that receives a pidfd of the process. */
  readonly pidfdSocket: string | undefined;
  readonly noPivot: boolean;
  readonly noNewKeyring: boolean;
  /** Descriptors from 3 on that the process keeps (LISTEN_FDS and --preserve-fds). */
  readonly preservedFds: number;
  /** How many of them are socket-activation descriptors (sd_listen_fds(3)). */
  readonly listenFds: number;
  readonly listenFdNames: string | undefined;
  /** Where the pty goes: a console socket, or the runtime itself. */
  readonly console: { readonly kind: 'none' } | { readonly kind: 'socket'; readonly path: string } | { readonly kind: 'foreground' };
  /** The compiled seccomp filter; undefined when config.json has none. */
  readonly filter: { readonly program: Uint8Array; readonly flags: number; readonly hasListener: boolean } | undefined;
  /** The device filter's instructions; undefined when no cgroup can carry one. */
  readonly deviceFilter: Uint8Array | undefined;
}

export interface Context {
  readonly config: Config;
  readonly host: Host;
  readonly request: Request;
}

/** True when config.json asks for a new namespace of this type; with a path it is joined instead. */
export function isNew(config: Config, type: string): boolean {
  return config.linux?.namespaces?.some((namespace) => namespace.type === type && !namespace.path) ?? false;
}

/** True when the container is not in the runtime's own namespace of this type. */
export function has(config: Config, type: string): boolean {
  return config.linux?.namespaces?.some((namespace) => namespace.type === type) ?? false;
}

/** JSON pointer of a namespace entry. */
export function namespacePointer(config: Config, type: string): string {
  const index = config.linux?.namespaces?.findIndex((namespace) => namespace.type === type) ?? -1;
  return index < 0 ? '/linux/namespaces' : `/linux/namespaces/${index}`;
}
