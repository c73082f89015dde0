// What the executable has in place of node:fs, whose loading costs 1 ms of every call: the same names and meanings, by
// system calls. native/build/build.sh exchanges the one for the other; the Node build keeps its own. What a verb calls
// before it needs koffi, and what is rare, goes to the engine's own module.
import type * as fs from 'node:fs';
import { errnoName, errnoText } from '../linux/errno.ts';
import { isLoaded } from '../linux/koffi.ts';
import { call, text, utf8 } from '../linux/syscalls.ts';

type Fs = typeof fs;
type Path = string | Buffer | URL;

// Not process.getBuiltinModule: that loads node:module as well.
const whole = (): Fs => (import.meta as unknown as { require(name: string): Fs }).require('node:fs');

const ENOENT = 2;
const ENOTDIR = 20;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const AT_REMOVEDIR = 0x200;
const O_CLOEXEC = 0o2000000;
const O_DIRECTORY = 0o200000;
const O_NOFOLLOW = 0o400000;

export const constants = {
  F_OK: 0, X_OK: 1, W_OK: 2, R_OK: 4, O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 0o100, O_EXCL: 0o200, O_NOCTTY: 0o400, O_TRUNC: 0o1000, O_APPEND: 0o2000, O_NONBLOCK: 0o4000, O_DIRECTORY, O_NOFOLLOW,
} as const;

/** As node:fs throws: code, errno, syscall and path. */
function checked(result: number, syscall: string, path?: Path): number {
  if (result >= 0) return result;
  const code = errnoName(-result);
  const error = new Error(`${code}: ${errnoText(code)}, ${syscall}${path === undefined ? '' : ` '${String(path)}'`}`);
  throw Object.assign(error, { code, errno: result, syscall, ...(path === undefined ? {} : { path: String(path) }) });
}

const flagNumbers: Readonly<Record<string, number>> = { r: 0, 'r+': 2, w: 0o1101, wx: 0o1301, 'w+': 0o1102, 'wx+': 0o1302, a: 0o2101, ax: 0o2301, 'a+': 0o2102 };

function name(path: Path): Buffer {
  const plain = String(path);
  if (plain.includes('\0')) throw Object.assign(new Error('a path must not contain NUL'), { code: 'ERR_INVALID_ARG_VALUE' });
  return text(plain);
}

export function openSync(path: Path, flags: string | number = 'r', mode = 0o666): number {
  if (!isLoaded()) return whole().openSync(path, flags, mode);
  const number = typeof flags === 'number' ? flags : flagNumbers[flags]!;
  return checked(call('openat', AT_FDCWD, name(path), number | O_CLOEXEC, mode), 'open', path);
}

export function closeSync(fd: number): void {
  if (!isLoaded()) whole().closeSync(fd);
  else checked(call('close', fd), 'close');
}

export function readSync(fd: number, buffer: Uint8Array, offset = 0, length = buffer.byteLength - offset, position: number | null = null): number {
  if (!isLoaded()) return whole().readSync(fd, buffer, offset, length, position);
  const bytes = buffer.subarray(offset, offset + length);
  if (bytes.length === 0) return 0;
  return checked(position === null ? call('read', fd, bytes, bytes.length) : call('pread64', fd, bytes, bytes.length, position), 'read');
}

export function writeSync(fd: number, data: string | Uint8Array): number {
  if (!isLoaded()) return typeof data === 'string' ? whole().writeSync(fd, data) : whole().writeSync(fd, data);
  const bytes = typeof data === 'string' ? utf8(data) : data;
  return bytes.length === 0 ? 0 : checked(call('write', fd, bytes, bytes.length), 'write');
}

export function readFileSync(file: Path | number): Buffer;
export function readFileSync(file: Path | number, encoding: BufferEncoding): string;
export function readFileSync(file: Path | number, encoding?: BufferEncoding): Buffer | string {
  if (!isLoaded()) return encoding === undefined ? whole().readFileSync(file) : whole().readFileSync(file, encoding);
  const fd = typeof file === 'number' ? file : openSync(file);
  try {
    let bytes = Buffer.allocUnsafe(8192);
    let length = 0;
    for (;;) {
      const got = checked(call('read', fd, bytes.subarray(length), bytes.length - length), 'read');
      if (got === 0) break;
      length += got;
      if (length < bytes.length) continue;
      // A small file fits at once; of another the size is asked, which files of /proc do not tell.
      const size = length === 8192 ? fstatSync(fd).size : 0;
      const larger = Buffer.allocUnsafe(size > length ? size + 1 : bytes.length * 4);
      larger.set(bytes);
      bytes = larger;
    }
    const content = bytes.subarray(0, length);
    return encoding === undefined ? content : content.toString(encoding);
  } finally {
    if (typeof file !== 'number') closeSync(fd);
  }
}

export function writeFileSync(path: Path, data: string | Uint8Array, options: { readonly mode?: number; readonly flag?: string } | BufferEncoding = {}): void {
  if (!isLoaded()) return whole().writeFileSync(path, data, options);
  const { mode = 0o666, flag = 'w' } = typeof options === 'string' ? {} : options;
  const fd = openSync(path, flag, mode);
  try {
    const bytes = typeof data === 'string' ? utf8(data) : data;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes.subarray(at));
  } finally {
    closeSync(fd);
  }
}

export function existsSync(path: Path): boolean {
  return isLoaded() ? call('faccessat2', AT_FDCWD, name(path), 0, 0) === 0 : whole().existsSync(path);
}

export function accessSync(path: Path, mode = 0): void {
  if (!isLoaded()) whole().accessSync(path, mode);
  else checked(call('faccessat2', AT_FDCWD, name(path), mode, 0), 'access', path);
}

/** The members of node:fs's Stats that runt reads. */
export interface Stats {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly dev: number;
  readonly ino: number;
  readonly nlink: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
  isSocket(): boolean;
  isFIFO(): boolean;
  isCharacterDevice(): boolean;
  isBlockDevice(): boolean;
}

const BASIC = 0x7ff; // STATX_BASIC_STATS

/** Struct statx, read as it is asked: a bundle has many sources, and of each only the kind of file matters. */
class StatxStats implements Stats {
  readonly #bytes: Buffer;
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  get nlink(): number { return this.#bytes.readUInt32LE(16); }
  get uid(): number { return this.#bytes.readUInt32LE(20); }
  get gid(): number { return this.#bytes.readUInt32LE(24); }
  get mode(): number { return this.#bytes.readUInt16LE(28); }
  get ino(): number { return Number(this.#bytes.readBigUInt64LE(32)); }
  get size(): number { return Number(this.#bytes.readBigUInt64LE(40)); }
  get ctimeMs(): number { return Number(this.#bytes.readBigInt64LE(96)) * 1000 + this.#bytes.readUInt32LE(104) / 1e6; }
  get mtimeMs(): number { return Number(this.#bytes.readBigInt64LE(112)) * 1000 + this.#bytes.readUInt32LE(120) / 1e6; }
  get dev(): number { return this.#bytes.readUInt32LE(136) * 0x10_0000 + this.#bytes.readUInt32LE(140); }
  #is(format: number): boolean { return (this.mode & 0o170000) === format; }
  isDirectory(): boolean { return this.#is(0o040000); }
  isFile(): boolean { return this.#is(0o100000); }
  isSymbolicLink(): boolean { return this.#is(0o120000); }
  isSocket(): boolean { return this.#is(0o140000); }
  isFIFO(): boolean { return this.#is(0o010000); }
  isCharacterDevice(): boolean { return this.#is(0o020000); }
  isBlockDevice(): boolean { return this.#is(0o060000); }
}

interface Lenient {
  readonly throwIfNoEntry?: boolean;
}

function statPath(path: Path, flags: number, syscall: 'stat' | 'lstat', options: Lenient): Stats | undefined {
  if (!isLoaded()) return whole()[`${syscall}Sync`](path, options as Record<string, never>);
  const bytes = Buffer.alloc(256);
  const result = call('statx', AT_FDCWD, name(path), flags, BASIC, bytes);
  if (options.throwIfNoEntry === false && (result === -ENOENT || result === -ENOTDIR)) return undefined; // an error made to be caught costs 0.02 ms
  checked(result, syscall, path);
  return new StatxStats(bytes);
}

export const statSync = (path: Path, options: Lenient = {}): Stats | undefined => statPath(path, 0, 'stat', options);
export const lstatSync = (path: Path, options: Lenient = {}): Stats | undefined => statPath(path, AT_SYMLINK_NOFOLLOW, 'lstat', options);
export const fstatSync = (fd: number): Stats => {
  if (!isLoaded()) return whole().fstatSync(fd);
  const bytes = Buffer.alloc(256);
  checked(call('statx', fd, name(''), AT_EMPTY_PATH, BASIC, bytes), 'fstat');
  return new StatxStats(bytes);
};

export function mkdirSync(path: Path, options: { readonly recursive?: boolean; readonly mode?: number } | number = {}): void {
  if (!isLoaded()) return void whole().mkdirSync(path, options);
  const { recursive = false, mode = 0o777 } = typeof options === 'number' ? { mode: options } : options;
  const result = call('mkdirat', AT_FDCWD, name(path), mode);
  if (!recursive || result >= 0) return void checked(result, 'mkdir', path);
  const parent = String(path).replace(/\/+[^/]*\/*$/, '');
  if (errnoName(-result) === 'ENOENT' && parent !== '' && parent !== String(path)) {
    mkdirSync(parent, options);
    return mkdirSync(path, options);
  }
  if (errnoName(-result) !== 'EEXIST' || statSync(path)?.isDirectory() !== true) checked(result, 'mkdir', path);
}

/** statfs(2): the type alone, which is all that runt asks. */
export function statfsSync(path: Path): { readonly type: number } {
  if (!isLoaded()) return whole().statfsSync(path);
  const bytes = Buffer.alloc(120);
  checked(call('statfs', name(path), bytes), 'statfs', path);
  return { type: Number(bytes.readBigInt64LE(0)) };
}

export function rmdirSync(path: Path): void {
  if (!isLoaded()) whole().rmdirSync(path);
  else checked(call('unlinkat', AT_FDCWD, name(path), AT_REMOVEDIR), 'rmdir', path);
}

export function unlinkSync(path: Path): void {
  if (!isLoaded()) whole().unlinkSync(path);
  else checked(call('unlinkat', AT_FDCWD, name(path), 0), 'unlink', path);
}

export function renameSync(from: Path, to: Path): void {
  if (!isLoaded()) whole().renameSync(from, to);
  else checked(call('renameat2', AT_FDCWD, name(from), AT_FDCWD, name(to), 0), 'rename', from);
}

export function readlinkSync(path: Path): string {
  if (!isLoaded()) return whole().readlinkSync(path);
  const bytes = Buffer.alloc(4096);
  return bytes.toString('utf8', 0, checked(call('readlinkat', AT_FDCWD, name(path), bytes, bytes.length), 'readlink', path));
}

/** The members of node:fs's Dirent that runt reads. */
export interface Dirent {
  readonly name: string;
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
}

function entries(path: Path): Dirent[] {
  const fd = checked(call('openat', AT_FDCWD, name(path), O_DIRECTORY | O_CLOEXEC, 0), 'scandir', path);
  const found: Dirent[] = [];
  const bytes = Buffer.alloc(16384);
  try {
    for (let length = checked(call('getdents64', fd, bytes, bytes.length), 'scandir', path); length > 0; length = checked(call('getdents64', fd, bytes, bytes.length), 'scandir', path)) {
      for (let at = 0; at < length; at += bytes.readUInt16LE(at + 16)) {
        const type = bytes[at + 18];
        const word = bytes.toString('utf8', at + 19, bytes.indexOf(0, at + 19));
        if (word !== '.' && word !== '..') found.push({ name: word, isDirectory: () => type === 4, isFile: () => type === 8, isSymbolicLink: () => type === 10 });
      }
    }
  } finally {
    closeSync(fd);
  }
  return found;
}

export function readdirSync(path: Path): string[];
export function readdirSync(path: Path, options: { readonly withFileTypes: true }): Dirent[];
export function readdirSync(path: Path, options?: { readonly withFileTypes: true }): string[] | Dirent[] {
  if (!isLoaded()) return options === undefined ? whole().readdirSync(path) : whole().readdirSync(path, options);
  const all = entries(path);
  return options === undefined ? all.map((entry) => entry.name) : all;
}

export function rmSync(path: Path, options: { readonly recursive?: boolean; readonly force?: boolean } = {}): void {
  if (!isLoaded()) return whole().rmSync(path, options);
  const result = call('unlinkat', AT_FDCWD, name(path), 0);
  if (result >= 0 || (options.force === true && errnoName(-result) === 'ENOENT')) return;
  if (options.recursive !== true || errnoName(-result) !== 'EISDIR') return void checked(result, 'rm', path);
  try {
    for (const entry of entries(path)) rmSync(`${String(path)}/${entry.name}`, options);
    rmdirSync(path);
  } catch (error) {
    // Another process removes the same directory: a container is deleted while its `run` ends.
    if (options.force !== true || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

const rare = <Name extends 'chmodSync' | 'chownSync' | 'copyFileSync' | 'mkdtempSync' | 'symlinkSync' | 'realpathSync' | 'appendFileSync' | 'fchmodSync' | 'fchownSync' | 'ftruncateSync' | 'watch'>(key: Name): Fs[Name] =>
  ((...args: unknown[]) => (whole()[key] as (...all: unknown[]) => unknown)(...args)) as unknown as Fs[Name];

export const chmodSync = rare('chmodSync');
export const chownSync = rare('chownSync');
export const copyFileSync = rare('copyFileSync');
export const mkdtempSync = rare('mkdtempSync');
export const symlinkSync = rare('symlinkSync');
export const realpathSync = rare('realpathSync');
export const appendFileSync = rare('appendFileSync');
export const fchmodSync = rare('fchmodSync');
export const fchownSync = rare('fchownSync');
export const ftruncateSync = rare('ftruncateSync');
export const watch = rare('watch');
