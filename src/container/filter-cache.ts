// Compiled seccomp filters by content: libseccomp needs 8 ms for Docker's default profile, a hit a fraction of one.
import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Seccomp } from '../../spec/config.ts';
import { compileSeccomp, type CompiledFilter } from '../bpf/seccomp.ts';

const FORMAT = 'runt-filter-2';
const HEAD = 16;

/**
 * The filter of a profile, from the cache when it holds the very same input. The directory and the file must be ours
 * and closed to others; the whole input is stored and compared, so the name need not be a strong hash. A cache that
 * cannot be used is never an error.
 */
export function cachedFilter(seccomp: Seccomp, directory: string): CompiledFilter {
  const input = Buffer.from(`${FORMAT}\0${process.arch}\0${libraryStamp()}\0${JSON.stringify(seccomp, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value))}`);
  const path = `${directory}/${hash(input)}`;
  if (isSafe(directory)) {
    const hit = readEntry(path, input);
    if (hit !== undefined) return hit;
  }
  const compiled = compileSeccomp(seccomp);
  store(directory, path, input, compiled);
  return compiled;
}

const directories = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/usr/lib64', '/lib64', '/usr/lib', '/lib'];

/** Another libseccomp may compile otherwise: its file tells it apart without loading it. */
function libraryStamp(): string {
  for (const directory of directories) {
    const status = statSync(`${directory}/libseccomp.so.2`, { throwIfNoEntry: false });
    if (status !== undefined) return `${status.size}:${status.mtimeMs}`;
  }
  return 'unknown';
}

/** FNV-1a over 32-bit words, twice with different seeds: a name, not a proof. */
function hash(input: Buffer): string {
  let a = 0x811c9dc5;
  let b = 0x1234567;
  for (let i = 0; i + 4 <= input.length; i += 4) {
    const word = input.readInt32LE(i);
    a = Math.imul(a ^ word, 0x01000193);
    b = Math.imul(b ^ (word >>> 7) ^ a, 0x85ebca6b);
  }
  return `${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}-${input.length}`;
}

function isSafe(directory: string): boolean {
  const status = lstatSync(directory, { throwIfNoEntry: false });
  return status !== undefined && status.isDirectory() && status.uid === process.geteuid!() && (status.mode & 0o077) === 0;
}

function readEntry(path: string, input: Buffer): CompiledFilter | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile() || status.uid !== process.geteuid!() || (status.mode & 0o077) !== 0) return undefined;
    const bytes = readFileSync(fd);
    if (bytes.length < HEAD || bytes.readUInt32LE(0) !== input.length || bytes.length !== HEAD + input.length + bytes.readUInt32LE(4)) return undefined;
    if (bytes.compare(input, 0, input.length, HEAD, HEAD + input.length) !== 0) return undefined;
    return { filter: bytes.subarray(HEAD + input.length), flags: bytes.readUInt32LE(8), newListener: bytes.readUInt32LE(12) === 1, unknown: [] };
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function store(directory: string, path: string, input: Buffer, compiled: CompiledFilter): void {
  const beside = `${path}.${process.pid}`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!isSafe(directory)) return;
    const head = Buffer.alloc(HEAD);
    head.writeUInt32LE(input.length, 0);
    head.writeUInt32LE(compiled.filter.length, 4);
    head.writeUInt32LE(compiled.flags, 8);
    head.writeUInt32LE(compiled.newListener ? 1 : 0, 12);
    writeFileSync(beside, Buffer.concat([head, input, compiled.filter]), { flag: 'wx', mode: 0o600 });
    renameSync(beside, path);
  } catch {
    rmSync(beside, { force: true });
  }
}
