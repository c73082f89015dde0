// Mounts directly below a new file system: nothing is there but what those before them made, so their mount points need not be looked for.
import type { Mount } from '../../spec/config.ts';
import type { Context } from './context.ts';
import type { Entry } from './mount-entry.ts';

/** Neighbours that differ in nothing but index, path and source; or a single one. */
export interface EntryRun {
  /** The first. */
  readonly entry: Entry;
  readonly first: number;
  count: number;
}

/** A new file system into which all mounts after it went until now. */
interface Parent {
  readonly index: string;
  /** Its path, with a slash on both sides. */
  readonly above: string;
  readonly taken: Set<string>;
}

/**
 * The same runs, divided where the parent changes. A mount has one while every mount after the parent's own went directly into it, each by a name of its own;
 * the first that goes elsewhere ends that: a symlink of the rootfs may lead it over the parent itself. And only a parent whose path leads to it: no symlink is in that.
 */
export function withParents({ config: { mounts = [] }, host: { plainNames } }: Context, runs: readonly EntryRun[], entryAt: (index: number) => Entry): readonly EntryRun[] {
  const isPlain = ({ path, parent }: Entry): boolean => parent !== undefined || plainNames.has(path);
  const all: EntryRun[] = [];
  let parent: Parent | undefined;
  for (const { entry, first, count } of runs) {
    parent = parentIn(all, entry, entryAt, isPlain) ?? parent;
    const inside = parent === undefined ? 0 : countInside(mounts, parent, entry, first, count);
    if (inside > 0) all.push({ entry: { ...entry, parent: parent!.index }, first, count: inside });
    if (inside === count) continue;
    parent = undefined;
    all.push({ entry: inside === 0 ? entry : entryAt(first + inside), first: first + inside, count: count - inside });
  }
  return all;
}

/** The mount just before, when this one goes directly into it; then it is a run of its own. */
function parentIn(before: EntryRun[], { path, depth }: Entry, entryAt: (index: number) => Entry, isPlain: (entry: Entry) => boolean): Parent | undefined {
  const run = before.at(-1);
  if (run === undefined || run.entry.depth !== depth - 1 || !isNew(run.entry)) return undefined;
  const index = run.first + run.count - 1;
  const entry = run.count === 1 ? run.entry : { ...entryAt(index), parent: run.entry.parent };
  const above = `/${entry.path}/`;
  if (!`/${path}`.startsWith(above) || !isPlain(entry)) return undefined;
  if (--run.count === 0) before.pop();
  before.push({ entry: { ...entry, isParent: true }, first: index, count: 1 });
  return { index: String(index), above, taken: new Set() };
}

/** Empty until something is mounted in it. */
const isNew = ({ type, isBind, options }: Entry): boolean => type === 'tmpfs' && !isBind && !options.isRemount && !options.copyUp;

/** How many of a run, from its first on. */
function countInside(mounts: readonly Mount[], { above, taken }: Parent, entry: Entry, first: number, count: number): number {
  for (let i = 0; i < count; i++) {
    const path = i === 0 ? `/${entry.path}` : mounts[first + i]!.destination;
    if (!path.startsWith(above) || path.includes('/', above.length) || taken.has(path)) return i;
    taken.add(path);
  }
  return count;
}
