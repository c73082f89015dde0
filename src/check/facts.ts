// What this machine is and what the runtime may do on it: read for validate and doctor, and never changed.
import { accessSync, constants, existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { nameTables } from '../../native/linux/constants.ts';
import { findCgroupMount } from '../cgroup/locate.ts';
import { isInitialUserNamespace } from '../container/user-namespace.ts';

export interface Facts {
  readonly kernel: string;
  readonly euid: number;
  /** Root of the initial user namespace. */
  readonly isPrivileged: boolean;
  /** Effective capabilities of the runtime, as CAP_SYS_ADMIN. */
  readonly capabilities: ReadonlySet<string>;
  /** Names of capabilities the kernel has. */
  readonly knownCapabilities: ReadonlySet<string>;
  /** File systems the kernel has now; others may be modules. */
  readonly fileSystems: ReadonlySet<string>;
  readonly cgroupMount: string | undefined;
  readonly controllers: readonly string[];
}

export const text = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

export function gatherFacts(): Facts {
  const names = Object.entries(nameTables.capability.names);
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(text('/proc/self/status') ?? '')?.[1] ?? '0'}`);
  const last = Number(text('/proc/sys/kernel/cap_last_cap') ?? 40);
  const cgroupMount = findCgroupMount();
  const controllers = cgroupMount === undefined ? '' : (text(`${cgroupMount}/cgroup.controllers`) ?? '');
  const euid = process.geteuid!();
  return {
    kernel: release(),
    euid,
    isPrivileged: euid === 0 && isInitialUserNamespace(),
    capabilities: new Set(names.filter(([, number]) => (effective >> BigInt(number)) & 1n).map(([name]) => name)),
    knownCapabilities: new Set(names.filter(([, number]) => number <= last).map(([name]) => name)),
    fileSystems: new Set((text('/proc/filesystems') ?? '').split('\n').map((line) => line.split('\t').at(-1) ?? '')),
    cgroupMount,
    controllers: controllers.trim().split(' ').filter((word) => word !== ''),
  };
}

/** Whether a kernel release (uname(2)) is at least this version. */
export function isAtLeast(kernel: string, major: number, minor: number): boolean {
  const [, a, b] = /^(\d+)\.(\d+)/.exec(kernel) ?? [];
  return Number(a) > major || (Number(a) === major && Number(b) >= minor);
}

/** The file system a path is on, by the longest mount point above it (proc_pid_mountinfo(5)). */
export function fileSystemOf(path: string): string | undefined {
  let best = '';
  let type: string | undefined;
  for (const line of (text('/proc/self/mountinfo') ?? '').split('\n')) {
    const [left, right] = line.split(' - ');
    const point = (left?.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    if (right === undefined || point.length < best.length || !(point === '/' || path === point || path.startsWith(`${point}/`))) continue;
    [best, type] = [point, right.split(' ')[0]];
  }
  return type;
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** A program in the runtime's own PATH. */
export const inPath = (name: string): string | undefined => (process.env['PATH'] ?? '').split(':').map((directory) => `${directory}/${name}`).find(isExecutable);

/** Ids that /etc/subuid or /etc/subgid give a user (subuid(5)): first id and count. */
export function subordinateIds(file: '/etc/subuid' | '/etc/subgid', user: string, uid: number): readonly (readonly [number, number])[] {
  return (text(file) ?? '').split('\n').map((line) => line.split(':')).filter(([name]) => name === user || name === String(uid)).map(([, first, count]) => [Number(first), Number(count)] as const);
}

/** The name of a uid in /etc/passwd, or the number. */
export function userName(uid: number): string {
  return (text('/etc/passwd') ?? '').split('\n').map((line) => line.split(':')).find((fields) => fields[2] === String(uid))?.[0] ?? String(uid);
}

/** Whether the kernel gives out more namespaces of a kind (namespaces(7)): false where the limit is 0, undefined where there is none. */
export function mayMakeNamespace(type: string): boolean | undefined {
  const file = { mount: 'mnt', network: 'net' }[type] ?? type;
  if (!existsSync(`/proc/self/ns/${file}`)) return undefined;
  return text(`/proc/sys/user/max_${file}_namespaces`)?.trim() !== '0';
}

export const hugePageSizes = (): readonly string[] => {
  try {
    return readdirSync('/sys/kernel/mm/hugepages').map((name) => Number(/(\d+)kB/.exec(name)?.[1])).map((kilobytes) => (kilobytes >= 1 << 20 ? `${kilobytes >> 20}GB` : kilobytes >= 1024 ? `${kilobytes >> 10}MB` : `${kilobytes}KB`));
  } catch {
    return [];
  }
};

/** The names of /proc/PID/limits for the resources of setrlimit(2). */
const limitNames: Readonly<Record<string, string>> = {
  CPU: 'Max cpu time', FSIZE: 'Max file size', DATA: 'Max data size', STACK: 'Max stack size', CORE: 'Max core file size', RSS: 'Max resident set', NPROC: 'Max processes', NOFILE: 'Max open files',
  MEMLOCK: 'Max locked memory', AS: 'Max address space', LOCKS: 'Max file locks', SIGPENDING: 'Max pending signals', MSGQUEUE: 'Max msgqueue size', NICE: 'Max nice priority', RTPRIO: 'Max realtime priority', RTTIME: 'Max realtime timeout',
};

/** A hard limit by /proc/PID/limits; RLIM_INFINITY is 2^64-1. */
export const hardLimit = (limits: string, type: string): bigint | undefined => limitWord(limits, type, 1);

/** A soft limit. */
export const softLimit = (limits: string, type: string): bigint | undefined => limitWord(limits, type, 0);

function limitWord(limits: string, type: string, column: 0 | 1): bigint | undefined {
  const name = limitNames[type.replace(/^RLIMIT_/, '')];
  const row = name === undefined ? undefined : limits.split('\n').find((line) => line.startsWith(name));
  const word = row?.slice(name!.length).trim().split(/\s+/)[column];
  return word === undefined ? undefined : word === 'unlimited' ? (1n << 64n) - 1n : BigInt(word);
}
