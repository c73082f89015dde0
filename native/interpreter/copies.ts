// The library that writes copies (copies.c), loaded for the first program that has some.
import { writeCopies as slowly, type WriteCopies } from '../../src/program/copies.ts';
import { installDirectory, loadLibrary, type ForeignFunction } from '../linux/koffi.ts';

let write: ForeignFunction | undefined;

/**
 * As src/program/copies.ts, but 0 where the library cannot: it has room for sixty texts in a copy. `fd`: a file that is mapped, shared, as `mapped`: the
 * records of an image that begins there go through it. Throws when dist/ has no such library.
 */
export const libraryCopies = (fd: number, mapped?: Buffer): WriteCopies => (image, plan, patterns, words) => {
  write ??= loadLibrary(`${installDirectory}/runt-copies.so`).func('runt_write_copies', 'ulong', ['void *', 'void *', 'void *', 'void *', 'int']);
  const isMapped = image !== undefined && image.buffer === mapped?.buffer && image.byteOffset === mapped.byteOffset;
  return Number(write(image ?? null, bytesOf(plan), patterns, words, isMapped ? fd : -1));
};

/** The same, in TypeScript where the library cannot: for mounts with dozens of options. */
export function copiesInto(fd: number, mapped?: Buffer): WriteCopies {
  const quickly = libraryCopies(fd, mapped);
  return (...all) => quickly(...all) || slowly(...all);
}

/** Into memory alone. */
export const writeCopies = copiesInto(-1);

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
