// Templates: a copy is what its steps would be, one by one, in the compiler and in the image.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeCopies } from '../../native/interpreter/copies.ts';
import { compileCreate } from '../compile/create.ts';
import type { Context } from '../compile/context.ts';
import { entries, named } from '../compile/mount-entry.ts';
import { mounts, mountSources, mountSteps, sourceSteps } from '../compile/mounts.ts';
import { testContext } from '../compile/testing.ts';
import { openImage } from './decode.ts';
import { encodeProgram } from './encode.ts';
import { withHandOvers } from './hand-over.ts';
import { printListing } from './print.ts';
import { Rows } from './rows.ts';
import { part, slot, type Copies, type Program, type Step } from './step.ts';
import { countOf, expandAll, hole, isCopies } from './template.ts';

const test = suite('template');
const listing = (program: Program): string => printListing(openImage(Buffer.from(encodeProgram(program)))!);
const written = ({ steps, inherited }: Program): Program => ({ steps: expandAll(steps), inherited });

const kinds: readonly ((index: number) => Record<string, unknown>)[] = [
  (index) => ({ destination: `/m/${index}`, type: 'bind', source: `/host/${index}`, options: ['rbind', 'ro', 'nosuid'] }),
  (index) => ({ destination: index % 2 === 0 ? `/m/${index}` : `/m/deeper/${index}`, type: 'bind', source: `/host/${index}`, options: ['rbind', 'ro', 'nosuid'] }),
  (index) => ({ destination: `/f${index}`, source: `relative/${index}`, options: ['bind', 'rprivate'] }),
  (index) => ({ destination: `/deep/a/b/${index}/c`, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'size=64k'] }),
  (index) => ({ destination: `/mode/${index}/../x${index}`, type: 'tmpfs', options: ['mode=755', 'ro', 'rnoexec'] }),
  (index) => ({ destination: `/overlay/${index}`, type: 'overlay', source: 'overlay', options: [`lowerdir=/${'l'.repeat(300)}`, 'sync'] }),
  (index) => ({ destination: `/file${index}`, type: 'bind', source: '/host/file' }),
  (index) => ({ destination: `/é${index}`, type: 'bind', source: '/höst' }),
  (index) => ({ destination: index % 2 === 0 ? '/proc/meminfo' : `/procx/${index}`, type: 'bind', source: '/host' }),
  (index) => ({ destination: index % 4 === 0 ? '/dev' : `/dev${index}`, type: 'ramfs', options: ['ro'] }),
  (index) => ({ destination: `/sys${index}`, type: 'sysfs', options: ['ro'] }),
  (index) => ({ destination: `/copied/${index}`, type: 'tmpfs', options: ['tmpcopyup'] }),
  (index) => ({ destination: `/mapped/${index}`, type: 'bind', source: '/host', options: ['idmap'], uidMappings: [{ containerID: 0, hostID: index, size: 1 }], gidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }),
  (index) => ({ destination: `/again/${index}`, type: 'bind', options: ['remount', 'bind', 'ro'] }),
  (index) => ({ destination: `/a/b/c/d/e/f/g/h/i/${index}`, type: 'bind', source: '/host' }),
];

/** Every kind of mount many times, in a changing order. */
function contexts(): readonly Context[] {
  const order = Array.from({ length: 30 * kinds.length }, (_, index) => kinds[(index * 5 + (index >> 3)) % kinds.length]!(index));
  const rows = [order, kinds.flatMap((kind) => Array.from({ length: 30 }, (_, index) => kind(index)))];
  return rows.flatMap((list) => [{}, { uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }], gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }] }].map((linux) => {
    const namespaces = ['pid', 'mount', ...('uidMappings' in linux ? ['user'] : [])].map((type) => ({ type }));
    const context = testContext({ mounts: list, linux: { ...linux, namespaces, mountLabel: 'label' } } as never);
    return { ...context, host: { ...context.host, files: new Set(['/host/file']) } };
  }));
}

test('the steps of mounts are the same, copied or compiled one by one', () => {
  for (const context of contexts()) {
    const all = entries(context);
    for (const [copied, steps] of [[mountSources(context), sourceSteps], [mounts(context), mountSteps]] as const) {
      assert.ok(copied.filter(isCopies).reduce((sum, copies) => sum + countOf(copies), 0) > 20);
      assert.equal(expandAll(copied), all.flatMap((entry) => steps(context, named(entry))));
    }
  }
});

test('the image says the same of copies as of their steps', () => {
  for (const context of contexts()) {
    const program = compileCreate(context);
    assert.ok(program.steps.some(isCopies));
    assert.is(listing(program), listing(written(program)));
  }
});

test('the library writes the same bytes', () => {
  for (const context of contexts()) {
    const program = compileCreate(context);
    assert.equal(Buffer.from(encodeProgram(program, { writeCopies })), Buffer.from(encodeProgram(program)));
  }
});

const container = part('container', '');
const template = {
  steps: [
    part('container', `/x/${hole(0)}`)('openat', [slot('root'), `a/${hole(1)}/${hole(0)}`, 1, 2], 'why', { result: `fd${hole(0)}`, tolerate: ['ENOENT'] }),
    container('fsconfig', [slot(`fd${hole(0)}`), 5, hole(1), null, 0], '', { unless: `other${hole(0)}`, needs: `fd${hole(0)}` }),
    container('openat2', [slot('root'), hole(0), { struct: 'open_how', members: { flags: 1 } }, 24], '', { result: `other${hole(0)}`, needs: `fd${hole(0)}` }),
  ],
};
const copies = (rows: Rows, from = 0, to = rows.length): Copies => ({ template, rows, from, to });

/** Rows without a path. */
function rowsOf(texts: readonly (readonly [string, string])[]): Rows {
  const rows = new Rows(0);
  for (const [first, second] of texts) rows.add('', first, second);
  return rows;
}

const root = container('openat', [-100, '/', 0, 0], '', { result: 'root' });

test('texts, slots and halves of words, beyond ASCII too, with one place from several words', () => {
  const program = { steps: [root, copies(rowsOf([['0', 'one'], ['1', 'two'], ['2', 'ä'], ['3', ''], ['4444', 'four']]))], inherited: { gate: 5 } };
  assert.is(listing(program), listing(written(program)));
});

test('words of any length and kind, in runs of any length', () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    return ((seed ^ (seed >>> 13)) >>> 0) % below;
  };
  const words = ['', 'a', 'ä', '\u{1f4e6}', '0', '9', 'x'.repeat(3000), '\u00ff\u0100', '/', '"'];
  for (let round = 0; round < 40; round++) {
    const rows = new Rows(round % 2 === 0 ? 0 : 2);
    for (let i = 0, count = 1 + random(60); i < count; i++) {
      const word = Array.from({ length: random(5) }, () => words[random(words.length)]!).join('');
      if (round % 2 === 0) rows.add('', i, word);
      else rows.add(`/${i}/${word.replaceAll('/', '')}`, i, word);
    }
    const steps: (Step | Copies)[] = [root];
    for (let from = 0; from < rows.length;) {
      const to = Math.min(rows.length, from + 1 + random(20));
      steps.push(copies(rows, from, to), container('close', [slot(`other${from}`)], `between ${from}`));
      from = to;
    }
    const program = { steps, inherited: {} };
    const bytes = Buffer.from(encodeProgram(program));
    assert.equal(Buffer.from(encodeProgram(program, { writeCopies })), bytes);
    assert.is(printListing(openImage(bytes)!), listing(written(program)));
  }
});

test('descriptors of a copy travel to the runtime and back', () => {
  const runtime = part('runtime', '');
  const user = { steps: [container('close', [slot('made')], '')] };
  const rows = rowsOf([['0', 'a'], ['1', 'b'], ['2', 'c']]);
  const program = { steps: [root, copies(rows, 0, 2), runtime('openat', [slot('fd1'), 'x', 0, 0], '', { result: 'made' }), copies(rows, 2), { template: user, rows: rowsOf([['', '']]), from: 0, to: 1 }], inherited: {} };
  assert.is(listing(program), listing(written(program)));
  const turn = withHandOvers(program.steps).find((step) => !isCopies(step) && step.op === 'hand_over') as Step;
  assert.equal([turn.args[0], turn.args[3]], [slot('fd1'), slot('made')]);
});

test('a slot of a row is the same slot for another template of these rows, and for a step that names it', () => {
  const rows = rowsOf([['0', 'a'], ['1', 'b'], ['2', 'c']]);
  const again = { steps: [container('openat', [slot(`fd${hole(0)}`), hole(1), 0, 0], '', { result: `fd${hole(0)}` }), container('close', [slot(`fd${hole(0)}`)], '')] };
  const program = { steps: [root, copies(rows), { template: again, rows, from: 0, to: 3 }, container('openat', [slot('root'), 'x', 0, 0], '', { result: 'fd1' }), container('close', [slot('fd1')], '')], inherited: {} };
  const image = openImage(Buffer.from(encodeProgram(program)))!;
  assert.is(printListing(image), listing(written(program)));
  assert.is(image.slotCount, 1 + 2 * rows.length);
});

test('rows out of their order, and slots that are not a row’s, are refused', () => {
  const rows = rowsOf([['0', 'a'], ['1', 'b'], ['2', 'c']]);
  assert.throws(() => encodeProgram({ steps: [root, copies(rows, 1), copies(rows, 0, 1)], inherited: {} }), /in the order of their rows/);
  const strange = { steps: [container('close', [slot(`fd${hole(0)}`)], '')] };
  const named = ['0', '1', '2'].map((row) => container('openat', [slot('root'), 'x', 0, 0], '', { result: `fd${row}` }));
  assert.throws(() => encodeProgram({ steps: [root, ...named, { template: strange, rows, from: 0, to: 3 }], inherited: {} }), /\$fd0, which no row/);
});

test('a template with a slot in a structure is refused', () => {
  const stored = { steps: [container('mount_setattr', [slot('root'), '', 0, { struct: 'mount_attr', members: { userns_fd: slot('root') } }, 32], '')] };
  assert.throws(() => encodeProgram({ steps: [root, { template: stored, rows: rowsOf([['', ''], ['', '']]), from: 0, to: 2 }], inherited: {} }), /stores no slot/);
});

test.run();
