// What is left to be written of a template that an image has once: a plan for copies.ts.
import { plan } from './copies.ts';
import { record } from './layout.ts';
import type { Rows } from './rows.ts';
import type { Slots } from './slots.ts';
import { stampOf } from './stamp.ts';
import type { Template } from './step.ts';
import { fill, patternOf } from './template.ts';

/** A template whose steps have been written for the first of its rows, and where those of the others go. */
export interface Written {
  readonly template: Template;
  readonly rows: Rows;
  /** The offset of the records that are written. */
  readonly source: number;
  /** The row after the last one that is planned. */
  next: number;
  /** Offset and count of each run of copies, one after the other. */
  readonly runs: number[];
}

export interface ImageSoFar {
  readonly slots: Slots;
  readonly slotTable: number;
  /** The offset of a text, which is written where there is none. */
  readonly offsetOf: (text: string) => number;
}

/** The arguments of a WriteCopies, but for where texts go. `names`: the slots, with holes, whose names the copies bring along. */
export function planOf({ template, rows, source, runs }: Written, names: readonly string[], { slots, slotTable, offsetOf }: ImageSoFar): readonly [plan: Uint32Array, patterns: Buffer, words: Buffer] {
  const { texts: stamped, slots: used, marks } = stampOf(template);
  const texts = [...new Set([...stamped, ...names])];
  const series = [...new Set([...used, ...names])];
  const row = rows.at(0);
  const of = (text: string): string => fill(patternOf(text), row);
  const table = new Array<number>(plan.head).fill(0);
  table[plan.source] = source;
  table[plan.bytes] = template.steps.length * record.bytes;
  table[plan.words] = rows.width;
  table[plan.pathWords] = rows.depth;
  table[plan.texts] = texts.length;
  table[plan.slots] = series.length;
  table[plan.marks] = marks.length;
  table[plan.names] = names.length;
  table[plan.runs] = runs.length / 2;
  table[plan.slotTable] = slotTable;
  for (const text of texts) table.push(offsetOf(of(text)));
  for (const text of series) {
    const found = slots.seriesOf(rows, text);
    if (found === undefined) throw new Error(`copies use $${of(text)}, which no row of theirs sets`);
    table.push(found.first, found.stride);
  }
  for (const { place, kind, value } of marks) table.push(place, kind === 'text' ? value : texts.length + value, kind === 'upper' ? 16 : 0);
  for (const name of names) table.push(texts.indexOf(name), series.indexOf(name));
  for (const number of runs) table.push(number);
  return [new Uint32Array(table), Buffer.from(texts.map((text) => `${text}\0\0`).join('')), rows.bytes(1)];
}

/** The names, and numbers, of slots that the copy that is written brings along. */
export function namesOfFirst({ rows }: Written, names: readonly string[], slots: Slots): readonly (readonly [name: string, number: number])[] {
  const row = rows.at(0);
  return names.map((text) => {
    const { first, name } = slots.seriesOf(rows, text)!;
    return [fill(name, row), first];
  });
}
