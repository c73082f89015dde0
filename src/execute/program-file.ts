// A program file: written once, mapped shared by the runtime and the interpreter, read again by `trace`.
import { closeSync, openSync } from 'node:fs';
import { copiesInto, writeCopies } from '../../native/interpreter/copies.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, mapFile, mappedBytes } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import { openImage, type Image } from '../program/decode.ts';
import { encodeProgram, encodeWithNames, imageRoom, type EncodeOptions } from '../program/encode.ts';
import { BASE } from '../program/layout.ts';
import type { Program } from '../program/step.ts';
import { memoryFile } from './memory-file.ts';

/** A program that is in memory and in its file at once. */
export interface MappedProgram {
  readonly image: Image;
  readonly fd: number;
}

const EEXIST = 17;
const ATTEMPTS = 8;

/** Encodes a program into a new file (0600), or without a path into memory alone, and maps it. The caller closes the descriptor. Throws RuntimeError. */
export function writeProgram(path: string | undefined, program: Program, options: EncodeOptions): MappedProgram {
  for (let attempt = 0; ; attempt++) {
    const base = BASE + attempt * 0x1_0000_0000;
    const fd = path === undefined ? memoryFile('runt-program') : openSync(path, 'w+', 0o600);
    try {
      const image = encodeInto(fd, path, base, program, options);
      if (image !== undefined) return { image, fd };
      if (attempt === ATTEMPTS) throw new RuntimeError(`mmap(${path ?? 'program'}): EEXIST`, { errno: 'EEXIST' });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
  }
}

/** Straight into the mapped file: a copy of a thousand mounts is two megabytes. Undefined where the address is taken. */
function encodeInto(fd: number, path: string | undefined, base: number, program: Program, options: EncodeOptions): Image | undefined {
  const room = imageRoom(program);
  const memory = mapRoom(fd, path, base, room);
  if (memory === undefined) return undefined;
  const { bytes, slots } = encodeWithNames(program, { ...options, base, memory, writeCopies: copiesInto(fd, memory) });
  if (bytes.buffer === memory.buffer) {
    call('ftruncate', fd, bytes.length);
    return openImage(bytes as Buffer, slots);
  }
  call('munmap', base, room);
  const larger = mapRoom(fd, path, base, bytes.length);
  larger?.set(bytes);
  return larger === undefined ? undefined : openImage(larger, slots);
}

/** The file with so many zeros, mapped. Undefined where the address is taken. */
function mapRoom(fd: number, path: string | undefined, base: number, size: number): Buffer | undefined {
  // Not a hole: on a full disk that would be a SIGBUS later. A file system without fallocate(2) gets zeros written.
  if (call('fallocate', fd, 0, 0, size) < 0 && call('pwrite64', fd, Buffer.alloc(size), size, 0) !== size) {
    throw new RuntimeError(`cannot write ${path ?? 'the program'}: ENOSPC`, { errno: 'ENOSPC', hint: 'the file system of the state directory is full' });
  }
  const result = mapFile(fd, base, size);
  if (result === -EEXIST) return undefined;
  if (result < 0) throw new RuntimeError(`mmap(${path ?? 'program'}): ${errnoName(-result)}`, { errno: errnoName(-result) });
  return mappedBytes(base, size);
}

/** Encodes a program in memory only, for `explain`. */
export function imageOf(program: Program, options: EncodeOptions = {}): Image {
  return openImage(Buffer.from(encodeProgram(program, { ...options, writeCopies })))!;
}
