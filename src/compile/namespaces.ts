// linux.namespaces and linux.timeOffsets: the ones to join, the ones to make, and the clone3 that does it.
import {
  AT_FDCWD, CLONE_INTO_CGROUP, CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER,
  CLONE_NEWUTS, CLONE_PARENT, O_CLOEXEC, O_WRONLY,
} from '../../native/linux/constants.ts';
import { RuntimeError } from '../errors.ts';
import { part, slot, stepsFor, type Step, type StepOptions } from '../program/step.ts';
import { has, isNew, namespacePointer, type Context } from './context.ts';

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
export function timeOffsets({ config, host }: Context): readonly Step[] {
  if (!isNew(config, 'time')) return [];
  if (bornWithTime({ config, host })) {
    if (Object.keys(config.linux?.timeOffsets ?? {}).length === 0) return [];
    throw new RuntimeError('time offsets are written before the first process enters, which here needs rights over the host', { pointer: '/linux/timeOffsets', hint: 'leave timeOffsets out, or run as root' });
  }
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

/**
 * All are opened before the first is entered: a joined mount namespace changes what a path means. Which rights a
 * namespace takes depends on who owns it, which no path tells: what the runtime's own rights do not open is tried again
 * with those of the joined user namespace (setns(2)).
 */
export function joinNamespaces({ config }: Context): readonly Step[] {
  const joined = (config.linux?.namespaces ?? []).map((namespace, index) => ({ ...namespace, index })).filter(({ path }) => path);
  const opens = joined.map(({ type, path, index }) =>
    part('container', `/linux/namespaces/${index}/path`)('openat', [AT_FDCWD, path!, O_CLOEXEC, 0], 'before any is entered', { result: `${type}ns` }),
  );
  const early = joined.filter(({ type }) => !entersLate(config, type)).sort((a, b) => rank(a.type) - rank(b.type));
  const user = early.filter(({ type }) => type === 'user');
  const others = early.filter(({ type }) => type !== 'user');
  const enter = ({ type, index }: { readonly type: string; readonly index: number }, options: StepOptions = {}): Step =>
    part('container', `/linux/namespaces/${index}`)('setns', [slot(`${type}ns`), namespaceFlags[type]!], 'a namespace of another kind is EINVAL', options);
  const close = ({ type, index }: { readonly type: string; readonly index: number }): Step => part('container', `/linux/namespaces/${index}`)('close', [slot(`${type}ns`)], '');
  if (user.length === 0) return [...opens, ...stepsFor(others, (one) => [enter(one), close(one)])];
  return [
    ...opens,
    ...others.map((one) => enter(one, { result: `${one.type}.entered`, tolerate: ['EPERM'] })),
    ...user.map((one) => enter(one)),
    ...others.map((one) => enter(one, { unless: `${one.type}.entered` })),
    ...early.map(close),
  ];
}

/** The mount namespace last: entering it changes root and working directory. */
const rank = (type: string): number => (type === 'mount' ? 1 : 0);

/** From inside a cgroup namespace clone3 could not reach the container's cgroup (cgroups(7), nsdelegate). A new user namespace has no rights to enter it later. */
const entersLate = (config: Context['config'], type: string): boolean => type === 'cgroup' && !isNew(config, 'user');

/** The cgroup namespace, entered or made where init already is in its cgroup. */
export function cgroupNamespace({ config }: Context): readonly Step[] {
  const at = part('container', namespacePointer(config, 'cgroup'));
  if (isNew(config, 'cgroup')) return [at('unshare', [CLONE_NEWCGROUP], 'its root is the cgroup we are in (cgroup_namespaces(7))')];
  if (!has(config, 'cgroup') || !entersLate(config, 'cgroup')) return [];
  return [at('setns', [slot('cgroupns'), CLONE_NEWCGROUP], 'a namespace of another kind is EINVAL'), at('close', [slot('cgroupns')], '')];
}

/** An ordinary user may make a time namespace only together with a user namespace: by clone3. */
const bornWithTime = ({ config, host }: Pick<Context, 'config' | 'host'>): boolean => host.euid !== 0 && isNew(config, 'user');

/** Not by clone3: a cgroup namespace is rooted where its maker is, and time was made before. */
const isSeparate = (context: Context, type: string): boolean => type === 'cgroup' || (type === 'time' && !bornWithTime(context));

/** clone3(2). With CLONE_PARENT init is the runtime's own child, and later its caller's (subreaper). */
export function birth(context: Context): readonly Step[] {
  const { config, host } = context;
  const namespaces = (config.linux?.namespaces ?? []).filter((namespace) => !namespace.path && !isSeparate(context, namespace.type));
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
