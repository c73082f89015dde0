// The bytes of an image as they are written: words at their places, and a data area that grows.
import type { Words } from './step.ts';

/** `protected`, not `#`: an interpreter checks those at every call, 3 % of a program of a thousand mounts. */
export class ImageWriter {
  /** Structures and arrays that steps share are written once. */
  protected readonly shared = new Map<object, number>();
  protected readonly texts = new Map<string, number>();
  /** Where the image will be mapped. */
  protected readonly base: number;
  /** Its upper half; the lower one is 0, so that a word of an address is no double, which is written at half the speed. */
  protected readonly baseHigh: number;
  protected image: Buffer;
  protected words32: Uint32Array;
  /** Where the next text or structure goes. */
  protected end = 0;

  /** `memory` is written as long as it has room: all zero, a whole number of words. */
  constructor(base: number, memory: Buffer) {
    this.base = base;
    this.baseHigh = base / 0x1_0000_0000;
    if (!Number.isInteger(this.baseHigh)) throw new Error('an image lies at a multiple of 4 GiB');
    this.image = memory;
    this.words32 = new Uint32Array(memory.buffer, memory.byteOffset, memory.length >> 2);
  }

  /** A NUL-ended string in the data area; equal strings share their place. */
  protected text(text: string): number {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    const offset = this.end;
    const length = Buffer.byteLength(text);
    if (offset + length >= this.image.length) this.grow(offset + length + 1);
    // All ASCII nearly always, for which the engine has a shorter way.
    this.image.write(text, offset, length === text.length ? 'latin1' : 'utf8');
    this.end = offset + length + 1;
    this.texts.set(text, offset);
    return offset;
  }

  /** Texts that hardly anything else has, each with its NUL; gives how many bytes they are. */
  protected append(texts: string): number {
    const length = Buffer.byteLength(texts);
    const end = this.end + length;
    if (end > this.image.length) this.grow(end);
    this.image.write(texts, this.end, length === texts.length ? 'latin1' : 'utf8');
    this.end = end;
    return length;
  }

  protected member(at: number, size: number, value: number | bigint): void {
    if (size === 8) this.u64(at, value);
    else if (size === 4) this.u32(at, Number(value));
    else if (size === 2) this.image.writeUInt16LE(Number(value) & 0xffff, at);
    else this.image[at] = Number(value);
  }

  protected words(arg: Words): number {
    const known = this.shared.get(arg);
    if (known !== undefined) return known;
    const { words } = arg;
    const vector = this.allocate(8 * (words.length + 1));
    if (words.length > 0) this.vector(vector >> 2, words);
    this.shared.set(arg, vector);
    return vector;
  }

  /** Addresses of words that are written side by side: an environment has up to thousands, and a call for each takes most of what it costs. */
  private vector(at: number, words: readonly string[]): void {
    let offset = this.end;
    const all = `${words.join('\0')}\0`;
    const isAscii = this.append(all) === all.length;
    let place = at;
    for (const word of words) {
      this.words32[place] = offset;
      this.words32[place + 1] = this.baseHigh;
      place += 2;
      offset += 1 + (isAscii ? word.length : Buffer.byteLength(word));
    }
  }

  protected bytes(bytes: Uint8Array): number {
    const offset = this.allocate(bytes.length);
    this.image.set(bytes, offset);
    return offset;
  }

  protected allocate(size: number): number {
    const offset = (this.end + 7) & ~7;
    this.grow(offset + size);
    this.end = offset + size;
    return offset;
  }

  protected grow(size: number): void {
    if (size <= this.image.length) return;
    const larger = Buffer.alloc((Math.max(size, this.image.length * 2) + 7) & ~7);
    larger.set(this.image.subarray(0, this.end));
    this.image = larger;
    this.words32 = new Uint32Array(larger.buffer, larger.byteOffset, larger.length >> 2);
  }

  protected u32(at: number, value: number): void {
    if ((at & 3) === 0) this.words32[at >> 2] = value;
    else this.image.writeUInt32LE(value >>> 0, at);
  }

  protected u64(at: number, value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.image.writeBigUInt64LE(BigInt.asUintN(64, value), at);
      return;
    }
    this.words32[at >> 2] = value;
    this.words32[(at >> 2) + 1] = value >= 0 && value < 0x1_0000_0000 ? 0 : Math.floor(value / 0x1_0000_0000);
  }
}
