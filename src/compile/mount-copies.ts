// A long list of mounts has few kinds of them: each kind is compiled once, with holes for what differs, and copied for every mount.
import type { Copy, Step, Template } from '../program/step.ts';
import { hole } from '../program/template.ts';
import { named, type Entry, type NamedEntry } from './mount-entry.ts';

/** Fewer of a kind are not worth a template, which costs half a millisecond to make and to encode: so many mounts save it. */
const FEW = 24;

/** Words of a path for which there are holes besides those of the index and the source (template.ts). */
const MOST_WORDS = 8;

/** The steps of each entry, in order. */
export function stepsOrCopies(entries: readonly Entry[], steps: (entry: NamedEntry) => readonly Step[]): readonly (Step | Copy)[] {
  const all: (Step | Copy)[] = [];
  const members = kindsOf(entries);
  const templates = new Map<Kind, Template>();
  for (let i = 0; i < entries.length; i++) {
    const member = members[i];
    if (member === undefined || member.kind.count < FEW) {
      for (const step of steps(named(entries[i]!))) all.push(step);
      continue;
    }
    const { kind, words } = member;
    let template = templates.get(kind);
    if (template === undefined) templates.set(kind, (template = { steps: steps(withHoles(entries[i]!, words.length)) }));
    if (template.steps.length > 0) all.push({ template, words });
  }
  return all;
}

interface Kind {
  count: number;
}

/** A mount of a kind: what fills the kind's holes. */
interface Member {
  readonly kind: Kind;
  readonly words: readonly string[];
}

const known = new WeakMap<readonly Entry[], readonly (Member | undefined)[]>();

/** Of each entry its kind; undefined where its path decides about its steps, or where some are the runtime's: a copy is all the container's. */
function kindsOf(entries: readonly Entry[]): readonly (Member | undefined)[] {
  let members = known.get(entries);
  if (members !== undefined) return members;
  const kinds = new Map<string, Kind>();
  members = entries.length < FEW ? [] : entries.map(({ type, isBind, isFile, options, path, index, source }) => {
    const words = path.split('/');
    if (path === '' || path === 'dev' || words[0] === 'proc' || words.length > MOST_WORDS || options.copyUp) return undefined;
    words.push(index, source);
    const key = `${type} ${isBind} ${isFile} ${words.length} ${options.key}`;
    let kind = kinds.get(key);
    if (kind === undefined) kinds.set(key, (kind = { count: 0 }));
    kind.count++;
    return { kind, words };
  });
  known.set(entries, members);
  return members;
}

/** An entry that stands for all of its kind: the words of its path come first, then its index and its source. */
function withHoles(entry: Entry, words: number): NamedEntry {
  const path = Array.from({ length: words - 2 }, (_, i) => hole(i)).join('/');
  return named({ ...entry, index: hole(words - 2), source: hole(words - 1), path });
}
