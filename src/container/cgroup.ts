// Which cgroup a container gets: by the driver that was asked for, and only where this host can give it.
import type { Config } from '../../spec/config.ts';
import { readCgroupFile } from '../cgroup/files.ts';
import { cgroupPath, findCgroupMount, isWritable, locateCgroup, mayEnter, ownCgroup } from '../cgroup/locate.ts';
import { cgroupOwner } from '../compile/cgroups-path.ts';
import type { CgroupHost } from '../compile/context.ts';
import { cgroupWrites, controllersOf } from '../compile/resources.ts';
import { unitOf, unitProperties } from '../compile/scope.ts';
import { RuntimeError } from '../errors.ts';
import { isInitialUserNamespace } from './user-namespace.ts';
import type { CreateOptions } from './options.ts';
import { isUserSystemd, systemd } from './systemd.ts';

/**
 * The container's cgroup, or undefined when cgroups are disabled, the host has no cgroup2 mount and nothing asks for
 * one, or an ordinary user may not make one. Throws RuntimeError when config.json asks for what cannot be given.
 */
export function chooseCgroup(config: Config, options: CreateOptions): CgroupHost | undefined {
  if (options.cgroupManager === 'disabled') return undefined;
  const writes = cgroupWrites(config.linux?.resources);
  const limit = writes.find(({ value }) => value !== 'max'); // no limit is what a container has without a cgroup of its own
  const asks = limit !== undefined;
  const mount = findCgroupMount();
  if (mount === undefined) {
    if (!asks && !config.linux?.cgroupsPath && options.cgroupManager !== 'systemd') return undefined;
    throw new RuntimeError('this host has no cgroup2 mount', { pointer: limit?.at ?? '/linux/cgroupsPath', hint: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup, or boot with cgroup_no_v1=all' });
  }
  const isSystemd = options.cgroupManager === 'systemd';
  const needed = controllersOf(writes);
  const cgroup = isSystemd ? unitCgroup(config, options.id, mount, needed) : locateCgroup(mount, cgroupPath(mount, config.linux?.cgroupsPath, options.id, ownCgroup()), needed);
  if (!isSystemd && !isPrivileged() && !isOurs(cgroup)) {
    if (!asks && !config.linux?.cgroupsPath) return undefined;
    throw new RuntimeError('rootless needs no limits + no cgrouppath when no permission is granted for cgroups', {
      pointer: config.linux?.cgroupsPath ? '/linux/cgroupsPath' : limit!.at, hint: `${parentOf(cgroup)} may not be written by uid ${process.geteuid!()}: --systemd-cgroup asks the user's own systemd`,
    });
  }
  checkControllers(cgroup, writes);
  return cgroupOwner(config) === undefined ? cgroup : { ...cgroup, delegate: delegateFiles() };
}

const isPrivileged = (): boolean => process.geteuid!() === 0 && isInitialUserNamespace();

/** Whether an ordinary user may make the cgroup and put a process into it. */
const isOurs = (cgroup: CgroupHost): boolean => (cgroup.missing.length === 0 || isWritable(parentOf(cgroup))) && mayEnter(cgroup.mount, parentOf(cgroup));

/** Where systemd will put the unit, below its own cgroup. What it knows it shares itself; other controllers only where they are needed. */
function unitCgroup(config: Config, id: string, mount: string, needed: readonly string[]): CgroupHost {
  const unit = unitOf(config.linux?.cgroupsPath, id, isUserSystemd());
  const cgroup = locateCgroup(mount, `${mount}${systemd().controlGroup()}${unit.path}`, needed);
  const foreign = needed.filter((controller) => !systemdControllers.has(controller));
  return {
    ...cgroup, missing: [], threaded: [], unit: { unit: unit.name, properties: unitProperties(unit, id, config) },
    enable: cgroup.enable.map(({ path, controllers }) => ({ path, controllers: controllers.filter((one) => foreign.includes(one)) })),
  };
}

/** Of the manager's DefaultControllers: what Delegate=yes shares. */
const systemdControllers = new Set(['cpu', 'cpuset', 'io', 'memory', 'pids']);

/** /sys/kernel/cgroup/delegate (since Linux 4.15); the three that always were. */
function delegateFiles(): readonly string[] {
  const listed = readCgroupFile('/sys/kernel/cgroup/delegate')?.split('\n').filter((name) => /^[a-z][\w.]*$/.test(name));
  return listed ?? ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];
}

/** A limit that cannot be applied is an error, never silence (DESIGN.md, invariant 5). */
function checkControllers(cgroup: CgroupHost, writes: ReturnType<typeof cgroupWrites>): void {
  for (const controller of controllersOf(writes.filter(({ tolerate }) => tolerate?.includes('ENOENT') !== true))) {
    if (cgroup.controllers.includes(controller)) continue;
    const write = writes.find(({ file }) => file.startsWith(`${controller}.`))!;
    const onHost = readCgroupFile(`${cgroup.mount}/cgroup.controllers`) ?? '';
    throw new RuntimeError(`controller ${controller} is not available on cgroup v2 here, ${write.file} cannot be set`, {
      pointer: write.at,
      hint: onHost.split(' ').includes(controller)
        ? `the host has it, but nobody shares it with ${parentOf(cgroup)}: systemctl edit user@.service, Delegate=cpu cpuset io memory pids`
        : `available: ${onHost || 'none'} (${cgroup.mount}/cgroup.controllers)${onHost === '' || cgroup.mount !== '/sys/fs/cgroup' ? '; controllers mounted as cgroup v1 are not seen by v2' : ''}`,
    });
  }
}

/** The cgroup in which something is to be made: the innermost that exists. */
const parentOf = (cgroup: CgroupHost): string => (cgroup.missing[0] === undefined ? cgroup.path : cgroup.missing[0].slice(0, cgroup.missing[0].lastIndexOf('/')));
