// mounts (config.md#mounts), by descriptor: fsopen(2), open_tree(2), move_mount(2), mount_setattr(2).
import {
  AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_IDMAP, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY, MOUNT_ATTR__ATIME, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH, O_DIRECTORY, O_PATH, OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE, PROC_SUPER_MAGIC, STATX_TYPE,
} from '../../native/linux/constants.ts';
import type { Mount } from '../../spec/config.ts';
import { part, slot, stepsFor, type Arg, type Copies, type Slot, type Step } from '../program/step.ts';
import type { Context } from './context.ts';
import { mapText } from './id-mappings.ts';
import { stepsOrCopies } from './mount-copies.ts';
import { isBindOfFile, isDelayed, isKept, named, type Entry, type NamedEntry } from './mount-entry.ts';
import { entries } from './mount-list.ts';
import { parseMountOptions, type AttributeChange } from './mount-options.ts';
import { mountCall, needsMountCall, newFileSystem } from './new-file-system.ts';
import { itself, makeOne, openInRoot, openTarget, type Target } from './paths.ts';
import { keepEvents } from './root.ts';

/** Clones of bind sources, with the host's rights, not attached yet. */
export function mountSources(context: Context): readonly (Step | Copies)[] {
  return stepsOrCopies(context, (entry) => sourceSteps(context, entry));
}

export function sourceSteps(context: Context, entry: NamedEntry): readonly Step[] {
  if (!entry.isBind || entry.options.isRemount) return [];
  const { at, name, options, source } = entry;
  const recursive = options.bind === 'rbind' ? AT_RECURSIVE : 0;
  const open = part('container', `${at}/source`)('open_tree', [AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursive], 'a path of the host', { result: name });
  return [open, ...keepEvents(context, name, at), ...attributeSteps(entry)];
}

function attributeSteps({ at, mounted, options }: NamedEntry): readonly Step[] {
  return [...change(at, mounted, options.attributes, 0), ...change(at, mounted, options.recursive, AT_RECURSIVE)];
}

function change(at: string, mounted: Slot, { set, clear }: AttributeChange, flags: number): readonly Step[] {
  if (set === 0 && clear === 0) return [];
  return [part('container', `${at}/options`)('mount_setattr', [mounted, '', AT_EMPTY_PATH | flags, attributesOf(set, clear), 32], 'before it can be seen')];
}

const changes = new Map<string, Arg>();

/** One structure for all mounts with the same words. */
function attributesOf(set: number, clear: number): Arg {
  const key = `${set} ${clear}`;
  let attributes = changes.get(key);
  if (attributes === undefined) changes.set(key, (attributes = { struct: 'mount_attr', members: { attr_set: set, attr_clr: clear } }));
  return attributes;
}

const isMapped = ({ mappings, options }: Entry): boolean => mappings !== undefined || options.idmap !== 'no';

/** The mappings of an idmapped mount: its own, or the container's. */
function idmap({ config }: Context, { mappings }: Entry): { readonly own: boolean; readonly uids: string; readonly gids: string } {
  const { uidMappings, gidMappings } = mappings ?? config.linux ?? {};
  return { own: mappings !== undefined, uids: mapText(uidMappings ?? []), gids: mapText(gidMappings ?? []) };
}

/** mount_setattr(2) MOUNT_ATTR_IDMAP: by the runtime, who holds the rights over the source's file system. */
export function idmapSources(context: Context): readonly Step[] {
  const users = new Set<string>();
  return stepsFor(entries(context, isMapped), (entry) => {
    const map = idmap(context, entry);
    const { at, mounted } = named(entry);
    const step = part('runtime', map.own ? `${at}/uidMappings` : `${at}/options`);
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
    steps.push(step('mount_setattr', [mounted, '', AT_EMPTY_PATH | recursive, attributes, 32], 'since Linux 5.12; the mount is not attached yet'));
    if (map.own) steps.push(step('close', [slot(name)], ''));
    return steps;
  });
}

/** Every mount, in the order listed. */
export function mounts(context: Context): readonly (Step | Copies)[] {
  return stepsOrCopies(context, (entry) => mountSteps(context, entry));
}

export function mountSteps(context: Context, entry: NamedEntry): readonly Step[] {
  if (entry.options.isRemount) return remount(entry);
  const made = entry.isBind ? [] : newFileSystem(context, entry);
  if (goesIntoParent(entry)) return [...made, ...attachInParent(entry), ...finish(entry)];
  return [...made, ...openTarget(targetOf(entry)), ...notIntoProc(entry), ...attach(entry), ...finish(entry)];
}

/** As runc: a tmpfs that is given no mode looks like the directory it covers. */
const keepsMode = ({ type, isBind, options }: Entry): boolean => type === 'tmpfs' && !isBind && !options.parameters.some(({ key }) => key === 'mode');

const STATX_MODE_OFFSET = 28; // struct statx, stx_mode
const STATX_MODE = 2;

const covered = { out: 'covered', size: 256 } as const;
const coveredMode = [{ ...covered, offset: STATX_MODE_OFFSET }, 2, 0o7777] as const;

function modeOf({ at, index, target }: NamedEntry): readonly Step[] {
  const step = part('container', at);
  return [
    step('statx', [target, '', AT_EMPTY_PATH, STATX_TYPE | STATX_MODE, covered], 'a tmpfs without mode= takes that of the directory it covers', { result: `covered${index}` }),
    step('load', coveredMode, '', { needs: `covered${index}`, result: `mode${index}` }),
  ];
}

/** Every attribute of a mount but its access times, which a remount leaves alone unless it names them (mount(2)). */
const REMOUNTED = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;

/** The option remount: what is mounted there gets exactly the flags listed (mount(2) MS_REMOUNT); of a bind only its own, not the super block's. */
function remount(entry: NamedEntry): readonly Step[] {
  const { at, isBind, path, options, target } = entry;
  const open = openInRoot(`${at}/destination`, target.slot, path, O_PATH | (isBind ? 0 : O_DIRECTORY), 'what is mounted there');
  const close = part('container', at)('close', [target], '');
  if (!isBind) return [open, ...notIntoProc(entry), ...mountCall(entry), ...change(at, target, options.recursive, AT_RECURSIVE), close];
  const { set, clear } = options.attributes;
  const all = REMOUNTED | ((clear & MOUNT_ATTR__ATIME) === 0 ? 0 : MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME);
  return [open, ...notIntoProc(entry), ...change(at, target, { set, clear: (all & ~set) | (clear & MOUNT_ATTR__ATIME) }, 0), ...change(at, target, options.recursive, AT_RECURSIVE), close];
}

/** Where a mount of a container that is restored goes. */
export function mountPoint(context: Context, mount: Mount, index: number): Target {
  const isBind = mount.type === 'bind' || parseMountOptions(mount.options).bind !== 'no';
  return targetAt(String(index), mount.destination, mount.type, isBind && isBindOfFile(context, mount));
}

function targetAt(index: string, path: string, type: string | undefined, isFile: boolean): Target {
  return { at: `/mounts/${index}/destination`, name: `target${index}`, path, kind: isFile ? 'file' : 'directory', noSymlinks: type === 'proc' || type === 'sysfs' };
}

const EXDEV = 18;
const fileSystem = { out: 'targetfs', size: 128 } as const;
const fileSystemType = [fileSystem, 8, 0xffff_ffff, PROC_SUPER_MAGIC, EXDEV] as const;

/** A symlink of the rootfs could lead a mount onto parts of /proc, where config.json may not mount by name either (CVE-2023-28642). */
function notIntoProc({ path, target, at, type }: NamedEntry): readonly Step[] {
  if (path === 'proc' || path.startsWith('proc/') || type === 'proc' || type === 'sysfs') return [];
  const step = part('container', `${at}/destination`);
  return [
    step('fstatfs', [target, fileSystem], 'struct statfs, f_type'),
    step('refuse', fileSystemType, 'a procfs: a symlink led there (CVE-2023-28642)'),
  ];
}

function targetOf(entry: NamedEntry): Target {
  return { ...targetAt(entry.index, entry.path, entry.type, entry.isFile), found: keepsMode(entry) ? modeOf(entry) : [] };
}

function attach(entry: NamedEntry): readonly Step[] {
  const { at, name, mounted, target, path, index } = entry;
  const step = part('container', at);
  const steps: Step[] = [];
  if (!entry.isBind && needsMountCall(entry)) steps.push(...mountCall(entry), openInRoot(at, name, path, O_PATH, 'the mount just made'));
  else steps.push(step('move_mount', [mounted, '', target, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH], 'onto the descriptor, not onto a path'));
  if (keepsMode(entry)) steps.push(step('fchmodat', [mounted, '.', slot(`mode${index}`), 0], 'that of the directory it covers'));
  return steps;
}

/** What mount(2) makes, and what is covered, need a descriptor of the target. */
const goesIntoParent = (entry: Entry): boolean => entry.parent !== undefined && !entry.options.copyUp && (entry.isBind || !needsMountCall(entry));

/** The mount point is made in a file system that was empty, and stands there under one name: no symlink can be in the way. */
function attachInParent({ at, mounted, path, parent, isFile }: NamedEntry): readonly Step[] {
  const directory = slot(`mount${parent}`);
  const name = path.slice(path.lastIndexOf('/') + 1);
  return [
    makeOne(part('container', `${at}/destination`), directory, name, isFile, 'missing: the file system around it is new'),
    part('container', at)('move_mount', [mounted, '', directory, name, MOVE_MOUNT_F_EMPTY_PATH], 'below a descriptor, by one word; a symlink is not followed'),
  ];
}

/** What is left to do when it is attached. */
function finish(entry: NamedEntry): readonly Step[] {
  const { at, mounted, target, options } = entry;
  const step = part('container', at);
  const steps: Step[] = entry.isBind ? [] : [...change(at, mounted, options.recursive, AT_RECURSIVE)];
  if (options.copyUp) steps.push(part('runtime', at)('copy_tree', [target, mounted], 'tmpcopyup: what the tmpfs covers'));
  for (const { flag, recursive, index: word } of options.propagations) {
    const attributes = { struct: 'mount_attr', members: { propagation: flag } } as const;
    steps.push(part('container', `${at}/options/${word}`)('mount_setattr', [mounted, '', AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), attributes, 32], 'after it is attached'));
  }
  if (!goesIntoParent(entry)) steps.push(step('close', [target], ''));
  if (!isKept(entry)) steps.push(step('close', [mounted], ''));
  return steps;
}

/** The mounts that were kept: those to be read-only become so, and all are closed. */
export function keptMounts(context: Context): readonly Step[] {
  return stepsFor(entries(context, isKept), (entry) => {
    const { at, name, mounted } = named(entry);
    const close = part('container', at)('close', [mounted], '');
    if (!isDelayed(entry)) return [close];
    return [part('container', `${at}/options`)('mount_setattr', [...itself(name), { struct: 'mount_attr', members: { attr_set: MOUNT_ATTR_RDONLY } }, 32], 'now that devices and mount points are in it'), close];
  });
}
