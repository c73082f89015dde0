// How a template is copied in the image: what of its records a copy has of its own, and what texts it brings.
import { isSlot } from './hand-over.ts';
import { record } from './layout.ts';
import type { Step, Template } from './step.ts';
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

/** A 32-bit word that depends on a copy: on the offset of a text, or on a slot's number in either half. */
interface Mark {
  readonly place: number;
  readonly kind: 'text' | 'lower' | 'upper';
  readonly text: string;
}

/** Throws for steps of the runtime, and for a structure that a copy would have to itself: copies share them. */
export function stampOf({ steps }: Template): Stamp {
  const marks = steps.flatMap((step, index) => marksOf(step, index * record.bytes));
  const texts = distinct(marks.filter(({ kind }) => kind === 'text'));
  const slots = distinct(marks.filter(({ kind }) => kind !== 'text'));
  const valueOf = ({ kind, text }: Mark): number => (kind === 'text' ? texts.indexOf(text) : texts.length + 2 * slots.indexOf(text) + Number(kind === 'upper'));
  const patterns = texts.map(patternOf);
  return { texts: patterns, slots: slots.map(patternOf), ...joined(patterns), places: marks.map(({ place }) => place), values: marks.map(valueOf) };
}

const distinct = (marks: readonly Mark[]): readonly string[] => [...new Set(marks.map(({ text }) => text))];

function marksOf({ side, op, at, args, result, unless, needs }: Step, begin: number): readonly Mark[] {
  if (side !== 'container') throw new Error(`a template is all of the container: ${op}`);
  const marks: Mark[] = [];
  const mark = (field: number, kind: Mark['kind'], text: string | undefined): void => {
    if (hasHole(text)) marks.push({ place: (begin + field) >> 2, kind, text });
  };
  mark(record.pointer, 'text', at);
  mark(record.result, 'upper', result);
  mark(record.unless, 'lower', unless);
  mark(record.needs, 'upper', needs);
  args.forEach((arg, i) => {
    if (typeof arg === 'string') mark(record.args + 8 * i, 'text', arg);
    else if (isSlot(arg)) mark(record.args + 8 * i, 'lower', arg.slot);
    else if (arg !== null && typeof arg === 'object' && 'struct' in arg && Object.values(arg.members).some(isSlot)) throw new Error(`a template stores no slot into a structure: ${arg.struct}`);
  });
  return marks;
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
