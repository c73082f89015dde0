// `runt explain`: the sequence a bundle compiles to.
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { paintFor } from '../color.ts';
import { explainBundle } from '../container/explain.ts';
import { readState } from '../container/state.ts';
import { RuntimeError } from '../errors.ts';
import { imageOf } from '../execute/program-file.ts';
import { readRecords, type Image } from '../program/decode.ts';
import { travellersText } from '../program/print.ts';
import { isBelow } from '../program/select.ts';
import type { Program } from '../program/step.ts';
import { diffText } from '../render/diff.ts';
import { dotText } from '../render/dot.ts';
import { headOf, rowsOf, type Row } from '../render/rows.ts';
import { straceText } from '../render/strace.ts';
import { explainText } from '../render/text.ts';
import { valueOf, type Call, type Command } from './command.ts';
import { recordOf } from './trace.ts';

const formats = ['text', 'json', 'strace', 'dot'] as const;
const ID = 'explained';

export const command: Command = {
  name: 'explain', summary: 'print the sequence a bundle compiles to, without running it', words: '[BUNDLE]', least: 0, most: 1,
  flags: [
    { name: 'format', short: 'f', value: formats.join('|'), help: 'default: text' },
    { name: 'at', value: 'POINTER', help: 'only what this place in config.json causes' },
    { name: 'diff', value: 'OTHER', help: 'how it differs from another bundle, or from the recorded program of a container; status 1 if it does' },
    { name: 'verb', value: 'VERB', help: 'the program of a verb that the executable does without an engine, the same for every container' },
    { name: 'bundle', short: 'b', value: 'DIR', help: 'the same as the word' },
  ],
  examples: ['runt explain', 'runt explain --at /mounts/3 /tmp/web', 'runt explain --diff /tmp/other /tmp/web', 'runt explain --diff web /tmp/web', 'runt explain --format dot /tmp/web | dot -Tsvg > web.svg', 'runt --systemd-cgroup explain /tmp/web', 'runt explain --verb delete'],
  run: async (call) => {
    const format = valueOf(call, 'format') ?? 'text';
    if (!(formats as readonly string[]).includes(format)) throw new RuntimeError(`invalid format option: ${format}`, { hint: formats.join(', ') });
    const bundle = posix.resolve(call.words[0] ?? valueOf(call, 'bundle') ?? process.cwd());
    const other = valueOf(call, 'diff');
    const verb = valueOf(call, 'verb');
    if (verb !== undefined) return explainVerb(call, verb, format);
    if (other !== undefined) return compare(call, bundle, other);
    const image = compiled(call, bundle, ID);
    call.stdout(formatted(format, image, placedAt(rowsOf(image), valueOf(call, 'at')), bundle));
    return 0;
  },
};

async function explainVerb(call: Call, verb: string, format: string): Promise<number> {
  const { verbs } = await import('../prepared/verbs.ts');
  const program = (verbs as Readonly<Record<string, Program>>)[verb];
  if (program === undefined) throw new RuntimeError(`${verb} has no program of its own`, { hint: Object.keys(verbs).join(', ') });
  const image = imageOf(program);
  call.stdout(formatted(format, image, rowsOf(image), `runt ${verb}`));
  return 0;
}

/** A directory is a bundle, anything else the id of a container, living or failed: then ours is compiled under its id. */
function compare(call: Call, bundle: string, other: string): number {
  const { root } = call.globals;
  const isBundle = existsSync(`${other}/config.json`);
  const theirs = isBundle ? compiled(call, posix.resolve(other), ID) : recordOf(root, other);
  const { id } = headOf(theirs);
  const at = valueOf(call, 'at');
  const ours = placedAt(rowsOf(compiled(call, bundle, id)), at, false);
  const { text, differs } = diffText(ours, [[bundle, '<bundle>']], placedAt(rowsOf(theirs), at, false), [[isBundle ? posix.resolve(other) : bundleOf(root, id), '<bundle>']], paintFor(1));
  call.stdout(text);
  return differs ? 1 : 0;
}

const compiled = (call: Call, bundle: string, id: string): Image => explainBundle(bundle, call.globals.root, id, call.globals.cgroupManager === 'systemd').image;

function placedAt(rows: readonly Row[], pointer: string | undefined, must = true): readonly Row[] {
  if (pointer === undefined) return rows;
  const chosen = rows.filter(({ at, op }) => op !== 'hand_over' && isBelow(at, pointer));
  if (chosen.length > 0 || !must) return chosen;
  const known = [...new Set(rows.map(({ at }) => at.split('/').slice(0, 3).join('/')))].filter((at) => at !== '').sort();
  throw new RuntimeError(`no step is caused by ${pointer}`, { hint: `a JSON pointer; of this bundle ${known.join(' ')} cause some` });
}

function formatted(format: string, image: Image, rows: readonly Row[], bundle: string): string {
  switch (format) {
    case 'json': return `${JSON.stringify({ steps: rows.map(({ index, side, op, step, call, at, why }) => ({ index, side, op, step, call, at, why })) }, null, 2)}\n`;
    case 'strace': return straceText(rows);
    case 'dot': return dotText(rows, bundle);
    default: return explainText(rows, travellers(image), paintFor(1));
  }
}

const travellers = (image: Image): ReadonlyMap<number, string> => new Map(readRecords(image).filter(({ op }) => op === 'hand_over').map((view) => [view.index, travellersText(image, view)]));

/** A failed container has no state any more: then its bundle shows as it is. */
function bundleOf(root: string, id: string): string {
  try {
    return readState(root, id).bundle;
  } catch {
    return '';
  }
}
