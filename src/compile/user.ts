// process.user and process.cwd (credentials(7)).
import { AT_FDCWD } from '../../native/linux/constants.ts';
import type { Config } from '../../spec/config.ts';
import { part, type Step } from '../program/step.ts';
import { has, type Context } from './context.ts';

/** Tried before the ids change, made when missing, and tried again after: it may be open to the user alone. */
export function cwd({ config }: Context): readonly Step[] {
  const path = config.process?.cwd ?? '/';
  const step = part('container', '/process/cwd');
  const steps: Step[] = [step('chdir', [path], 'before the ids change: it may be closed to the user', { result: 'cwd', tolerate: ['ENOENT', 'EACCES', 'EPERM'] })];
  const words = path.split('/').filter((word) => word !== '');
  for (let depth = 1; depth <= words.length; depth++) {
    const directory = `/${words.slice(0, depth).join('/')}`;
    steps.push(step('mkdirat', [AT_FDCWD, directory, 0o755], 'missing', { unless: 'cwd', tolerate: ['EEXIST', 'EACCES', 'EPERM', 'EROFS'] }));
  }
  steps.push(step('chdir', [path], 'now that it is made', { unless: 'cwd', result: 'cwd', tolerate: ['EACCES', 'EPERM'] }));
  return steps;
}

/** As runc for exec: a missing directory is an error. */
export function existingCwd({ config }: Context): readonly Step[] {
  return [part('container', '/process/cwd')('chdir', [config.process?.cwd ?? '/'], 'before the ids change: it may be closed to the user', { result: 'cwd', tolerate: ['EACCES', 'EPERM'] })];
}

/** Any value but "0", as with crun. */
export function keepsGroups({ annotations }: Config): boolean {
  return (annotations?.['run.oci.keep_original_groups'] ?? '0') !== '0';
}

export function user(context: Context): readonly Step[] {
  const { config, host } = context;
  const user = config.process?.user;
  const uid = Number(user?.uid ?? 0);
  const gid = Number(user?.gid ?? 0);
  const step = part('container', '/process/user');
  const path = config.process?.cwd ?? '/';
  const inside = part('container', '/process/cwd');
  const again: Step[] = [
    inside('chdir', [path], 'as the user', { unless: 'cwd' }),
    inside('getcwd', [{ out: 'cwd', size: 4096 }, 4096], 'where it really is'),
    inside('expect', [{ out: 'cwd', size: 4096 }, 1, 0xff, 0x2f, 2], 'a path outside the root would begin with "(unreachable)" (CVE-2024-21626)'),
  ];
  return [
    ...groups(context),
    step('setresgid', [gid, gid, gid], 'the group first: the user may not change it'),
    step('setresuid', [uid, uid, uid], 'real, effective, saved'),
    ...again,
    part('container', '/process/user/umask')('umask', [Number(user?.umask ?? 0o022)], 'for the process; ours was 0'),
  ].filter((one) => host.isPrivileged || has(config, 'user') || one.op !== 'setresuid' || uid !== host.euid);
}

/**
 * Without rights over a gid map setgroups(2) is denied, and there is nothing to set (user_namespaces(7)). crun's annotation
 * run.oci.keep_original_groups (Podman's --group-add keep-groups) leaves the caller's groups, and additionalGids count for nothing.
 */
function groups({ config, host }: Context): readonly Step[] {
  if (keepsGroups(config)) return [];
  const additional = config.process?.user?.additionalGids ?? [];
  const step = part('container', '/process/user/additionalGids');
  const list = Buffer.alloc(Math.max(4, additional.length * 4));
  additional.forEach((gid, i) => list.writeUInt32LE(Number(gid), 4 * i));
  const options = host.isPrivileged || additional.length > 0 ? {} : { tolerate: ['EPERM'] };
  return [step('setgroups', [additional.length, { bytes: list }], 'groups of the caller are not inherited', options)];
}
