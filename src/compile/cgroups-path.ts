// linux.cgroupsPath: the container's cgroup is made before init, which is born in it (cgroups(7), kernel doc cgroup-v2).
import { AT_FDCWD, CLONE_NEWCGROUP, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../../native/linux/constants.ts';
import { part, type Step } from '../program/step.ts';
import { isNew, namespacePointer, type Context } from './context.ts';

export function cgroup({ config, host }: Context): readonly Step[] {
  if (host.cgroup === undefined) return [];
  const at = config.linux?.cgroupsPath ? '/linux/cgroupsPath' : '';
  const step = part('runtime', at);
  const enable = new Map(host.cgroup.enable.map(({ path, controllers }) => [path, controllers]));
  const steps: Step[] = [];
  const enableBelow = (path: string): void => {
    for (const controller of enable.get(path) ?? []) {
      const text = `+${controller}`;
      steps.push(step('write_file', [`${path}/cgroup.subtree_control`, text, text.length], 'children may have it', { tolerate: ['EBUSY', 'EOPNOTSUPP', 'ENOENT'] }));
    }
    enable.delete(path);
  };
  for (const path of [...enable.keys()].filter((one) => !host.cgroup!.missing.includes(one))) enableBelow(path);
  for (const path of host.cgroup.missing) {
    steps.push(step('mkdirat', [AT_FDCWD, path, 0o755], 'missing; another create may make it at the same time', { tolerate: ['EEXIST'] }));
    enableBelow(path);
  }
  steps.push(step('openat', [AT_FDCWD, host.cgroup.path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], 'for CLONE_INTO_CGROUP', { result: 'cgroup' }));
  return steps;
}

export function cgroupNamespace({ config }: Context): readonly Step[] {
  if (!isNew(config, 'cgroup')) return [];
  return [part('container', namespacePointer(config, 'cgroup'))('unshare', [CLONE_NEWCGROUP], 'its root is the cgroup we are in (cgroup_namespaces(7))')];
}
