// The library that writes copies (copies.c), loaded for the first program that has some.
import type { WriteCopies } from '../../src/program/copies.ts';
import { installDirectory, loadLibrary, type ForeignFunction } from '../linux/koffi.ts';

let write: ForeignFunction | undefined;

/** As src/program/copies.ts, where it is done in TypeScript. Throws when dist/ has no such library. */
export const writeCopies: WriteCopies = (image, plan, patterns, words) => {
  write ??= loadLibrary(`${installDirectory}/runt-copies.so`).func('runt_write_copies', 'ulong', ['void *', 'void *', 'void *', 'void *']);
  const end = Number(write(image ?? null, bytesOf(plan), patterns, words));
  if (end === 0) throw new Error('copies: more texts than there is room for');
  return end;
};

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
