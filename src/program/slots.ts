// Numbers of slots: of those that have a name of their own, and of those that a template sets once for each row of words.
import type { SlotNames } from './decode.ts';
import type { Rows } from './rows.ts';
import { fill, hasHole, patternOf, rowFor, type Pattern } from './template.ts';

/** Slots of one text of a template, by row: `first`, `first + stride`, … */
export interface Series {
  readonly first: number;
  readonly stride: number;
  readonly name: Pattern;
}

/** A list of slots as it grows. Its methods are also what an image's reader asks (decode.ts). */
export class Slots implements SlotNames {
  count = 0;
  /** Of those that are no series: numberOf knows all. */
  readonly numbers = new Map<string, number>();
  readonly #names: (string | undefined)[] = [];
  /** Of series: the first row’s, which is written step by step. */
  readonly #written = new Map<string, number>();
  readonly #series = new Map<Rows, Map<string, Series>>();
  /** What names of series begin with: few, and no other name is looked for in them. */
  readonly #starts: string[] = [];

  add(name: string): void {
    if (this.numbers.has(name) || (this.#starts.length > 0 && this.numberOf(name) >= 0)) return;
    this.numbers.set(name, this.count);
    this.#names[this.count++] = name;
  }

  /** Slots for each row of the texts that have holes and are not known; gives those texts. */
  addSeries(rows: Rows, texts: Iterable<string>): readonly string[] {
    let known = this.#series.get(rows);
    if (known === undefined) this.#series.set(rows, (known = new Map()));
    const added: string[] = [];
    for (const text of texts) {
      if (!hasHole(text)) this.add(text);
      else if (!known.has(text)) added.push(text);
    }
    added.forEach((text, i) => {
      const name = patternOf(text);
      known.set(text, { first: this.count + i, stride: added.length, name });
      this.#written.set(fill(name, rows.at(0)), this.count + i);
      if (!this.#starts.includes(name.start)) this.#starts.push(name.start);
    });
    this.count += added.length * rows.length;
    return added;
  }

  seriesOf(rows: Rows, text: string): Series | undefined {
    return this.#series.get(rows)?.get(text);
  }

  /** -1 for a name that no slot has. */
  readonly numberOf = (name: string): number => {
    let number = this.numbers.get(name);
    if (number === undefined && this.#mayBeInSeries(name)) number = this.#written.get(name) ?? this.#numberInSeries(name);
    return number ?? -1;
  };

  #mayBeInSeries(name: string): boolean {
    for (let i = 0; i < this.#starts.length; i++) if (name.startsWith(this.#starts[i]!)) return true;
    return false;
  }

  readonly nameOf = (number: number): string | undefined => this.#names[number];

  #numberInSeries(name: string): number | undefined {
    for (const [rows, texts] of this.#series) {
      for (const { first, stride, name: pattern } of texts.values()) {
        const row = rowFor(pattern, rows, name);
        if (row >= 0) return first + row * stride;
      }
    }
    return undefined;
  }
}
