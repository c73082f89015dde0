// One entry of mounts[] as the compiler sees it: its words read, its kind decided, what it cannot have refused.
import { MOUNT_ATTR_RDONLY } from '../../native/linux/constants.ts';
import type { Mount } from '../../spec/config.ts';
import { areSame } from '../../spec/same-words.ts';
import { RuntimeError } from '../errors.ts';
import { slot, type Row, type Slot } from '../program/step.ts';
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
  /** The words of the path, then index and source: what differs between mounts of one kind. */
  readonly row: Row;
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

/** All entries of mounts, in order. Throws RuntimeError for options that their kind of mount does not have. */
export function entries(context: Context): readonly Entry[] {
  let all = known.get(context);
  if (all === undefined) known.set(context, (all = readEntries(context)));
  return all;
}

/** Read once for all parts that ask. */
const known = new WeakMap<Context, readonly Entry[]>();

function readEntries(context: Context): readonly Entry[] {
  const { files, isPrivileged, cgroupMount = '/sys/fs/cgroup' } = context.host;
  const all: Entry[] = [];
  (context.config.mounts ?? []).forEach((mount, index) => {
    const parsed = parsedOptions(mount.options);
    const type = mount.type === 'cgroup' ? 'cgroup2' : (mount.type ?? 'none');
    const isCgroup = type === 'cgroup2' && isCgroupBind(context);
    const options = isCgroup && !isPrivileged ? readonlyToo(parsed) : parsed;
    const isBind = options.bind !== 'no' || type === 'bind' || isCgroup;
    if (isBind && !isCgroup) refuseParameters(options, index);
    const given = isBind ? hostPath(context, mount) : '';
    const source = !isBind ? (mount.source ?? type) : type === 'cgroup2' ? cgroupMount : given;
    const mappings = mount.uidMappings !== undefined && mount.uidMappings.length > 0 ? mount : undefined;
    const place = String(index);
    const row = wordsOf(mount.destination);
    const path = row.join('/');
    row.push(place, source);
    all.push({ index: place, options, type, isBind, isFile: isBind && files.size > 0 && files.has(given), source, mappings, path, row });
  });
  return all;
}

export function named(entry: Entry): NamedEntry {
  const { index } = entry;
  const name = `mount${index}`;
  return { ...entry, at: `/mounts/${index}`, name, mounted: slot(name), target: slot(`target${index}`) };
}

const hostPath = ({ request }: Context, { source = '' }: Mount): string => (source.startsWith('/') ? source : `${request.bundle}/${source}`);

/** Whether a bind, if this is one, is of something that is no directory. */
export const isBindOfFile = (context: Context, mount: Mount): boolean => context.host.files.has(hostPath(context, mount));

const parsedWords = new Map<string, MountOptions>();
const none: readonly string[] = [];
let lastWords = none;
let lastParsed: MountOptions | undefined;

/** A long list of mounts has the same words again and again: equal ones are one object. */
function parsedOptions(words = none): MountOptions {
  if (lastParsed !== undefined && areSame(words, lastWords)) return lastParsed;
  const key = words.join('\0');
  let parsed = parsedWords.get(key);
  if (parsed === undefined) parsedWords.set(key, (parsed = parseMountOptions(words)));
  lastWords = words;
  return (lastParsed = parsed);
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

/** tmpfs and anything on /dev are filled first and made read-only later. */
export function isDelayed({ options, path, type, isBind }: Entry): boolean {
  if (!options.isReadonly || isBind || options.isRemount) return false;
  return type === 'tmpfs' || path === 'dev';
}
