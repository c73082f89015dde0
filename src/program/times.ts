// When each record ran, on one scale: the container side counts processor ticks, the runtime side nanoseconds.
import { readRecords, type Image } from './decode.ts';
import { header } from './layout.ts';

/** Microseconds since the first record that ended; a record begins where the one that ended before it ends, or where its side begins. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The span of each record, by index; undefined where none is known: it did not run, or its clock has no scale. */
export function recordSpans(image: Image): readonly (Span | undefined)[] {
  const { bytes } = image;
  const ticks0 = Number(bytes.readBigUInt64LE(header.ticks0));
  const time0 = Number(bytes.readBigUInt64LE(header.time0));
  const ticks1 = Number(bytes.readBigUInt64LE(header.ticks1));
  const time1 = Number(bytes.readBigUInt64LE(header.time1));
  const scale = ticks1 > ticks0 ? (time1 - time0) / (ticks1 - ticks0) : undefined;
  const ends = readRecords(image).map((view) => {
    if (view.nanoseconds !== 0n) return Number(view.nanoseconds);
    return view.ticks !== 0n && scale !== undefined ? time0 + (Number(view.ticks) - ticks0) * scale : undefined;
  });
  // A hand-over ends after the runtime-side records that follow it: the order of time is not that of the program.
  const order = ends.flatMap((end, index) => (end === undefined ? [] : [{ index, end }])).sort((a, b) => a.end - b.end);
  const spans: (Span | undefined)[] = ends.map(() => undefined);
  const zero = order[0]?.end ?? 0;
  let before = zero;
  const entry = bytes.readUInt32LE(header.entry);
  for (const { index, end } of order) {
    // The first of the container side begins when the interpreter does: its start is nobody's step.
    const start = index === entry ? Math.max(before, time0) : before;
    spans[index] = { start: (Math.min(start, end) - zero) / 1000, end: (end - zero) / 1000 };
    before = end;
  }
  return spans;
}

/** Microseconds each record took, by index; undefined where that is unknown, as for the very first. */
export function recordTimes(image: Image): readonly (number | undefined)[] {
  return recordSpans(image).map((span) => (span === undefined || span.end === 0 ? undefined : span.end - span.start));
}
