// One entry of mounts[] as the compiler sees it: its words read, its kind decided, what it cannot have refused.
import { MOUNT_ATTR_RDONLY } from '../../native/linux/constants.ts';
import type { Mount } from '../../spec/config.ts';
import { RuntimeError } from '../errors.ts';
import { slot, type Slot } from '../program/step.ts';
import { has, type Context } from './context.ts';
import { parseMountOptions, type MountOptions } from './mount-options.ts';
import { wordsOf } from './paths.ts';

/** One entry of mounts with what its words mean. */
export interface Entry {
  /** Its place in the list: what its pointer and the names of its slots end in. */
  readonly index: string;
  readonly options: MountOptions;
  readonly type: string;
  readonly isBind: boolean;
  /** A bind of something that is no directory. */
  readonly isFile: boolean;
  /** Of a bind a path of the host, otherwise what mount(2) calls so. */
  readonly source: string;
  /** Id mappings of its own. */
  readonly mappings: Pick<Mount, 'uidMappings' | 'gidMappings'> | undefined;
  /** The destination relative to the root, empty for the root itself. */
  readonly path: string;
  /** How many words it has. */
  readonly depth: number;
  /** The index of the new file system it goes directly into (mount-parents.ts). */
  readonly parent?: string | undefined;
  /** Others have it as parent: it stays open for them. */
  readonly isParent?: boolean;
}

/** An entry with what its index gives it: made where steps are, because most entries of a long list need none of their own. */
export interface NamedEntry extends Entry {
  readonly at: string;
  /** The slot that holds the detached mount until it is attached, and its name. */
  readonly name: string;
  readonly mounted: Slot;
  /** The slot of the descriptor it is attached to. */
  readonly target: Slot;
}

/** A path that decides about its mount's steps. */
export const isSpecial = (path: string): boolean => path === 'dev' || path.startsWith('proc');

/** Throws RuntimeError for options that its kind of mount does not have. */
export function readEntry(context: Context, index: number): Entry {
  const { host, request } = context;
  const { isPrivileged, cgroupMount = '/sys/fs/cgroup' } = host;
  const mount = context.config.mounts![index]!;
  const parsed = parsedOptions(mount.options);
  const type = mount.type === 'cgroup' ? 'cgroup2' : (mount.type ?? 'none');
  const isCgroup = type === 'cgroup2' && isCgroupBind(context);
  const options = isCgroup && !isPrivileged ? readonlyToo(parsed) : parsed;
  const isBind = options.bind !== 'no' || type === 'bind' || isCgroup;
  if (isBind && !isCgroup) refuseParameters(options, index);
  const given = isBind ? hostPath(request, mount.source) : '';
  const source = !isBind ? (mount.source ?? type) : type === 'cgroup2' ? cgroupMount : given;
  const mappings = mount.uidMappings !== undefined && mount.uidMappings.length > 0 ? mount : undefined;
  const words = wordsOf(mount.destination);
  return { index: String(index), options, type, isBind, isFile: isBind && host.files.size > 0 && host.files.has(given), source, mappings, path: words.join('/'), depth: words.length };
}

export function named(entry: Entry): NamedEntry {
  const { index } = entry;
  const name = `mount${index}`;
  return { ...entry, at: `/mounts/${index}`, name, mounted: slot(name), target: slot(`target${index}`) };
}

/** A relative path of the host is below the bundle. */
export const hostPath = ({ bundle }: Context['request'], source = ''): string => (source.startsWith('/') ? source : `${bundle}/${source}`);

/** Whether a bind, if this is one, is of something that is no directory. */
export const isBindOfFile = (context: Context, mount: Mount): boolean => context.host.files.has(hostPath(context.request, mount.source));

const parsedWords = new Map<string, MountOptions>();
const none: readonly string[] = [];

/** A long list of mounts has the same words again and again: equal ones are one object. */
function parsedOptions(words = none): MountOptions {
  const key = words.join('\0');
  let parsed = parsedWords.get(key);
  if (parsed === undefined) parsedWords.set(key, (parsed = parseMountOptions(words)));
  return parsed;
}

/** A bind shares its source's super block: parameters belong to the mount that made it. Its words (sync, lazytime, …) the kernel ignores. */
function refuseParameters({ parameters }: MountOptions, mount: number): void {
  const other = parameters[0];
  if (other === undefined) return;
  throw new RuntimeError(`a bind mount has no option ${JSON.stringify(other.key)}`, { pointer: `/mounts/${mount}/options/${other.index}`, hint: 'options of a file system belong to the mount that made it' });
}

/**
 * Without a cgroup namespace of its own the container sees the host's tree: the host's mount is bound. A new cgroup2
 * mount would show the same, needs rights a user namespace lacks, and waits for an RCU grace period (8 ms and more).
 */
function isCgroupBind({ config, host }: Context): boolean {
  return !has(config, 'cgroup') && host.cgroupMount !== undefined;
}

/** An ordinary user's container could write to the user's own cgroups, and so leave its limits (CVE-2023-25809). */
function readonlyToo(options: MountOptions): MountOptions {
  return { ...options, key: `${options.key}\0ro`, isReadonly: true, attributes: { set: options.attributes.set | MOUNT_ATTR_RDONLY, clear: options.attributes.clear & ~MOUNT_ATTR_RDONLY } };
}

/** Its descriptor is kept until all mounts are there: others go into it, or it becomes read-only then. */
export const isKept = (entry: Entry): boolean => entry.isParent === true || isDelayed(entry);

/** tmpfs and anything on /dev are filled first and made read-only later. */
export function isDelayed({ options, path, type, isBind }: Entry): boolean {
  if (!options.isReadonly || isBind || options.isRemount) return false;
  return type === 'tmpfs' || path === 'dev';
}
