// The prepared programs, whole, in golden.md: `--update` rewrites it; read the diff. And what each must hold to.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { statx } from '../../native/linux/constants.ts';
import { openImage, readRecords } from '../program/decode.ts';
import { encodeProgram } from '../program/encode.ts';
import { printStep } from '../program/print.ts';
import { expandAll } from '../program/template.ts';
import { fact, facts, reported, room } from './facts.ts';
import { cgroupWrites, DEFAULT_PERIOD } from '../compile/resources.ts';
import { arePlain, limitBytes, limits, longestNumber, longestWithUnit } from './limits.ts';
import { given, givenLimits, left, verbs } from './verbs.ts';

const test = suite('prepared');
const golden = join(import.meta.dirname, 'golden.md');

const listing = (program: (typeof verbs)[keyof typeof verbs]): string => {
  const image = openImage(Buffer.from(encodeProgram(program)))!;
  return readRecords(image).map((view) => `${printStep(image, view)}${view.why === '' ? '' : `  # ${view.why}`}\n`).join('');
};

test('the programs are those of golden.md', () => {
  const text = `# Prepared programs\n\nWhat the launcher does of each verb, for any container (\`runt explain --verb VERB\`). A step that fails, and is not said to be tolerated, ends the\nprogram, and the engine does the verb.\n\n${Object.entries(verbs).map(([verb, program]) => `## ${verb}\n\n\`\`\`strace\n${listing(program)}\`\`\`\n`).join('\n')}`;
  if (process.argv.includes('--update')) writeFileSync(golden, text);
  assert.is(text, readFileSync(golden, 'utf8'));
});

test('facts do not overlap', () => {
  const sizes: Readonly<Record<keyof typeof fact, number>> = {
    magic: 8, pid: 8, startTime: 8, privatePidNamespace: 1, startsPlainly: 1, endsPlainly: 1, limitsPlainly: 1, reportsPlainly: 1, stateInode: 16, stateChanged: 12, candidates: 8 * room.candidates,
    reports: 16 * reported.length, stat: room.stat, socket: room.socket, cgroup: room.cgroup, bytes: 0,
  };
  const places = Object.entries(fact).sort(([, a], [, b]) => a - b);
  places.forEach(([name, at], index) => {
    const next = places[index + 1];
    if (next !== undefined) assert.ok(at + sizes[name as keyof typeof fact] <= next[1], `${name} reaches into ${next[0]}`);
  });
  assert.is(facts().size, fact.bytes);
});

test('nothing is taken back or taken away before the container is believed, and its lock is held where it changes', () => {
  for (const [verb, { steps: items, inherited }] of Object.entries(verbs)) {
    assert.equal(Object.keys(inherited), verb === 'update' ? [...given, ...givenLimits] : given);
    const steps = expandAll(items);
    const believed = steps.findIndex(({ op, args }) => op === 'same' && JSON.stringify(args[0]) === JSON.stringify(facts(fact.stateChanged)));
    const first = steps.findIndex(({ op }) => ['connect', 'pidfd_send_signal', 'unlinkat', 'renameat2', 'write'].includes(op));
    assert.ok(believed > 0 && believed < first, verb);
    const locked = steps.findIndex(({ op }) => op === 'flock');
    if (['start', 'kill', 'delete', 'update'].includes(verb)) assert.ok(believed < locked && locked < first, verb);
    // Who held it may have deleted the container, and another may have its id: no test can come in between.
    if (locked >= 0) assert.equal(steps.slice(locked + 1, locked + 3).map(({ op, args }) => [op, args[0]]), [['statx', { slot: 'root' }], ['same', { out: 'named', size: statx.bytes, offset: statx.inodeAndSize }]]);
    assert.is(steps.some(({ result }) => result === left), verb === 'start');
  }
});

test('delete takes the state away last: whatever fails before leaves the engine a container', () => {
  const steps = expandAll(verbs.delete.steps);
  const renamed = steps.findIndex(({ op }) => op === 'renameat2');
  assert.ok(steps.slice(renamed + 1).every(({ op }) => op === 'unlinkat'));
  assert.ok(steps.slice(0, renamed).every(({ op, args }) => op !== 'unlinkat' || args[0] === -100), 'cgroups only');
});

test('update writes what the engine writes, in its order, and only where that is one write', () => {
  const value = (kind: string): number | string => (kind === 'list' ? '0-1' : 10 ** longestNumber - 1);
  const all: Record<string, Record<string, unknown>> = {};
  for (const { controller, key, file, kind } of limits) {
    (all[controller] ??= {})[key] = value(kind);
    const text = String(value(kind));
    assert.equal(cgroupWrites({ [controller]: { [key]: value(kind) } }).map((write) => [write.file, write.value]), [[file, file === 'cpu.max' ? `${text} ${DEFAULT_PERIOD}` : text]]);
  }
  assert.equal(cgroupWrites(all).map(({ file }) => file), limits.map(({ file }) => file));
  assert.ok(longestNumber < limitBytes && 10 ** longestWithUnit * 1024 ** 3 < Number.MAX_SAFE_INTEGER && Number.isSafeInteger(value('number')));
});

test('limits that have to do with each other are not plain', () => {
  for (const resources of [undefined, {}, { memory: { limit: 5, reservation: 3, swap: 0 }, cpu: { quota: 5, period: 6, shares: 7 }, pids: { limit: 4 }, unified: { 'memory.high': '5' } }]) assert.ok(arePlain(resources));
  for (const resources of [{ memory: { swap: 5 } }, { memory: { swap: -1 } }, { memory: { checkBeforeUpdate: true } }, { cpu: { burst: 0 } }, { unified: { 'cpu.max': '5 7' } }]) assert.not.ok(arePlain(resources), JSON.stringify(resources));
});

test.run();
