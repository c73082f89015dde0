// Colour for a person: only on a terminal, and never where NO_COLOR is set (no-color.org) or TERM is dumb.
import { isatty } from 'node:tty';

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;

/** Paints a text, or leaves it as it is. */
export type Paint = (color: keyof typeof codes, text: string) => string;

/** How to paint what goes to a descriptor. */
export function paintFor(fd: number): Paint {
  const { NO_COLOR, TERM } = process.env;
  const isPlain = (NO_COLOR !== undefined && NO_COLOR !== '') || TERM === 'dumb' || !isatty(fd);
  return isPlain ? (_, text) => text : (color, text) => `\x1b[${codes[color]}m${text}\x1b[0m`;
}
