// `runt trace`: the flight recorder of a container, living, stopped or failed.
import { readFileSync } from 'node:fs';
import { paintFor } from '../color.ts';
import { findRecord, lastFailed, toldOf } from '../container/record.ts';
import { validateContainerId } from '../container/state.ts';
import { RuntimeError } from '../errors.ts';
import { openImage, type Image } from '../program/decode.ts';
import { chromeTrace } from '../render/chrome.ts';
import { titleOf } from '../render/file.ts';
import { tracePage } from '../render/page.ts';
import { headOf, rowsOf, type Row } from '../render/rows.ts';
import { straceText } from '../render/strace.ts';
import { slowestText, traceText } from '../render/text.ts';
import { timelineSvg } from '../render/timeline.ts';
import { isOn, valueOf, type Call, type Command } from './command.ts';

const formats = ['text', 'json', 'strace', 'chrome', 'svg', 'html'] as const;
const SLOWEST = 10;

export const command: Command = {
  name: 'trace', summary: 'print what each step of a container returned and how long it took', words: '[CONTAINER]', least: 0, most: 1,
  flags: [
    { name: 'format', short: 'f', value: formats.join('|'), help: 'default: text; chrome opens in Perfetto' },
    { name: 'last', help: 'the container that failed last' },
    { name: 'slowest', help: `the ${SLOWEST} steps that took longest` },
    { name: 'count', short: 'n', value: 'N', help: 'with --slowest: so many of them' },
    { name: 'all', short: 'a', help: 'show skipped steps too' },
  ],
  examples: ['runt trace web', 'runt trace --last', 'runt trace --slowest -n 5 web', 'runt trace --format html web > web.html', 'runt trace --format chrome web > web.json'],
  run: (call) => {
    const { root } = call.globals;
    const format = valueOf(call, 'format') ?? 'text';
    if (!(formats as readonly string[]).includes(format)) throw new RuntimeError(`invalid format option: ${format}`, { hint: formats.join(', ') });
    const id = isOn(call, 'last') ? lastFailed(root) : call.words[0];
    if (id === undefined) throw new RuntimeError(isOn(call, 'last') ? 'no container failed under this root' : '"trace" requires a CONTAINER or --last', { usage: !isOn(call, 'last') });
    validateContainerId(id);
    const image = recordOf(root, id);
    call.stdout(formatted(call, format, image, rowsOf(image), toldOf(root, id)));
    return 0;
  },
};

/** The recorded program of a container. Throws RuntimeError when there is none, or none that can be read. */
export function recordOf(root: string, id: string): Image {
  const path = findRecord(root, id);
  if (path === undefined) throw new RuntimeError('container does not exist', { hint: `looked in ${root}` });
  const image = openImage(readFileSync(path));
  if (image === undefined) throw new RuntimeError(`${path} is damaged, or of another version`);
  return image;
}

function formatted(call: Call, format: string, image: Image, rows: readonly Row[], told: string | undefined): string {
  const paint = paintFor(1);
  const error = told === undefined || told === '' ? undefined : `runt: ${told.replace(/^runt: /, '')}`;
  switch (format) {
    case 'json': {
      const steps = rows.map(({ index, side, status, result, errno, microseconds, step, at, why, injected, span }) => ({ index, side, status, result: errno === undefined ? result : -result, errno, microseconds, start: span?.start, step, at, why, injected: injected || undefined }));
      return `${JSON.stringify({ ...headOf(image), error, steps }, null, 2)}\n`;
    }
    case 'strace': return straceText(rows);
    case 'chrome': return chromeTrace(rows, headOf(image));
    case 'svg': return timelineSvg(rows, titleOf(image));
    case 'html': return tracePage(rows, titleOf(image), error);
    default: return isOn(call, 'slowest') ? slowestText(rows, countOf(call), paint) : `${traceText(rows, isOn(call, 'all'), paint)}${error ?? ''}`;
  }
}

function countOf(call: Call): number {
  const count = valueOf(call, 'count') ?? String(SLOWEST);
  if (!/^[1-9]\d{0,4}$/.test(count)) throw new RuntimeError(`invalid value "${count}" for -count`, { hint: 'a count of steps' });
  return Number(count);
}
