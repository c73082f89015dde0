// As strace -f -T writes it: what people compare with a real strace of another runtime.
import { errnoText } from '../../native/linux/errno.ts';
import type { Row } from './rows.ts';

/** A line per step: side, call, and its result and time when it ran; `= ?` when it has not. */
export function straceText(rows: readonly Row[]): string {
  return rows.filter(({ op, status }) => op !== 'hand_over' && status !== 'skipped').map((row) => {
    const took = row.microseconds === undefined ? '' : ` <${(row.microseconds / 1e6).toFixed(6)}>`;
    return `[${row.side.padEnd(9)}] ${row.call} = ${resultText(row)}${took}\n`;
  }).join('');
}

function resultText({ status, result, errno, injected }: Row): string {
  if (errno !== undefined) return `-1 ${errno} (${errnoText(errno)})${injected ? ' (INJECTED)' : ''}`;
  return status === 'done' ? String(result) : '?';
}
