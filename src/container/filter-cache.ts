// Compiled seccomp filters by content: libseccomp needs 8 ms for a profile like Docker's, a hit a fraction of one.
import { closeSync, constants, existsSync, fstatSync, lstatSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync, writeFileSync, type Stats } from 'node:fs';
import type { Seccomp } from '../../spec/config.ts';
import { compileSeccomp, type CompiledFilter } from '../bpf/seccomp.ts';
import { libseccompFiles } from '../../native/linux/libseccomp-file.ts';
import { utf8 } from '../../native/linux/syscalls.ts';

/*
 * A file: HEAD bytes (magic, u32 lengths of input, unknown and filter, u32 flags, u32 newListener), the input, the
 * unknown names as JSON, the filter, the filter again. The input is everything the filter depends on. Two copies take
 * the place of a checksum: comparing memory costs nothing, and a torn or rotten file shows all the same.
 */
const MAGIC = 'runtflt3'; // another layout or another compiler gets another number: old files are never read
const HEAD = 28;
/** The length of `[]`. */
const NONE = 2;
/** No filter comes near it; what is larger is not ours. */
const LARGEST_FILE = 16 << 20;
/** Profiles differ by image and rights; more than these and the cache starts again. */
const MOST_FILES = 128;

/**
 * The filter of a profile, from the cache in `directory` when that holds the very same input. Directory and files must
 * be the caller's own and closed to others. A cache that cannot be used is never an error: the filter is compiled.
 * Throws RuntimeError as compileSeccomp does.
 */
export function cachedFilter(seccomp: Seccomp, directory: string): CompiledFilter {
  const stamp = libraryStamp();
  if (stamp === undefined) return compileSeccomp(seccomp); // a library whose changes would go unseen
  const input = utf8(`${process.arch}\0${stamp}\0${textOf(seccomp)}`);
  const path = `${directory}/${hash(input).toString(16)}-${input.length}`;
  const hit = readEntry(directory, path, input);
  if (hit !== undefined) return hit;
  const compiled = compileSeccomp(seccomp);
  store(directory, path, input, compiled);
  return compiled;
}

/** JSON; with a function for the values it takes three times as long, so only where a number beyond 2^53 asks for it. */
function textOf(seccomp: Seccomp): string {
  try {
    return JSON.stringify(seccomp);
  } catch {
    return JSON.stringify(seccomp, (_key, value: unknown) => (typeof value === 'bigint' ? { integer: `${value}` } : value));
  }
}

/** Another libseccomp may compile otherwise, and loading it to ask costs what the cache saves: its file tells it apart. */
function libraryStamp(): string | undefined {
  for (const file of libseccompFiles) {
    const status = statSync(file, { throwIfNoEntry: false });
    if (status !== undefined) return `${file}:${status.dev}:${status.ino}:${status.size}:${status.mtimeMs}:${status.ctimeMs}`;
  }
  return undefined;
}

declare const Bun: { readonly hash: { xxHash32(bytes: Uint8Array): number } } | undefined;

/**
 * 32 bits: a name, not a proof, since the input is compared byte by byte. node:crypto would cost more than a millisecond
 * to load in either engine, and this loop a quarter of one in Bun, whose own hash takes 0.02 ms. So the two engines have
 * files of their own.
 */
function hash(bytes: Buffer): number {
  if (typeof Bun !== 'undefined') return Bun.hash.xxHash32(bytes);
  // FNV-1a over words: whole ones from a copy, since a Buffer may begin anywhere, then the bytes that are left.
  const whole = bytes.length & ~3;
  let state = 0x811c9dc5;
  const words = new Int32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + whole));
  for (let i = 0; i < words.length; i++) state = Math.imul(state ^ words[i]!, 0x01000193);
  for (let i = whole; i < bytes.length; i++) state = Math.imul(state ^ bytes[i]!, 0x01000193);
  return state >>> 0;
}

const isOurs = ({ uid, mode }: Stats): boolean => uid === process.geteuid!() && (mode & 0o077) === 0;

function isSafe(directory: string): boolean {
  const status = lstatSync(directory, { throwIfNoEntry: false });
  return status !== undefined && status.isDirectory() && isOurs(status);
}

function readEntry(directory: string, path: string, input: Buffer): CompiledFilter | undefined {
  let fd = -1;
  try {
    if (!isSafe(directory)) return undefined;
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const status = fstatSync(fd);
    if (!status.isFile() || !isOurs(status) || status.size < HEAD || status.size > LARGEST_FILE) return undefined;
    const bytes = Buffer.allocUnsafe(status.size);
    if (readSync(fd, bytes, 0, bytes.length, 0) !== bytes.length) return undefined;
    return parseEntry(bytes, input);
  } catch {
    return undefined;
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

function parseEntry(bytes: Buffer, input: Buffer): CompiledFilter | undefined {
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  const inputEnd = HEAD + bytes.readUInt32LE(8);
  const unknownEnd = inputEnd + bytes.readUInt32LE(12);
  const filterEnd = unknownEnd + bytes.readUInt32LE(16);
  if (bytes.length !== filterEnd + (filterEnd - unknownEnd) || filterEnd === unknownEnd) return undefined;
  if (!bytes.subarray(HEAD, inputEnd).equals(input)) return undefined;
  const filter = bytes.subarray(unknownEnd, filterEnd);
  if (!filter.equals(bytes.subarray(filterEnd))) return undefined;
  return { filter, flags: bytes.readUInt32LE(20), newListener: bytes.readUInt32LE(24) === 1, unknown: unknownEnd - inputEnd === NONE ? [] : (JSON.parse(bytes.toString('utf8', inputEnd, unknownEnd)) as string[]) };
}

function formatEntry(input: Buffer, { filter, flags, newListener, unknown }: CompiledFilter): Buffer {
  const names = Buffer.from(JSON.stringify(unknown));
  const head = Buffer.alloc(HEAD);
  head.write(MAGIC);
  [input.length, names.length, filter.length, flags, newListener ? 1 : 0].forEach((value, i) => head.writeUInt32LE(value >>> 0, 8 + 4 * i));
  return Buffer.concat([head, input, names, filter, filter]);
}

/** Beside, then renamed: a reader sees a whole file or none. */
function store(directory: string, path: string, input: Buffer, compiled: CompiledFilter): void {
  const beside = `${path}.${process.pid}`;
  try {
    if (!existsSync(directory)) mkdirSync(directory, 0o700); // not recursive: Node never returns from that below /proc
    if (!isSafe(directory)) return;
    makeRoom(directory);
    writeFileSync(beside, formatEntry(input, compiled), { flag: 'wx', mode: 0o600 });
    renameSync(beside, path);
  } catch {
    try {
      rmSync(beside, { force: true });
    } catch {
      // a file system that refuses everything
    }
  }
}

function makeRoom(directory: string): void {
  const names = readdirSync(directory);
  if (names.length >= MOST_FILES) for (const name of names) rmSync(`${directory}/${name}`, { force: true });
}
