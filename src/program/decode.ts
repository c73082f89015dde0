// Image → records. The inverse of encode.ts, for the printer, the recorder and the runtime side.
import { header, kind, MAGIC, NONE, record, slotEntry } from './layout.ts';
import { opNames, type OpName } from './ops.ts';

/** A view of one image: bytes that may be mapped and change while they are read. */
export interface Image {
  readonly bytes: Buffer;
  readonly base: number;
  readonly recordCount: number;
  readonly slotCount: number;
  /** The number of a slot by its name; -1 when the program has none of that name. */
  readonly slotNumber: (name: string) => number;
  /** A slot's name, where it is known without reading it. */
  readonly knownName: (number: number) => string | undefined;
}

/** Names of slots, of who has encoded an image. */
export interface SlotNames {
  readonly numberOf: (name: string) => number;
  readonly nameOf: (number: number) => string | undefined;
}

export interface Argument {
  readonly kind: number;
  /** An immediate, an address, or a slot's number. */
  readonly value: bigint;
}

/** One record as it stands now. */
export interface RecordView {
  readonly index: number;
  readonly op: OpName;
  readonly side: 'runtime' | 'container';
  readonly status: number;
  readonly number: number;
  readonly result: string | undefined;
  readonly unless: string | undefined;
  readonly needs: string | undefined;
  readonly fixup: { readonly offset: number; readonly slot: string } | undefined;
  readonly pointer: string;
  readonly why: string;
  readonly args: readonly Argument[];
  readonly tolerate: readonly number[];
  readonly value: bigint;
  readonly ticks: bigint;
  readonly nanoseconds: bigint;
}

/** Opens an image. Returns undefined when the bytes are not one: cut short, or of another format. Names of slots are read when one is asked for, unless they are given. */
export function openImage(bytes: Buffer, given?: SlotNames): Image | undefined {
  if (bytes.length < header.bytes || bytes.readBigUInt64LE(header.magic) !== MAGIC) return undefined;
  if (bytes.readUInt32LE(header.size) !== bytes.length) return undefined;
  const slots = bytes.readUInt32LE(header.slots);
  const slotCount = bytes.readUInt32LE(header.slotCount);
  const recordCount = bytes.readUInt32LE(header.recordCount);
  const records = bytes.readUInt32LE(header.records);
  if (records !== slots + slotCount * slotEntry.bytes || records + recordCount * record.bytes > bytes.length) return undefined;
  let numbers: Map<string, number> | undefined;
  const read = (name: string): number => {
    if (numbers === undefined) {
      numbers = new Map();
      for (let i = 0; i < slotCount; i++) numbers.set(slotName(image, i), i);
    }
    return numbers.get(name) ?? -1;
  };
  const image: Image = { bytes, base: Number(bytes.readBigUInt64LE(header.base)), recordCount, slotCount, slotNumber: given?.numberOf ?? read, knownName: given?.nameOf ?? (() => undefined) };
  return image;
}

/** A slot's name by its number; of a damaged image perhaps `slot 70000`. */
export function slotName({ bytes, slotCount, knownName }: Image, number: number): string {
  if (number >= slotCount) return `slot ${number}`;
  return knownName(number) ?? readText(bytes, bytes.readUInt32LE(bytes.readUInt32LE(header.slots) + number * slotEntry.bytes + slotEntry.name));
}

/** The NUL-ended text at an offset. */
export function readText(bytes: Buffer, offset: number): string {
  const end = bytes.indexOf(0, offset);
  return bytes.toString('utf8', offset, end < 0 ? bytes.length : end);
}

/** Where record `index` begins. */
export function recordOffset(image: Image, index: number): number {
  return image.bytes.readUInt32LE(header.records) + index * record.bytes;
}

/** What record `index` does; without decoding all of it. */
export function opOf(image: Image, index: number): OpName {
  return opNames[image.bytes.readUInt16LE(recordOffset(image, index) + record.op)]!;
}

/** What has become of record `index` (layout.ts, status). */
export function statusOf(image: Image, index: number): number {
  return image.bytes[recordOffset(image, index) + record.status]!;
}

/** Decodes one record. */
export function readRecord(image: Image, index: number): RecordView {
  const { bytes } = image;
  const at = recordOffset(image, index);
  const slotAt = (offset: number): string | undefined => {
    const number = bytes.readUInt16LE(at + offset);
    return number === NONE ? undefined : slotName(image, number);
  };
  const fixupSlot = slotAt(record.fixupSlot);
  const args: Argument[] = [];
  for (let i = 0; i < 6; i++) args.push({ kind: bytes[at + record.kinds + i]!, value: bytes.readBigUInt64LE(at + record.args + 8 * i) });
  const tolerate: number[] = [];
  for (let i = 0; i < bytes.readUInt16LE(at + record.tolerated); i++) tolerate.push(bytes.readUInt16LE(at + record.tolerate + 2 * i));
  return {
    index,
    op: opNames[bytes.readUInt16LE(at + record.op)]!,
    side: bytes[at + record.side] === 1 ? 'container' : 'runtime',
    status: bytes[at + record.status]!,
    number: bytes.readUInt16LE(at + record.number),
    result: slotAt(record.result),
    unless: slotAt(record.unless),
    needs: slotAt(record.needs),
    fixup: fixupSlot === undefined ? undefined : { offset: bytes.readUInt32LE(at + record.fixup), slot: fixupSlot },
    pointer: readText(bytes, bytes.readUInt32LE(at + record.pointer)),
    why: readText(bytes, bytes.readUInt32LE(at + record.why)),
    args,
    tolerate,
    value: bytes.readBigInt64LE(at + record.value),
    ticks: bytes.readBigUInt64LE(at + record.ticks),
    nanoseconds: bytes.readBigUInt64LE(at + record.nanoseconds),
  };
}

/** All records, in order. */
export function readRecords(image: Image): readonly RecordView[] {
  return Array.from({ length: image.recordCount }, (_, index) => readRecord(image, index));
}

/** The bytes an argument points to, from its offset to the end of the image; undefined when it is no pointer into it. */
export function pointee(image: Image, argument: Argument): { offset: number } | undefined {
  if (argument.kind !== kind.data) return undefined;
  const offset = Number(argument.value) - image.base;
  return offset >= 0 && offset < image.bytes.length ? { offset } : undefined;
}

/** A slot's value as one side sees it; undefined while it is unset. */
export function slotValue(image: Image, number: number, side: 'runtime' | 'container'): bigint | undefined {
  const at = image.bytes.readUInt32LE(header.slots) + number * slotEntry.bytes;
  const bit = side === 'runtime' ? 1 : 2;
  if ((image.bytes.readUInt32LE(at + slotEntry.set) & bit) === 0) return undefined;
  return image.bytes.readBigInt64LE(at + (side === 'runtime' ? slotEntry.runtime : slotEntry.container));
}
