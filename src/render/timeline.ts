// A timeline as SVG that stands by itself: both sides on one axis, then a row for each step.
import type { Row } from './rows.ts';

const WIDTH = 1280;
const LEFT = 470;
const RIGHT = 90;
const ROW = 17;
const LANE = 26;
const TOP = 150;

const colors: Readonly<Record<string, string>> = { runtime: '#8e44ad', container: '#2471a3', hand: '#d4a017', failed: '#c0392b', tolerated: '#7f8c8d' };

/** Where a row lies on the axis: waiting for `start` is nobody's work and is cut out of it. */
interface Placed {
  readonly row: Row;
  readonly x: number;
  readonly width: number;
}

/** An SVG document, or with `inline` the element alone for a page. */
export function timelineSvg(rows: readonly Row[], title: string, inline = false): string {
  const timed = rows.filter(({ span, isWait }) => span !== undefined && !isWait);
  const { place, total } = axis(rows);
  const placed: Placed[] = timed.map((row) => {
    const [from, to] = [place(row.span!.start), place(row.span!.end)];
    return { row, x: LEFT + from, width: Math.max(0.6, to - from) };
  });
  const height = TOP + placed.length * ROW + 20;
  const body = [
    `<text x="16" y="28" class="title">${escape(title)}</text>`,
    `<text x="16" y="48" class="dim">${placed.length} steps, ${inUnits(total)}; point at a bar to see the whole call</text>`,
    legend(),
    ...lanes(placed),
    ...ticks(total, height),
    ...placed.map((one, index) => stepRow(one, TOP + index * ROW)),
  ].join('\n');
  const head = inline ? '' : '<?xml version="1.0" encoding="UTF-8"?>\n';
  return `${head}<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">\n<style>${style}</style>\n<rect width="${WIDTH}" height="${height}" class="paper"/>\n${body}\n</svg>\n`;
}

const style = `text{font:11px ui-monospace,monospace;fill:#1c2833}.title{font:600 16px system-ui,sans-serif}.dim{fill:#5d6d7e}.paper{fill:#fdfefe}.grid{stroke:#d5dbdb}
.runtime{fill:${colors['runtime']}}.container{fill:${colors['container']}}.hand_over{fill:${colors['hand']}}.failed{fill:${colors['failed']}}.tolerated{fill:${colors['tolerated']}}
@media(prefers-color-scheme:dark){text{fill:#eaecee}.dim{fill:#aab7b8}.paper{fill:#17202a}.grid{stroke:#34495e}.runtime{fill:#bb8fce}.container{fill:#5dade2}}`;

function axis(rows: readonly Row[]): { readonly place: (time: number) => number; readonly total: number } {
  const wait = rows.find(({ isWait, span }) => isWait && span !== undefined)?.span;
  const end = Math.max(1, ...rows.map(({ span }) => span?.end ?? 0));
  const cut = wait === undefined ? 0 : wait.end - wait.start;
  const total = Math.max(1, end - cut);
  const scale = (WIDTH - LEFT - RIGHT) / total;
  return { total, place: (time) => scale * (wait !== undefined && time >= wait.end ? time - cut : time) };
}

function legend(): string {
  const words = [['runtime', 'runtime side'], ['container', 'container side'], ['hand_over', 'hand over'], ['tolerated', 'tolerated'], ['failed', 'failed']] as const;
  return words.map(([kind, text], index) => `<rect x="${LEFT + index * 130}" y="38" width="10" height="10" class="${kind}"/><text x="${LEFT + 14 + index * 130}" y="47">${text}</text>`).join('\n');
}

function lanes(placed: readonly Placed[]): string[] {
  return (['runtime', 'container'] as const).flatMap((side, lane) => {
    const y = 70 + lane * (LANE + 6);
    const bars = placed.filter(({ row }) => row.side === side).map(({ row, x, width }) => `<rect x="${x.toFixed(2)}" y="${y}" width="${width.toFixed(2)}" height="${LANE}" class="${kindOf(row)}"><title>${escape(told(row))}</title></rect>`);
    return [`<text x="${LEFT - 10}" y="${y + 17}" text-anchor="end">${side} side</text>`, ...bars];
  });
}

function ticks(total: number, height: number): string[] {
  const raw = total / 6;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw)!;
  const lines: string[] = [];
  for (let time = 0; time <= total; time += step) {
    const x = (LEFT + ((WIDTH - LEFT - RIGHT) * time) / total).toFixed(1);
    lines.push(`<line x1="${x}" x2="${x}" y1="64" y2="${height - 10}" class="grid"/><text x="${x}" y="62" text-anchor="middle" class="dim">${inUnits(time)}</text>`);
  }
  return lines;
}

const LABEL = 63;

function stepRow({ row, x, width }: Placed, y: number): string {
  const label = row.op === 'hand_over' ? '── hand over ──' : row.step;
  const text = `${String(row.index).padStart(4, '\u00a0')} ${label.length > LABEL ? `${label.slice(0, LABEL - 1)}…` : label}`;
  const outcome = row.status === 'failed' ? ` ${row.errno}` : '';
  return `<g><title>${escape(told(row))}</title><text x="8" y="${y + 12}"${row.status === 'failed' ? ' class="failed"' : ''}>${escape(text)}</text>`
    + `<rect x="${x.toFixed(2)}" y="${y + 3}" width="${width.toFixed(2)}" height="${ROW - 6}" class="${kindOf(row)}"/><text x="${(x + width + 4).toFixed(1)}" y="${y + 12}" class="dim">${row.microseconds === undefined ? '' : inUnits(row.microseconds)}${outcome}</text></g>`;
}

const kindOf = (row: Row): string => (row.status === 'failed' || row.status === 'tolerated' ? row.status : row.op === 'hand_over' ? 'hand_over' : row.side);

const told = (row: Row): string => [`${row.index} ${row.step} = ${row.errno ?? row.result}`, row.at, row.why].filter((line) => line !== '').join('\n');

/** Microseconds for a person. */
export function inUnits(microseconds: number): string {
  if (microseconds >= 1000) return `${(microseconds / 1000).toFixed(microseconds >= 10_000 ? 1 : 2)} ms`;
  return `${microseconds.toFixed(microseconds >= 10 || microseconds === 0 ? 0 : 1)} µs`;
}

/** For XML and HTML. */
export function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;').replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, '\ufffd');
}
