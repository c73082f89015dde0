// Two programs side by side: which steps one has and the other has not, whatever their numbers are.
import type { Paint } from '../color.ts';
import type { Row } from './rows.ts';

const CONTEXT = 2;

/** What differs for no reason of config.json: id, bundle and state directory, by what stands for them. */
export type Names = readonly (readonly [text: string, shown: string])[];

interface Line {
  readonly mark: ' ' | '-' | '+';
  readonly text: string;
}

/** Lines of a unified diff, and whether there is any difference. */
export function diffText(ours: readonly Row[], ourNames: Names, theirs: readonly Row[], theirNames: Names, paint: Paint): { readonly text: string; readonly differs: boolean } {
  const lines = diff(ours.filter(isStep).map((row) => lineOf(row, ourNames)), theirs.filter(isStep).map((row) => lineOf(row, theirNames)));
  const isNear = (index: number): boolean => lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(({ mark }) => mark !== ' ');
  let text = '';
  let skipped = 0;
  lines.forEach(({ mark, text: line }, index) => {
    if (!isNear(index)) return void (skipped += 1);
    if (skipped > 0) text += paint('dim', `  … ${skipped} equal steps\n`);
    skipped = 0;
    text += mark === ' ' ? `  ${line}\n` : paint(mark === '-' ? 'red' : 'green', `${mark} ${line}\n`);
  });
  if (skipped > 0) text += paint('dim', `  … ${skipped} equal steps\n`);
  return { text, differs: lines.some(({ mark }) => mark !== ' ') };
}

const isStep = ({ op }: Row): boolean => op !== 'hand_over';

function lineOf({ step, side, at }: Row, names: Names): string {
  const text = `${step}  ${side} ${at}`.trimEnd();
  return names.reduce((changed, [name, shown]) => (name === '' ? changed : changed.split(name).join(shown)), text);
}

/** Longest common subsequence; equal ends are cut off first, because most of two programs is equal. */
function diff(a: readonly string[], b: readonly string[]): readonly Line[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const [x, y] = [a.slice(head, a.length - tail), b.slice(head, b.length - tail)];
  const lengths = Array.from({ length: x.length + 1 }, () => new Uint32Array(y.length + 1));
  for (let i = x.length - 1; i >= 0; i--) for (let j = y.length - 1; j >= 0; j--) lengths[i]![j] = x[i] === y[j] ? lengths[i + 1]![j + 1]! + 1 : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
  const lines: Line[] = a.slice(0, head).map((text) => ({ mark: ' ', text }));
  let [i, j] = [0, 0];
  while (i < x.length || j < y.length) {
    if (i < x.length && j < y.length && x[i] === y[j]) {
      lines.push({ mark: ' ', text: x[i]! });
      i++;
      j++;
    } else if (j >= y.length || (i < x.length && lengths[i + 1]![j]! >= lengths[i]![j + 1]!)) lines.push({ mark: '-', text: x[i++]! });
    else lines.push({ mark: '+', text: y[j++]! });
  }
  return [...lines, ...a.slice(a.length - tail).map((text): Line => ({ mark: ' ', text }))];
}
