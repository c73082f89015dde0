// Where a container's cgroup is: the cgroup2 mount, the path that config.json means, and what is missing on the way.
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { posix } from 'node:path';
import { CGROUP2_SUPER_MAGIC } from '../../native/linux/constants.ts';
import { RuntimeError } from '../errors.ts';
import { membersOfTree, readCgroupFile } from './files.ts';
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
  const parent = own.startsWith('/..') ? '/' : posix.dirname(own); // we are outside our own cgroup namespace
  return posix.join(mount, parent, posix.normalize(`/${cgroupsPath || id}`));
}

/** Whether a process of ours may enter a cgroup: it takes the right to write there and where the way parts from our own (cgroup-v2, "Delegation Containment"). */
export function mayEnter(mount: string, path: string): boolean {
  const own = `${posix.join(mount, ownCgroup())}/`;
  let common = path;
  while (!own.startsWith(`${common}/`) && common !== '/') common = posix.dirname(common);
  return [path, common].every((place) => isWritable(`${place}/cgroup.procs`));
}

const words = (text: string | undefined): readonly string[] => (text === undefined || text === '' ? [] : text.split(' '));

/** Controllers that only a domain can have (kernel doc cgroup-v2, Threads); the others hold for single threads too. */
const domainControllers = new Set(['memory', 'io', 'hugetlb']);

/**
 * Facts about the container's cgroup, whose limits need these controllers. Throws RuntimeError when it exists and holds
 * processes or is frozen: a container must not share it; and when a threaded cgroup on the way has no room for it.
 */
export function locateCgroup(mount: string, path: string, needed: readonly string[]): CgroupHost {
  refuseOccupied(path);
  const missing: string[] = [];
  const ancestors: string[] = [];
  for (let at = path; at.startsWith(mount); at = posix.dirname(at)) {
    if (at !== path) ancestors.unshift(at);
    if (!existsSync(at)) missing.unshift(at);
    if (at === mount) break;
  }
  const { controllers, enable } = controllersOnTheWay(mount, ancestors);
  return { mount, path, missing, enable, controllers, threaded: threadedOnes(ancestors, missing, path, needed), delegate: [] };
}

function refuseOccupied(path: string): void {
  if (!existsSync(path)) return;
  const pids = membersOfTree(path);
  if (pids.length > 0) {
    throw new RuntimeError(`container's cgroup is not empty: ${pids.length} process(es) found`, { pointer: '/linux/cgroupsPath', call: path, hint: `pids ${pids.slice(0, 8).join(', ')}: another container uses this cgroup` });
  }
  if (readCgroupFile(`${path}/cgroup.freeze`) === '1') throw new RuntimeError(`container's cgroup unexpectedly frozen`, { pointer: '/linux/cgroupsPath', call: path });
}

/** What reaches the container's cgroup: where we may not change what an ancestor shares, only what it shares already. */
function controllersOnTheWay(mount: string, ancestors: readonly string[]): Pick<CgroupHost, 'controllers' | 'enable'> {
  let controllers = words(readCgroupFile(`${mount}/cgroup.controllers`));
  const enable: { path: string; controllers: readonly string[] }[] = [];
  for (const path of ancestors) {
    const shared = words(readCgroupFile(`${path}/cgroup.subtree_control`));
    const lacking = controllers.filter((controller) => !shared.includes(controller));
    if (lacking.length === 0) continue;
    if (existsSync(path) && !isWritable(`${path}/cgroup.subtree_control`)) controllers = controllers.filter((controller) => shared.includes(controller));
    else enable.push({ path, controllers: lacking });
  }
  return { controllers, enable: enable.map(({ path, controllers: some }) => ({ path, controllers: some.filter((one) => controllers.includes(one)) })).filter(({ controllers: some }) => some.length > 0) };
}

export function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Below a threaded cgroup every new one is "domain invalid" until it is made threaded as well: possible unless a limit needs a domain. */
function threadedOnes(ancestors: readonly string[], missing: readonly string[], path: string, needed: readonly string[]): readonly string[] {
  const domain = needed.find((controller) => domainControllers.has(controller));
  const threaded: string[] = [];
  let isBelow = false;
  for (const at of [...ancestors, path]) {
    const type = missing.includes(at) ? 'missing' : (readCgroupFile(`${at}/cgroup.type`) ?? 'domain');
    if (domain !== undefined && (type === 'domain invalid' || type.includes('threaded'))) {
      throw new RuntimeError(type === 'domain invalid' ? `cannot enter cgroupv2 ${at} with domain controllers -- it is in an invalid state` : `cannot enter cgroupv2 ${at} with domain controllers -- it is in ${type} mode`, {
        pointer: '/linux/cgroupsPath', hint: `${domain} limits processes, not threads: another cgroupsPath, or no limit of ${domain}`,
      });
    }
    if (type === 'domain invalid' || (type === 'missing' && isBelow)) threaded.push(at);
    isBelow ||= type === 'domain invalid' || type.includes('threaded');
  }
  return threaded;
}
