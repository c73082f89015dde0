// mounts (config.md#mounts), by descriptor: fsopen(2), open_tree(2), move_mount(2), mount_setattr(2).
import {
  AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, FSCONFIG_CMD_CREATE, FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING, FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC, MOUNT_ATTR_IDMAP,
  MOUNT_ATTR_RDONLY, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_STRICTATIME, O_PATH,
  F_DUPFD_CLOEXEC, MS_SLAVE, MOUNT_ATTR__ATIME, PROC_SUPER_MAGIC, MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_STRICTATIME, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE,
} from '../../native/linux/constants.ts';
import type { Mount } from '../../spec/config.ts';
import { part, slot, type Step } from '../program/step.ts';
import { has, isNew, type Context } from './context.ts';
import { mapText } from './id-mappings.ts';
import { RuntimeError } from '../errors.ts';
import { mountOptionWords, parseMountOptions, type AttributeChange, type MountOptions } from './mount-options.ts';
import { itself, openInRoot, openTarget, relativePath, type Target } from './paths.ts';
import { keepEvents } from './root.ts';

interface Entry {
  readonly mount: Mount;
  readonly index: number;
  readonly at: string;
  readonly options: MountOptions;
  readonly type: string;
  readonly isBind: boolean;
  /** The slot that holds the detached mount until it is attached. */
  readonly name: string;
}

function entries(context: Context): readonly Entry[] {
  return (context.config.mounts ?? []).map((mount, index) => {
    const parsed = parseMountOptions(mount.options);
    const isCgroup = isCgroupBind(context, mount);
    const options = isCgroup && !context.host.isPrivileged ? readonlyToo(parsed) : parsed;
    const isBind = options.bind !== 'no' || mount.type === 'bind' || isCgroup;
    if (isBind && !isCgroup) refuseParameters(options, index);
    return { mount, index, at: `/mounts/${index}`, options, type: mount.type === 'cgroup' ? 'cgroup2' : (mount.type ?? 'none'), isBind, name: `mount${index}` };
  });
}

/** A bind shares its source's super block: only words that mean nothing there (sync, async, …) are let through. */
function refuseParameters({ parameters }: MountOptions, mount: number): void {
  const other = parameters.find(({ key, value }) => value !== undefined || !mountOptionWords.includes(key));
  if (other === undefined) return;
  throw new RuntimeError(`a bind mount has no option ${JSON.stringify(other.key)}`, { pointer: `/mounts/${mount}/options/${other.index}`, hint: 'options of a file system belong to the mount that made it' });
}

/**
 * Without a cgroup namespace of its own the container sees the host's tree: the host's mount is bound. A new cgroup2
 * mount would show the same, needs rights a user namespace lacks, and waits for an RCU grace period (8 ms and more).
 */
function isCgroupBind({ config, host }: Context, mount: Mount): boolean {
  return (mount.type === 'cgroup' || mount.type === 'cgroup2') && !has(config, 'cgroup') && host.cgroup !== undefined;
}

/** An ordinary user's container could write to the user's own cgroups, and so leave its limits (CVE-2023-25809). */
function readonlyToo(options: MountOptions): MountOptions {
  return { ...options, isReadonly: true, attributes: { set: options.attributes.set | MOUNT_ATTR_RDONLY, clear: options.attributes.clear & ~MOUNT_ATTR_RDONLY } };
}

function sourceOf({ host, request }: Context, { mount }: Entry): string {
  if (mount.type === 'cgroup' || mount.type === 'cgroup2') return host.cgroup?.mount ?? '/sys/fs/cgroup';
  const source = mount.source ?? '';
  return source.startsWith('/') ? source : `${request.bundle}/${source}`;
}

/** Clones of bind sources, with the host's rights, not attached yet. */
export function mountSources(context: Context): readonly Step[] {
  return entries(context).filter((entry) => entry.isBind).flatMap((entry) => {
    const { at, name, options } = entry;
    const recursive = options.bind === 'rbind' ? AT_RECURSIVE : 0;
    const open = part('container', `${at}/source`)('open_tree', [AT_FDCWD, sourceOf(context, entry), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive], 'a path of the host', { result: name });
    return [open, ...keepEvents(context, name, at), ...attributeSteps(entry)];
  });
}

function attributeSteps({ at, name, options }: Entry): readonly Step[] {
  const step = part('container', `${at}/options`);
  const change = ({ set, clear }: AttributeChange, flags: number): Step[] =>
    set === 0 && clear === 0 ? [] : [step('mount_setattr', [slot(name), '', AT_EMPTY_PATH | flags, { struct: 'mount_attr', members: { attr_set: set, attr_clr: clear } }, 32], 'before it can be seen')];
  return [...change(options.attributes, 0), ...change(options.recursive, AT_RECURSIVE)];
}

/** The mappings of an idmapped mount: its own, or the container's. */
function idmap({ config }: Context, { mount, options }: Entry): { readonly own: boolean; readonly uids: string; readonly gids: string } | undefined {
  const own = mount.uidMappings !== undefined && mount.uidMappings.length > 0;
  if (!own && options.idmap === 'no') return undefined;
  return { own, uids: mapText((own ? mount.uidMappings : config.linux?.uidMappings) ?? []), gids: mapText((own ? mount.gidMappings : config.linux?.gidMappings) ?? []) };
}

/** mount_setattr(2) MOUNT_ATTR_IDMAP: by the runtime, who holds the rights over the source's file system. */
export function idmapSources(context: Context): readonly Step[] {
  const users = new Set<string>();
  return entries(context).flatMap((entry) => {
    const map = idmap(context, entry);
    if (map === undefined || !entry.isBind) return [];
    const step = part('runtime', map.own ? `${entry.at}/uidMappings` : `${entry.at}/options`);
    const name = map.own ? `idmap${entry.index}` : 'idmap';
    const steps: Step[] = [];
    if (map.own) {
      steps.push(step('map_user_namespace', [map.uids, map.uids.length, map.gids, map.gids.length], 'a user namespace that holds the mapping', { result: name }));
    } else if (!users.has(name)) {
      users.add(name);
      steps.push(step('open_in_proc', ['/proc/$init/ns/user'], 'the container’s own mapping', { result: name }));
    }
    const recursive = entry.options.idmap === 'ridmap' ? AT_RECURSIVE : 0;
    const attributes = { struct: 'mount_attr', members: { attr_set: MOUNT_ATTR_IDMAP, userns_fd: slot(name) } } as const;
    steps.push(step('mount_setattr', [slot(entry.name), '', AT_EMPTY_PATH | recursive, attributes, 32], 'since Linux 5.12; the mount is not attached yet'));
    if (map.own) steps.push(step('close', [slot(name)], ''));
    return steps;
  });
}

/** Every mount, in the order listed. */
export function mounts(context: Context): readonly Step[] {
  return entries(context).flatMap((entry) => [
    ...(entry.isBind ? [] : newFileSystem(context, entry)),
    ...openTarget(targetOf(context, entry)),
    ...notIntoProc(entry),
    ...attach(entry),
  ]);
}

/** Where a mount goes, for restore as well as for create. */
export function mountPoint({ host, request }: Context, mount: Mount, index: number, isBind = mount.type === 'bind' || parseMountOptions(mount.options).bind !== 'no'): Target {
  const isFile = isBind && host.files.has(mount.source?.startsWith('/') ? mount.source : `${request.bundle}/${mount.source ?? ''}`);
  return { at: `/mounts/${index}/destination`, name: `target${index}`, path: mount.destination, kind: isFile ? 'file' : 'directory', noSymlinks: mount.type === 'proc' || mount.type === 'sysfs' };
}

const ENXIO = 6;
const EXDEV = 18;

/** A symlink of the rootfs could lead a mount onto parts of /proc, where config.json may not mount by name either (CVE-2023-28642). */
function notIntoProc({ mount, index, at, type }: Entry): readonly Step[] {
  if (/^proc(\/|$)/.test(relativePath(mount.destination)) || type === 'proc' || type === 'sysfs') return [];
  const step = part('container', `${at}/destination`);
  const memory = { out: 'targetfs', size: 128 };
  return [
    step('fstatfs', [slot(`target${index}`), memory], 'struct statfs, f_type'),
    step('expect', [memory, 8, 0xffff_ffff, PROC_SUPER_MAGIC, ENXIO], 'a procfs?', { tolerate: ['ENXIO'], result: `inproc${index}` }),
    step('expect', [{ out: 'nothing', size: 8 }, 1, 0xff, 1, EXDEV], 'a symlink led there (CVE-2023-28642)', { needs: `inproc${index}` }),
  ];
}

function targetOf(context: Context, entry: Entry): Target {
  const { mount, isBind, at, index, type, name, options } = entry;
  // Before the target could be made: a slot that is unset skips the step.
  const takesMode = type === 'tmpfs' && !isBind && !options.parameters.some(({ key }) => key === 'mode');
  const found = takesMode ? [part('runtime', at)('copy_mode', [slot(`target${index}`), slot(name)], 'no mode was chosen: that of the directory it covers')] : [];
  return { ...mountPoint(context, mount, index, isBind), found };
}

/** As runc: file systems whose labels are the policy's. */
const unlabelled = ['proc', 'sysfs', 'cgroup2', 'mqueue'];

/** fsconfig(2) takes at most 255 bytes a value; longer ones (overlay) go through mount(2). */
const LONGEST_PARAMETER = 255;

const needsMountCall = ({ options }: Entry): boolean => options.parameters.some(({ value }) => (value ?? '').length > LONGEST_PARAMETER);

function newFileSystem(context: Context, entry: Entry): readonly Step[] {
  const { at, name, options, type, mount } = entry;
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
  set('source', mount.source ?? type, `${at}/source`);
  if (options.isReadonly && !isDelayed(entry)) set('ro', undefined, `${at}/options`);
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
function hostInstead(context: Context, { at, name, type, options }: Entry): readonly Step[] {
  const shown = shownNamespaces[type];
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

function attach(entry: Entry): readonly Step[] {
  const { at, name, options, index } = entry;
  const target = slot(`target${index}`);
  const step = part('container', at);
  const steps: Step[] = [];
  if (!entry.isBind && needsMountCall(entry)) steps.push(...mountCall(entry));
  else steps.push(step('move_mount', [slot(name), '', target, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH], 'onto the descriptor, not onto a path'));
  if (options.copyUp) steps.push(part('runtime', at)('copy_tree', [target, slot(name)], 'tmpcopyup: what the tmpfs covers'));
  for (const { flag, recursive, index: word } of options.propagations) {
    const attributes = { struct: 'mount_attr', members: { propagation: flag } } as const;
    steps.push(part('container', `${at}/options/${word}`)('mount_setattr', [slot(name), '', AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attributes, 32], 'after it is attached'));
  }
  steps.push(step('close', [target], ''));
  if (!isDelayed(entry)) steps.push(step('close', [slot(name)], ''));
  return steps;
}

const mountFlags: readonly (readonly [attribute: number, flag: number])[] = [
  [MOUNT_ATTR_RDONLY, MS_RDONLY], [MOUNT_ATTR_NOSUID, MS_NOSUID], [MOUNT_ATTR_NODEV, MS_NODEV], [MOUNT_ATTR_NOEXEC, MS_NOEXEC],
  [MOUNT_ATTR_NOATIME, MS_NOATIME], [MOUNT_ATTR_STRICTATIME, MS_STRICTATIME], [MOUNT_ATTR_NODIRATIME, MS_NODIRATIME],
];

/** mount(2) on the working directory: the target is still a descriptor. */
function mountCall({ at, options, type, mount, index, name }: Entry): readonly Step[] {
  const step = part('container', at);
  const data = options.parameters.map(({ key, value }) => (value === undefined ? key : `${key}=${value}`)).join(',');
  let flags = 0;
  for (const [attribute, flag] of mountFlags) if ((options.attributes.set & attribute) !== 0) flags |= flag;
  return [
    step('fchdir', [slot(`target${index}`)], 'fsconfig(2) takes 255 bytes a value, mount(2) a page'),
    step('mount', [mount.source ?? type, '.', type, flags, data], ''),
    openInRoot(at, name, relativePath(mount.destination), O_PATH, 'the mount just made'),
  ];
}

/** tmpfs and anything on /dev are filled first and made read-only later. */
function isDelayed({ options, mount, type, isBind }: Entry): boolean {
  if (!options.isReadonly || isBind) return false;
  return type === 'tmpfs' || relativePath(mount.destination) === 'dev';
}

export function delayedReadonly(context: Context): readonly Step[] {
  return entries(context).filter((entry) => isDelayed(entry)).flatMap(({ at, name }) => [
    part('container', `${at}/options`)('mount_setattr', [...itself(name), { struct: 'mount_attr', members: { attr_set: MOUNT_ATTR_RDONLY } }, 32], 'now that devices and mount points are in it'),
    part('container', at)('close', [slot(name)], ''),
  ]);
}
