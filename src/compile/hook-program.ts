// A hook that runs in the container's namespaces: a program like any other — enter, then become the user, then execve.
import { CLONE_NEWCGROUP, CLONE_NEWTIME, CLONE_PARENT } from '../../native/linux/constants.ts';
import type { Hook } from '../../spec/config.ts';
import { part, slot, type Program, type Step } from '../program/step.ts';
import { capabilities, dropBoundingSet } from './capabilities.ts';
import { environment } from './args.ts';
import { has, type Context } from './context.ts';
import { ownDescriptors } from './descriptors.ts';
import { labels, openProcfs } from './labels.ts';
import { namespaceFlags } from './namespaces.ts';
import { noNewPrivileges } from './no-new-privileges.ts';
import { seccompPrivileged, seccompUnprivileged } from './seccomp.ts';
import { cwd, user } from './user.ts';

export interface HookPlace {
  readonly kind: 'createContainer' | 'startContainer';
  /** Pid of init as the runtime sees it. */
  readonly init: number;
  /** Namespaces of config.json that init is in by now. */
  readonly index: number;
}

/** createContainer: the container's namespaces, the host's tree, the rootfs as working directory. startContainer: as the process will be. */
export function compileHook(context: Context, place: HookPlace, hook: Hook): Program {
  const at = `/hooks/${place.kind}/${place.index}`;
  const step = part('container', at);
  const isStart = place.kind === 'startContainer';
  const namespaces = namespacesOf(context);
  const inherited = isStart ? environment(context) : [];
  const steps: Step[] = [
    ...ownDescriptors(at, 3, 5, 'nothing of the runtime reaches the hook'),
    ...(isStart ? openProcfs(context) : []),
    step('pidfd_open', [place.init, 0], 'namespaces of init, whatever its /proc shows', { result: 'target' }),
    ...(namespaces === 0 ? [] : [step('setns', [slot('target'), namespaces], 'all at once (since Linux 5.8)')]),
    step('clone3', [{ struct: 'clone_args', members: { flags: CLONE_PARENT } }, 88], 'a pid namespace holds for children only', { result: 'init' }),
  ];
  if (has(context.config, 'user')) {
    steps.push(step('setresgid', [0, 0, 0], 'the container’s root', { tolerate: ['EINVAL'] }), step('setresuid', [0, 0, 0], 'the container’s root', { tolerate: ['EINVAL'] }));
  }
  if (isStart) steps.push(...asProcess(context));
  else steps.push(step('chdir', [context.request.rootfs], 'as runc: paths of the hook are the host’s'));
  steps.push(step('execve', [hook.path, { words: hook.args?.length ? hook.args : [hook.path] }, { words: hook.env ?? inherited }], 'the hook'));
  return { steps, inherited: {} };
}

function asProcess(context: Context): readonly Step[] {
  return [
    ...labels(context), ...dropBoundingSet(context), ...noNewPrivileges(context), ...cwd(context), ...seccompPrivileged(context),
    ...user(context), ...capabilities(context), ...seccompUnprivileged(context),
  ];
}

/** Not the cgroup namespace: setns(2) of it needs rights in the container's cgroup and shows a hook nothing it needs. */
function namespacesOf({ config }: Context): number {
  let flags = 0;
  for (const { type } of config.linux?.namespaces ?? []) flags |= namespaceFlags[type] ?? 0;
  return flags & ~(CLONE_NEWCGROUP | CLONE_NEWTIME);
}

