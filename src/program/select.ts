// How a person names a step: by number, by place in config.json, or by operation; for break points and injected failures.
import { errnoNumber } from '../../native/linux/errno.ts';
import { readRecords, recordOffset, type Image, type RecordView } from './decode.ts';
import { record } from './layout.ts';
import { opNames } from './ops.ts';

/** `before:` is what a name means without it; `after:` is the step behind it. */
const FORM = /^(?:(before|after):)?(?:(\d+)|(\/[^:]*)?:?([a-z]\w*)?)$/;

/**
 * The steps a name means, in order: `17`, `/mounts/3`, `pivot_root`, `/mounts/3:move_mount`, `after:pivot_root`. A pointer
 * means what it or anything below it asked for. Undefined for a text that is no such name; empty when no step fits.
 */
export function selectRecords(image: Image, name: string): readonly RecordView[] | undefined {
  const match = FORM.exec(name);
  if (name === '' || match === null) return undefined;
  const [, where, number, pointer, op] = match;
  if (number === undefined && pointer === undefined && op === undefined) return undefined;
  if (op !== undefined && !(opNames as readonly string[]).includes(op)) return undefined;
  const steps = readRecords(image).filter((view) => view.op !== 'hand_over');
  const chosen = steps.filter((view) => {
    if (number !== undefined) return view.index === Number(number);
    return (pointer === undefined || isBelow(view.pointer, pointer)) && (op === undefined || view.op === op);
  });
  if (where !== 'after') return chosen;
  const last = chosen.at(-1);
  return last === undefined ? [] : steps.filter((view) => view.index > last.index);
}

/** Whether a place in config.json is the other one or inside it. */
export function isBelow(pointer: string, above: string): boolean {
  const clean = above.replace(/\/$/, '');
  return pointer === clean || pointer.startsWith(`${clean}/`);
}

/** Makes the step fail as if the kernel had returned this errno (by name), on whichever side it runs. */
export function injectErrno(image: Image, index: number, errno: string): void {
  image.bytes.writeUInt16LE(errnoNumber(errno), recordOffset(image, index) + record.inject);
}
