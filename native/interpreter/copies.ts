// The library that writes copies (copies.c), loaded for the first program that has some.
import type { WriteCopies } from '../../src/program/copies.ts';
import { installDirectory, loadLibrary, type ForeignFunction } from '../linux/koffi.ts';

let write: ForeignFunction | undefined;

/**
 * As src/program/copies.ts, where it is done in TypeScript. `fd`: a file that is mapped, shared, as `mapped`: an image that begins there is written through
 * it. Throws when dist/ has no such library.
 */
export const copiesInto = (fd: number, mapped?: Buffer): WriteCopies => (image, plan, patterns, words) => {
  write ??= loadLibrary(`${installDirectory}/runt-copies.so`).func('runt_write_copies', 'ulong', ['void *', 'void *', 'void *', 'void *', 'int']);
  const isMapped = image !== undefined && image.buffer === mapped?.buffer && image.byteOffset === mapped.byteOffset;
  const end = Number(write(image ?? null, bytesOf(plan), patterns, words, isMapped ? fd : -1));
  if (end === 0) throw new Error('copies of a template: more texts than there is room for, paths of other words, or a file that cannot be written');
  return end;
};

/** Into memory alone. */
export const writeCopies = copiesInto(-1);

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
