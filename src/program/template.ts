// Templates: steps that are compiled and encoded once, and copied with other words for each of a thousand mounts.
import type { Row, Rows } from './rows.ts';
import type { Arg, Copies, Step, Template } from './step.ts';

/** Stands for one of a row's first ten words in a text or a slot's name of a template; nothing else there has NUL in it. */
export const hole = (word: number): string => `\0${word}`;

/** A text of a template, taken apart: before its first hole, then for each hole the word's number and the text after it. */
export interface Pattern {
  readonly start: string;
  readonly holes: readonly { readonly word: number; readonly after: string }[];
}

export function patternOf(text: string): Pattern {
  const [start = '', ...parts] = text.split('\0');
  return { start, holes: parts.map((part) => ({ word: Number(part[0]), after: part.slice(1) })) };
}

/** The text, with a row's words in its holes. */
export function fill({ start, holes }: Pattern, words: Row): string {
  let text = start;
  for (let i = 0; i < holes.length; i++) {
    const { word, after } = holes[i]!;
    text += words[word]! + after;
  }
  return text;
}

export const hasHole = (text: string | undefined): text is string => text !== undefined && text.includes('\0');

export const isCopies = (item: Step | Copies): item is Copies => 'template' in item;

/** How many steps they stand for. */
export const countOf = ({ template, from, to }: Copies): number => template.steps.length * (to - from);

/** The steps of one copy. */
export function stepsOf(template: Template, words: Row): readonly Step[] {
  const filled = (text: string): string => (hasHole(text) ? fill(patternOf(text), words) : text);
  const argument = (arg: Arg): Arg => {
    if (typeof arg === 'string') return filled(arg);
    return arg !== null && typeof arg === 'object' && 'slot' in arg ? { slot: filled(arg.slot) } : arg;
  };
  return template.steps.map((step) => {
    const { result, unless, needs } = step;
    const copy: { -readonly [Key in keyof Step]: Step[Key] } = { ...step, at: filled(step.at), args: step.args.map(argument) };
    if (result !== undefined) copy.result = filled(result);
    if (unless !== undefined) copy.unless = filled(unless);
    if (needs !== undefined) copy.needs = filled(needs);
    return copy;
  });
}

/** The steps of all of them. */
export const expand = ({ template, rows, from, to }: Copies): readonly Step[] => Array.from({ length: to - from }, (_, i) => rows.at(from + i)).flatMap((words) => stepsOf(template, words));

/** All steps, one by one. */
export const expandAll = (items: readonly (Step | Copies)[]): readonly Step[] => items.flatMap((item) => (isCopies(item) ? expand(item) : [item]));

const results = new WeakMap<Template, ReadonlyMap<string, Pattern>>();

/** The names, with holes in most, of the slots that a template sets. */
export function resultsOf(template: Template): ReadonlyMap<string, Pattern> {
  let names = results.get(template);
  if (names === undefined) results.set(template, (names = new Map(template.steps.flatMap(({ result }) => (result === undefined ? [] : [[result, patternOf(result)]])))));
  return names;
}

/** Whether one of the copies sets this slot. */
export function sets({ template, rows, from, to }: Copies, name: string): boolean {
  for (const pattern of resultsOf(template).values()) {
    if (pattern.holes.length === 0 && pattern.start === name) return true;
    const row = pattern.holes.length === 0 ? -1 : rowFor(pattern, rows, name);
    if (row >= from && row < to) return true;
  }
  return false;
}

/** The row that makes this name of a pattern; -1 where none does. Throws for more than one hole: a slot's name has at most one. */
export function rowFor({ start, holes }: Pattern, rows: Rows, name: string): number {
  if (holes.length !== 1) throw new Error('the name of a slot has one hole at most');
  const { word, after } = holes[0]!;
  if (name.length < start.length + after.length || !name.startsWith(start) || !name.endsWith(after)) return -1;
  return rows.find(word, name.slice(start.length, name.length - after.length));
}
