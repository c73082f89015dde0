// How a template is copied in the image: what of its records a copy has of its own, and what texts it brings.
import { isSlot } from './hand-over.ts';
import { record } from './layout.ts';
import type { Template } from './step.ts';
import { hasHole, patternOf, type Pattern } from './template.ts';

export interface Stamp {
  /** Texts and slots that depend on the words, each once. */
  readonly texts: readonly Pattern[];
  readonly slots: readonly Pattern[];
  /** All the texts one after the other, each with its NUL: what stands before each hole, and the number of the word in it. */
  readonly parts: readonly Part[];
  /** What stands after the last hole. */
  readonly end: string;
  /** 32-bit words, counted from the first record's beginning, that depend on the copy: each is a sum of which one value is its own. */
  readonly places: readonly number[];
  /** The number of that value: first are the offsets of the texts, then of each slot its number, and the same in the upper half. */
  readonly values: readonly number[];
}

interface Part {
  readonly before: string;
  readonly word: number;
  /** Where in `before` a text begins; -1 where none does. */
  readonly begins: number;
}

/** Throws for steps of the runtime, and for a structure that a copy would have to itself: copies share them. */
export function stampOf({ steps }: Template): Stamp {
  const texts: string[] = [];
  const slots: string[] = [];
  const places: number[] = [];
  const values: (() => number)[] = [];
  const text = (place: number, value: string): void => {
    if (!hasHole(value)) return;
    const number = numberIn(texts, value);
    places.push(place);
    values.push(() => number);
  };
  const slot = (place: number, half: 0 | 1, value: string | undefined): void => {
    if (!hasHole(value)) return;
    const number = numberIn(slots, value);
    places.push(place);
    values.push(() => texts.length + 2 * number + half);
  };
  steps.forEach(({ side, op, at, args, result, unless, needs }, index) => {
    if (side !== 'container') throw new Error(`a template is all of the container: ${op}`);
    const place = (field: number): number => (index * record.bytes + field) >> 2;
    text(place(record.pointer), at);
    slot(place(record.result), 1, result);
    slot(place(record.unless), 0, unless);
    slot(place(record.needs), 1, needs);
    args.forEach((arg, i) => {
      if (typeof arg === 'string') text(place(record.args + 8 * i), arg);
      else if (isSlot(arg)) slot(place(record.args + 8 * i), 0, arg.slot);
      else if (arg !== null && typeof arg === 'object' && 'struct' in arg && Object.values(arg.members).some(isSlot)) throw new Error(`a template stores no slot into a structure: ${arg.struct}`);
    });
  });
  const patterns = texts.map(patternOf);
  return { texts: patterns, slots: slots.map(patternOf), ...joined(patterns), places, values: values.map((value) => value()) };
}

function joined(patterns: readonly Pattern[]): Pick<Stamp, 'parts' | 'end'> {
  const parts: Part[] = [];
  let end = '';
  for (const { start, holes } of patterns) {
    holes.forEach(({ word, after }, i) => {
      parts.push(i === 0 ? { before: `${end}${start}`, word, begins: end.length } : { before: end, word, begins: -1 });
      end = after;
    });
    end += '\0';
  }
  return { parts, end };
}

/** Its place in the list, at the end if it is new. */
function numberIn(list: string[], text: string): number {
  const known = list.indexOf(text);
  return known < 0 ? list.push(text) - 1 : known;
}
