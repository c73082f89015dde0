// Which mounts go by a descriptor of the new file system around them, and which are looked for from the root.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { entries, entryRuns } from './mount-list.ts';
import { testContext } from './testing.ts';

const test = suite('mount parents');

const tmpfs = (destination: string, ...options: string[]) => ({ destination, type: 'tmpfs', source: 'tmpfs', options });
const bind = (destination: string, ...options: string[]) => ({ destination, type: 'bind', source: '/host', options });

/** Of each mount its parent's destination, none for one that is looked for. */
function parents(...mounts: readonly { readonly destination: string }[]): readonly (string | undefined)[] {
  const minimal = testContext({ mounts } as never);
  const context = { ...minimal, host: { ...minimal.host, plainNames: new Set(['a', 't29']) } };
  const all = entries(context);
  assert.equal(all.map(({ index }) => index), mounts.map((_, index) => String(index)));
  assert.is(entryRuns(context).reduce((sum, { count }) => sum + count, 0), mounts.length);
  for (const { index, isParent = false } of all) assert.is(isParent, all.some(({ parent }) => parent === index), index);
  return all.map(({ parent }) => (parent === undefined ? undefined : mounts[Number(parent)]!.destination));
}

test('those that follow a tmpfs and go directly into it, of whatever type', () => {
  assert.equal(parents(tmpfs('/a'), bind('/a/x'), tmpfs('/a/y'), { destination: '/a//./z/' }, { destination: '/a/b/../q' }), [undefined, '/a', '/a', '/a', '/a']);
  assert.equal(parents(tmpfs('//a/./'), bind('/a/x')), [undefined, '//a/./']);
  assert.equal(parents(bind('/a/x'), tmpfs('/a')), [undefined, undefined]);
});

test('the first that goes elsewhere, deeper, or where one is already, ends it', () => {
  assert.equal(parents(tmpfs('/a'), bind('/a/x'), bind('/b'), bind('/a/y')), [undefined, '/a', undefined, undefined]);
  assert.equal(parents(tmpfs('/a'), bind('/a/x'), bind('/a/x/y'), bind('/a/z')), [undefined, '/a', undefined, undefined]);
  assert.equal(parents(tmpfs('/a'), bind('/a/x'), tmpfs('/a/x'), bind('/a/z')), [undefined, '/a', undefined, undefined]);
  assert.equal(parents(tmpfs('/a'), bind('/a/x'), tmpfs('/a'), bind('/a/x')), [undefined, '/a', undefined, '/a']);
  assert.equal(parents(tmpfs('/a'), bind('/ab/x'), bind('/a/x')), [undefined, undefined, undefined]);
});

test('a tmpfs inside one is the parent of those that follow it', () => {
  assert.equal(parents(tmpfs('/a'), tmpfs('/a/b'), bind('/a/b/c'), bind('/a/d')), [undefined, '/a', '/a/b', undefined]);
});

test('what a symlink may lead to is none', () => {
  assert.equal(parents(tmpfs('/l'), bind('/l/x')), [undefined, undefined]);
  assert.equal(parents(tmpfs('/a/b'), bind('/a/b/x')), [undefined, undefined]);
  assert.equal(parents(bind('/a'), tmpfs('/a/l'), bind('/a/l/x')), [undefined, undefined, undefined]);
});

test('what is not empty, or not yet there, is no parent', () => {
  for (const mount of [bind('/a'), tmpfs('/a', 'tmpcopyup'), tmpfs('/a', 'remount'), tmpfs('/a', 'bind'), { destination: '/a', type: 'overlay', source: 'overlay' }, { destination: '/a', type: 'proc', source: 'proc' }]) {
    assert.equal(parents(mount, bind('/a/x')), [undefined, undefined], JSON.stringify(mount));
  }
  assert.equal(parents(tmpfs('/'), bind('/x')), [undefined, undefined]);
});

test('in a long list too, where neighbours that are alike are one run', () => {
  const many = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => tmpfs(`${prefix}${i}`, 'noexec'));
  const times = (count: number, parent: string | undefined) => Array.from({ length: count }, () => parent);
  assert.equal(parents(tmpfs('/a'), ...many('/a/', 30), ...many('/b/', 30)), [...times(1, undefined), ...times(30, '/a'), ...times(30, undefined)]);
  assert.equal(parents(...many('/t', 30), ...many('/t29/', 30)), [...times(30, undefined), ...times(30, '/t29')]);
  assert.equal(parents(tmpfs('/a'), ...many('/a/', 30), bind('/a/29/x'), ...many('/a/29/y', 30)), [undefined, ...times(30, '/a'), ...times(31, '/a/29')]);
  assert.equal(parents(tmpfs('/a'), ...many('/a/', 15), ...many('/a/', 15), bind('/a/z')), [undefined, ...times(15, '/a'), ...times(16, undefined)]);
});

test.run();
