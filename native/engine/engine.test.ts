// The executable's fs and path against node's own: same results, same errors.
import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { koffi } from '../linux/koffi.ts';
import * as ours from './fs.ts';
import * as ourPath from './path.ts';

const ourPosix = ourPath.posix;

koffi(); // as the verbs do that use it: before, calls go to the engine's own module
const test = suite('engine');
const work = fs.mkdtempSync(join(tmpdir(), 'engine-'));
test.after(() => fs.rmSync(work, { recursive: true }));

test('path: every function as node:path has it', () => {
  const words = ['', '.', '..', 'a', '/a', 'a/', '/', '//', '/a//b/../c/./', '../../x', '/..', 'a/b/../../..', './', 'a/..', '/a/b/', '...', 'a//'];
  for (const one of words) {
    for (const name of ['normalize', 'dirname', 'basename', 'isAbsolute'] as const) assert.is(ourPosix[name](one), posix[name](one), `${name}(${JSON.stringify(one)})`);
    for (const two of words) for (const name of ['join', 'resolve', 'relative'] as const) assert.is(ourPosix[name](one, two), posix[name](one, two), `${name}(${JSON.stringify([one, two])})`);
  }
});

test('all that runt takes from node:fs and node:path is here', () => {
  const root = join(import.meta.dirname, '../..');
  const sources = ['bin', 'spec', 'src', 'native/linux'].flatMap((room) => fs.readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }).map((name) => join(root, room, name)));
  for (const path of sources.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('build-validator.ts'))) {
    const text = fs.readFileSync(path, 'utf8');
    for (const [, names, room] of text.matchAll(/import \{([^}]*)\} from 'node:(fs|path)'/g)) {
      for (const name of names!.split(',').map((word) => word.trim()).filter((word) => word !== '' && !word.startsWith('type '))) {
        assert.ok(name in (room === 'fs' ? ours : ourPath), `${path}: ${name} of node:${room} is missing in native/engine`);
      }
    }
    for (const [, name] of text.matchAll(/\bposix\.(\w+)/g)) assert.ok(name! in ourPosix, `${path}: posix.${name} is missing in native/engine/path.ts`);
    for (const [, name] of text.matchAll(/\bconstants\.([A-Z]_?\w+)/g)) assert.ok(name! in ours.constants, `${path}: constants.${name} is missing in native/engine/fs.ts`);
    assert.not.match(text, /import (\*|\w+)[^'\n]*'node:(fs|path)'/, `${path}: name what is used, so that this test sees it`);
  }
});

test('fs: files are written, read and described alike', () => {
  const path = join(work, 'file');
  ours.writeFileSync(path, 'ä'.repeat(20_000), { mode: 0o640 });
  assert.is(fs.readFileSync(path, 'utf8'), ours.readFileSync(path, 'utf8'));
  assert.equal(Buffer.from(fs.readFileSync(path)), Buffer.from(ours.readFileSync(path)));
  for (const name of ['statSync', 'lstatSync'] as const) {
    const [theirs, mine] = [fs[name](path), ours[name](path)!];
    for (const key of ['mode', 'uid', 'gid', 'size', 'ino', 'nlink'] as const) assert.is(mine[key], theirs[key], key);
    assert.is(Math.floor(mine.mtimeMs), Math.floor(theirs.mtimeMs));
    assert.is(Math.floor(mine.ctimeMs), Math.floor(theirs.ctimeMs));
    assert.ok(mine.isFile() && !mine.isDirectory() && !mine.isSymbolicLink());
  }
  const fd = ours.openSync(path, 'r+');
  assert.is(ours.fstatSync(fd).size, 40_000);
  const bytes = Buffer.alloc(4);
  assert.is(ours.readSync(fd, bytes, 1, 2, 6), 2);
  assert.is(bytes.toString('utf8', 1, 3), 'ä');
  assert.is(ours.writeSync(fd, 'xy'), 2);
  ours.closeSync(fd);
  assert.is(fs.readFileSync(path, 'utf8').slice(0, 3), 'xyä');
});

test('fs: directories, links and removal', () => {
  const deep = join(work, 'a/b/c');
  ours.mkdirSync(deep, { recursive: true, mode: 0o700 });
  ours.mkdirSync(deep, { recursive: true });
  fs.symlinkSync('nowhere', join(work, 'a/link'));
  fs.writeFileSync(join(work, 'a/b/file'), '');
  assert.is(ours.readlinkSync(join(work, 'a/link')), 'nowhere');
  assert.equal(ours.readdirSync(join(work, 'a')).sort(), fs.readdirSync(join(work, 'a')).sort());
  assert.equal(ours.readdirSync(join(work, 'a'), { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name), ['b']);
  ours.renameSync(join(work, 'a/b'), join(work, 'a/d'));
  assert.ok(ours.existsSync(join(work, 'a/d/c')) && !ours.existsSync(join(work, 'a/b')));
  ours.rmSync(join(work, 'a'), { recursive: true });
  assert.not.ok(fs.existsSync(join(work, 'a')));
  ours.rmSync(join(work, 'a'), { recursive: true, force: true });
  assert.is(ours.statfsSync('/proc').type, fs.statfsSync('/proc').type);
});

test('fs: errors have node’s code, errno, syscall and path', () => {
  const attempts: readonly ((one: typeof ours) => unknown)[] = [
    (one) => one.openSync(join(work, 'none')), (one) => one.readFileSync(join(work, 'none'), 'utf8'), (one) => one.mkdirSync(work), (one) => one.mkdirSync(join(work, 'x/y')), (one) => one.statSync(join(work, 'none')),
    (one) => one.lstatSync(join(work, 'none')), (one) => one.rmdirSync(join(work, 'none')), (one) => one.unlinkSync(join(work, 'none')), (one) => one.renameSync(join(work, 'none'), join(work, 'other')),
    (one) => one.readlinkSync(work), (one) => one.readFileSync(work), (one) => one.accessSync(join(work, 'none')), (one) => one.readdirSync(join(work, 'none')), (one) => one.closeSync(987),
  ];
  for (const attempt of attempts) {
    const errorOf = (one: unknown): Record<string, unknown> => {
      try {
        attempt(one as typeof ours);
      } catch (error) {
        const { code, errno, syscall, path } = error as NodeJS.ErrnoException;
        return { code, errno, syscall, path };
      }
      return {};
    };
    assert.equal(errorOf(ours), errorOf(fs), attempt.toString());
  }
  assert.is(ours.statSync(join(work, 'none'), { throwIfNoEntry: false }), undefined);
});

test('array methods are as the engine’s own, holes, changes on the way and `this` included', async () => {
  const prototype = Array.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  const names = ['forEach', 'map', 'filter', 'some', 'every', 'find', 'findIndex', 'flatMap'];
  const own = Object.fromEntries(names.map((name) => [name, prototype[name]!]));
  await import('./array.ts');
  const arrays: (() => unknown[])[] = [() => [], () => [1, 2, 3], () => [1, , 3], () => new Array(3), () => [undefined, null, 0, ''], () => [[1, [2]], [], , [3, , 4]], () => ['a', 'bb', 'a']];
  const calls: ((this: unknown, value: unknown, index: number, array: unknown[]) => unknown)[] = [
    (value) => value, (_, index) => index > 0, () => true, () => false, (value) => value === undefined, (value) => [value, [value]],
    function () { return this; }, (_, index, array) => { if (index === 0) array.push('late'); return index; }, (_, index, array) => { if (index === 0) array.length = 1; return true; },
  ];
  for (const name of names) {
    assert.is.not(prototype[name], own[name]);
    assert.not.ok(Object.keys(Array.prototype).includes(name));
    for (const make of arrays) {
      for (const call of calls) {
        const [seen, theirs, ours, others]: [unknown[], unknown[], unknown[], unknown[]] = [[], [], make(), make()];
        const self = { of: name };
        const watched = (list: unknown[]) => function (this: unknown, ...args: [unknown, number, unknown[]]): unknown { list.push([this === self, args[0], args[1]]); return call.apply(this, args); };
        const result = prototype[name]!.call(ours, watched(seen), self);
        assert.equal([result, seen, ours], [own[name]!.call(others, watched(theirs), self), theirs, others], `${name} of ${JSON.stringify(make())}`);
      }
    }
  }
});

test('the executable’s koffi loads neither libstdc++ nor libgcc_s, and nothing from LD_LIBRARY_PATH', () => {
  const library = join(import.meta.dirname, '../../dist/librtstdc++.so');
  const loaded = execFileSync('ldd', [library], { encoding: 'utf8', env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: work } });
  assert.match(loaded, `koffi-c.so => ${join(library, '..')}/koffi-c.so`);
  assert.not.match(loaded, /libstdc\+\+\.so\.6|libgcc_s/);
  fs.copyFileSync(join(library, '../koffi-c.so'), join(work, 'koffi-c.so'));
  assert.is(execFileSync('ldd', [library], { encoding: 'utf8', env: { PATH: process.env['PATH'], LD_LIBRARY_PATH: work } }).includes(work), false);
});

test('Node takes the code cache of its build, and goes on without one that is not its own', () => {
  const built = join(import.meta.dirname, '../../dist');
  const home = join(work, 'dist');
  fs.mkdirSync(home);
  for (const name of ['node', 'koffi.node', 'runt-init', 'runt-copies.so']) fs.cpSync(join(built, name), join(home, name), { recursive: true });
  const ask = `const { Script } = require('node:vm'); const fs = require('node:fs'); const { Script: S } = { Script: class extends Script { constructor(...a) { super(...a); fs.writeSync(2, String(this.cachedDataRejected)); } } }; require('node:vm').Script = S; process.argv.splice(1); process.argv.push('runt'); process.argv.push(...process.env['WORDS'].split(' ')); require(${JSON.stringify(join(home, 'node/runt.cjs'))});`;
  const run = (words = '--version'): { stdout: string; stderr: string } => spawnSync(process.execPath, ['--no-warnings', '-e', ask], { encoding: 'utf8', env: { ...process.env, WORDS: words } });
  assert.is(run().stderr, 'false');
  assert.is(run('run --help').stderr, 'false');
  assert.ok(fs.statSync(join(home, 'node/programs.cache')).size > 1.5 * fs.statSync(join(home, 'node/main.cache')).size, 'what makes programs has been made ready');
  fs.writeFileSync(join(home, 'node/programs.cache'), 'no cache');
  assert.is(run('run --help').stderr, 'true');
  fs.writeFileSync(join(home, 'node/main.cache'), Buffer.alloc(1000, 1));
  assert.is(run().stderr, 'true');
  assert.match(run().stdout, /^runt version/);
  fs.rmSync(join(home, 'node/main.cache'));
  assert.match(run().stdout, /^runt version/);
});

for (const [machine, compiler, emulator] of [['this machine', 'cc', []], ['aarch64', 'aarch64-linux-gnu-gcc', ['qemu-aarch64-static']]] as const) {
  const hasTools = ['/usr/bin/aarch64-linux-gnu-gcc', '/usr/bin/qemu-aarch64-static'].every((path) => fs.existsSync(path)); // gcc-aarch64-linux-gnu, qemu-user-static
  (emulator.length > 0 && !hasTools ? test.skip : test)(`the launcher on ${machine}: the engine gets all but what engines read, and is looked for beside it`, () => {
    const flags = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-Os', '-ffreestanding', '-fno-builtin', '-fno-stack-protector', '-fno-pie', '-nostdlib', '-static', '-no-pie'];
    const home = fs.mkdtempSync(join(work, 'launcher-'));
    const launcher = join(home, 'runt');
    execFileSync(compiler, [...flags, '-o', launcher, join(import.meta.dirname, 'launcher.c')]);
    const [command, ...words] = [...emulator, launcher];
    const env = { BUN_BE_BUN: '1', BUN_JSC_useJIT: '1', NODE_OPTIONS: '--x', MIMALLOC_VERBOSE: '1', JSC_useJIT: '1', UV_THREADPOOL_SIZE: '0', KEPT: 'a=b', BUN: 'kept', PATH: process.env['PATH'] ?? '' };
    const missing = spawnSync(command!, [...words, 'x'], { encoding: 'utf8', env });
    assert.is(missing.status, 127);
    assert.match(missing.stderr, /^runt: the engine is missing/);
    fs.mkdirSync(join(home, 'engine'));
    fs.writeFileSync(join(home, 'engine/runt'), '#!/bin/sh\necho "$*"; exec env', { mode: 0o755 });
    fs.symlinkSync(launcher, join(home, 'link'));
    const said = spawnSync(emulator.length > 0 ? command! : join(home, 'link'), [...words, 'a', 'b c'], { encoding: 'utf8', env }).stdout.trim().split('\n');
    assert.is(said[0], 'a b c');
    assert.equal(said.slice(1).filter((line) => !/^(_|PWD|SHLVL|OLDPWD)=/.test(line)).sort(), ['BUN=kept', 'BUN_JSC_useJIT=0', 'KEPT=a=b', `PATH=${env.PATH}`]);
  });
}

const crossCompiler = '/usr/bin/aarch64-linux-gnu-gcc';
const emulator = '/usr/bin/qemu-aarch64-static';
(fs.existsSync(crossCompiler) && fs.existsSync(emulator) ? test : test.skip)('prepared programs on aarch64: a life as on this machine', () => {
  const home = fs.mkdtempSync(join(work, 'aarch64-'));
  const header = join(home, 'prepared.h');
  const generate = `Object.defineProperty(process, 'arch', { value: 'arm64' }); process.argv[2] = ${JSON.stringify(header)}; import(${JSON.stringify(join(import.meta.dirname, 'generate.ts'))});`;
  fs.writeFileSync(join(home, 'generate.mjs'), generate);
  execFileSync(join(import.meta.dirname, '../../node_modules/.bin/tsx'), [join(home, 'generate.mjs')]);
  const launcher = join(home, 'runt');
  execFileSync(crossCompiler, ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-Os', '-ffreestanding', '-fno-builtin', '-fno-stack-protector', '-fno-pie', '-nostdlib', '-static', '-no-pie', '-include', header, '-o', launcher, join(import.meta.dirname, 'launcher.c')]);
  const runt = join(import.meta.dirname, '../../dist/runt');
  const bundle = join(home, 'bundle');
  const root = join(home, 'root');
  fs.mkdirSync(join(bundle, 'rootfs/bin'), { recursive: true });
  fs.copyFileSync(['/bin/busybox', '/usr/bin/busybox'].find((path) => fs.existsSync(path))!, join(bundle, 'rootfs/bin/sleep'));
  execFileSync(runt, ['spec', '--bundle', bundle]);
  const config = JSON.parse(fs.readFileSync(join(bundle, 'config.json'), 'utf8'));
  Object.assign(config.process, { terminal: false, args: ['/bin/sleep', '1000'] });
  config.linux.cgroupsPath = `/aarch64-${process.pid}`;
  fs.writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
  const call = (command: string, words: readonly string[]): string => execFileSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  execFileSync(runt, ['--root', root, 'create', '--bundle', bundle, 'a'], { stdio: 'ignore' });
  try {
    for (const verb of ['start', 'pause', 'resume', 'kill', 'delete']) {
      assert.is(call(emulator, [launcher, '--root', root, 'state', 'a']), call(runt, ['--root', root, 'state', 'a']), `before ${verb}`);
      if (verb === 'delete') for (let waited = 0; !call(runt, ['--root', root, 'state', 'a']).includes('stopped') && waited < 1000; waited++);
      assert.is(call(emulator, [launcher, '--root', root, verb, 'a', ...(verb === 'kill' ? ['KILL'] : [])]), '');
    }
    assert.is(fs.existsSync(join(root, 'a')), false);
  } finally {
    spawnSync(runt, ['--root', root, 'delete', '--force', 'a']);
  }
});

test.run();
