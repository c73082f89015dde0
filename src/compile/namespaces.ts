// linux.namespaces and linux.timeOffsets: the ones to join, the ones to make, and the clone3 that does it.
import {
  AT_FDCWD, CLONE_INTO_CGROUP, CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER,
  CLONE_NEWUTS, CLONE_PARENT, O_CLOEXEC, O_WRONLY,
} from '../../native/linux/constants.ts';
import { part, slot, type Step } from '../program/step.ts';
import { isNew, namespacePointer, type Context } from './context.ts';

/** Namespace types of config.json and their clone(2) flags. */
export const namespaceFlags: Readonly<Record<string, number>> = {
  user: CLONE_NEWUSER,
  mount: CLONE_NEWNS,
  pid: CLONE_NEWPID,
  network: CLONE_NEWNET,
  ipc: CLONE_NEWIPC,
  uts: CLONE_NEWUTS,
  cgroup: CLONE_NEWCGROUP,
  time: CLONE_NEWTIME,
};

/** time_namespaces(7): offsets are written before the first process enters. */
export function timeOffsets({ config }: Context): readonly Step[] {
  if (!isNew(config, 'time')) return [];
  const step = part('container', namespacePointer(config, 'time'));
  const steps = [step('unshare', [CLONE_NEWTIME], 'only children enter it: clone3 comes later')];
  const offsets = Object.entries(config.linux?.timeOffsets ?? {});
  if (offsets.length === 0) return steps;
  const lines = offsets.map(([clock, offset]) => `${clock} ${offset?.secs ?? 0} ${offset?.nanosecs ?? 0}\n`).join('');
  const at = part('container', '/linux/timeOffsets');
  steps.push(
    at('openat', [AT_FDCWD, '/proc/self/timens_offsets', O_WRONLY | O_CLOEXEC, 0], 'the namespace of the children', { result: 'timens' }),
    at('write', [slot('timens'), lines, lines.length], 'both clocks in one write'),
    at('close', [slot('timens')], ''),
  );
  return steps;
}

/** All are opened before the first is entered: a joined mount namespace changes what a path means. */
export function joinNamespaces({ config, host }: Context): readonly Step[] {
  const joined = (config.linux?.namespaces ?? []).flatMap((namespace, index) => (namespace.path ? [{ ...namespace, index }] : []));
  // With rights over the host every namespace can be entered now and the user namespace last; without them its rights come first.
  joined.sort((a, b) => rank(a.type, host.isPrivileged) - rank(b.type, host.isPrivileged));
  const opens = joined.map(({ type, path, index }) =>
    part('container', `/linux/namespaces/${index}/path`)('openat', [AT_FDCWD, path!, O_CLOEXEC, 0], 'before any is entered', { result: `${type}ns` }),
  );
  const enters = joined.flatMap(({ type, index }) => {
    const step = part('container', `/linux/namespaces/${index}`);
    return [
      step('setns', [slot(`${type}ns`), namespaceFlags[type]!], 'a namespace of another kind is EINVAL'),
      step('close', [slot(`${type}ns`)], ''),
    ];
  });
  return [...opens, ...enters];
}

function rank(type: string, isPrivileged: boolean): number {
  if (type === 'user') return isPrivileged ? 2 : 0;
  return type === 'mount' ? 3 : 1;
}

/** Not by clone3: a cgroup namespace is rooted where its maker is, and time was made before. */
const separately = new Set(['cgroup', 'time']);

/** clone3(2). With CLONE_PARENT init is the runtime's own child, and later its caller's (subreaper). */
export function birth({ config, host }: Context): readonly Step[] {
  const namespaces = (config.linux?.namespaces ?? []).filter((namespace) => !namespace.path && !separately.has(namespace.type));
  let flags = CLONE_PARENT;
  for (const { type } of namespaces) flags += namespaceFlags[type]!;
  const members: Record<string, number | { slot: string }> = { flags };
  if (host.cgroup !== undefined) {
    members['flags'] = flags + CLONE_INTO_CGROUP;
    members['cgroup'] = slot('cgroup');
  }
  const step = part('container', '/linux/namespaces');
  const born = step('clone3', [{ struct: 'clone_args', members }, 88], 'namespaces and cgroup at once: entering a cgroup later waits for RCU', { result: 'init' });
  // Closed by execve is too late: the path that execve looks up may lead through /proc/self/fd.
  return 'cgroup' in members ? [born, step('close', [slot('cgroup')], 'a directory of the host (CVE-2024-21626)')] : [born];
}
