// The copies of a template in the image. native/interpreter/copies.c does the same in a fiftieth of the time, where the runtime has it.
import { slotEntry } from './layout.ts';

/**
 * Writes copies of records that are there, or only measures them; gives where their texts end. `image`: undefined to measure. `plan`: 32-bit words
 * (plan below). `patterns`: the texts of one copy, one after the other: a hole is NUL and a digit, two NUL are the end. `words`: of all copies, each with NUL.
 */
export type WriteCopies = (image: Buffer | undefined, plan: Uint32Array, patterns: Buffer, words: Buffer) => number;

/** The words of a plan: first these; then of each text where it lies for the copy that is there, and so on as counted. */
export const plan = {
  /** Offset of the records that are there, and the bytes of one copy. */
  source: 0,
  bytes: 1,
  /** How many words a row has. */
  words: 2,
  /** How many texts: an offset each. */
  texts: 3,
  /** How many slots: number for the copy that is there and stride each. */
  slots: 4,
  /** How many marks: place in 32-bit words, number of a text or (counted on from there) of a slot, bits to shift each. */
  marks: 5,
  /** How many names of slots: number of the text and of the slot each. */
  names: 6,
  /** How many runs of copies: offset of the first record and count each. */
  runs: 7,
  /** Offset of the slots. */
  slotTable: 8,
  /** Where the texts of the copies go. */
  end: 9,
  head: 10,
} as const;

export const writeCopies: WriteCopies = (image, table, patterns, words) => {
  const [source, bytes, wordCount, textCount, slotCount, markCount, nameCount, runCount, slotTable] = table as unknown as readonly [number, number, number, number, number, number, number, number, number];
  const firsts = plan.head;
  const slots = firsts + textCount;
  const marks = slots + 2 * slotCount;
  const names = marks + 3 * markCount;
  const runs = names + 2 * nameCount;
  const offsets = new Array<number>(textCount);
  let end = table[plan.end]!;
  let word = 0;
  let nth = 0;
  for (let run = 0; run < runCount; run++) {
    let at = table[runs + 2 * run]!;
    for (let left = table[runs + 2 * run + 1]!; left > 0; left--) {
      nth++;
      const row: Buffer[] = [];
      for (let i = 0; i < wordCount; i++) {
        const next = words.indexOf(0, word);
        row.push(words.subarray(word, next));
        word = next + 1;
      }
      let pattern = 0;
      for (let text = 0; text < textCount; text++) {
        offsets[text] = end;
        for (;;) {
          const next = patterns.indexOf(0, pattern);
          image?.set(patterns.subarray(pattern, next), end);
          end += next - pattern;
          pattern = next + 2;
          const digit = patterns[next + 1]!;
          if (digit === 0) break;
          const filling = row[digit - DIGIT]!;
          image?.set(filling, end);
          end += filling.length;
        }
        end++; // NUL, which is there
      }
      if (image !== undefined) {
        image.copyWithin(at, source, source + bytes);
        for (let i = marks; i < names; i += 3) {
          const [place, value, shift] = [table[i]!, table[i + 1]!, table[i + 2]!];
          const difference = value < textCount ? offsets[value]! - table[firsts + value]! : (table[slots + 2 * (value - textCount) + 1]! * nth) << shift;
          image.writeUInt32LE((image.readUInt32LE(at + 4 * place) + difference) >>> 0, at + 4 * place);
        }
        for (let i = names; i < runs; i += 2) {
          const slot = table[i + 1]!;
          image.writeUInt32LE(offsets[table[i]!]!, slotTable + (table[slots + 2 * slot]! + table[slots + 2 * slot + 1]! * nth) * slotEntry.bytes + slotEntry.name);
        }
      }
      at += bytes;
    }
  }
  return end;
};

const DIGIT = 0x30;
