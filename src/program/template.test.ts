// Templates: a copy is what its steps would be, one by one, in the compiler and in the image.
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { libraryCopies, writeCopies } from '../../native/interpreter/copies.ts';
import { call, mapFile, mappedBytes } from '../../native/linux/syscalls.ts';
import { compileCreate } from '../compile/create.ts';
import type { Context } from '../compile/context.ts';
import { named } from '../compile/mount-entry.ts';
import { entries } from '../compile/mount-list.ts';
import { mounts, mountSources, mountSteps, sourceSteps } from '../compile/mounts.ts';
import { testContext } from '../compile/testing.ts';
import type { WriteCopies } from './copies.ts';
import { openImage } from './decode.ts';
import { encodeProgram } from './encode.ts';
import { withHandOvers } from './hand-over.ts';
import { printListing } from './print.ts';
import { Rows } from './rows.ts';
import { part, slot, type Copies, type Program, type Step, type Template } from './step.ts';
import { countOf, expandAll, hole, isCopies, rowFor, sets, stepsOf } from './template.ts';

const container = part('container', '');
const root = container('openat', [-100, '/', 0, 0], '', { result: 'root' });
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
  (index) => ({ destination: `/x${index}`, type: 'bind', source: index % 5 === 3 ? '/host/file' : `/host/${index}`, options: ['bind'] }),
  (index) => ({ destination: index === 7 ? '/dev' : `/y${index}`, type: 'ramfs', source: 'ramfs', options: ['nosuid', 'ro'] }),
  (index) => ({ destination: index === 9 ? '/proc/meminfo' : `/z/${index}`, type: 'none', source: '/host', options: ['bind'] }),
  (index) => ({ destination: index % 9 === 5 ? ['/w/w/', '/w//w', '/w/./w', '/v/../w'][((index - 5) / 9) % 4]! : `/v/w/${index}`, type: 'tmpfs', source: 'tmpfs', options: ['noexec'] }),
  (index) => ({ destination: `/cg${index}`, type: 'cgroup', source: index % 3 === 0 ? 'cgroup' : 'other', options: ['rw'] }),
  (index) => ({ destination: `/file/${index}`, type: 'tmpfs', source: '/host/file', options: ['nodev'] }),
];

/** New file systems, and what goes directly into the last: all kinds, then some again, elsewhere, and again. */
function below(path: string): readonly Record<string, unknown>[] {
  const inside = kinds.flatMap((kind, which) => Array.from({ length: 30 }, (_, index) => ({ ...kind(index), destination: `${path}/${which}x${index}` })));
  const alike = Array.from({ length: 30 }, (_, index) => ({ destination: `${path.slice(0, path.lastIndexOf('/'))}/y${index}`, type: 'tmpfs' }));
  return [...alike, { destination: path, type: 'tmpfs' }, ...inside, ...inside.slice(0, 40), { destination: `/elsewhere${path}` }, ...inside.slice(40, 70)];
}

/** Every kind of mount many times, in a changing order. */
function contexts(): readonly Context[] {
  const order = Array.from({ length: 30 * kinds.length }, (_, index) => kinds[(index * 5 + (index >> 3)) % kinds.length]!(index));
  const rows = [order, kinds.flatMap((kind) => Array.from({ length: 30 }, (_, index) => kind(index))), ['/p', '/é'].flatMap(below)];
  return rows.flatMap((list) => [{}, { uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }], gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }] }].map((linux) => {
    const namespaces = ['pid', 'mount', ...('uidMappings' in linux ? ['user'] : [])].map((type) => ({ type }));
    const context = testContext({ mounts: list, linux: { ...linux, namespaces, mountLabel: 'label' } } as never);
    return { ...context, host: { ...context.host, files: new Set(['/host/file']), plainNames: new Set(['p', 'é']), cgroupMount: '/sys/fs/cgroup' } };
  }));
}

test('the steps of mounts are the same, copied or compiled one by one', () => {
  for (const context of contexts()) {
    const all = entries(context);
    for (const [copied, steps] of [[mountSources(context), sourceSteps], [mounts(context), mountSteps]] as const) {
      assert.ok(copied.filter(isCopies).reduce((sum, copies) => sum + countOf(copies), 0) > 20);
      for (const { template: { first, ...rest }, rows } of copied.filter(isCopies)) assert.equal(first, stepsOf(rest, rows.at(0)));
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

/** What the library does itself: what it cannot do is no answer here. */
const byLibrary = (fd: number, memory?: Buffer): WriteCopies => (...all) => {
  const end = libraryCopies(fd, memory)(...all);
  assert.ok(end > 0, 'the library could not');
  return end;
};

test('the library writes the same bytes', () => {
  for (const context of contexts()) {
    const program = compileCreate(context);
    assert.equal(Buffer.from(encodeProgram(program, { writeCopies: byLibrary(-1) })), Buffer.from(encodeProgram(program)));
  }
});

test('the library writes the same bytes through the file of a mapping', () => {
  const base = 0x2222_0000_0000;
  const directory = mkdtempSync(join(tmpdir(), 'template-'));
  const long = { steps: Array.from({ length: 300 }, (_, i) => container('openat', [slot('root'), hole(1), i, 0], '', { result: `fd${hole(0)}` })) };
  const programs = [...contexts().map(compileCreate), { steps: [root, { template: long, rows: rowsOf(['0', '1', '2', '3'].map((word) => [word, 'x'.repeat(90)])), from: 0, to: 4 }], inherited: {} }];
  programs.forEach((program, index) => {
    const expected = Buffer.from(encodeProgram(program, { base }));
    const fd = openSync(join(directory, String(index)), 'w+');
    ftruncateSync(fd, 2 * expected.length);
    assert.is(mapFile(fd, base, 2 * expected.length), 0);
    const memory = mappedBytes(base, 2 * expected.length);
    assert.is(encodeProgram(program, { base, memory, writeCopies: byLibrary(fd, memory) }).length, expected.length);
    assert.equal(memory.subarray(0, expected.length), expected);
    assert.equal(readFileSync(fd).subarray(0, expected.length), expected);
    assert.is(call('munmap', base, 2 * expected.length), 0);
    closeSync(fd);
  });
  rmSync(directory, { recursive: true });
});

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
    assert.equal(Buffer.from(encodeProgram(program, { writeCopies: byLibrary(-1) })), bytes);
    assert.is(printListing(openImage(bytes)!), listing(written(program)));
  }
});

test('descriptors of a copy travel to the runtime and back', () => {
  const runtime = part('runtime', '');
  const user: Template = { steps: [container('close', [slot('made')], '')] };
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

test('which row sets a slot', () => {
  const rows = rowsOf([['0', 'a'], ['1', 'b'], ['2', 'c']]);
  assert.equal(['fd0', 'fd2', 'other2', 'fd3', 'fd', 'x0'].map((name) => sets(copies(rows, 0, 2), name)), [true, false, false, false, false, false]);
  assert.equal(['fd0', 'fd2', 'other2'].map((name) => sets(copies(rows, 2), name)), [false, true, true]);
  const around = (before: string, after: string) => ({ start: before, holes: [{ word: 0, after }] });
  const texts = rowsOf([['', ''], ['x', ''], ['aa', '']]);
  assert.equal(['a', 'aa', 'axa', 'axb', 'bxa', 'aaaa'].map((name) => rowFor(around('a', 'a'), texts, name)), [-1, 0, 1, -1, -1, 2]);
  const paths = new Rows(2);
  paths.add('/m/0', 0, '');
  paths.add('/m/1', 1, '');
  assert.equal([paths.find(1, '1'), paths.find(2, '1'), paths.find(3, '')].map((row) => row >= 0), [true, true, true]);
  assert.throws(() => rowFor({ start: 'a', holes: [] }, rows, 'a'), /one hole/);
});

test('more texts than the library has room for are written all the same', () => {
  const options = Array.from({ length: 80 }, (_, word) => `uid=${word}`);
  const program = compileCreate(testContext({ mounts: Array.from({ length: 30 }, (_, index) => ({ destination: `/m/${index}`, type: 'tmpfs', source: 'tmpfs', options })), linux: { namespaces: [{ type: 'mount' }] } } as never));
  const ends: number[] = [];
  const counted: WriteCopies = (...all) => {
    ends.push(libraryCopies(-1)(...all));
    return writeCopies(...all);
  };
  assert.equal(Buffer.from(encodeProgram(program, { writeCopies: counted })), Buffer.from(encodeProgram(program)));
  assert.equal(ends, [0, 0]);
});

test('paths of other words than the first are refused', () => {
  for (const path of ['/a', '/a/b/c', 'a/b', '']) {
    const rows = new Rows(2);
    for (const one of ['/m/0', '/m/1', path]) rows.add(one, rows.length, 'text');
    for (const write of [{}, { writeCopies }]) assert.throws(() => encodeProgram({ steps: [root, copies(rows)], inherited: {} }, write), /words/, path);
  }
});

test('a template with a slot in a structure is refused', () => {
  const stored = { steps: [container('mount_setattr', [slot('root'), '', 0, { struct: 'mount_attr', members: { userns_fd: slot('root') } }, 32], '')] };
  assert.throws(() => encodeProgram({ steps: [root, { template: stored, rows: rowsOf([['', ''], ['', '']]), from: 0, to: 2 }], inherited: {} }), /stores no slot/);
});

test.run();
