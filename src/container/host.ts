// Gathers the facts the compiler asks for. Everything here is read before a single step runs, and nothing is changed.
import { findCgroupMount } from '../cgroup/locate.ts';
import { closeSync, existsSync, lstatSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import type { Config } from '../../spec/config.ts';
import { mountRuns, mountsWith } from '../../spec/mount-runs.ts';
import { O_CLOEXEC, O_DIRECTORY, O_PATH, RESOLVE_IN_ROOT } from '../../native/linux/constants.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import type { CgroupHost, Host } from '../compile/context.ts';
import { sharesWithHost } from '../compile/root.ts';
import { relativePath } from '../compile/paths.ts';
import { isInitialUserNamespace } from './user-namespace.ts';

/** Facts about this machine for this bundle. `cgroup` is given: where it is belongs to the driver. */
export function gatherHost(config: Config, bundle: string, rootfs: string, cgroup: CgroupHost | undefined): Host {
  const euid = process.geteuid!();
  return {
    euid,
    isPrivileged: euid === 0 && isInitialUserNamespace(),
    files: bindFiles(config, bundle),
    plainNames: plainNames(config, rootfs),
    hasKcore: existsSync('/proc/kcore'),
    hasSelinux: hasSelinux(config.process),
    home: needsHome(config.process) ? homeOf(config, bundle, rootfs) : '/',
    rootfsMountPoint: sharesWithHost({ config } as never) ? mountPointOf(rootfs) : undefined,
    cgroup,
    ...(config.linux?.intelRdt === undefined ? {} : { resctrl: mountPointOfType('resctrl') }),
    cgroupMount: cgroup?.mount ?? findCgroupMount(),
  };
}

/** selinux(8): its file system is there once a policy is; not looked for unless a label asks. */
export const hasSelinux = (process: Config['process']): boolean => Boolean(process?.selinuxLabel) && existsSync('/sys/fs/selinux/enforce');

/** Whether a process is in the runtime's own namespace of a type, by the names of /proc/PID/ns (namespaces(7)). */
export function isOurNamespace(type: string, pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/${type}`) === readlinkSync(`/proc/self/ns/${type}`);
  } catch {
    return false;
  }
}

const absolute = (bundle: string, source: string): string => (source.startsWith('/') ? source : `${bundle}/${source}`);

function bindFiles(config: Config, bundle: string): ReadonlySet<string> {
  const files = new Set<string>();
  const seen = new Set<string>();
  const mounts = config.mounts ?? [];
  for (const { first, count } of mountRuns(mounts)) {
    const { type, options } = mounts[first]!;
    const isBind = type === 'bind' || options?.includes('bind') === true || options?.includes('rbind') === true;
    for (let i = first; isBind && i < first + count; i++) {
      const { source } = mounts[i]!;
      if (source === undefined || seen.has(source)) continue;
      seen.add(source);
      const path = absolute(bundle, source);
      try {
        if (!statSync(path).isDirectory()) files.add(path);
      } catch {
        // open_tree will say what is wrong with it, with its place
      }
    }
  }
  return files;
}

/** What is missing is no symlink either: it will be made. */
function plainNames({ mounts = [] }: Config, rootfs: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { first, count } of mountRuns(mounts)) {
    if (mounts[first]!.type !== 'tmpfs') continue;
    for (let i = first; i < first + count; i++) {
      const { destination } = mounts[i]!;
      if (mounts[i + 1]?.destination.startsWith(destination) !== true) continue;
      const name = relativePath(destination);
      if (name !== '' && !name.includes('/') && !isSymlink(`${rootfs}/${name}`)) names.add(name);
    }
  }
  return names;
}

function isSymlink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  } catch {
    return true; // who cannot look does not rely on it
  }
}

/** Whether HOME is to be found: process.env has none, or an empty one. */
export const needsHome = (process: Config['process']): boolean => !(process?.env ?? []).some((entry) => entry.startsWith('HOME=') && entry !== 'HOME=');

const PASSWD_LIMIT = 1 << 20;

/** The home directory of process.user.uid in the container's /etc/passwd, read in-root; `/` when it has none. */
function homeOf(config: Config, bundle: string, rootfs: string): string {
  const mounted = mountsWith(config.mounts, 'passwd').find(({ destination }) => relativePath(destination) === 'etc/passwd');
  const passwd = mounted?.source === undefined ? readInRoot(rootfs, 'etc/passwd') : readSmall(absolute(bundle, mounted.source));
  return homeIn(passwd, config.process);
}

/** The home directory of process.user.uid by an /etc/passwd (passwd(5)). */
export function homeIn(passwd: string, process: Config['process']): string {
  const uid = String(process?.user?.uid ?? 0);
  for (const line of passwd.split('\n')) {
    const fields = line.split(':');
    if (fields[2] === uid && fields.length >= 6) return fields[5] || '/';
  }
  return '/';
}

function readSmall(path: string): string {
  try {
    return statSync(path).isFile() ? readFileSync(path, 'utf8').slice(0, PASSWD_LIMIT) : '';
  } catch {
    return '';
  }
}

/** A small regular file below a directory, opened so that no symlink leads out of it; empty when there is none. */
export function readInRoot(root: string, path: string): string {
  const directory = call('openat', -100, text(root), O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (directory < 0) return '';
  const how = Buffer.alloc(24);
  const O_NONBLOCK = 0o4000; // a fifo must not make us wait
  how.writeUInt32LE(O_CLOEXEC | O_NONBLOCK, 0);
  how.writeUInt32LE(RESOLVE_IN_ROOT, 16);
  const fd = call('openat2', directory, text(path), how, 24);
  closeSync(directory);
  if (fd < 0) return '';
  try {
    const bytes = Buffer.alloc(65536);
    let content = '';
    for (let length = readSync(fd, bytes); length > 0 && content.length < PASSWD_LIMIT; length = readSync(fd, bytes)) content += bytes.toString('utf8', 0, length);
    return content;
  } catch {
    return '';
  } finally {
    closeSync(fd);
  }
}

/** Where a file system of this type is mounted (proc_pid_mountinfo(5)); undefined where it is not. */
export function mountPointOfType(type: string, mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): string | undefined {
  const line = mountinfo.split('\n').find((one) => one.includes(` - ${type} `));
  return line?.split(' ')[4]?.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** The mount point a path is below (proc_pid_mountinfo(5)): the longest that is a prefix of it. */
function mountPointOf(path: string): string {
  let best = '/';
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const point = (line.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    const isAbove = point === '/' || path === point || path.startsWith(`${point}/`);
    if (isAbove && point.length >= best.length) best = point;
  }
  return best;
}
