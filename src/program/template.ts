// Templates: steps that are compiled and encoded once, and copied with other words for each of a thousand mounts.
import type { Arg, Copy, Step, Template } from './step.ts';

/** Stands for one of a copy's first ten words in a text or a slot's name of a template; nothing else there has NUL in it. */
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

/** The text, with a copy's words in its holes. */
export function fill({ start, holes }: Pattern, words: readonly string[]): string {
  let text = start;
  for (let i = 0; i < holes.length; i++) {
    const { word, after } = holes[i]!;
    text += words[word]! + after;
  }
  return text;
}

export const hasHole = (text: string | undefined): text is string => text !== undefined && text.includes('\0');

export const isCopy = (item: Step | Copy): item is Copy => 'template' in item;

/** The steps a copy stands for. */
export function expand({ template, words }: Copy): readonly Step[] {
  const filled = <Text extends string | undefined>(text: Text): Text => (hasHole(text) ? fill(patternOf(text), words) as Text : text);
  const argument = (arg: Arg): Arg => {
    if (typeof arg === 'string') return filled(arg);
    return arg !== null && typeof arg === 'object' && 'slot' in arg ? { slot: filled(arg.slot) } : arg;
  };
  return template.steps.map((step) => ({
    ...step, at: filled(step.at), args: step.args.map(argument),
    ...(step.result === undefined ? {} : { result: filled(step.result) }),
    ...(step.unless === undefined ? {} : { unless: filled(step.unless) }),
    ...(step.needs === undefined ? {} : { needs: filled(step.needs) }),
  }));
}

/** All steps, one by one. */
export const expandAll = (items: readonly (Step | Copy)[]): readonly Step[] => items.flatMap((item) => (isCopy(item) ? expand(item) : [item]));

const results = new WeakMap<Template, readonly Pattern[]>();

/** The slots that a copy sets. */
export function resultsOf({ template, words }: Copy): readonly string[] {
  let patterns = results.get(template);
  if (patterns === undefined) {
    patterns = [...new Set(template.steps.flatMap(({ result }) => result ?? []))].map(patternOf);
    results.set(template, patterns);
  }
  const names: string[] = [];
  for (let i = 0; i < patterns.length; i++) names.push(fill(patterns[i]!, words));
  return names;
}
