// The cache of compiled filters: hits without libseccomp, and everything unsafe or broken is compiled anew.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Seccomp } from '../../spec/config.ts';
import { bigProfile } from '../bpf/profile.fixture.ts';
import { compileSeccomp } from '../bpf/seccomp.ts';
import { cachedFilter } from './filter-cache.ts';

const cache = suite('filter cache');
let parent = '';
let directory = '';
cache.before.each(() => {
  parent = mkdtempSync('/tmp/runt-cache-');
  directory = `${parent}/filters`;
});
cache.after.each(() => rmSync(parent, { recursive: true }));

const small = (errnoRet: number | bigint = 1): Seccomp => ({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'frobnicate'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, op: 'SCMP_CMP_EQ', value: errnoRet }] }] });
const files = (): readonly string[] => (existsSync(directory) ? readdirSync(directory) : []);
const only = (): string => {
  assert.is(files().length, 1);
  return `${directory}/${files()[0]}`;
};

/** The answer must be the compiler's, whatever the cache holds. */
function same(seccomp: Seccomp = small()): void {
  const { filter, ...rest } = cachedFilter(seccomp, directory);
  const { filter: expected, ...others } = compileSeccomp(seccomp);
  assert.equal([Buffer.from(filter).toString('hex'), rest], [Buffer.from(expected).toString('hex'), others]);
}

/** Puts a mark into the stored filter, in both copies: a hit shows it, a compiled filter does not. */
function mark(path: string): void {
  const bytes = readFileSync(path);
  const length = bytes.readUInt32LE(16);
  for (const at of [bytes.length - 1, bytes.length - 1 - length]) bytes[at] = 0xee;
  writeFileSync(path, bytes);
}
const isMarked = (seccomp: Seccomp = small()): boolean => cachedFilter(seccomp, directory).filter.at(-1) === 0xee;

cache('the second time it is a hit, and it says the same', () => {
  for (const seccomp of [small(), bigProfile(), small(2n ** 63n), { ...small(), flags: [] }]) {
    same(seccomp);
    same(seccomp);
  }
  assert.is(files().length, 4);
  assert.ok(files().every((name) => (lstatSync(`${directory}/${name}`).mode & 0o777) === 0o600));
  assert.is(lstatSync(directory).mode & 0o777, 0o700);
  assert.not(isMarked());
  rmSync(directory, { recursive: true });
  same();
  mark(only());
  assert.ok(isMarked(), 'it did not come from the cache');
});

cache('another input is another entry, even under the same name', () => {
  same(small(1));
  const path = only();
  same(small(2));
  const other = files().map((name) => `${directory}/${name}`).find((one) => one !== path)!;
  mark(path);
  renameSync(path, other);
  assert.not(isMarked(small(2)));
  assert.not(isMarked(small(2)));
});

cache('a broken file is not believed and is replaced', () => {
  const breaks: readonly ((path: string) => void)[] = [
    (path) => truncateSync(path, 0), (path) => truncateSync(path, 27), (path) => truncateSync(path, lstatSync(path).size - 8), (path) => writeFileSync(path, 'x', { flag: 'a' }),
    ...[0, 8, 12, 16, 40].map((at) => (path: string): void => {
      const bytes = readFileSync(path);
      bytes[at]! ^= 1;
      writeFileSync(path, bytes);
    }),
    (path) => {
      const bytes = readFileSync(path);
      bytes[bytes.length - 20]! ^= 1; // one copy of the filter
      writeFileSync(path, bytes);
    },
    (path) => writeFileSync(path, Buffer.alloc(lstatSync(path).size)),
  ];
  for (const [index, damage] of breaks.entries()) {
    same();
    const path = only();
    const good = readFileSync(path);
    mark(path);
    damage(path);
    assert.not(isMarked(), `damage ${index}`);
    assert.equal(readFileSync(path).compare(good), 0, `damage ${index} was not repaired`);
  }
});

cache('files and directories that others could have written are not read', () => {
  same();
  const path = only();
  mark(path);
  chmodSync(path, 0o640);
  assert.not(isMarked());
  mark(path);
  chmodSync(directory, 0o750);
  assert.not(isMarked());
  chmodSync(directory, 0o700);
  assert.ok(isMarked());
  renameSync(path, `${parent}/elsewhere`);
  symlinkSync(`${parent}/elsewhere`, path);
  assert.not(isMarked(), 'a symlink was followed');
  mark(path);
  renameSync(directory, `${parent}/real`);
  symlinkSync(`${parent}/real`, directory);
  assert.not(isMarked(), 'a symlinked directory was used');
});

cache('a cache that cannot be used is no error', () => {
  for (const impossible of ['/proc/self/filters', '/dev/null/filters', `${parent}/${'x'.repeat(300)}`]) assert.ok(cachedFilter(small(), impossible).filter.length > 0);
  mkdirSync(`${parent}/open`, { mode: 0o777 });
  chmodSync(`${parent}/open`, 0o777);
  cachedFilter(small(), `${parent}/open`);
  assert.is(readdirSync(`${parent}/open`).length, 0, 'nothing is written where others could change it');
  mkdirSync(directory, { mode: 0o700 });
  const name = cachedFilter(small(), directory) && files()[0]!;
  rmSync(`${directory}/${name}`);
  mkdirSync(`${directory}/${name}`);
  same();
});

cache('errors of the compiler are not hidden', () => {
  assert.throws(() => cachedFilter({ defaultAction: 'SCMP_ACT_NOTIFY' }, directory), /NOTIFY/);
  assert.equal(files(), []);
});

cache('it does not grow for ever', () => {
  for (let i = 0; i < 300; i++) cachedFilter(small(i), directory);
  assert.ok(files().length <= 128, `${files().length} files`);
});

const root = process.geteuid!() === 0 ? cache : cache.skip;

root("another user's file or directory is not read", () => {
  same();
  const path = only();
  mark(path);
  chownSync(path, 65534, 65534);
  assert.not(isMarked());
  mark(only());
  chownSync(directory, 65534, 65534);
  assert.not(isMarked());
});

root('a hit does not load libseccomp', () => {
  const child = `import(${JSON.stringify(`${import.meta.dirname}/filter-cache.ts`)}).then(async ({ cachedFilter }) => { cachedFilter(${JSON.stringify(small())}, ${JSON.stringify(directory)}); console.log((await import('node:fs')).readFileSync('/proc/self/maps', 'utf8').includes('libseccomp') ? 'loaded' : 'not loaded'); })`;
  const outcomes = [0, 1].map(() => spawnSync(process.execPath, [...process.execArgv, '-e', child], { encoding: 'utf8' }).stdout.trim());
  assert.equal(outcomes, ['loaded', 'not loaded']);
});

cache.run();
