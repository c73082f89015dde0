// How a template is copied in the image: what of its records a copy has of its own, and what texts it brings.
import { isSlot } from './hand-over.ts';
import { record } from './layout.ts';
import type { Step, Template } from './step.ts';
import { hasHole } from './template.ts';

export interface Stamp {
  /** Texts and slots that depend on a row's words, each once. */
  readonly texts: readonly string[];
  readonly slots: readonly string[];
  /** 32-bit words, counted from the first record's beginning, that are another in each copy. */
  readonly marks: readonly Mark[];
}

/** What such a word follows: the offset of a text, or a slot's number in its lower or upper half; by its place in `texts` or `slots`. */
export interface Mark {
  readonly place: number;
  readonly kind: 'text' | 'lower' | 'upper';
  readonly value: number;
}

/** Throws for steps of the runtime, and for a structure that a copy would have to itself: copies share them. */
export function stampOf({ steps }: Template): Stamp {
  const texts: string[] = [];
  const slots: string[] = [];
  const marks: Mark[] = [];
  const mark = (byte: number, kind: Mark['kind'], text: string | undefined): void => {
    if (!hasHole(text)) return;
    const list = kind === 'text' ? texts : slots;
    const known = list.indexOf(text);
    marks.push({ place: byte >> 2, kind, value: known < 0 ? list.push(text) - 1 : known });
  };
  let start = 0;
  for (const { side, op, at, args, result, unless, needs } of steps) {
    if (side !== 'container') throw new Error(`a template is all of the container: ${op}`);
    mark(start + record.pointer, 'text', at);
    if (result !== undefined) mark(start + record.result, 'upper', result);
    if (unless !== undefined) mark(start + record.unless, 'lower', unless);
    if (needs !== undefined) mark(start + record.needs, 'upper', needs);
    for (let i = 0; i < args.length; i++) {
      const arg = args[i]!;
      if (typeof arg === 'string') mark(start + record.args + 8 * i, 'text', arg);
      else if (typeof arg !== 'object' || arg === null) continue;
      else if ('slot' in arg) mark(start + record.args + 8 * i, 'lower', arg.slot);
      else if (storesSlot(arg)) throw new Error(`a template stores no slot into a structure: ${op}`);
    }
    start += record.bytes;
  }
  return { texts, slots, marks };
}

const storesSlot = (arg: Exclude<Step['args'][number], string | number | bigint | null>): boolean => 'struct' in arg && Object.values(arg.members).some(isSlot);
