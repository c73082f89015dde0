// What fills the holes of a template: a row of words for each copy, those of a path and two texts after them.

/** What fills the holes for one copy: at most ten words. */
export type Row = readonly string[];

/** Texts that each copy has besides its path. */
const TEXTS = 2;

/** The rows of all copies, kept as they come: of a thousand mounts hardly one is ever looked at word by word. */
export class Rows {
  /** How many words each path has. */
  readonly depth: number;
  readonly #texts: (string | number)[] = [];
  /** By the number of a word that was asked for. */
  readonly #found = new Map<number, Map<string, number>>();

  constructor(depth: number) {
    this.depth = depth;
  }

  get length(): number {
    return this.#texts.length / (1 + TEXTS);
  }

  /** Words in a row. */
  get width(): number {
    return this.depth + TEXTS;
  }

  /** One more row. `path`: absolute, of plain words, as many as the others have. */
  add(path: string, text: string | number, other: string): void {
    this.#texts.push(path, text, other);
  }

  at(row: number): Row {
    const [path, ...texts] = this.#texts.slice(row * (1 + TEXTS), (row + 1) * (1 + TEXTS));
    return [...(path === '' ? [] : String(path).slice(1).split('/')), ...texts.map(String)];
  }

  /** The row with this text as its nth word; -1 where none has it. Asked when all rows are there. */
  find(word: number, text: string): number {
    let rows = this.#found.get(word);
    if (rows === undefined) {
      this.#found.set(word, (rows = new Map()));
      for (let row = 0; row < this.length; row++) rows.set(word < this.depth ? this.at(row)[word]! : String(this.#texts[row * (1 + TEXTS) + 1 + word - this.depth]), row);
    }
    return rows.get(text) ?? -1;
  }

  /** All from this row on: the path and the two texts of each, a NUL after each. */
  bytes(from: number): Buffer {
    const texts = this.#texts.slice(from * (1 + TEXTS));
    return Buffer.from(texts.length === 0 ? '' : `${texts.join('\0')}\0`);
  }
}
