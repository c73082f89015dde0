// Program → image: the bytes of layout.ts, each text, structure and array once.
import { errnoWords, opCode } from './codes.ts';
import { isSlot, withHandOvers } from './hand-over.ts';
import { BASE, header, kind, MAGIC, NONE, record, slotEntry } from './layout.ts';
import { structs, type OpName } from './ops.ts';
import type { Arg, Bytes, Program, Slot, Step, Struct, Words } from './step.ts';

export interface EncodeOptions {
  readonly id?: string;
  readonly command?: string;
  /** CLOCK_REALTIME in nanoseconds, for the recorder's listing. */
  readonly started?: bigint;
  readonly base?: number;
}

/** The image of a program (layout.ts). Throws on a program that breaks the language: an unknown slot, an operation on the wrong side. */
export function encodeProgram(program: Program, options: EncodeOptions = {}): Uint8Array {
  return new Encoder(program, options).encode();
}

const isBytes = (value: unknown): value is Bytes => typeof value === 'object' && value !== null && 'bytes' in value;

const FIRST_ALLOCATION = 64 * 1024;
/** Room for a step's record and what it adds to the data area, so that a long program is not copied as it grows. */
const STEP_BYTES = record.bytes + 64;
/** No slot, in the upper half of a word. */
const NO_HIGH_SLOT = NONE << 16;

/** `private`, not `#`: an interpreter checks those at every call, 3 % of a program of a thousand mounts. */
class Encoder {
  private readonly program: Program;
  private readonly options: EncodeOptions;
  private readonly base: number;
  private readonly slots = new Map<string, number>();
  private readonly texts = new Map<string, number>();
  private readonly outs = new Map<string, number>();
  /** Structures and arrays that steps share are written once. */
  private readonly shared = new Map<object, number>();
  private image: Buffer;
  private words32: Uint32Array;
  private pointer: string | undefined;
  private pointerOffset = 0;
  private fixup = 0;
  private fixupSlot = NONE;
  private end = 0;

  constructor(program: Program, options: EncodeOptions) {
    this.program = program;
    this.options = options;
    this.base = options.base ?? BASE;
    this.image = Buffer.alloc(Math.max(FIRST_ALLOCATION, program.steps.length * STEP_BYTES));
    this.words32 = new Uint32Array(this.image.buffer, this.image.byteOffset, this.image.length >> 2);
  }

  encode(): Uint8Array {
    const steps = withHandOvers(this.program.steps);
    const names = Object.keys(this.program.inherited);
    for (const name of names) this.slots.set(name, this.slots.size);
    for (const { result } of steps) if (result !== undefined && !this.slots.has(result)) this.slots.set(result, this.slots.size);
    if (this.slots.size >= NONE) throw new Error('too many slots');
    const slots = header.bytes;
    const records = slots + this.slots.size * slotEntry.bytes;
    const data = records + steps.length * record.bytes;
    this.end = data;
    this.grow(data);
    this.allocate(8); // offset 0 of the data area stays empty: no text begins at the header's "none"

    this.u64(header.magic, MAGIC);
    this.u64(header.base, this.base);
    this.u32(header.arch, process.arch === 'arm64' ? 1 : 0);
    this.u32(header.slotCount, this.slots.size);
    this.u32(header.slots, slots);
    this.u32(header.recordCount, steps.length);
    this.u32(header.records, records);
    this.u32(header.data, data);
    const entry = steps.findIndex((step) => step.side === 'container');
    this.u32(header.entry, entry < 0 ? steps.length : entry);
    this.u32(header.failedRecord, 0xffff_ffff);
    this.u32(header.id, this.text(this.options.id ?? ''));
    this.u32(header.command, this.text(this.options.command ?? ''));
    this.u64(header.started, this.options.started ?? 0);

    let entryAt = slots;
    for (const name of this.slots.keys()) {
      const offset = this.text(name); // before words32 is looked at: it may be another one afterwards
      this.words32[(entryAt + slotEntry.name) >> 2] = offset;
      entryAt += slotEntry.bytes;
    }
    names.forEach((name, index) => {
      this.u64(slots + index * slotEntry.bytes + slotEntry.container, this.program.inherited[name]!);
      this.u32(slots + index * slotEntry.bytes + slotEntry.set, 2);
    });
    let at = records;
    for (const step of steps) {
      this.record(at, step);
      at += record.bytes;
    }
    this.allocate(1); // the image ends in NUL, so no text runs out of it
    this.u32(header.size, this.end);
    return this.image.subarray(0, this.end);
  }

  /** Whole words, two 16-bit fields at a time: a call for each field costs a millisecond of start-up. */
  private record(at: number, step: Step): void {
    const { op, number, argumentCount, legal } = opCode(step.op);
    if (legal !== 'both' && legal !== step.side) throw new Error(`${step.op} is not a ${step.side} operation`);
    const { args, tolerate, result, unless, needs } = step;
    if (args.length !== argumentCount) throw new Error(`${step.op} takes ${argumentCount} arguments, not ${args.length}`);
    this.fixup = 0;
    this.fixupSlot = NONE;
    let kinds = 0;
    let moreKinds = 0;
    let place = at + record.args;
    for (let i = 0; i < argumentCount; i++) {
      const argKind = this.arg(place, args[i]!, step.op);
      if (i < 4) kinds |= argKind << (8 * i);
      else moreKinds |= argKind << (8 * (i - 4));
      place += 8;
    }
    // Neighbours have the same place in config.json more often than not.
    if (step.at !== this.pointer) {
      this.pointer = step.at;
      this.pointerOffset = this.text(step.at);
    }
    const pointer = this.pointerOffset;
    const why = this.text(step.why);
    const words = this.words32;
    const word = at >> 2;
    // What is 0 is there already.
    words[word] = op | (step.side === 'container' ? 0x1_0000 : 0);
    words[word + 1] = number | (result === undefined ? NO_HIGH_SLOT : this.slotNumber(result) << 16);
    words[word + 2] = (unless === undefined ? NONE : this.slotNumber(unless)) | (needs === undefined ? NO_HIGH_SLOT : this.slotNumber(needs) << 16);
    words[word + 3] = this.fixupSlot;
    if (this.fixup !== 0) words[word + 4] = this.fixup;
    words[word + 5] = pointer;
    words[word + 6] = why;
    words[word + 7] = kinds;
    if (moreKinds !== 0) words[word + 8] = moreKinds;
    if (tolerate === undefined) return;
    const errnos = errnoWords(tolerate);
    words[word + 3] = this.fixupSlot | (tolerate.length << 16);
    words[word + 22] = errnos[0]!;
    if (tolerate.length > 2) words[word + 23] = errnos[1]!;
  }

  /** Writes the value, gives the kind. */
  private arg(at: number, arg: Arg, op: OpName): number {
    if (arg === null) return kind.null;
    if (typeof arg === 'number' || typeof arg === 'bigint') {
      if (arg !== 0) this.u64(at, arg);
      return kind.immediate;
    }
    let offset: number;
    if (typeof arg === 'string') {
      offset = this.text(arg);
    } else if ('slot' in arg) {
      this.words32[at >> 2] = this.slotNumber(arg.slot, op);
      return kind.slot;
    } else {
      offset = this.place(arg);
    }
    const address = this.base + offset;
    const words = this.words32;
    words[at >> 2] = address;
    words[(at >> 2) + 1] = address / 0x1_0000_0000;
    return kind.data;
  }

  /** Where in the image what an argument points to lies. */
  private place(arg: Exclude<Arg, number | bigint | null | Slot | string>): number {
    if ('struct' in arg) return this.struct(arg);
    if ('words' in arg) return this.words(arg);
    if ('out' in arg) {
      let offset = this.outs.get(arg.out);
      if (offset === undefined) this.outs.set(arg.out, (offset = this.allocate(arg.size)));
      return offset + (arg.offset ?? 0);
    }
    return this.bytes(arg.bytes);
  }

  private struct(arg: Struct): number {
    const known = this.shared.get(arg);
    if (known !== undefined) return known;
    const members = structs[arg.struct];
    let length = 0;
    for (const member of members) length += member[1];
    const offset = this.allocate(length);
    let place = offset;
    for (const [name, size] of members) {
      const value = arg.members[name];
      if (value === undefined) {
        place += size;
        continue;
      }
      if (isSlot(value)) {
        if (size !== 8) throw new Error(`${arg.struct}.${name}: a slot is 8 bytes wide`);
        this.fixup = place;
        this.fixupSlot = this.slotNumber(value.slot);
      } else if (typeof value === 'string') {
        this.image.write(value, place, size - 1, 'latin1');
      } else {
        this.member(place, size, isBytes(value) ? this.base + this.bytes(value.bytes) : value);
      }
      place += size;
    }
    // What a slot is stored into belongs to one record alone.
    if (this.fixupSlot === NONE) this.shared.set(arg, offset);
    return offset;
  }

  private member(at: number, size: number, value: number | bigint): void {
    if (size === 8) this.u64(at, value);
    else if (size === 4) this.u32(at, Number(value));
    else if (size === 2) this.image.writeUInt16LE(Number(value) & 0xffff, at);
    else this.image[at] = Number(value);
  }

  private words(arg: Words): number {
    const known = this.shared.get(arg);
    if (known !== undefined) return known;
    const { words } = arg;
    const vector = this.allocate(8 * (words.length + 1));
    words.forEach((word, i) => this.u64(vector + 8 * i, this.base + this.text(word)));
    this.shared.set(arg, vector);
    return vector;
  }

  private bytes(bytes: Uint8Array): number {
    const offset = this.allocate(bytes.length);
    this.image.set(bytes, offset);
    return offset;
  }

  /** A NUL-ended string in the data area; equal strings share their place. */
  private text(text: string): number {
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

  private allocate(size: number): number {
    const offset = (this.end + 7) & ~7;
    this.grow(offset + size);
    this.end = offset + size;
    return offset;
  }

  private grow(size: number): void {
    if (size <= this.image.length) return;
    const larger = Buffer.alloc((Math.max(size, this.image.length * 2) + 7) & ~7);
    larger.set(this.image.subarray(0, this.end));
    this.image = larger;
    this.words32 = new Uint32Array(larger.buffer, larger.byteOffset, larger.length >> 2);
  }

  private slotNumber(name: string, op?: OpName): number {
    const number = this.slots.get(name);
    if (number === undefined) throw new Error(`${op ?? 'a step'} uses $${name}, which no step sets`);
    return number;
  }

  private u32(at: number, value: number): void {
    if ((at & 3) === 0) this.words32[at >> 2] = value;
    else this.image.writeUInt32LE(value >>> 0, at);
  }

  private u64(at: number, value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.image.writeBigUInt64LE(BigInt.asUintN(64, value), at);
      return;
    }
    this.words32[at >> 2] = value;
    this.words32[(at >> 2) + 1] = value >= 0 && value < 0x1_0000_0000 ? 0 : Math.floor(value / 0x1_0000_0000);
  }
}
