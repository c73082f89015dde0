// The encoding: what C reads must be what TypeScript wrote, hand-overs come from sides, and a broken program is refused.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileCreate } from '../compile/create.ts';
import { testContext } from '../compile/testing.ts';
import { openImage, readRecords } from './decode.ts';
import { encodeProgram } from './encode.ts';
import { withHandOvers } from './hand-over.ts';
import { generateHeader, generateNames } from './header.ts';
import { printListing, printStep } from './print.ts';
import { part, slot, type Program } from './step.ts';

const test = suite('program');
const repository = join(import.meta.dirname, '../..');
const dump = join(repository, 'dist/runt-dump');
const work = mkdtempSync(join(tmpdir(), 'encode-'));
const listing = (program: Program): string => printListing(openImage(Buffer.from(encodeProgram(program)))!);

function dumped(tool: readonly string[], program: Program): string {
  const file = join(work, 'program');
  writeFileSync(file, encodeProgram(program));
  return execFileSync(tool[0]!, [...tool.slice(1), file], { encoding: 'utf8', maxBuffer: 1 << 26 });
}

const programs: readonly [string, Program][] = [
  ['the default bundle', compileCreate(testContext({}))],
  ['a user namespace', compileCreate(testContext({ linux: { namespaces: ['pid', 'mount', 'user', 'network', 'ipc', 'uts'].map((type) => ({ type })), uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }], gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }] } }))],
  ['a terminal', compileCreate(testContext({ process: { terminal: true, args: ['/bin/sh'], cwd: '/a "b"\n', consoleSize: { height: 5, width: 6 } } }, { console: { kind: 'socket', path: '/c' } }))],
];

for (const [name, program] of programs) {
  test(`the dump tool prints what print.ts prints: ${name}`, () => assert.is(dumped([dump], program), listing(program)));
}

test('random programs: encode, decode and both printers agree', () => {
  let seed = 42;
  const random = (below: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) % below;
  for (let round = 0; round < 50; round++) {
    const step = part('container', `/a/${round}`);
    const program = {
      inherited: { x: 3 },
      steps: Array.from({ length: 1 + random(30) }, (_, i) => [
        () => step('openat', [-100, 'p'.repeat(random(300)), random(1 << 22), random(0o7777)], 'w', { result: `s${i}`, tolerate: ['ENOENT', 'EACCES'].slice(random(3)) }),
        () => step('close', [slot('x')], '', { unless: 'x' }),
        () => step('openat2', [slot('x'), 'ä\u0001"\\', { struct: 'open_how', members: { flags: random(1 << 20), mode: random(512), resolve: random(32) } }, 24], ''),
        () => step('execve', ['/x', { words: ['a', 'b c', ''] }, { words: [] }], ''),
        () => step('mount_setattr', [slot('x'), '', 0x1000, { struct: 'mount_attr', members: { userns_fd: slot('x'), attr_set: random(256) } }, 32], ''),
        () => step('mknodat', [slot('x'), 'n', 0o20666, random(1 << 20)], ''),
        () => step('prlimit64', [0, random(20), { struct: 'rlimit64', members: { rlim_cur: 2n ** 64n - 1n, rlim_max: random(1000) } }, 0], ''),
      ][random(7)]!()),
    };
    assert.is(dumped([dump], program), listing(program));
    const views = readRecords(openImage(Buffer.from(encodeProgram(program)))!);
    views.forEach((view, i) => {
      assert.is(view.op, program.steps[i]!.op);
      assert.is(view.pointer, program.steps[i]!.at);
      assert.is(view.result, program.steps[i]!.result);
    });
  }
});

test('the words of an array, of one byte each and of more', () => {
  const execve = part('container', '')('execve', ['/x', { words: ['ä', 'b', '', '日本'] }, { words: ['A=1', 'B=', `C=${'c'.repeat(70_000)}`, 'D=4'] }], '');
  const image = openImage(Buffer.from(encodeProgram({ inherited: {}, steps: [execve] })))!;
  assert.is(printStep(image, readRecords(image)[0]!).replace(/c{9,}"…/, 'c"'), `execve("/x", ["\\xc3\\xa4", "b", "", "\\xe6\\x97\\xa5\\xe6\\x9c\\xac"], ["A=1", "B=", "C=c", "D=4"])`);
});

test('a hand-over stands where the turn goes to the runtime, and carries what it needs', () => {
  const container = part('container', '');
  const runtime = part('runtime', '');
  const steps = withHandOvers([
    runtime('openat', [-100, '/a', 0, 0], '', { result: 'a' }), container('setsid', [], ''), container('openat', [-100, '/b', 0, 0], '', { result: 'b' }),
    runtime('send_fd', ['/s', slot('b'), ''], ''), container('setsid', [], ''),
  ]);
  assert.equal(steps.map(({ op }) => op), ['openat', 'setsid', 'openat', 'hand_over', 'send_fd', 'setsid']);
  assert.equal(steps[3]!.args[0], { slot: 'b' });
});

test('more descriptors than one message holds go in several turns', () => {
  const container = part('container', '');
  const runtime = part('runtime', '');
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const steps = withHandOvers([
    ...names.map((name) => container('openat', [-100, name, 0, 0], '', { result: name })),
    ...names.map((name) => runtime('close', [slot(name)], '')),
    container('setsid', [], ''),
  ]);
  const sent = steps.filter(({ op }) => op === 'hand_over').map(({ args }) => args.flatMap((arg) => (arg === null ? [] : [(arg as { slot: string }).slot])));
  assert.equal(sent, [['a', 'b', 'c'], ['d', 'e', 'f'], ['g']]);
  assert.equal(steps.slice(names.length).map(({ op }) => op), ['hand_over', 'close', 'close', 'close', 'hand_over', 'close', 'close', 'close', 'hand_over', 'close', 'setsid']);
});

test('programs that break the language are refused', () => {
  const container = part('container', '');
  assert.throws(() => encodeProgram({ inherited: {}, steps: [container('close', [slot('nowhere')], '')] }), /no step sets/);
  assert.throws(() => encodeProgram({ inherited: {}, steps: [container('close', [], '')] }), /takes 1 arguments/);
  assert.throws(() => encodeProgram({ inherited: {}, steps: [part('runtime', '')('pivot_root', ['.', '.'], '')] }), /not a runtime operation/);
});

test('damaged images are refused or print, and never crash', () => {
  const good = encodeProgram(programs[0]![1]);
  assert.is(openImage(Buffer.alloc(10)), undefined);
  assert.is(openImage(Buffer.from(good.subarray(0, good.length - 1))), undefined);
});

test('program.h and names.h are fresh', () => {
  assert.is(readFileSync(join(repository, 'native/interpreter/program.h'), 'utf8'), generateHeader());
  assert.is(readFileSync(join(repository, 'native/interpreter/names.h'), 'utf8'), generateNames());
});

const cross = '/usr/bin/aarch64-linux-gnu-gcc';
const emulator = '/usr/bin/qemu-aarch64-static';
const aarch64 = existsSync(cross) && existsSync(emulator) ? test : test.skip; // needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user-static
aarch64('aarch64: the interpreter builds, numbers are its own, and its dump tool agrees', () => {
  execFileSync(join(repository, 'native/interpreter/build.sh'), [work, cross], { env: { ...process.env, RUNT_DUMP: '1' }, stdio: 'pipe' });
  const script = `Object.defineProperty(process, 'arch', { value: 'arm64' });
const { compileCreate } = await import('${repository}/src/compile/create.ts');
const { testContext } = await import('${repository}/src/compile/testing.ts');
const { encodeProgram } = await import('${repository}/src/program/encode.ts');
const { openImage, readRecords } = await import('${repository}/src/program/decode.ts');
const { printListing } = await import('${repository}/src/program/print.ts');
const { writeFileSync } = await import('node:fs');
const image = encodeProgram(compileCreate(testContext({})));
writeFileSync('${work}/arm.program', image);
const opened = openImage(Buffer.from(image));
writeFileSync('${work}/arm.listing', printListing(opened));
writeFileSync('${work}/arm.numbers', JSON.stringify(Object.fromEntries(readRecords(opened).map((view) => [view.op, view.number]))));`;
  writeFileSync(join(work, 'arm.mts'), script);
  execFileSync(join(repository, 'node_modules/.bin/tsx'), [join(work, 'arm.mts')], { stdio: 'pipe' });
  assert.is(execFileSync(emulator, [join(work, 'runt-dump'), join(work, 'arm.program')], { encoding: 'utf8' }), readFileSync(join(work, 'arm.listing'), 'utf8'));
  const numbers = JSON.parse(readFileSync(join(work, 'arm.numbers'), 'utf8')) as Record<string, number>;
  assert.is(numbers['openat2'], 437);
  assert.is(numbers['close'], 57);
  assert.is(numbers['execve'], 221);
});

test.after(() => rmSync(work, { recursive: true }));
test.run();
