// Program → image: the bytes of layout.ts, each text, structure and array once.
import { RuntimeError } from '../errors.ts';
import { errnoWords, opCode, opCodes } from './codes.ts';
import { plan, writeCopies, type WriteCopies } from './copies.ts';
import type { SlotNames } from './decode.ts';
import { isSlot, withHandOvers } from './hand-over.ts';
import { ImageWriter } from './image-writer.ts';
import { BASE, header, kind, MAGIC, NONE, record, slotEntry } from './layout.ts';
import { structs, type OpName } from './ops.ts';
import { namesOfFirst, planOf, type Written } from './plan.ts';
import { Slots } from './slots.ts';
import type { Arg, Bytes, Copies, Program, Slot, Step, Struct, Template } from './step.ts';
import { countOf, isCopies, resultsOf, stepsOf } from './template.ts';

export interface EncodeOptions {
  readonly id?: string;
  readonly command?: string;
  /** CLOCK_REALTIME in nanoseconds, for the recorder's listing. */
  readonly started?: bigint;
  readonly base?: number;
  /** Zeros that become the image, if they are as many as it has bytes (imageRoom). */
  readonly memory?: Buffer;
  /** What writes copies: a faster one. */
  readonly writeCopies?: WriteCopies;
}

/** The image of a program (layout.ts). Throws on a program that breaks the language: an unknown slot, an operation on the wrong side. */
export function encodeProgram(program: Program, options: EncodeOptions = {}): Uint8Array {
  return encodeWithNames(program, options).bytes;
}

/** The same, with the names of its slots: who goes on with the image need not read them from it. */
export function encodeWithNames(program: Program, options: EncodeOptions): { readonly bytes: Uint8Array; readonly slots: SlotNames } {
  const encoder = new Encoder(program, options);
  return { bytes: encoder.encode(), slots: encoder.slots };
}

const isBytes = (value: unknown): value is Bytes => typeof value === 'object' && value !== null && 'bytes' in value;

/** Room for header, environment and filter, for a step's record and what it adds to the data area, and for that of a copy, which brings fewer texts: what is too small is copied as it grows. */
const FIRST_BYTES = 16 * 1024;
const STEP_BYTES = record.bytes + 64;
const COPY_BYTES = record.bytes + 32;
/** No slot, in the upper half of a word. */
const NO_HIGH_SLOT = NONE << 16;

/** As many bytes as an image has at most, unless it has long texts. */
export function imageRoom({ steps }: Program): number {
  let room = FIRST_BYTES;
  for (const step of steps) room += isCopies(step) ? countOf(step) * COPY_BYTES : STEP_BYTES;
  return room;
}

/** How many records there will be, but for hand-overs. */
function recordsOf(steps: readonly (Step | Copies)[]): number {
  let count = 0;
  for (const step of steps) count += isCopies(step) ? countOf(step) : 1;
  return count;
}

/** Only lists of thousands need so many: the part of config.json that has one is named. */
function tooMany({ at }: Step): RuntimeError {
  return new RuntimeError(`a program has at most ${NONE - 1} descriptors and pids, and these would need more`, { pointer: at.split('/').slice(0, 2).join('/'), hint: 'a mount needs up to five' });
}

class Encoder extends ImageWriter {
  private readonly program: Program;
  private readonly options: EncodeOptions;
  readonly slots = new Slots();
  private readonly outs = new Map<string, number>();
  /** Of each template what its first copy has left to be written, and the slots that its copies name. */
  private readonly written = new Map<Template, Written>();
  private readonly newNames = new Map<Template, readonly string[]>();
  private pointer: string | undefined;
  private pointerOffset = 0;
  private fixup = 0;
  private fixupSlot = NONE;

  constructor(program: Program, options: EncodeOptions) {
    super(options.base ?? BASE, options.memory ?? Buffer.alloc(imageRoom(program)));
    this.program = program;
    this.options = options;
  }

  encode(): Uint8Array {
    const steps = withHandOvers(this.program.steps);
    const names = Object.keys(this.program.inherited);
    for (const name of names) this.slots.add(name);
    for (const step of steps) {
      const { result } = step as Partial<Step>;
      if (result !== undefined) this.slots.add(result);
      else if (isCopies(step) && !this.newNames.has(step.template)) this.newNames.set(step.template, this.slots.addSeries(step.rows, resultsOf(step.template).keys()));
      if (this.slots.count >= NONE) throw tooMany(isCopies(step) ? step.template.steps[0]! : step);
    }
    const slots = header.bytes;
    const records = slots + this.slots.count * slotEntry.bytes;
    const recordCount = recordsOf(steps);
    const data = records + recordCount * record.bytes;
    this.end = data;
    this.grow(data);
    this.allocate(8); // offset 0 of the data area stays empty: no text begins at the header's "none"

    this.u64(header.magic, MAGIC);
    this.u64(header.base, this.base);
    this.u32(header.arch, process.arch === 'arm64' ? 1 : 0);
    this.u32(header.slotCount, this.slots.count);
    this.u32(header.slots, slots);
    this.u32(header.recordCount, recordCount);
    this.u32(header.records, records);
    this.u32(header.data, data);
    const entry = steps.findIndex((step) => isCopies(step) || step.side === 'container');
    this.u32(header.entry, entry < 0 ? recordCount : entry);
    this.u32(header.failedRecord, 0xffff_ffff);
    this.u32(header.id, this.text(this.options.id ?? ''));
    this.u32(header.command, this.text(this.options.command ?? ''));
    this.u64(header.started, this.options.started ?? 0);

    let slotNames = ''; // all ASCII: the compiler's own
    this.slots.numbers.forEach((number, name) => {
      this.words32[(slots + number * slotEntry.bytes + slotEntry.name) >> 2] = this.end + slotNames.length;
      slotNames += `${name}\0`;
    });
    this.append(slotNames);
    names.forEach((name, index) => {
      this.u64(slots + index * slotEntry.bytes + slotEntry.container, this.program.inherited[name]!);
      this.u32(slots + index * slotEntry.bytes + slotEntry.set, 2);
    });
    let at = records;
    for (const step of steps) at = isCopies(step) ? this.copies(at, step) : this.record(at, step);
    for (const written of this.written.values()) this.writeCopies(written, slots);
    this.allocate(1); // the image ends in NUL, so no text runs out of it
    this.u32(header.size, this.end);
    return this.image.subarray(0, this.end);
  }

  /** Whole words, two 16-bit fields at a time: a call for each field costs a millisecond of start-up. */
  private record(at: number, step: Step): number {
    const { op, number, argumentCount, legal } = opCodes.get(step.op) ?? opCode(step.op);
    if (legal !== 'both' && legal !== step.side) throw new Error(`${step.op} is not a ${step.side} operation`);
    const { args, tolerate, result, unless, needs } = step;
    if (args.length !== argumentCount) throw new Error(`${step.op} takes ${argumentCount} arguments, not ${args.length}`);
    this.fixup = 0;
    this.fixupSlot = NONE;
    let kinds = 0;
    let moreKinds = 0;
    let place = at + record.args;
    for (let i = 0; i < argumentCount; i++) {
      const arg = args[i]!;
      // Most are small numbers, whose kind is 0, as all that is not written: for these a call would be half of the cost.
      if (typeof arg === 'number' && arg >= 0 && arg < 0x8000_0000) {
        if (arg !== 0) this.words32[place >> 2] = arg;
      } else {
        const argKind = this.arg(place, arg, step.op);
        if (i < 4) kinds |= argKind << (8 * i);
        else moreKinds |= argKind << (8 * (i - 4));
      }
      place += 8;
    }
    // Neighbours have the same place in config.json more often than not.
    if (step.at !== this.pointer) {
      this.pointer = step.at;
      this.pointerOffset = this.text(step.at);
    }
    const pointer = this.pointerOffset;
    const why = this.texts.get(step.why) ?? this.text(step.why);
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
    const next = at + record.bytes;
    if (tolerate === undefined) return next;
    const errnos = errnoWords(tolerate);
    words[word + 3] = this.fixupSlot | (tolerate.length << 16);
    words[word + 22] = errnos[0]!;
    if (tolerate.length > 2) words[word + 23] = errnos[1]!;
    return next;
  }

  /** Gives where the next record goes, as `record` and `copies` do. */
  private records(at: number, steps: readonly Step[]): number {
    let next = at;
    for (const step of steps) next = this.record(next, step);
    return next;
  }

  /** The first copy of a template is written as its steps; of the others is noted where they go. */
  private copies(at: number, { template, rows, from, to }: Copies): number {
    let written = this.written.get(template);
    if (from !== (written?.next ?? 0) || (written !== undefined && rows !== written.rows)) throw new Error('copies of a template come in the order of their rows');
    let next = at;
    let first = from;
    if (written === undefined) {
      next = this.records(at, template.first ?? stepsOf(template, rows.at(0)));
      first++;
      this.written.set(template, (written = { template, rows, source: at, next: first, runs: [] }));
    }
    written.next = to;
    if (first < to) written.runs.push(next, to - first);
    return next + template.steps.length * record.bytes * (to - first);
  }

  private writeCopies(written: Written, slotTable: number): void {
    if (written.next < written.rows.length) throw new Error('copies of a template are for all its rows'); // each of which has slots
    const names = this.newNames.get(written.template)!;
    const image = { slots: this.slots, slotTable, offsetOf: (text: string) => this.text(text) };
    for (const [name, number] of namesOfFirst(written, names, this.slots)) this.words32[(slotTable + number * slotEntry.bytes + slotEntry.name) >> 2] = this.text(name);
    if (written.runs.length === 0) return;
    const write = this.options.writeCopies ?? writeCopies;
    const [table, patterns, words] = planOf(written, names, image);
    table[plan.end] = this.end;
    this.grow(write(undefined, table, patterns, words));
    this.end = write(this.image, table, patterns, words);
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
      offset = this.texts.get(arg) ?? this.text(arg);
    } else if ('slot' in arg) {
      this.words32[at >> 2] = this.slotNumber(arg.slot, op);
      return kind.slot;
    } else {
      offset = this.place(arg);
    }
    const words = this.words32;
    words[at >> 2] = offset;
    words[(at >> 2) + 1] = this.baseHigh;
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

  private slotNumber(name: string, op?: OpName): number {
    const number = this.slots.numbers.get(name) ?? this.slots.numberOf(name);
    if (number < 0) throw new Error(`${op ?? 'a step'} uses $${name}, which no step sets`);
    return number;
  }
}
