// All of mounts[], neighbours that are alike as one: of a thousand mounts few are looked at.
import { arePlain, mountRuns } from '../../spec/mount-runs.ts';
import type { Rows } from '../program/rows.ts';
import type { Context } from './context.ts';
import { hostPath, readEntry, type Entry } from './mount-entry.ts';
import { withParents, type EntryRun } from './mount-parents.ts';

/** All of mounts, in order. Throws RuntimeError for options that their kind of mount does not have. */
export function entryRuns(context: Context): readonly EntryRun[] {
  let runs = known.get(context);
  if (runs === undefined) known.set(context, (runs = withParents(context, readRuns(context), (index) => readEntry(context, index))));
  return runs;
}

/** Read once for all parts that ask. */
const known = new WeakMap<Context, readonly EntryRun[]>();

/** Each entry; or those of the runs whose first one is wanted, and with it all. */
export function entries(context: Context, isWanted: (entry: Entry) => boolean = () => true): readonly Entry[] {
  const all: Entry[] = [];
  for (const run of entryRuns(context)) if (isWanted(run.entry)) all.push(...entriesOf(context, run));
  return all;
}

export function entriesOf(context: Context, { entry, first, count }: EntryRun): readonly Entry[] {
  const all = [entry];
  for (let i = first + 1; i < first + count; i++) all.push({ ...readEntry(context, i), parent: entry.parent });
  return all;
}

/** What differs between a run's mounts, as rows: path, index, source. */
export function addRows({ config, request }: Context, { entry, first, count }: EntryRun, rows: Rows): void {
  if (count === 1) {
    rows.add(`/${entry.path}`, first, entry.source);
    return;
  }
  for (let i = first; i < first + count; i++) {
    const { destination, source } = config.mounts![i]!;
    rows.add(destination, i, entry.isBind ? hostPath(request, source) : (source ?? entry.type));
  }
}

function readRuns(context: Context): readonly EntryRun[] {
  const mounts = context.config.mounts ?? [];
  const { request, host: { files } } = context;
  const runs: EntryRun[] = [];
  for (const { first, count, destinations } of mountRuns(mounts)) {
    const mayBeAlike = count > 1 && areOrdinary(destinations) && mounts[first]!.type?.startsWith('cgroup') !== true;
    let run: EntryRun | undefined;
    for (let i = first; i < first + count; i++) {
      const { destination, source } = mounts[i]!;
      const isLike = mayBeAlike && run !== undefined && depthOf(destination) === run.entry.depth && (files.size === 0 || files.has(hostPath(request, source)) === run.entry.isFile);
      if (isLike) run!.count++;
      else runs.push((run = { entry: readEntry(context, i), first: i, count: 1 }));
    }
  }
  return runs;
}

/** Whether none of these is special, and all are written plainly. */
const areOrdinary = (paths: string): boolean => arePlain(paths) && !`${paths}\0`.includes('/dev\0') && !paths.includes('/proc');

/** How many words a plain path has. */
function depthOf(path: string): number {
  let depth = 0;
  for (let at = 0; at >= 0; at = path.indexOf('/', at + 1)) depth++;
  return depth;
}
