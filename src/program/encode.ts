// Program → image. Derives what nobody writes by hand: the hand-overs between sides and the descriptors that travel with them.
import { errnoNumber } from '../../native/linux/errno.ts';
import { syscallNumber, type SyscallName } from '../../native/linux/syscall-numbers.ts';
import { BASE, header, kind, MAGIC, NONE, record, slotEntry } from './layout.ts';
import { opNames, structs, syscallOps, ops, type OpName } from './ops.ts';
import type { Arg, Bytes, Program, Slot, Step, Struct } from './step.ts';

const opNumbers = new Map(opNames.map((name, index) => [name, index]));

export interface EncodeOptions {
  readonly id?: string;
  readonly command?: string;
  /** CLOCK_REALTIME in nanoseconds, for the recorder's listing. */
  readonly started?: bigint;
  readonly base?: number;
}

/** The image of a program (layout.ts). Throws on a program that breaks the language: an unknown slot, a slot set twice. */
export function encodeProgram(program: Program, options: EncodeOptions = {}): Uint8Array {
  return new Encoder(program, options).encode();
}

/** Steps with a hand_over step wherever the container side must wait for the runtime side. */
export function withHandOvers(steps: readonly Step[]): readonly Step[] {
  const born = new Map<string, Step['side']>();
  const out: Step[] = [];
  let spawned = false;
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!;
    const before = steps[i - 1];
    if (step.side === 'runtime' && before?.side === 'container' && spawned) out.push(handOver(steps, i, born));
    if (step.side === 'container') spawned = true;
    if (step.result !== undefined && !born.has(step.result)) born.set(step.result, step.side);
    out.push(step);
  }
  return out;
}

/** Descriptors that travel: born in the container before, used by the runtime now (args 0 to 2); and the way back (3 to 5). */
function handOver(steps: readonly Step[], at: number, born: ReadonlyMap<string, Step['side']>): Step {
  const given: string[] = [];
  const taken = new Set<string>();
  let i = at;
  for (; steps[i]?.side === 'runtime'; i++) {
    for (const name of slotsOf(steps[i]!)) if (born.get(name) === 'container' && name !== 'init' && !given.includes(name)) given.push(name);
    const result = steps[i]!.result;
    if (result !== undefined) taken.add(result);
  }
  const used = new Set(steps.slice(i).filter((step) => step.side === 'container').flatMap(slotsOf));
  const back = [...taken].filter((name) => used.has(name));
  if (given.length > 3 || back.length > 3) throw new Error('more than three descriptors in one hand-over');
  const row = (names: string[]): Arg[] => [0, 1, 2].map((n) => (names[n] === undefined ? null : { slot: names[n]! }));
  return { side: 'container', op: 'hand_over', args: [...row(given), ...row(back)], at: steps[at]!.at, why: 'the next step is the runtime’s' };
}

function slotsOf(step: Step): string[] {
  const names: string[] = [];
  for (const arg of step.args) {
    if (arg === null || typeof arg !== 'object') continue;
    if ('slot' in arg) names.push(arg.slot);
    else if ('struct' in arg) for (const member of Object.values(arg.members)) if (isSlot(member)) names.push(member.slot);
  }
  return names;
}

const isSlot = (value: unknown): value is Slot => typeof value === 'object' && value !== null && 'slot' in value;
const isBytes = (value: unknown): value is Bytes => typeof value === 'object' && value !== null && 'bytes' in value;

const FIRST_ALLOCATION = 64 * 1024;

class Encoder {
  readonly #program: Program;
  readonly #options: EncodeOptions;
  readonly #base: number;
  readonly #slots = new Map<string, number>();
  readonly #texts = new Map<string, number>();
  readonly #outs = new Map<string, number>();
  #image = Buffer.alloc(FIRST_ALLOCATION);
  #words32 = new Uint32Array(this.#image.buffer, this.#image.byteOffset, FIRST_ALLOCATION >> 2);
  #fixup = 0;
  #fixupSlot = NONE;
  #end = 0;

  constructor(program: Program, options: EncodeOptions) {
    this.#program = program;
    this.#options = options;
    this.#base = options.base ?? BASE;
  }

  encode(): Uint8Array {
    const steps = withHandOvers(this.#program.steps);
    const names = Object.keys(this.#program.inherited);
    for (const name of names) this.#slots.set(name, this.#slots.size);
    for (const step of steps) {
      if (step.result !== undefined && !this.#slots.has(step.result)) this.#slots.set(step.result, this.#slots.size);
      if (this.#slots.size >= NONE) throw new Error('too many slots');
    }
    const slots = header.bytes;
    const records = slots + this.#slots.size * slotEntry.bytes;
    const data = records + steps.length * record.bytes;
    this.#end = data;
    this.#grow(data);
    this.#allocate(8); // offset 0 of the data area stays empty: no text begins at the header's "none"

    this.#u64(header.magic, MAGIC);
    this.#u64(header.base, this.#base);
    this.#u32(header.arch, process.arch === 'arm64' ? 1 : 0);
    this.#u32(header.slotCount, this.#slots.size);
    this.#u32(header.slots, slots);
    this.#u32(header.recordCount, steps.length);
    this.#u32(header.records, records);
    this.#u32(header.data, data);
    const entry = steps.findIndex((step) => step.side === 'container');
    this.#u32(header.entry, entry < 0 ? steps.length : entry);
    this.#u32(header.failedRecord, 0xffff_ffff);
    this.#u32(header.id, this.#text(this.#options.id ?? ''));
    this.#u32(header.command, this.#text(this.#options.command ?? ''));
    this.#u64(header.started, this.#options.started ?? 0);

    for (const [name, index] of this.#slots) {
      const at = slots + index * slotEntry.bytes;
      this.#u32(at + slotEntry.name, this.#text(name));
      const number = this.#program.inherited[name];
      if (number === undefined) continue;
      this.#u64(at + slotEntry.container, number);
      this.#u32(at + slotEntry.set, 2);
    }
    steps.forEach((step, index) => this.#record(records + index * record.bytes, step));
    this.#allocate(1); // the image ends in NUL, so no text runs out of it
    this.#u32(header.size, this.#end);
    return this.#image.subarray(0, this.#end);
  }

  /** Whole words, two 16-bit fields at a time: a call for each field costs a millisecond of start-up. */
  #record(at: number, step: Step): void {
    const { formats } = ops[step.op];
    if (step.args.length !== formats.length) throw new Error(`${step.op} takes ${formats.length} arguments, not ${step.args.length}`);
    const tolerate = step.tolerate ?? [];
    if (tolerate.length > 4) throw new Error(`${step.op}: more than four tolerated errnos`);
    this.#fixup = 0;
    this.#fixupSlot = NONE;
    let kinds = 0;
    let moreKinds = 0;
    for (let i = 0; i < step.args.length; i++) {
      const argKind = this.#arg(at, i, step.args[i]!, step.op);
      if (i < 4) kinds |= argKind << (8 * i);
      else moreKinds |= argKind << (8 * (i - 4));
    }
    const pointer = this.#text(step.at);
    const why = this.#text(step.why);
    const number = step.op in syscallOps ? syscallNumber(step.op as SyscallName) : NONE;
    const words = this.#words32;
    const word = at >> 2;
    words[word] = opNumbers.get(step.op)! | (step.side === 'container' ? 0x1_0000 : 0);
    words[word + 1] = number | (this.#slotNumber(step.result) << 16);
    words[word + 2] = this.#slotNumber(step.unless) | (this.#slotNumber(step.needs) << 16);
    words[word + 3] = this.#fixupSlot | (tolerate.length << 16);
    words[word + 4] = this.#fixup;
    words[word + 5] = pointer;
    words[word + 6] = why;
    words[word + 7] = kinds;
    words[word + 8] = moreKinds;
    for (let i = 0; i < tolerate.length; i++) this.#image.writeUInt16LE(errnoNumber(tolerate[i]!), at + record.tolerate + 2 * i);
  }

  /** Writes the value, gives the kind. */
  #arg(at: number, index: number, arg: Arg, op: OpName): number {
    const set = (argKind: number, value: number | bigint): number => {
      this.#u64(at + record.args + 8 * index, value);
      return argKind;
    };
    if (arg === null) return kind.null;
    if (typeof arg === 'number' || typeof arg === 'bigint') return set(kind.immediate, arg);
    if (typeof arg === 'string') return set(kind.data, this.#base + this.#text(arg));
    if ('slot' in arg) return set(kind.slot, this.#slotNumber(arg.slot, op));
    if ('words' in arg) return set(kind.data, this.#base + this.#words(arg.words));
    if ('struct' in arg) return set(kind.data, this.#base + this.#struct(arg));
    if ('out' in arg) {
      let offset = this.#outs.get(arg.out);
      if (offset === undefined) this.#outs.set(arg.out, (offset = this.#allocate(arg.size)));
      return set(kind.data, this.#base + offset + (arg.offset ?? 0));
    }
    return set(kind.data, this.#base + this.#bytes(arg.bytes));
  }

  #struct(arg: Struct): number {
    const members = structs[arg.struct];
    let length = 0;
    for (const member of members) length += member[1];
    const offset = this.#allocate(length);
    let place = offset;
    for (const [name, size] of members) {
      const value = arg.members[name];
      if (value === undefined) {
        place += size;
        continue;
      }
      if (isSlot(value)) {
        if (size !== 8) throw new Error(`${arg.struct}.${name}: a slot is 8 bytes wide`);
        this.#fixup = place;
        this.#fixupSlot = this.#slotNumber(value.slot);
      } else if (typeof value === 'string') {
        this.#image.write(value, place, size - 1, 'latin1');
      } else {
        this.#member(place, size, isBytes(value) ? this.#base + this.#bytes(value.bytes) : value);
      }
      place += size;
    }
    return offset;
  }

  #member(at: number, size: number, value: number | bigint): void {
    if (size === 8) this.#u64(at, value);
    else if (size === 4) this.#u32(at, Number(value));
    else if (size === 2) this.#image.writeUInt16LE(Number(value) & 0xffff, at);
    else this.#image[at] = Number(value);
  }

  #words(words: readonly string[]): number {
    const vector = this.#allocate(8 * (words.length + 1));
    words.forEach((word, i) => this.#u64(vector + 8 * i, this.#base + this.#text(word)));
    return vector;
  }

  #bytes(bytes: Uint8Array): number {
    const offset = this.#allocate(bytes.length);
    this.#image.set(bytes, offset);
    return offset;
  }

  /** A NUL-ended string in the data area; equal strings share their place. */
  #text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const offset = this.#end;
    this.#grow(offset + text.length * 3 + 1);
    const length = this.#image.write(text, offset);
    this.#end = offset + length + 1;
    this.#texts.set(text, offset);
    return offset;
  }

  #allocate(size: number): number {
    const offset = (this.#end + 7) & ~7;
    this.#grow(offset + size);
    this.#end = offset + size;
    return offset;
  }

  #grow(size: number): void {
    if (size <= this.#image.length) return;
    const larger = Buffer.alloc((Math.max(size, this.#image.length * 2) + 7) & ~7);
    larger.set(this.#image.subarray(0, this.#end));
    this.#image = larger;
    this.#words32 = new Uint32Array(larger.buffer, larger.byteOffset, larger.length >> 2);
  }

  #slotNumber(name: string | undefined, op?: OpName): number {
    if (name === undefined) return NONE;
    const number = this.#slots.get(name);
    if (number === undefined) throw new Error(`${op ?? 'a step'} uses $${name}, which no step sets`);
    return number;
  }

  #u32(at: number, value: number): void {
    if ((at & 3) === 0) this.#words32[at >> 2] = value;
    else this.#image.writeUInt32LE(value >>> 0, at);
  }

  #u64(at: number, value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.#image.writeBigUInt64LE(BigInt.asUintN(64, value), at);
      return;
    }
    this.#words32[at >> 2] = value;
    this.#words32[(at >> 2) + 1] = value >= 0 && value < 0x1_0000_0000 ? 0 : Math.floor(value / 0x1_0000_0000);
  }
}
