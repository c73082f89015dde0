// The listings that explain and trace print for a person.
import type { Paint } from '../color.ts';
import type { Row } from './rows.ts';

const CALL_WIDTH = 92;

/** The sequence with its places and reasons, as comments. */
export function explainText(rows: readonly Row[], travellers: ReadonlyMap<number, string>, paint: Paint): string {
  return rows.map((row) => {
    if (row.op === 'hand_over') return `     ${paint('yellow', `── hand over${travellers.get(row.index) ?? ''} ──`)}\n`;
    const why = row.why === '' ? '' : `  ${paint('dim', `# ${row.why}`)}`;
    const line = `${String(row.index).padStart(4)} ${row.step.padEnd(CALL_WIDTH)} ${paint(row.side === 'runtime' ? 'magenta' : 'cyan', row.side.padEnd(9))} ${row.at}`;
    return `${line.trimEnd()}${why}\n`;
  }).join('');
}

/** What each step returned and how long it took; what was skipped, and what has not run, only with `all`. */
export function traceText(rows: readonly Row[], all: boolean, paint: Paint): string {
  const pending = rows.filter(({ status }) => status === 'pending').length;
  const lines = rows.filter((row) => all || (row.status !== 'skipped' && row.status !== 'pending')).map((row) => {
    const took = row.microseconds === undefined ? '' : row.microseconds.toFixed(1);
    const line = `${String(row.index).padStart(4)} ${took.padStart(9)} us  ${row.side === 'runtime' ? 'r' : 'c'}  ${row.op === 'hand_over' ? paint('yellow', '── hand over ──') : row.step} `;
    return `${line}${outcome(row, paint)}\n`;
  });
  return lines.join('') + (all || pending === 0 ? '' : paint('dim', `     … ${pending} steps have not run\n`));
}

function outcome(row: Row, paint: Paint): string {
  const injected = row.injected ? ' injected' : '';
  if (row.status === 'failed') return paint('red', `= ${row.errno} FAILED${injected}`);
  if (row.status === 'tolerated') return paint('dim', `= ${row.errno}${injected}`);
  return row.status === 'done' ? `= ${row.result}` : paint('dim', row.status);
}

/** The steps that took longest, with their share of the whole; waiting for `start` is not counted. */
export function slowestText(rows: readonly Row[], count: number, paint: Paint): string {
  const timed = rows.filter(({ microseconds, isWait }) => microseconds !== undefined && !isWait);
  const total = timed.reduce((sum, { microseconds }) => sum + microseconds!, 0);
  const sorted = [...timed].sort((a, b) => b.microseconds! - a.microseconds!).slice(0, count);
  return sorted.map((row) => `${row.microseconds!.toFixed(1).padStart(10)} us ${((100 * row.microseconds!) / total).toFixed(1).padStart(5)} %  ${String(row.index).padStart(4)} ${row.side === 'runtime' ? 'r' : 'c'}  ${row.op === 'hand_over' ? 'hand over: waiting for the other side' : row.step} ${paint('dim', row.at)}\n`).join('')
    + paint('bold', `${total.toFixed(1).padStart(10)} us in all, ${timed.length} steps\n`);
}
