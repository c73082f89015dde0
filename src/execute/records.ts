// Runs single runtime-side records, and writes down what came of them.
import { callNumber, call, scratch } from '../../native/linux/syscalls.ts';
import { readRecord, recordOffset, slotValue, type Image, type RecordView } from '../program/decode.ts';
import { header, kind, NONE, record, slotEntry, status } from '../program/layout.ts';

/** What one operation that is not a system call does: its result, or -errno. Arguments are resolved: numbers, or offsets into the image. */
export type Handler = (args: readonly number[], view: RecordView, image: Image) => number;

/** How a record ended: skipped, or with its result (-errno when that was not tolerated). */
export type Outcome = { readonly kind: 'skipped' } | { readonly kind: 'tolerated' } | { readonly kind: 'done'; readonly value: number } | { readonly kind: 'failed'; readonly errno: number };

/** Runs one runtime-side record; result, time and status go into the image. */
export function runRecord(image: Image, view: RecordView, handlers: Readonly<Record<string, Handler>>): Outcome {
  const at = recordOffset(image, view.index);
  const args = resolve(image, view, at);
  if (args === undefined) {
    image.bytes[at + record.status] = status.skipped;
    return { kind: 'skipped' };
  }
  const handler = handlers[view.op];
  const injected = image.bytes.readUInt16LE(at + record.inject);
  const value = injected !== 0 ? -injected : view.number === NONE ? handler!(args, view, image) : callNumber(view.number, ...args);
  image.bytes.writeBigInt64LE(BigInt(value), at + record.value);
  image.bytes.writeBigUInt64LE(now(), at + record.nanoseconds);
  if (value < 0) {
    const isTolerated = view.tolerate.includes(-value);
    image.bytes[at + record.status] = isTolerated ? status.tolerated : status.failed;
    return isTolerated ? { kind: 'tolerated' } : { kind: 'failed', errno: -value };
  }
  image.bytes[at + record.status] = status.done;
  if (view.result !== undefined) setSlot(image, view.result, value, 'runtime');
  return { kind: 'done', value };
}

/** Numbers as the kernel takes them; undefined when a slot that is needed is unset or one that forbids is set. */
function resolve(image: Image, view: RecordView, at: number): number[] | undefined {
  const isSet = (name: string): boolean => slotValue(image, image.slotNumber(name), 'runtime') !== undefined;
  if (view.unless !== undefined && isSet(view.unless)) return undefined;
  if (view.needs !== undefined && !isSet(view.needs)) return undefined;
  const args: number[] = [];
  for (const argument of view.args) {
    if (argument.kind === kind.slot) {
      const value = slotValue(image, Number(argument.value), 'runtime');
      if (value === undefined) return undefined;
      args.push(Number(value));
    } else {
      args.push(argument.kind === kind.data ? Number(argument.value) : Number(BigInt.asIntN(64, argument.value)));
    }
  }
  if (view.fixup !== undefined) {
    const value = slotValue(image, image.slotNumber(view.fixup.slot), 'runtime');
    if (value === undefined) return undefined;
    image.bytes.writeBigInt64LE(value, image.bytes.readUInt32LE(at + record.fixup));
  }
  return args;
}

/** Sets a slot for one side, by name. */
export function setSlot(image: Image, name: string, value: number, side: 'runtime' | 'container'): void {
  const at = image.bytes.readUInt32LE(header.slots) + image.slotNumber(name) * slotEntry.bytes;
  image.bytes.writeBigInt64LE(BigInt(value), at + (side === 'runtime' ? slotEntry.runtime : slotEntry.container));
  image.bytes.writeUInt32LE(image.bytes.readUInt32LE(at + slotEntry.set) | (side === 'runtime' ? 1 : 2), at + slotEntry.set);
}

/** The value of a slot on the runtime side, by name. */
export function getSlot(image: Image, name: string): number | undefined {
  const number = image.slotNumber(name);
  const value = number < 0 ? undefined : slotValue(image, number, 'runtime');
  return value === undefined ? undefined : Number(value);
}

/** The record at `index` when it is the runtime's; undefined where the turn changes, and at the end. */
export function runtimeRecord(image: Image, index: number): RecordView | undefined {
  const view = index < image.recordCount ? readRecord(image, index) : undefined;
  return view?.side === 'runtime' ? view : undefined;
}

/** CLOCK_MONOTONIC in nanoseconds. */
export function now(): bigint {
  const { bytes, address } = scratch();
  call('clock_gettime', 1, address + 32768);
  return bytes.readBigUInt64LE(32768) * 1_000_000_000n + bytes.readBigUInt64LE(32776);
}

