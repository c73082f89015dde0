// linux.cgroupsPath: the container's cgroup is made before init, which is born in it (cgroups(7), kernel doc cgroup-v2).
import { AT_EMPTY_PATH, AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../../native/linux/constants.ts';
import type { Config, IdMapping } from '../../spec/config.ts';
import { mountsWith } from '../../spec/mount-runs.ts';
import { part, slot, stepsFor, type Step } from '../program/step.ts';
import { isNew, type Context } from './context.ts';

const pointer = ({ config }: Context): string => (config.linux?.cgroupsPath ? '/linux/cgroupsPath' : '');

/** The cgroupfs driver: every cgroup on the way, each sharing its controllers with the next. With systemd see scope.ts. */
export function cgroup(context: Context): readonly Step[] {
  const { host } = context;
  if (host.cgroup === undefined || host.cgroup.unit !== undefined) return [];
  const { missing, threaded, path: own } = host.cgroup;
  const step = part('runtime', pointer(context));
  const steps: Step[] = [...enableControllers(context, (path) => !missing.includes(path))];
  const become = (path: string): void => {
    if (threaded.includes(path)) steps.push(step('write_file', [`${path}/cgroup.type`, 'threaded', 8], 'below a threaded cgroup there is no other kind'));
  };
  if (!missing.includes(own)) become(own);
  for (const path of missing) {
    steps.push(step('mkdirat', [AT_FDCWD, path, 0o755], 'missing; another create may make it at the same time', { tolerate: ['EEXIST'] }));
    become(path);
    steps.push(...enableControllers(context, (one) => one === path));
  }
  steps.push(step('openat', [AT_FDCWD, own, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], 'for CLONE_INTO_CGROUP', { result: 'cgroup' }));
  return [...steps, ...delegation(context)];
}

/** Controllers that ancestors do not share yet. What cannot be shared shows where a limit needs it, by name. */
export function enableControllers(context: Context, isWanted: (path: string) => boolean = () => true): readonly Step[] {
  const step = part('runtime', pointer(context));
  return stepsFor((context.host.cgroup?.enable ?? []).filter(({ path }) => isWanted(path)), ({ path, controllers }) =>
    controllers.map((controller) =>
      step('write_file', [`${path}/cgroup.subtree_control`, `+${controller}`, controller.length + 1], 'children may have it', { tolerate: ['EBUSY', 'EOPNOTSUPP', 'ENOENT', 'EACCES'] }),
    ),
  );
}

/** Who owns the cgroup inside: the host's id of process.user, when the container sees it writable in a cgroup namespace of its own, as in runc. */
export function cgroupOwner(config: Config): number | undefined {
  if (!isNew(config, 'cgroup')) return undefined;
  const mount = mountsWith(config.mounts, '/sys/fs/cgroup').find(({ destination, type }) => destination === '/sys/fs/cgroup' && (type === 'cgroup' || type === 'cgroup2'));
  if (mount === undefined || mount.options?.includes('ro') === true) return undefined;
  const uid = config.process?.user?.uid ?? 0;
  const owner = isNew(config, 'user') ? mapped(uid, config.linux?.uidMappings ?? []) : uid;
  return owner === 0 ? undefined : owner;
}

function mapped(uid: number, mappings: readonly IdMapping[]): number | undefined {
  const mapping = mappings.find(({ containerID, size }) => uid >= containerID && uid < containerID + size);
  return mapping === undefined ? undefined : mapping.hostID + uid - mapping.containerID;
}

/** Delegation (kernel doc cgroup-v2): the directory and the files of /sys/kernel/cgroup/delegate, nothing that is a limit. */
export function delegation(context: Context): readonly Step[] {
  const { config, host } = context;
  const owner = cgroupOwner(config);
  if (owner === undefined || host.cgroup === undefined) return [];
  const step = part('runtime', '/process/user/uid');
  // An ordinary user owns what it made already, and may give it to nobody.
  const tolerate = host.isPrivileged ? ['ENOENT'] : ['ENOENT', 'EPERM'];
  return [
    step('fchownat', [slot('cgroup'), '', owner, -1, AT_EMPTY_PATH], 'the container may make cgroups below its own', { tolerate }),
    ...host.cgroup.delegate.map((file) => step('fchownat', [slot('cgroup'), file, owner, -1, 0], 'and move processes into them', { tolerate })),
  ];
}
