// When each record ended, on one scale: the container side counts processor ticks, the runtime side nanoseconds.
import { readRecords, type Image } from './decode.ts';
import { header } from './layout.ts';

/** Microseconds each record took, by index: since the record that ended before it. Undefined where that is unknown. */
export function recordTimes(image: Image): readonly (number | undefined)[] {
  const { bytes } = image;
  const ticks0 = Number(bytes.readBigUInt64LE(header.ticks0));
  const time0 = Number(bytes.readBigUInt64LE(header.time0));
  const ticks1 = Number(bytes.readBigUInt64LE(header.ticks1));
  const time1 = Number(bytes.readBigUInt64LE(header.time1));
  const scale = ticks1 > ticks0 ? (time1 - time0) / (ticks1 - ticks0) : undefined;
  let before: number | undefined;
  return readRecords(image).map((view) => {
    const end = view.nanoseconds !== 0n ? Number(view.nanoseconds) : view.ticks !== 0n && scale !== undefined ? time0 + (Number(view.ticks) - ticks0) * scale : undefined;
    if (end === undefined) return undefined;
    const took = before === undefined ? undefined : Math.max(0, (end - before) / 1000);
    before = end;
    return took;
  });
}
