// A broken runtime: a good one with one thing wrong. It is a program of its own that changes config.json, arguments, environment or
// output on the way: `node wrap.mjs NAME`, with the good runtime in GOOD_RUNTIME, is what the script of each fault runs.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { faults, type Fault } from './faults.ts';

const [name, good, ...words] = process.argv.slice(2);
const fault: Partial<Fault> = faults[name!] ?? {};

/** The verb: the first word that is no global flag. */
function verbAt(list: readonly string[]): number {
  for (let index = 0; index < list.length; index++) {
    if (!list[index]!.startsWith('-')) return index;
    if (['--root', '--log', '--log-format'].includes(list[index]!)) index++;
  }
  return list.length;
}

const at = verbAt(words), verb = words[at] ?? '';
const bundleAt = words.indexOf('--bundle') + 1, bundle = bundleAt > 0 ? words[bundleAt]! : process.cwd();
const file = join(bundle, 'config.json');
let original: string | undefined;
if (fault.config !== undefined && ['create', 'run'].includes(verb)) {
  try {
    original = readFileSync(file, 'utf8');
    const config = JSON.parse(original) as Record<string, any>;
    fault.config(config);
    writeFileSync(file, JSON.stringify(config));
  } catch {
    // A bundle the good runtime will refuse as it is.
  }
}
const call = { verb, words, good: good! };
const args = fault.args?.(call) ?? words;
const changesOutput = fault.output !== undefined && fault.verbs?.includes(verb) === true;
const done = spawnSync(good!, args, { stdio: ['inherit', changesOutput ? 'pipe' : 'inherit', 'inherit', ...(fault.leaks ?? []).map(() => 'inherit' as const)], encoding: 'utf8', maxBuffer: 1 << 26 });
if (original !== undefined) writeFileSync(file, original);
if (changesOutput) writeSync(1, fault.output!(done.stdout, words));
const status = done.status ?? 137;
process.exit(fault.status === undefined ? status : fault.status(status, call));
