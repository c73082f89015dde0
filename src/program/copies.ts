// The copies of a template in the image. native/interpreter/copies.c writes the same bytes in a fraction of the time, for programs that run.
import { slotEntry } from './layout.ts';

/**
 * Writes copies of records that are there, or only measures them; gives the offset where their texts end. `image`: undefined to measure. `plan`: 32-bit
 * words (plan below). `patterns`: the texts of one copy, one after the other; a hole is NUL and the word's digit, two NUL end a text. `words`: the rows of
 * all copies, the words of a path as that path, a NUL after each text. plan.ts makes the three.
 */
export type WriteCopies = (image: Buffer | undefined, plan: Uint32Array, patterns: Buffer, words: Buffer) => number;

/** What the words of a plan are. Behind `head` of them lie, in this order, the texts, slots, marks, names and runs that are counted here. */
export const plan = {
  /** Offset of the records that are there. */
  source: 0,
  /** Bytes of the records of one copy. */
  bytes: 1,
  /** Words in a row, and how many of them, the first, are those of a path. */
  words: 2,
  pathWords: 3,
  /** A text: its offset for the copy that is there. */
  texts: 4,
  /** A slot: its number for the copy that is there, and what is added to it from copy to copy. */
  slots: 5,
  /** A mark: the place of a word in the records that is another in each copy, the number of the text or, counted on from there, of the slot that it follows, bits to shift. */
  marks: 6,
  /** A name: the number of its text, and of the slot whose name it is. */
  names: 7,
  /** A run of copies: the offset of its first record, and how many there are. */
  runs: 8,
  /** Offset of the slots. */
  slotTable: 9,
  /** Where the texts of the copies go. */
  end: 10,
  head: 11,
} as const;

export const writeCopies: WriteCopies = (image, table, patterns, words) => {
  const bytes = table[plan.bytes]!;
  const wordCount = table[plan.words]!;
  const parts = partsOf(table);
  const { runs } = parts;
  const offsets: number[] = [];
  let end = table[plan.end]!;
  let word = 0;
  let nth = 0;
  const next = (): Buffer => {
    const text = words.subarray(word, words.indexOf(0, word));
    word += text.length + 1;
    return text;
  };
  for (let run = 0; run < runs.length; run += 2) {
    for (let copy = 0; copy < runs[run + 1]!; copy++) {
      const row = wordsOf(next());
      if (row.length !== table[plan.pathWords]) throw new Error('copies of a template have paths of as many words');
      while (row.length < wordCount) row.push(next());
      end = writeTexts(image, end, patterns, row, offsets);
      if (image !== undefined) writeRecords(image, runs[run]! + copy * bytes, table, parts, offsets, ++nth);
    }
  }
  return end;
};

const DIGIT = 0x30;
const SLASH = 0x2f;

/** The words of a path, each of which comes after a slash. */
function wordsOf(path: Buffer): Buffer[] {
  const words: Buffer[] = [];
  for (let at = 0; path[at] === SLASH;) {
    const slash = path.indexOf(SLASH, at + 1);
    const end = slash < 0 ? path.length : slash;
    words.push(path.subarray(at + 1, end));
    at = end;
  }
  return words;
}

/** The texts of one copy, each with its NUL, which is there; notes where each begins. Gives where the last ends. */
function writeTexts(image: Buffer | undefined, begin: number, patterns: Buffer, row: readonly Buffer[], offsets: number[]): number {
  let end = begin;
  let text = 0;
  offsets[text++] = end;
  for (let at = 0; at < patterns.length;) {
    const next = patterns.indexOf(0, at);
    image?.set(patterns.subarray(at, next), end);
    end += next - at;
    at = next + 2;
    const word = patterns[next + 1]!;
    if (word === 0) {
      offsets[text++] = ++end;
      continue;
    }
    const filling = row[word - DIGIT]!;
    image?.set(filling, end);
    end += filling.length;
  }
  return end;
}

/** The records of the nth copy, and the names of its slots. */
function writeRecords(image: Buffer, at: number, table: Uint32Array, { texts, slots, marks, names }: Parts, offsets: readonly number[], nth: number): void {
  image.copyWithin(at, table[plan.source]!, table[plan.source]! + table[plan.bytes]!);
  for (let i = 0; i < marks.length; i += 3) {
    const place = at + 4 * marks[i]!;
    const value = marks[i + 1]!;
    const difference = value < texts.length ? offsets[value]! - texts[value]! : (slots[2 * (value - texts.length) + 1]! * nth) << marks[i + 2]!;
    image.writeUInt32LE((image.readUInt32LE(place) + difference) >>> 0, place);
  }
  for (let i = 0; i < names.length; i += 2) {
    const slot = 2 * names[i + 1]!;
    image.writeUInt32LE(offsets[names[i]!]!, table[plan.slotTable]! + (slots[slot]! + slots[slot + 1]! * nth) * slotEntry.bytes + slotEntry.name);
  }
}

type Parts = Readonly<Record<'texts' | 'slots' | 'marks' | 'names' | 'runs', Uint32Array>>;

function partsOf(table: Uint32Array): Parts {
  let at: number = plan.head;
  const next = (count: number, width: number): Uint32Array => table.subarray(at, (at += count * width));
  return {
    texts: next(table[plan.texts]!, 1), slots: next(table[plan.slots]!, 2), marks: next(table[plan.marks]!, 3), names: next(table[plan.names]!, 2), runs: next(table[plan.runs]!, 2),
  };
}
