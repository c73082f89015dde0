// The filter cache: hits give the same filter, and what is unsafe or damaged is never used.
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cachedFilter } from './filter-cache.ts';

const test = suite('filter cache');
const seccomp = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['read', 'write', 'nosuch'], action: 'SCMP_ACT_ALLOW' }] };
const fresh = (): string => join(mkdtempSync(join(tmpdir(), 'cache-')), 'filters');
const only = (directory: string): string => join(directory, readdirSync(directory)[0]!);

test('a hit is the same filter, and does not compile again', () => {
  const directory = fresh();
  const first = cachedFilter(seccomp, directory);
  assert.equal([...first.unknown], ['nosuch']);
  assert.is(statSync(directory).mode & 0o777, 0o700);
  const second = cachedFilter(seccomp, directory);
  assert.equal([...second.unknown], ['nosuch']);
  assert.ok(Buffer.from(first.filter).equals(Buffer.from(second.filter)));
  assert.is(second.flags, first.flags);
});

test('another profile is another entry', () => {
  const directory = fresh();
  cachedFilter(seccomp, directory);
  cachedFilter({ ...seccomp, defaultErrnoRet: 5 }, directory);
  assert.is(readdirSync(directory).length, 2);
});

test('damaged, readable to others or in an open directory: compiled anew', () => {
  for (const spoil of [(file: string) => truncateSync(file, 20), (file: string) => writeFileSync(file, ''), (file: string) => chmodSync(file, 0o644), (file: string) => chmodSync(join(file, '..'), 0o777)]) {
    const directory = fresh();
    cachedFilter(seccomp, directory);
    spoil(only(directory));
    const good = cachedFilter(seccomp, fresh());
    assert.ok(Buffer.from(cachedFilter(seccomp, directory).filter).equals(Buffer.from(good.filter)));
    rmSync(directory, { recursive: true });
  }
});

test('mistakes have their place', () => {
  assert.throws(() => cachedFilter({ ...seccomp, architectures: ['SCMP_ARCH_NONE'] }, fresh()), /unknown architecture/);
});

test.run();
