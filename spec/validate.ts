// Schema errors → issues in plain words: where, what was found, what was expected.
import type { Mount } from './config.ts';
import { mountRuns } from './mount-runs.ts';
import { validate, type SchemaError } from './validator.generated.js';

export interface Issue {
  /** JSON pointer. */
  readonly pointer: string;
  readonly found: string;
  readonly expected: string;
  readonly hint?: string;
  readonly severity: 'error' | 'warning';
}

/** All that the schema has against a document. */
export function validateConfig(document: unknown): readonly Issue[] {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return [{ pointer: '', found: show(document), expected: document === null ? 'config cannot be null' : 'an object', severity: 'error' }];
  }
  if (validate(withFewerMounts(document)) || validate(document)) return [];
  return (validate.errors ?? []).filter(({ keyword }) => keyword !== 'anyOf').map((error) => issueOf(error, valueAt(document, error.instancePath)));
}

/** Of mounts that are alike only the first: the schema has nothing else to say of the others, whose paths have been looked at. */
function withFewerMounts(document: object): object {
  const { mounts } = document as { readonly mounts?: unknown };
  if (!Array.isArray(mounts)) return document;
  const runs = mountRuns(mounts as Mount[]);
  return runs.length === mounts.length ? document : { ...document, mounts: runs.map(({ first }) => (mounts as unknown[])[first]) };
}

/** The value a JSON pointer names (RFC 6901). */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const word of pointer.split('/').slice(1)) value = (value as Record<string, unknown> | undefined)?.[word.replace(/~1/g, '/').replace(/~0/g, '~')];
  return value;
}

function issueOf(error: SchemaError, data: unknown): Issue {
  const issue = { pointer: error.instancePath, found: show(data), severity: 'error' as const };
  const { params } = error;
  switch (error.keyword) {
    case 'required': {
      const missing = String(params['missingProperty']);
      const near = nearest(missing, Object.keys(data as object));
      return { ...issue, found: 'nothing', expected: `${missing} is required`, ...(near === undefined ? {} : { hint: `"${near}" is there: did you mean "${missing}"?` }) };
    }
    case 'enum': {
      const allowed = params['allowedValues'] as readonly string[];
      const near = nearest(String(data), allowed);
      return { ...issue, expected: `must be one of ${allowed.map((value) => JSON.stringify(value)).join(', ')}`, ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }) };
    }
    case 'type': return { ...issue, expected: `must be ${article(String(params['type']))}` };
    case 'minimum': return { ...issue, expected: `must be at least ${String(params['limit'])}` };
    case 'maximum': return { ...issue, expected: `must be at most ${String(params['limit'])}` };
    case 'minItems': return { ...issue, expected: 'must not be empty' };
    case 'pattern': return { ...issue, expected: patternWords(String(params['pattern'])) };
    case 'wideInteger': return { ...issue, expected: 'must be a 64-bit integer' };
    default: return { ...issue, expected: error.keyword };
  }
}

const article = (type: string): string => (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`);

function patternWords(pattern: string): string {
  if (pattern.startsWith('^/')) return 'must be an absolute path without NUL';
  if (pattern.startsWith('^1')) return 'must be a version 1.x.y of the runtime-spec';
  if (pattern.startsWith('^RLIMIT')) return 'must be a resource of setrlimit(2), as RLIMIT_NOFILE';
  if (pattern.startsWith('^[rwm]')) return 'must be made of r, w and m';
  if (pattern.startsWith('^[1-9]')) return 'must be a size as 2MB or 1GB';
  return 'must not be empty and must not contain NUL';
}

const LONGEST_SHOWN = 60;

/** A value in short. */
export function show(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? String(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

/** The candidate nearest to a word, when it is near enough to be a slip of the hand. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let least = Math.min(3, Math.ceil(word.length / 3) + 1);
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
