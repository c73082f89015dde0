// THE ORDER of `exec`: another process enters a container that exists; each part with the reason for its place.
import { AT_FDCWD, CLONE_INTO_CGROUP, CLONE_NEWCGROUP, CLONE_PARENT, CLOSE_RANGE_CLOEXEC, O_CLOEXEC, O_DIRECTORY, O_PATH, PR_SET_DUMPABLE } from '../../native/linux/constants.ts';
import { part, slot, type Program, type Step } from '../program/step.ts';
import { execveSteps, findExecutable } from './args.ts';
import { capabilities, dropBoundingSet } from './capabilities.ts';
import { has, type Context } from './context.ts';
import { firstDescriptor } from './descriptors.ts';
import { keyring } from './keyring.ts';
import { namespaceFlags } from './namespaces.ts';
import { noNewPrivileges } from './no-new-privileges.ts';
import { oomScoreAdj } from './oom-score-adj.ts';
import { rlimits, rlimitsFromOutside } from './rlimits.ts';
import { nodeMask, scheduling } from './scheduler.ts';
import { seccompPrivileged, seccompUnprivileged } from './seccomp.ts';
import { terminal } from './terminal.ts';
import { cwd, user } from './user.ts';

/** What a process enters: context.config is the container's, with `process` the one to run; `init` its pid as the runtime sees it. */
export function compileExec(context: Context, init: number): Program {
  const steps: Step[] = [
    ...openCgroup(context), //           by the runtime: no path of the host is looked up later
    ...descriptors(context), //          before anything else: no host descriptor survives (CVE-2024-21626)
    ...oomScoreAdj(context), //          the host's procfs is in sight only now
    ...affinity(context, 'initial'), //  config.md: before the cgroup is entered
    ...enter(context, init),
    ...birth(context), //                a pid namespace holds for children only; born in the cgroup
    ...inside(context),
    ...keyring(context),
    ...terminal(context, false), //      its pty belongs to the container's devpts; /dev/console is init's
    ...rlimits(context),
    ...scheduling(context), //           priorities need rights that the next lines give away
    ...affinity(context, 'final'),
    ...dropBoundingSet(context),
    ...noNewPrivileges(context),
    ...cwd(context),
    ...seccompPrivileged(context),
    ...user(context),
    ...capabilities(context),
    ...findExecutable(context),
    ...seccompUnprivileged(context),
    ...rlimitsFromOutside(context),
    ...execveSteps(context),
  ];
  return { steps, inherited: inheritedByExec(context) };
}

/** The interpreter's descriptors after the program file and the hand-over socket. */
export function inheritedByExec(context: Context): Readonly<Record<string, number>> {
  return context.host.cgroup === undefined ? {} : { cgroup: firstDescriptor(context) + 2 };
}

function openCgroup({ host }: Context): readonly Step[] {
  if (host.cgroup === undefined) return [];
  return [part('runtime', '')('openat', [AT_FDCWD, host.cgroup.path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], 'for CLONE_INTO_CGROUP', { result: 'cgroup' })];
}

function descriptors(context: Context): readonly Step[] {
  const step = part('container', '');
  const first = firstDescriptor(context);
  const beyond = first + 2 + Object.keys(inheritedByExec(context)).length;
  return [
    step('close_range', [beyond, 0xffff_ffff, 0], 'nothing the caller leaked reaches the container'),
    step('close_range', [first, beyond - 1, CLOSE_RANGE_CLOEXEC], 'ours close with execve'),
  ];
}

/** All but the cgroup namespace: where it hides the host's cgroups (nsdelegate) nobody inside could be born in one. */
function enter({ config }: Context, init: number): readonly Step[] {
  const step = part('container', '/linux/namespaces');
  let flags = 0;
  for (const { type } of config.linux?.namespaces ?? []) flags |= namespaceFlags[type] ?? 0;
  flags &= ~CLONE_NEWCGROUP;
  return [
    step('pidfd_open', [init, 0], 'namespaces of init, whatever its /proc shows', { result: 'target' }),
    ...(flags === 0 ? [] : [step('setns', [slot('target'), flags], 'all at once (since Linux 5.8); root and working directory become the container’s')]),
    step('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], 'nobody inside may look into this process before execve (CVE-2016-9962)'),
  ];
}

function birth({ host }: Context): readonly Step[] {
  const members = host.cgroup === undefined ? { flags: CLONE_PARENT } : { flags: CLONE_PARENT + CLONE_INTO_CGROUP, cgroup: slot('cgroup') };
  return [part('container', '/linux/namespaces')('clone3', [{ struct: 'clone_args', members }, 88], 'the runtime’s own child, as init is', { result: 'init' })];
}

function inside({ config }: Context): readonly Step[] {
  const step = part('container', '/linux/namespaces');
  return [
    ...(has(config, 'cgroup') ? [step('setns', [slot('target'), CLONE_NEWCGROUP], 'now that the cgroup is entered')] : []),
    ...(has(config, 'user')
      ? [step('setresgid', [0, 0, 0], 'the container’s root', { tolerate: ['EINVAL'] }), step('setresuid', [0, 0, 0], 'the container’s root', { tolerate: ['EINVAL'] })]
      : []),
    step('openat', [AT_FDCWD, '/', O_PATH | O_DIRECTORY | O_CLOEXEC, 0], 'what is opened in-root is below it', { result: 'root' }),
  ];
}

/** process.execCPUAffinity (config.md#linux-process): lists of CPUs as `0-3,7`. */
function affinity({ config }: Context, when: 'initial' | 'final'): readonly Step[] {
  const mask = nodeMask(config.process?.execCPUAffinity?.[when] ?? '');
  if (mask === undefined) return [];
  return [part('container', `/process/execCPUAffinity/${when}`)('sched_setaffinity', [0, mask.length, { bytes: mask }], 'as asked')];
}
