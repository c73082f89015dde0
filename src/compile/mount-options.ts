// mounts[].options: what each word means to the descriptor API (mount(8), mount_setattr(2), runtime-spec config.md#linux-mount-options).
import {
  MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODEV, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME, MS_DIRSYNC, MS_I_VERSION, MS_LAZYTIME, MS_MANDLOCK, MS_POSIXACL, MS_SILENT, MS_SYNCHRONOUS,
} from '../../native/linux/constants.ts';
import { propagation } from './root.ts';

/** One change of mount attributes: mount_setattr(2) `attr_set` and `attr_clr`. */
export interface AttributeChange {
  readonly set: number;
  readonly clear: number;
}

export interface MountOptions {
  /** The words as one text: equal for equal options. */
  readonly key: string;
  readonly bind: 'no' | 'bind' | 'rbind';
  readonly attributes: AttributeChange;
  /** The same for every mount below too. */
  readonly recursive: AttributeChange;
  readonly propagations: readonly { readonly flag: number; readonly recursive: boolean; readonly index: number }[];
  /** File system parameters: fsconfig(2) flags have no value. */
  readonly parameters: readonly { readonly key: string; readonly value: string | undefined; readonly index: number }[];
  /** Words of the super block, as mount(2) has them; on a bind they mean nothing, as to the kernel. */
  readonly superBlock: { readonly flags: number; readonly words: readonly SuperBlockWord[] };
  readonly isReadonly: boolean;
  readonly copyUp: boolean;
  readonly idmap: 'no' | 'idmap' | 'ridmap';
  readonly isRemount: boolean;
}

const atime = (bits: number): AttributeChange => ({ set: bits, clear: MOUNT_ATTR__ATIME });
const on = (bits: number): AttributeChange => ({ set: bits, clear: 0 });
const off = (bits: number): AttributeChange => ({ set: 0, clear: bits });

/** Words that change mount attributes; with `r` before them they reach every mount below (since Linux 5.12). */
export const attributeWords: Readonly<Record<string, AttributeChange>> = {
  ro: on(MOUNT_ATTR_RDONLY), rw: off(MOUNT_ATTR_RDONLY),
  nosuid: on(MOUNT_ATTR_NOSUID), suid: off(MOUNT_ATTR_NOSUID),
  nodev: on(MOUNT_ATTR_NODEV), dev: off(MOUNT_ATTR_NODEV),
  noexec: on(MOUNT_ATTR_NOEXEC), exec: off(MOUNT_ATTR_NOEXEC),
  nosymfollow: on(MOUNT_ATTR_NOSYMFOLLOW), symfollow: off(MOUNT_ATTR_NOSYMFOLLOW),
  noatime: atime(MOUNT_ATTR_NOATIME), atime: atime(0),
  relatime: atime(0), norelatime: atime(0),
  strictatime: atime(MOUNT_ATTR_STRICTATIME), nostrictatime: atime(0),
  nodiratime: on(MOUNT_ATTR_NODIRATIME), diratime: off(MOUNT_ATTR_NODIRATIME),
};

/** One word of the super block: its fsconfig(2) flag, when there is one, and what it does to the flags of mount(2). */
export interface SuperBlockWord {
  readonly parameter: string | undefined;
  readonly set: number;
  readonly clear: number;
  readonly index: number;
}

type Flags = readonly [parameter: string | undefined, set: number, clear: number];

/** What the words of the super block do. `silent`, `iversion` and `acl` are known to mount(2) alone. */
const superBlockWords: Readonly<Record<string, Flags>> = {
  sync: ['sync', MS_SYNCHRONOUS, 0], async: ['async', 0, MS_SYNCHRONOUS], dirsync: ['dirsync', MS_DIRSYNC, 0],
  lazytime: ['lazytime', MS_LAZYTIME, 0], nolazytime: ['nolazytime', 0, MS_LAZYTIME], mand: ['mand', MS_MANDLOCK, 0], nomand: ['nomand', 0, MS_MANDLOCK],
  silent: [undefined, MS_SILENT, 0], loud: [undefined, 0, MS_SILENT], iversion: [undefined, MS_I_VERSION, 0], noiversion: [undefined, 0, MS_I_VERSION],
  acl: [undefined, MS_POSIXACL, 0], noacl: [undefined, 0, MS_POSIXACL], defaults: [undefined, 0, 0],
};

/** All option words this runtime gives a meaning, for `features`. */
export const mountOptionWords = (): readonly string[] => [
  ...Object.keys(attributeWords), ...Object.keys(attributeWords).map((word) => `r${word}`), ...Object.keys(superBlockWords).filter((word) => !word.endsWith('acl')),
  'bind', 'rbind', 'remount', 'tmpcopyup', 'idmap', 'ridmap', ...['private', 'shared', 'slave', 'unbindable'].flatMap((word) => [word, `r${word}`]),
].sort();

const attributeOf = (word: string): AttributeChange | undefined => (Object.hasOwn(attributeWords, word) ? attributeWords[word] : undefined);

const merge = (into: { set: number; clear: number }, change: AttributeChange): void => {
  into.set = (into.set & ~change.clear) | change.set;
  into.clear = (into.clear & ~change.set) | change.clear;
};

/** Reads the option words in order; later ones win. */
export function parseMountOptions(options: readonly string[] | undefined): MountOptions {
  const attributes = { set: 0, clear: 0 };
  const recursive = { set: 0, clear: 0 };
  const propagations: { flag: number; recursive: boolean; index: number }[] = [];
  const parameters: { key: string; value: string | undefined; index: number }[] = [];
  const words: SuperBlockWord[] = [];
  let flags = 0;
  let bind: MountOptions['bind'] = 'no';
  let idmap: MountOptions['idmap'] = 'no';
  let copyUp = false;
  let isRemount = false;
  for (const [index, word] of (options ?? []).entries()) {
    if (word === '') continue; // buildah writes one
    const own = attributeOf(word);
    const below = word.startsWith('r') ? attributeOf(word.slice(1)) : undefined;
    const moves = propagation(word);
    if (own !== undefined) merge(attributes, own);
    else if (below !== undefined) merge(recursive, below);
    else if (moves !== undefined) propagations.push({ ...moves, index });
    else if (word === 'bind' || word === 'rbind') bind = word;
    else if (word === 'idmap' || word === 'ridmap') idmap = word;
    else if (word === 'tmpcopyup') copyUp = true;
    else if (word === 'remount') isRemount = true;
    else if (Object.hasOwn(superBlockWords, word)) {
      const [parameter, set, clear] = superBlockWords[word]!;
      flags = (flags & ~clear) | set;
      words.push({ parameter, set, clear, index });
    } else {
      const equals = word.indexOf('=');
      parameters.push(equals < 0 ? { key: word, value: undefined, index } : { key: word.slice(0, equals), value: word.slice(equals + 1), index });
    }
  }
  return { key: options?.join('\0') ?? '', bind, attributes, recursive, propagations, parameters, superBlock: { flags, words }, isReadonly: (attributes.set & MOUNT_ATTR_RDONLY) !== 0, copyUp, idmap, isRemount };
}
