// A mount that is no bind: its file system, by fsopen(2) parameter by parameter, or by mount(2) where only that can say it.
import {
  AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, F_DUPFD_CLOEXEC, FSCONFIG_CMD_CREATE, FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING, FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC, MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY, MOUNT_ATTR_STRICTATIME, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC,
  MS_NOSUID, MS_NOSYMFOLLOW, MS_RDONLY, MS_REMOUNT, MS_SLAVE, MS_STRICTATIME, MOUNT_ATTR__ATIME, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE,
} from '../../native/linux/constants.ts';
import { part, slot, type Step } from '../program/step.ts';
import { has, isNew, type Context } from './context.ts';
import { isDelayed, type Entry, type NamedEntry } from './mount-entry.ts';

/** fsconfig(2) takes at most 255 bytes a value; longer ones (overlay) go through mount(2). */
const LONGEST_PARAMETER = 255;

/** mount(2) alone knows some words of the super block, and takes longer values. */
export const needsMountCall = ({ options }: Entry): boolean =>
  options.parameters.some(({ value }) => Buffer.byteLength(value ?? '') > LONGEST_PARAMETER) || options.superBlock.words.some(({ parameter, set }) => parameter === undefined && set !== 0);

/** As runc: file systems whose labels are the policy's. */
const unlabelled = ['proc', 'sysfs', 'cgroup2', 'mqueue'];

/** The detached mount $mountN; nothing where mount(2) will make it in place. */
export function newFileSystem(context: Context, entry: NamedEntry): readonly Step[] {
  const { at, name, options, type, source } = entry;
  if (needsMountCall(entry)) return [];
  const step = part('container', at);
  const context_ = `${name}.fs`;
  const instead = hostInstead(context, entry);
  const refusable = instead.length === 0 ? {} : { tolerate: ['EPERM', 'EBUSY'] };
  const steps = [step('fsopen', [type, FSOPEN_CLOEXEC], 'parameters one by one: a refusal names its option', { result: context_, ...refusable })];
  const set = (key: string, value: string | undefined, place: string): void => {
    const command = value === undefined ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    steps.push(part('container', place)('fsconfig', [slot(context_), command, key, value ?? null, 0], ''));
  };
  set('source', source, `${at}/source`);
  if (options.isReadonly && !isDelayed(entry)) set('ro', undefined, `${at}/options`);
  for (const { parameter, index } of options.superBlock.words) if (parameter !== undefined) set(parameter, undefined, `${at}/options/${index}`);
  for (const { key, value, index } of options.parameters) set(key, value, `${at}/options/${index}`);
  const label = context.config.linux?.mountLabel;
  // mqueue's super block is made with its ipc namespace, without a context: another one is refused.
  if (label && !unlabelled.includes(type)) set('context', label, '/linux/mountLabel');
  const attributes = isDelayed(entry) ? options.attributes.set & ~MOUNT_ATTR_RDONLY : options.attributes.set;
  steps.push(
    step('fsconfig', [slot(context_), FSCONFIG_CMD_CREATE, null, null, 0], 'the super block', instead.length > 0 ? { ...refusable, result: `${name}.made` } : {}),
    step('fsmount', [slot(context_), FSMOUNT_CLOEXEC, attributes], 'detached: nobody sees it yet', { result: name, ...(instead.length > 0 ? { ...refusable, needs: `${name}.made` } : {}) }),
    step('close', [slot(context_)], ''),
    ...instead,
  );
  return steps;
}

/** What shows a namespace that is not the container's: only the user namespace owning it may mount it. */
const shownNamespaces: Readonly<Record<string, readonly [namespace: string, path: string]>> = { sysfs: ['network', '/sys'], mqueue: ['ipc', '/dev/mqueue'], cgroup2: ['cgroup', '/sys/fs/cgroup'] };

/**
 * As crun: where the kernel refuses a new one, the host's is bound. With all below it, because a user namespace may not
 * uncover what is mounted there, and read-only, but for message queues, which the container shares already.
 */
function hostInstead(context: Context, { at, name, type, options }: NamedEntry): readonly Step[] {
  const shown = Object.hasOwn(shownNamespaces, type) ? shownNamespaces[type] : undefined;
  const { config, host } = context;
  if (shown === undefined || isNew(config, shown[0]) || !(has(config, 'user') || !host.isPrivileged)) return [];
  const step = part('container', at);
  const once = { unless: name };
  const set = (options.attributes.set & ~MOUNT_ATTR__ATIME) | (type === 'mqueue' ? 0 : MOUNT_ATTR_RDONLY);
  return [
    step('open_tree', [AT_FDCWD, shown[1], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE], `the ${shown[0]} namespace belongs to another user namespace: the host’s is bound`, { ...once, result: `${name}.host` }),
    step('mount_setattr', [slot(`${name}.host`), '', AT_EMPTY_PATH | AT_RECURSIVE, { struct: 'mount_attr', members: { attr_set: set, propagation: MS_SLAVE } }, 32], 'never writable, nothing below it either (CVE-2023-25809)', once),
    step('fcntl', [slot(`${name}.host`), F_DUPFD_CLOEXEC, 0], 'from here on as if it had been made', { ...once, result: name }),
    step('close', [slot(`${name}.host`)], ''),
  ];
}

const mountFlags: readonly (readonly [attribute: number, flag: number])[] = [
  [MOUNT_ATTR_RDONLY, MS_RDONLY], [MOUNT_ATTR_NOSUID, MS_NOSUID], [MOUNT_ATTR_NODEV, MS_NODEV], [MOUNT_ATTR_NOEXEC, MS_NOEXEC], [MOUNT_ATTR_NOSYMFOLLOW, MS_NOSYMFOLLOW],
  [MOUNT_ATTR_NOATIME, MS_NOATIME], [MOUNT_ATTR_STRICTATIME, MS_STRICTATIME], [MOUNT_ATTR_NODIRATIME, MS_NODIRATIME],
];

/** mount(2) on the working directory: the target is still a descriptor. */
export function mountCall(entry: NamedEntry): readonly Step[] {
  const { at, options, type, source, index } = entry;
  const step = part('container', at);
  const data = options.parameters.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)).join(',');
  const attributes = isDelayed(entry) ? options.attributes.set & ~MOUNT_ATTR_RDONLY : options.attributes.set;
  let flags = options.superBlock.flags | (options.isRemount ? MS_REMOUNT : 0);
  for (const [attribute, flag] of mountFlags) if ((attributes & attribute) !== 0) flags |= flag;
  return [
    step('fchdir', [slot(`target${index}`)], options.isRemount ? 'mount(2) by descriptor' : 'mount(2) takes what fsconfig(2) does not: a longer value, or a word it does not know'),
    step('mount', [source, '.', type, flags, data], ''),
  ];
}
