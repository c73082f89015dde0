// A program, or what became of it, as plain rows: what every other form is made from.
import { errnoName } from '../../native/linux/errno.ts';
import { readRecords, readText, slotValue, type Image } from '../program/decode.ts';
import { header, record, status } from '../program/layout.ts';
import { recordOffset } from '../program/decode.ts';
import { printCall, printStep } from '../program/print.ts';
import { recordSpans, type Span } from '../program/times.ts';

/** One step. `result` is a number, or -errno with its name in `errno`; times are microseconds. */
export interface Row {
  readonly index: number;
  readonly side: 'runtime' | 'container';
  readonly op: string;
  readonly status: string;
  readonly result: number;
  readonly errno: string | undefined;
  readonly microseconds: number | undefined;
  readonly step: string;
  readonly call: string;
  readonly at: string;
  readonly why: string;
  readonly span: Span | undefined;
  /** The errno was asked for by --inject. */
  readonly injected: boolean;
  /** init waits here for `start`: nobody's work. */
  readonly isWait: boolean;
}

const words = Object.fromEntries(Object.entries(status).map(([name, number]) => [number, name]));

/** All records in order, with what became of them. */
export function rowsOf(image: Image): readonly Row[] {
  const spans = recordSpans(image);
  return readRecords(image).map((view) => {
    const span = spans[view.index];
    const isError = view.status === status.failed || view.status === status.tolerated;
    return {
      index: view.index, side: view.side, op: view.op, status: words[view.status] ?? 'pending', result: Number(view.value),
      errno: isError ? errnoName(-Number(view.value)) : undefined,
      microseconds: span === undefined || span.end === 0 ? undefined : span.end - span.start,
      step: printStep(image, view), call: printCall(image, view), at: view.pointer, why: view.why, span,
      injected: image.bytes.readUInt16LE(recordOffset(image, view.index) + record.inject) !== 0,
      isWait: view.op === 'accept4' && view.pointer === '',
    };
  });
}

/** Whose program it is. */
export function headOf(image: Image): { readonly id: string; readonly command: string; readonly started: string; readonly init: number | undefined } {
  const { bytes } = image;
  const init = image.slotNumber('init');
  const pid = init < 0 ? undefined : slotValue(image, init, 'runtime');
  return {
    id: readText(bytes, bytes.readUInt32LE(header.id)),
    command: readText(bytes, bytes.readUInt32LE(header.command)),
    started: new Date(Number(bytes.readBigUInt64LE(header.started) / 1_000_000n)).toISOString(),
    init: pid === undefined ? undefined : Number(pid),
  };
}
