// A program file: written once, mapped shared by the runtime and the interpreter, read again by `trace`.
import { closeSync, openSync, writeSync } from 'node:fs';
import { errnoName } from '../../native/linux/errno.ts';
import { mapFile, mappedBytes } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import { openImage, type Image } from '../program/decode.ts';
import { encodeProgram, encodeWithNames, type EncodeOptions } from '../program/encode.ts';
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
    const { bytes: image, slotNames } = encodeWithNames(program, { ...options, base });
    const fd = path === undefined ? memoryFile('runt-program') : openSync(path, 'w+', 0o600);
    try {
      // A short write, and a full disk: what is missing would be a SIGBUS later.
      if (writeSync(fd, image) !== image.length) throw new RuntimeError(`cannot write ${path ?? 'the program'}: ENOSPC`, { errno: 'ENOSPC', hint: 'the file system of the state directory is full' });
      const result = mapFile(fd, base, image.length);
      if (result === 0) return { image: openImage(mappedBytes(base, image.length), slotNames)!, fd };
      if (result !== -EEXIST || attempt === ATTEMPTS) {
        throw new RuntimeError(`mmap(${path ?? 'program'}): ${errnoName(-result)}`, { errno: errnoName(-result) });
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
  }
}

/** Encodes a program in memory only, for `explain`. */
export function imageOf(program: Program, options: EncodeOptions = {}): Image {
  return openImage(Buffer.from(encodeProgram(program, options)))!;
}
