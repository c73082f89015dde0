// Where a process of exec is born: the container's cgroup, one below it (--cgroup), or init's own where that can take none.
import { existsSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { findCgroupMount, mayEnter, ownCgroup } from '../cgroup/locate.ts';
import type { CgroupHost } from '../compile/context.ts';
import { RuntimeError } from '../errors.ts';
import type { ContainerState } from './state.ts';

/** Undefined when the container has no cgroup of its own, or an ordinary user may not enter it. Throws RuntimeError for a --cgroup that is not one. */
export function execCgroup(state: ContainerState, asked: readonly string[], isPrivileged: boolean): CgroupHost | undefined {
  const base = state.cgroup?.path;
  if (base === undefined) {
    if (asked.length > 0) throw new RuntimeError('--cgroup: the container has no cgroup of its own');
    return undefined;
  }
  const path = asked.length > 0 ? below(base, asked) : takesProcesses(base) ? base : cgroupOf(state.pid);
  if (isPrivileged || asked.length > 0 || mayEnter(mountPoint(), path)) return existing(path);
  return state.cgroup?.unit === undefined ? undefined : { ...existing(path), unit: { unit: state.cgroup.unit, properties: [] } };
}

/** Nothing is made: no more than the path is asked for. */
const existing = (path: string): CgroupHost => ({ mount: path, path, missing: [], enable: [], controllers: [], threaded: [], delegate: [] });

/** `[CONTROLLER,...:]PATH`, of which cgroup v2 knows the path alone. */
function below(base: string, asked: readonly string[]): string {
  const [one, ...others] = asked;
  const controller = asked.find((word) => word.includes(':'))?.split(/[,:]/)[0];
  if (controller !== undefined) throw new RuntimeError(`unknown controller ${controller} in --cgroup`, { hint: 'cgroup v2 has one hierarchy: give a path alone' });
  if (others.length > 0) throw new RuntimeError(`invalid --cgroup argument: ${one} (missing <controller>: prefix)`, { hint: 'cgroup v2 has one hierarchy: give one path' });
  const path = posix.join(base, one!);
  if (path !== base && !path.startsWith(`${base}/`)) throw new RuntimeError(`${one} is not a sub cgroup path`, { hint: `a path below ${base}` });
  if (!existsSync(path)) throw new RuntimeError(`--cgroup ${one}: there is no cgroup ${path}`);
  return path.replace(/\/$/, '');
}

/** A cgroup that shares controllers with children holds no processes itself (cgroup-v2, "No Internal Process Constraint"): systemd inside does that. */
function takesProcesses(path: string): boolean {
  try {
    return readFileSync(`${path}/cgroup.subtree_control`, 'latin1').trim() === '';
  } catch {
    return false;
  }
}

const mountPoint = (): string => findCgroupMount() ?? '/sys/fs/cgroup';
const cgroupOf = (pid: number): string => posix.join(mountPoint(), ownCgroup(pid));
