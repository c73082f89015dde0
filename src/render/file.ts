// A trace in a file, in the form its name asks for.
import { writeFileSync } from 'node:fs';
import { paintFor } from '../color.ts';
import { write } from '../log.ts';
import type { Image } from '../program/decode.ts';
import { chromeTrace } from './chrome.ts';
import { tracePage } from './page.ts';
import { headOf, rowsOf } from './rows.ts';
import { traceText } from './text.ts';
import { timelineSvg } from './timeline.ts';

/** What a timeline is called. */
export function titleOf(image: Image): string {
  const { id, command, started } = headOf(image);
  return `${command} ${id}, ${started}`;
}

/** Writes the trace of a program; a file that cannot be written is a warning: the container counts. */
export function traceInto(path: string, warn: (message: string) => void): (image: Image) => void {
  return (image) => {
    const rows = rowsOf(image);
    if (path === '-') return write(2, traceText(rows, false, paintFor(2)));
    try {
      writeFileSync(path, formOf(path, image));
    } catch (error) {
      warn(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code}`);
    }
  };
}

function formOf(path: string, image: Image): string {
  const rows = rowsOf(image);
  if (path.endsWith('.json')) return chromeTrace(rows, headOf(image));
  if (path.endsWith('.svg')) return timelineSvg(rows, titleOf(image));
  if (/\.html?$/.test(path)) return tracePage(rows, titleOf(image), undefined);
  return traceText(rows, false, (_, text) => text);
}
