// A bundle as it lies on disk: config.json read, checked and located, rootfs found (bundle.md).
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { checkConfig } from '../../spec/check.ts';
import type { Config } from '../../spec/config.ts';
import { decodeConfig, JsonError, locate, parseJson } from '../../spec/json.ts';
import type { Issue } from '../../spec/validate.ts';
import { RuntimeError } from '../errors.ts';

export interface Bundle {
  /** Absolute directory. */
  readonly path: string;
  /** Absolute rootfs directory. */
  readonly rootfs: string;
  readonly config: Config;
  /** config.json byte for byte. */
  readonly bytes: Uint8Array;
  /** `config.json:57:21` for a JSON pointer. */
  readonly position: (pointer: string) => string;
}

const LARGEST_CONFIG = 64 << 20;
const O_NONBLOCK = 0o4000;

/** Reads and checks a bundle. Throws RuntimeError with every problem of config.json at once. */
export function readBundle(directory: string): Bundle {
  const path = posix.resolve(directory);
  const bytes = readConfigFile(path);
  const { text, document } = parseConfig(bytes);
  const position = (pointer: string): string => {
    const { line, column } = locate(text, pointer);
    return `config.json:${line}:${column}`;
  };
  const config = checkedConfig(document, position);
  return { path, rootfs: findRootfs(path, config, position), config, bytes, position };
}

/** Text and value. Throws RuntimeError with the place where it stops being JSON. */
export function parseConfig(bytes: Uint8Array): { readonly text: string; readonly document: unknown } {
  try {
    const text = decodeConfig(bytes);
    return { text, document: parseJson(text) };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw new RuntimeError(`config.json is not JSON: ${error.message}`, { position: `config.json:${error.line}:${error.column}` });
  }
}

/** Throws for the errors among the issues; warnings are not for create. */
function checkedConfig(document: unknown, position: (pointer: string) => string): Config {
  const issues = checkConfig(document).filter((issue) => issue.severity === 'error');
  if (issues.length > 0) throw issuesError(issues, position);
  return document as Config;
}

/** More than these nobody reads at once. */
const MOST_SHOWN = 25;
const MOST_OF_ONE_KIND = 4;

/** One error for all issues: the first as the message, the others below it; of a list that is wrong all through only the first few. */
export function issuesError(issues: readonly Issue[], position: (pointer: string) => string): RuntimeError {
  const shown = representatives(issues);
  const [first, ...others] = shown;
  const sentence = (issue: Issue): string => `${issue.expected}: got ${issue.found}`;
  const hidden = issues.length - shown.length;
  return new RuntimeError(hidden > 0 ? `${sentence(first!)} (and ${hidden} more problems than are shown)` : sentence(first!), {
    pointer: first!.pointer,
    position: position(first!.pointer),
    hint: first!.hint,
    more: others.map((issue) => ({ pointer: issue.pointer, message: sentence(issue), position: position(issue.pointer), hint: issue.hint })),
  });
}

function representatives(issues: readonly Issue[]): readonly Issue[] {
  const seen = new Map<string, number>();
  return issues.filter(({ pointer }) => {
    const kind = pointer.replace(/\/\d+(?=\/|$)/g, '/*');
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    return seen.get(kind)! <= MOST_OF_ONE_KIND;
  }).slice(0, MOST_SHOWN);
}

/** The bytes of a bundle’s config.json. Throws RuntimeError. */
export function readConfigFile(bundle: string): Uint8Array {
  const path = `${bundle}/config.json`;
  let fd: number;
  try {
    if (!statSync(bundle).isDirectory()) throw new RuntimeError(`bundle ${bundle} is not a directory`);
    fd = openSync(path, 0 | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof RuntimeError) throw error;
    if (code === 'ENOENT') throw new RuntimeError(`JSON specification file config.json not found in ${bundle}`, { errno: code, hint: '--bundle names the directory that holds config.json' });
    throw new RuntimeError(`cannot open ${path}: ${code}`, { errno: code });
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) throw new RuntimeError(`${path} is not a regular file`);
    if (status.size > LARGEST_CONFIG) throw new RuntimeError(`${path} is larger than 64 MiB`, { hint: 'is this really a config.json?' });
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** root.path: relative to the bundle; a directory, and no symlink (as runc, so that nobody is led elsewhere). */
/** Absolute. */
export function findRootfs(bundle: string, config: Config, position: (pointer: string) => string): string {
  // Finding a line parses the whole document again: only for an error.
  const where = (): { pointer: string; position: string } => ({ pointer: '/root/path', position: position('/root/path') });
  const given = config.root?.path;
  if (!given) throw new RuntimeError('root.path: expected the path of the rootfs', { pointer: '/root', position: position('/root') });
  const path = posix.resolve(bundle, given);
  let status;
  try {
    status = lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new RuntimeError(`rootfs (${path}) does not exist`, { ...where(), errno: code, hint: 'root.path is relative to the bundle' });
  }
  if (status.isSymbolicLink()) throw new RuntimeError(`rootfs ${path} is not an absolute path, or a symlink`, { ...where(), hint: 'name the directory itself' });
  if (!status.isDirectory()) throw new RuntimeError(`rootfs ${path} is not a directory`, where());
  return path;
}
