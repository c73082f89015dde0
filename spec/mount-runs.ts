// A long list of mounts has few kinds: of neighbours that differ in nothing but their paths the first is looked at, and of the others their paths.
import type { Mount } from './config.ts';

/** Neighbours in mounts[]: of one type, with the same options and without id mappings; or a single mount, of any kind. */
export interface MountRun {
  /** The place of the first in mounts[], and how many there are. */
  readonly first: number;
  readonly count: number;
  /** Their destinations, with NUL between them: absolute paths, but of the first whatever is there. */
  readonly destinations: string;
}

/** Fewer mounts are looked at one by one. */
export const FEW_MOUNTS = 24;

const known = new WeakMap<readonly Mount[], readonly MountRun[]>();

/** A list in runs, in order; also one that the schema has not seen yet. */
export function mountRuns(mounts: readonly Mount[]): readonly MountRun[] {
  let runs = known.get(mounts);
  if (runs === undefined) known.set(mounts, (runs = findRuns(mounts)));
  return runs;
}

/** The mounts whose destination has this text in it. */
export function mountsWith(mounts: readonly Mount[] | undefined, text: string): readonly Mount[] {
  const found: Mount[] = [];
  if (mounts === undefined) return found;
  for (const { first, count, destinations } of mountRuns(mounts)) {
    if (!destinations.includes(text)) continue;
    for (let i = first; i < first + count; i++) if (mounts[i]!.destination.includes(text)) found.push(mounts[i]!);
  }
  return found;
}

/** Whether paths, with NUL between them, are written plainly: from the root, without `.`, `..` or a slash too many. */
export const arePlain = (paths: string): boolean =>
  paths.startsWith('/') && !paths.includes('/.') && !paths.includes('//') && !paths.includes('/\0') && !paths.endsWith('/');

function findRuns(mounts: readonly Mount[]): readonly MountRun[] {
  const runs: MountRun[] = [];
  for (let first = 0; first < mounts.length;) {
    const paths = mounts.length < FEW_MOUNTS ? [] : alikeFrom(mounts, first);
    const destinations = paths.join('\0');
    const count = Math.max(1, paths.length);
    if (count > 1 && areAbsolute(destinations, count)) runs.push({ first, count, destinations });
    else for (let i = first; i < first + count; i++) runs.push({ first: i, count: 1, destinations: textOf(mounts[i]?.destination) });
    first += count;
  }
  return runs;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Whether all of so many texts but the first begin with a slash, and none has a NUL: there are those between them alone. */
const areAbsolute = (texts: string, count: number): boolean => texts.split('\0').length === count && texts.split('\0/').length === count;

type Unchecked = Partial<Readonly<Record<keyof Mount, unknown>>>;

/** The destinations of a mount and of those after it that are alike; none if there can be no other like it. */
function alikeFrom(mounts: readonly unknown[], first: number): readonly string[] {
  const paths: string[] = [];
  const one = mounts[first] as Unchecked | null;
  if (typeof one !== 'object' || one === null) return paths;
  const { type, options, source } = one;
  for (let i = first; i < mounts.length; i++) {
    const other = mounts[i] as Unchecked | null;
    if (other === null || typeof other !== 'object' || other.type !== type || other.uidMappings !== undefined || other.gidMappings !== undefined) break;
    const { destination } = other;
    if (typeof destination !== 'string' || !areSame(other.options, options) || (other.source !== source && !isSource(other.source))) break;
    paths.push(destination);
  }
  return paths;
}

const isSource = (value: unknown): boolean => typeof value === 'string' && value !== '' && !value.includes('\0');

function areSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
