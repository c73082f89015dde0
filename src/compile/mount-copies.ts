// A long list of mounts has few kinds of them: each kind is compiled once, with holes for what differs, and copied for every mount.
import { Rows } from '../program/rows.ts';
import type { Copies, Step, Template } from '../program/step.ts';
import { hole } from '../program/template.ts';
import type { Context } from './context.ts';
import { isSpecial, named, type Entry, type NamedEntry } from './mount-entry.ts';
import { addRows, entriesOf, entryRuns } from './mount-list.ts';
import type { EntryRun } from './mount-parents.ts';

/** Words of a path for which there are holes besides those of the index and the source (template.ts). */
const MOST_WORDS = 8;

/** Fewer are compiled one by one: a template takes as long to make and to encode as twenty to forty mounts, by how many steps each has. */
const FEW_OF_A_KIND = 24;

/** The steps of each entry of mounts, in order. */
export function stepsOrCopies(context: Context, steps: (entry: NamedEntry) => readonly Step[]): readonly (Step | Copies)[] {
  const all: (Step | Copies)[] = [];
  const templates = new Map<Kind, Template>();
  for (const { kind, runs, row, count } of piecesOf(context)) {
    if (kind === undefined || kind.rows.length < FEW_OF_A_KIND) {
      for (const run of runs) for (const entry of entriesOf(context, run)) for (const step of steps(named(entry))) all.push(step);
      continue;
    }
    let template = templates.get(kind);
    if (template === undefined) templates.set(kind, (template = { steps: steps(withHoles(kind.like)), first: steps(named(kind.like)) }));
    if (template.steps.length > 0) all.push({ template, rows: kind.rows, from: row, to: row + count });
  }
  return all;
}

/** All entries whose steps are the same but for what fills the holes. */
interface Kind {
  /** That of the first row. */
  readonly like: Entry;
  readonly rows: Rows;
}

/** Neighbours of one kind, or of none: how many, and where among the kind's rows the first is. */
interface Piece {
  readonly kind: Kind | undefined;
  readonly runs: EntryRun[];
  readonly row: number;
  count: number;
}

const known = new WeakMap<readonly EntryRun[], readonly Piece[]>();

function piecesOf(context: Context): readonly Piece[] {
  const runs = entryRuns(context);
  let pieces = known.get(runs);
  if (pieces === undefined) known.set(runs, (pieces = (context.config.mounts ?? []).length < FEW_OF_A_KIND ? [{ kind: undefined, runs: [...runs], row: 0, count: 0 }] : findPieces(context, runs)));
  return pieces;
}

function findPieces(context: Context, runs: readonly EntryRun[]): readonly Piece[] {
  const pieces: Piece[] = [];
  const kinds = new Map<string, Kind>();
  let piece: Piece | undefined;
  for (const run of runs) {
    const kind = kindOf(kinds, run.entry);
    if (piece === undefined || kind !== piece.kind) pieces.push((piece = { kind, runs: [], row: kind?.rows.length ?? 0, count: 0 }));
    piece.runs.push(run);
    piece.count += run.count;
    if (kind !== undefined) addRows(context, run, kind.rows);
  }
  return pieces;
}

/** Undefined for one that is not to be copied: of its steps some are its own, or the runtime's. */
function kindOf(kinds: Map<string, Kind>, entry: Entry): Kind | undefined {
  const { type, isFile, path, depth, parent = '', isParent, options } = entry;
  if (isSpecial(path) || depth > MOST_WORDS || options.copyUp || isParent) return undefined;
  const key = `${type} ${isFile} ${depth} ${parent} ${options.key}`;
  let kind = kinds.get(key);
  if (kind === undefined) kinds.set(key, (kind = { like: entry, rows: new Rows(depth) }));
  return kind;
}

/** An entry that stands for all of its kind: the words of its path come first, then its index and its source. */
function withHoles(entry: Entry): NamedEntry {
  const { depth } = entry;
  const path = Array.from({ length: depth }, (_, i) => hole(i)).join('/');
  return named({ ...entry, index: hole(depth), source: hole(depth + 1), path });
}
