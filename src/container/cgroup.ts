// Which cgroup a container gets: by the driver that was asked for, and only where this host can give it.
import { accessSync, constants } from 'node:fs';
import type { Config } from '../../spec/config.ts';
import { cgroupPath, findCgroupMount, locateCgroup, ownCgroup } from '../cgroup/locate.ts';
import type { CgroupHost } from '../compile/context.ts';
import { cgroupWrites, controllersOf } from '../compile/resources.ts';
import { RuntimeError } from '../errors.ts';
import type { CreateOptions } from './options.ts';

/**
 * The container's cgroup, or undefined when cgroups are disabled, the host has no cgroup2 mount and nothing asks for
 * one, or an ordinary user may not make one. Throws RuntimeError when config.json asks for what cannot be given.
 */
export function chooseCgroup(config: Config, options: CreateOptions): CgroupHost | undefined {
  if (options.cgroupManager === 'systemd') {
    throw new RuntimeError('--systemd-cgroup: the systemd driver is not part of this version', { hint: 'leave the flag out: the cgroupfs driver is used' });
  }
  const writes = cgroupWrites(config.linux?.resources);
  const asks = writes.length > 0;
  if (options.cgroupManager === 'disabled') return undefined;
  const mount = findCgroupMount();
  if (mount === undefined) {
    if (!asks && !config.linux?.cgroupsPath) return undefined;
    throw new RuntimeError('this host has no cgroup2 mount', { pointer: asks ? writes[0]!.at : '/linux/cgroupsPath', hint: 'mount -t cgroup2 cgroup2 /sys/fs/cgroup, or boot with cgroup_no_v1=all' });
  }
  const path = cgroupPath(mount, config.linux?.cgroupsPath, options.id, ownCgroup());
  const cgroup = locateCgroup(mount, path);
  if (process.geteuid!() !== 0 && !asks && !isWritable(cgroup)) return undefined;
  checkControllers(cgroup, writes);
  return cgroup;
}

/** A limit that cannot be applied is an error, never silence (DESIGN.md, invariant 5). */
function checkControllers(cgroup: CgroupHost, writes: ReturnType<typeof cgroupWrites>): void {
  for (const controller of controllersOf(writes)) {
    if (cgroup.controllers.includes(controller)) continue;
    const write = writes.find(({ file }) => file.startsWith(`${controller}.`))!;
    throw new RuntimeError(`controller ${controller} is not available on cgroup v2 here, ${write.file} cannot be set`, {
      pointer: write.at,
      hint: `available: ${cgroup.controllers.join(' ') || 'none'} (${cgroup.mount}/cgroup.controllers)${cgroup.controllers.length === 0 || cgroup.mount !== '/sys/fs/cgroup' ? '; controllers mounted as cgroup v1 are not seen by v2' : ''}`,
    });
  }
}

function isWritable(cgroup: CgroupHost): boolean {
  const parent = cgroup.missing[0] === undefined ? cgroup.path : cgroup.missing[0].slice(0, cgroup.missing[0].lastIndexOf('/'));
  try {
    accessSync(parent, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
