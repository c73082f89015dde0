// Where a container's cgroup is: the cgroup2 mount, the path that config.json means, and what is missing on the way.
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { posix } from 'node:path';
import { CGROUP2_SUPER_MAGIC } from '../../native/linux/constants.ts';
import { RuntimeError } from '../errors.ts';
import { members, readCgroupFile } from './files.ts';
import type { CgroupHost } from '../compile/context.ts';

/** Where cgroup2 is mounted: /sys/fs/cgroup itself, or beside v1 hierarchies wherever mountinfo says; undefined without one. */
export function findCgroupMount(): string | undefined {
  try {
    if (statfsSync('/sys/fs/cgroup').type === CGROUP2_SUPER_MAGIC) return '/sys/fs/cgroup';
  } catch {
    return undefined;
  }
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [left, right] = line.split(' - ');
    if (right?.startsWith('cgroup2 ')) return left!.split(' ')[4]!.replace(/\\040/g, ' ');
  }
  return undefined;
}

/** The runtime's own cgroup on cgroup2, as `/user.slice/session-1.scope` (cgroups(7), /proc/PID/cgroup). */
export function ownCgroup(pid: number | 'self' = 'self'): string {
  const line = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n').find((row) => row.startsWith('0::'));
  return line?.slice(3) ?? '/';
}

/** What linux.cgroupsPath means under the cgroupfs driver: absolute below the mount, relative below the caller's parent, as runc does. */
export function cgroupPath(mount: string, cgroupsPath: string | undefined, id: string, own: string): string {
  if (cgroupsPath?.startsWith('/')) return posix.join(mount, posix.normalize(cgroupsPath));
  const parent = posix.dirname(own);
  return posix.join(mount, parent, posix.normalize(`/${cgroupsPath || id}`));
}

const words = (text: string | undefined): readonly string[] => (text === undefined || text === '' ? [] : text.split(' '));

/**
 * Facts about the container's cgroup. Throws RuntimeError when it exists and holds processes or is frozen: a container
 * must not share it.
 */
export function locateCgroup(mount: string, path: string): CgroupHost {
  if (existsSync(path)) {
    const pids = members(path);
    if (pids.length > 0) {
      throw new RuntimeError(`container's cgroup is not empty: ${pids.length} process(es) found`, { pointer: '/linux/cgroupsPath', call: path, hint: `pids ${pids.slice(0, 8).join(', ')}: another container uses this cgroup` });
    }
    if (readCgroupFile(`${path}/cgroup.freeze`) === '1') throw new RuntimeError(`container's cgroup unexpectedly frozen`, { pointer: '/linux/cgroupsPath', call: path });
  }
  const missing: string[] = [];
  const ancestors: string[] = [];
  for (let at = path; at.startsWith(mount); at = posix.dirname(at)) {
    if (at !== path) ancestors.unshift(at);
    if (!existsSync(at)) missing.unshift(at);
    if (at === mount) break;
  }
  const available = words(readCgroupFile(`${mount}/cgroup.controllers`));
  const enable = ancestors.map((ancestor) => {
    const enabled = words(readCgroupFile(`${ancestor}/cgroup.subtree_control`));
    return { path: ancestor, controllers: available.filter((controller) => !enabled.includes(controller)) };
  });
  return { mount, path, missing, enable: enable.filter(({ controllers }) => controllers.length > 0), controllers: available };
}
