// process.user and process.cwd (credentials(7)).
import { O_PATH } from '../../native/linux/constants.ts';
import type { Config } from '../../spec/config.ts';
import { part, slot, type Step, type StepOptions } from '../program/step.ts';
import { has, type Context } from './context.ts';
import { openInRoot, relativePath } from './paths.ts';

const workingDirectory = ({ process }: Config): string => relativePath(process?.cwd ?? '/');

/** What is closed to root may be open to the user: it is tried again as the user. */
const notForRoot = ['EACCES', 'EPERM'];

/** As runc and crun: a working directory that is missing is made while the root, or a tmpfs, that is to be read-only can be written. */
export function makeCwd({ config }: Context): readonly Step[] {
  const words = workingDirectory(config).split('/');
  if (words[0] === '') return [];
  const at = '/process/cwd';
  const step = part('container', at);
  const open = (depth: number, options?: StepOptions): Step => openInRoot(at, `cwd.${depth}`, words.slice(0, depth).join('/'), O_PATH, 'in-root, as mount points', { tolerate: ['ENOENT', 'ELOOP', ...notForRoot], ...options });
  const found = `cwd.${words.length}`;
  const steps = [open(words.length)];
  words.forEach((word, depth) => {
    if (depth > 0) steps.push(open(depth, { unless: found }));
    steps.push(step('mkdirat', [slot(depth === 0 ? 'root' : `cwd.${depth}`), word, 0o755], 'missing', { unless: found, tolerate: ['EEXIST', ...notForRoot] }));
    if (depth > 0) steps.push(step('close', [slot(`cwd.${depth}`)], ''));
  });
  return [...steps, step('close', [slot(found)], '')];
}

/** Of exec too, where a directory that is missing is an error, as in runc. */
export function cwd({ config }: Context): readonly Step[] {
  return [part('container', '/process/cwd')('chdir', [`/${workingDirectory(config)}`], 'before the ids change: it may be closed to the user', { result: 'cwd', tolerate: notForRoot })];
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
  const inside = part('container', '/process/cwd');
  const again: Step[] = [
    inside('chdir', [`/${workingDirectory(config)}`], 'as the user', { unless: 'cwd' }),
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
