// How a process gets into a container that exists: by the pidfd of its init, into its cgroup, its namespaces and its root.
import { AT_FDCWD, CLONE_INTO_CGROUP, CLONE_NEWCGROUP, CLONE_NEWUSER, CLONE_PARENT, O_CLOEXEC, O_DIRECTORY, O_PATH, PR_SET_DUMPABLE } from '../../native/linux/constants.ts';
import { part, slot, type Step } from '../program/step.ts';
import { has, type CgroupHost, type Context, type Host } from './context.ts';
import { firstDescriptor } from './descriptors.ts';
import { becomeRoot } from './id-mappings.ts';
import { namespaceFlags } from './namespaces.ts';

/** The container as `exec` finds it. `config` is the container's own, with the process to run in place of init's. */
export interface ExecContext extends Context {
  /** Pid of init as the runtime sees it, and when it started (state.json): together they name one process for good. */
  readonly init: { readonly pid: number; readonly startTime: string };
  /** False where config.json joined the user namespace the runtime is in: setns(2) refuses to enter that again. */
  readonly entersUser: boolean;
}

const step = part('container', '/linux/namespaces');

/** Whether the new process is born in the cgroup; where we may not enter it, systemd moves us there first. */
const entersCgroup = (host: Host): host is Host & { readonly cgroup: CgroupHost } => host.cgroup !== undefined && host.cgroup.unit === undefined;

/** A user's systemd has the right to move us, and her processes need not be below it themselves. */
export function attachToUnit({ host }: ExecContext): readonly Step[] {
  const unit = host.cgroup?.unit?.unit;
  return unit === undefined ? [] : [part('runtime', '/linux/cgroupsPath')('attach_to_unit', [unit], 'AttachProcessesToUnit: what is born next is born there; as runc, without it if need be', { tolerate: ['EPERM'] })];
}

/** Opened by the runtime, with its rights and in its namespaces: nothing of the host is looked up later. */
export function openContainer({ config, host, init, request }: ExecContext): readonly Step[] {
  const steps: Step[] = [part('runtime', '')('open_init', [init.pid, init.startTime], 'its namespaces are entered, and no other’s if the pid is used again', { result: 'target' })];
  const open = (path: string, at: string, why: string, result: string): Step => part('runtime', at)('openat', [AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], why, { result });
  if (entersCgroup(host)) steps.push(open(host.cgroup.path, '/linux/cgroupsPath', 'for CLONE_INTO_CGROUP', 'cgroup'));
  if (!has(config, 'mount')) steps.push(open(request.rootfs, '/root/path', 'no mount namespace: the rootfs is entered by chroot', 'root'));
  return steps;
}

/** Slots of openContainer that the interpreter inherits; the order is the order of their numbers. */
export function inheritedByExec(context: ExecContext): Readonly<Record<string, number>> {
  const names = ['target', ...(entersCgroup(context.host) ? ['cgroup'] : []), ...(has(context.config, 'mount') ? [] : ['root'])];
  return Object.fromEntries(names.map((name, index) => [name, firstDescriptor(context) + 2 + index]));
}

/** All at once (pidfd, Linux 5.8), so that each is entered with the rights it takes; but the cgroup namespace, which comes after the cgroup. */
export function enterNamespaces({ config, entersUser }: ExecContext): readonly Step[] {
  let flags = 0;
  for (const { type } of config.linux?.namespaces ?? []) flags |= namespaceFlags[type] ?? 0;
  flags &= ~(CLONE_NEWCGROUP | (entersUser ? 0 : CLONE_NEWUSER));
  return [
    part('container', '')('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], 'nobody inside may look into this process before execve (CVE-2016-9962)'),
    ...(flags === 0 ? [] : [step('setns', [slot('target'), flags], 'root and working directory become the container’s')]),
  ];
}

/** A pid namespace holds for children only. The new process is the runtime's own child, and later its caller's (subreaper). */
export function birthInside({ host }: ExecContext): readonly Step[] {
  const members = entersCgroup(host) ? { flags: CLONE_PARENT + CLONE_INTO_CGROUP, cgroup: slot('cgroup') } : { flags: CLONE_PARENT };
  const steps = [step('clone3', [{ struct: 'clone_args', members }, 88], 'the cgroup first: from inside its namespace no other can be left', { result: 'init' })];
  if (entersCgroup(host)) steps.push(step('close', [slot('cgroup')], 'a directory of the host (CVE-2024-21626)'));
  return steps;
}

/** What is left once the process is in the cgroup: the cgroup namespace, the ids of the container's root, its root directory. */
export function settleInside(context: ExecContext): readonly Step[] {
  const { config } = context;
  const root = part('container', '/root/path');
  const isChroot = !has(config, 'mount');
  const opensRoot = !isChroot && config.process?.terminal === true;
  return [
    ...(has(config, 'cgroup') ? [step('setns', [slot('target'), CLONE_NEWCGROUP], 'its root is the container’s cgroup')] : []),
    step('close', [slot('target')], ''),
    ...(isChroot ? [root('fchdir', [slot('root')], ''), root('chroot', ['.'], 'without a mount namespace nothing else keeps it in'), root('chdir', ['/'], '')] : []),
    ...(opensRoot ? [root('openat', [AT_FDCWD, '/', O_PATH | O_DIRECTORY | O_CLOEXEC, 0], 'the terminal is opened below it', { result: 'root' })] : []),
    ...becomeRoot(context),
  ];
}
