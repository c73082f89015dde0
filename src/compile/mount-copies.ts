// A long list of mounts has few kinds of them: each kind is compiled once, with holes for what differs, and copied for every mount.
import type { Copies, Row, Step, Template } from '../program/step.ts';
import { hole } from '../program/template.ts';
import { named, type Entry, type NamedEntry } from './mount-entry.ts';

/** Fewer of a kind are not worth a template, which costs half a millisecond to make and to encode: so many mounts save it. */
const FEW = 24;

/** Words of a path for which there are holes besides those of the index and the source (template.ts). */
const MOST_WORDS = 8;

/** The steps of each entry, in order. */
export function stepsOrCopies(entries: readonly Entry[], steps: (entry: NamedEntry) => readonly Step[]): readonly (Step | Copies)[] {
  const all: (Step | Copies)[] = [];
  const templates = new Map<Kind, Template>();
  for (const { kind, first, count, row } of runsOf(entries)) {
    if (kind === undefined || kind.rows.length < FEW) {
      for (let i = first; i < first + count; i++) for (const step of steps(named(entries[i]!))) all.push(step);
      continue;
    }
    let template = templates.get(kind);
    if (template === undefined) templates.set(kind, (template = { steps: steps(withHoles(entries[first]!)) }));
    if (template.steps.length > 0) all.push({ template, rows: kind.rows, from: row, to: row + count });
  }
  return all;
}

/** All entries whose steps are the same but for what fills the holes. */
interface Kind {
  readonly like: Entry;
  readonly rows: Row[];
}

/** Neighbours of one kind, or of none: where they begin in the list and among the kind's rows. */
interface Run {
  readonly kind: Kind | undefined;
  readonly first: number;
  count: number;
  readonly row: number;
}

const known = new WeakMap<readonly Entry[], readonly Run[]>();

function runsOf(entries: readonly Entry[]): readonly Run[] {
  let runs = known.get(entries);
  if (runs === undefined) known.set(entries, (runs = entries.length < FEW ? [{ kind: undefined, first: 0, count: entries.length, row: 0 }] : findRuns(entries)));
  return runs;
}

function findRuns(entries: readonly Entry[]): readonly Run[] {
  const runs: Run[] = [];
  const kinds = new Map<string, Kind>();
  let run: Run | undefined;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    const last: Kind | undefined = run?.kind;
    const kind = last !== undefined && isLike(last, entry) ? last : kindOf(kinds, entry);
    if (run !== undefined && kind === last) run.count++;
    else runs.push((run = { kind, first: i, count: 1, row: kind?.rows.length ?? 0 }));
    kind?.rows.push(entry.row);
  }
  return runs;
}

/** Options are one object where they are equal (mount-entry.ts), nearly always. */
const isLike = ({ like }: Kind, { options, type, isFile, row, path }: Entry): boolean =>
  options === like.options && type === like.type && isFile === like.isFile && row.length === like.row.length && !isSpecial(path);

/** A path that decides about its mount's steps. */
const isSpecial = (path: string): boolean => path === 'dev' || path.startsWith('proc');

/** Undefined for one that is not to be copied: of its steps some are its own, or the runtime's. */
function kindOf(kinds: Map<string, Kind>, entry: Entry): Kind | undefined {
  if (isSpecial(entry.path) || entry.row.length > MOST_WORDS + 2 || entry.options.copyUp) return undefined;
  const key = `${entry.type} ${entry.isFile} ${entry.row.length} ${entry.options.key}`;
  let kind = kinds.get(key);
  if (kind === undefined) kinds.set(key, (kind = { like: entry, rows: [] }));
  return kind;
}

/** An entry that stands for all of its kind: the words of its path come first, then its index and its source. */
function withHoles(entry: Entry): NamedEntry {
  const words = entry.row.length;
  const path = Array.from({ length: words - 2 }, (_, i) => hole(i)).join('/');
  return named({ ...entry, index: hole(words - 2), source: hole(words - 1), path });
}
