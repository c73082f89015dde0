// linux.uidMappings, linux.gidMappings (user_namespaces(7)).
import { PR_SET_DUMPABLE } from '../../native/linux/constants.ts';
import type { IdMapping } from '../../spec/config.ts';
import { part, type Step } from '../program/step.ts';
import { has, isNew, type Context } from './context.ts';

/** The text of /proc/PID/uid_map. */
export function mapText(mappings: readonly IdMapping[]): string {
  return mappings.map((map) => `${map.containerID} ${map.hostID} ${map.size}\n`).join('');
}

/** Written from outside: only a process of the parent namespace may map more than itself. */
export function idMappings({ config, host }: Context): readonly Step[] {
  if (!isNew(config, 'user')) return [];
  const uids = config.linux?.uidMappings ?? [];
  const gids = config.linux?.gidMappings ?? [];
  const steps: Step[] = [];
  // user_namespaces(7): without rights a gid map may be written only once setgroups(2) is denied for good.
  if (host.euid !== 0 && isSingle(gids)) {
    steps.push(part('runtime', '/linux/gidMappings')('write_file', ['/proc/$init/setgroups', 'deny', 4], 'an unprivileged gid map needs it'));
  }
  const map = (kind: 'uid' | 'gid', mappings: readonly IdMapping[]): void => {
    if (mappings.length === 0) return;
    const text = mapText(mappings);
    // Root of a user namespace may map what it has itself; anyone else only its own id.
    const tool = host.euid === 0 ? null : `new${kind}map`;
    const step = part('runtime', `/linux/${kind}Mappings`);
    steps.push(step('write_id_map', [`/proc/$init/${kind}_map`, text, text.length, tool], 'init waits: without ids it can do nothing'));
  };
  map('gid', gids);
  map('uid', uids);
  return steps;
}

const isSingle = (mappings: readonly IdMapping[]): boolean => mappings.length === 1 && Number(mappings[0]!.size) === 1;

const HIDDEN = 'processes of a joined namespace may not trace init (CVE-2016-9962)';

/** The runtime hooks of an ordinary user open init's namespaces (slirp4netns(1), pasta(1)): /proc/PID belongs to root unless init is dumpable. */
function isOpenToHooks({ config, host }: Context): boolean {
  const hooks = (config.hooks?.prestart?.length ?? 0) + (config.hooks?.createRuntime?.length ?? 0);
  return hooks > 0 && !host.isPrivileged && isNew(config, 'user') && isNew(config, 'pid');
}

/** Ends what becomeRoot left open for runtime hooks. */
export function hideFromTracing(context: Context): readonly Step[] {
  return isOpenToHooks(context) ? [part('container', '')('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], HIDDEN)] : [];
}

/** Takes on the namespace's root ids. Not done where id 0 is not mapped: the rights of the namespace suffice. */
export function becomeRoot(context: Context): readonly Step[] {
  const { config } = context;
  const step = part('container', '/linux/uidMappings');
  const hidden = isOpenToHooks(context)
    ? step('prctl', [PR_SET_DUMPABLE, 1, 0, 0, 0], 'until the runtime hooks have run: its pid namespace is new, nobody else is in it')
    : step('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], HIDDEN);
  if (!has(config, 'user')) return [{ ...hidden, at: '' }];
  const isJoined = !isNew(config, 'user');
  const mapsRoot = (mappings: readonly IdMapping[] | undefined): boolean => isJoined || (mappings?.some((map) => map.containerID === 0) ?? false);
  const steps: Step[] = [];
  if (mapsRoot(config.linux?.gidMappings)) steps.push(step('setresgid', [0, 0, 0], 'files made in the rootfs belong to the container’s root'));
  if (mapsRoot(config.linux?.uidMappings)) steps.push(step('setresuid', [0, 0, 0], 'files made in the rootfs belong to the container’s root'));
  return [...steps, hidden];
}
