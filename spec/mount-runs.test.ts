// Neighbours that are alike: what is said of a long list is what is said of each of its mounts alone.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Config, Mount } from './config.ts';
import { arePlain, FEW_MOUNTS, mountRuns, mountsWith } from './mount-runs.ts';
import { checkSemantics } from './semantic.ts';
import { specSample } from './testing.ts';
import { validateConfig, type Issue } from './validate.ts';

const test = suite('mount-runs');

let seed = 11;
function random(below: number): number {
  seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
  return ((seed ^ (seed >>> 13)) >>> 0) % below;
}
const one = <T>(of: readonly T[]): T => of[random(of.length)]!;

const destinations: readonly unknown[] = ['/a', '/a/b', '/a/./b', '/a/../..', '/', '/a/', '//a', '/proc/1', '/x/../proc/sys', '/proc/uptime', '/dev', '/dev/x', '/a\0b', 'a', '', 7, null, ['/a'], '/etc/passwd', '/proc'];
const sources: readonly unknown[] = ['/s', '/t', '/u', 's', '', 'a\0', 5, undefined];
const types: readonly unknown[] = ['tmpfs', 'tmpfs', 'bind', 'none', '', 3, undefined];
const optionLists: readonly unknown[] = [['ro'], ['ro', 'nosuid'], ['nosuid', 'size=64k'], ['bind'], ['rbind'], ['rbind', 'size=1'], ['idmap', 'bind'], ['ridmap'], ['tmpcopyup'], ['remount'], [4], [], 'ro', { 0: 'ro', length: 1 }, undefined];

/** More of the same, with one slip, several or none. */
function list(): readonly unknown[] {
  const like = { destination: '/m', type: one(types), source: one(sources), options: one(optionLists) };
  const mounts: unknown[] = Array.from({ length: 24 + random(40) }, (_, i) => {
    const source = random(3) === 0 ? `/s/${i}` : like.source;
    return { ...like, source, destination: `/m/${i}`, options: Array.isArray(like.options) ? [...like.options] : like.options };
  });
  for (let slips = one([0, 1, 1, 1, 1, 9]); slips > 0; slips--) slip(mounts, random(mounts.length));
  return mounts;
}

function slip(mounts: unknown[], at: number): void {
  const mount = { ...(mounts[at] as Record<string, unknown>) };
  switch (random(9)) {
    case 0: mount[one(['destination', 'type', 'source', 'options'])] = undefined; break;
    case 1: mount['source'] = one(sources); break;
    case 2: case 3: mount['options'] = one(optionLists); break;
    case 4: mount[one(['uidMappings', 'gidMappings'])] = one<unknown>([[], [{ containerID: 0, hostID: 1, size: 1 }], 'x']); break;
    case 5: mount['type'] = one(types); break;
    default: mount['destination'] = one(destinations);
  }
  mounts[at] = random(12) === 0 ? one<unknown>([null, 'mount', []]) : mount;
}

const document = (mounts: readonly unknown[]): unknown => JSON.parse(JSON.stringify({ ...specSample(), mounts }));

/** What a check says of all the mounts; of each alone, at its place. */
function saysOf(check: (document: unknown) => readonly Issue[], mounts: readonly unknown[]): readonly [together: readonly string[], alone: readonly string[]] {
  const alone = mounts.flatMap((mount, index) => check(document([mount])).map((issue) => ({ ...issue, pointer: issue.pointer.replace('/mounts/0', `/mounts/${index}`) })));
  const told = (issues: readonly Issue[]): readonly string[] => issues.map((issue) => JSON.stringify(issue)).sort();
  return [told(check(document(mounts))), told(alone)];
}

test('of a long list is said what is said of each of its mounts alone', () => {
  const count = { broken: 0, wrong: 0, good: 0 };
  for (let round = 0; round < 1500; round++) {
    const all = list();
    const [together, alone] = saysOf(validateConfig, all);
    assert.equal(together, alone);
    count.broken += together.length === 0 ? 0 : 1;
    const { mounts } = document(all) as { readonly mounts: readonly Mount[] };
    for (const { first, count: alike } of mountRuns(mounts)) for (let i = first + 1; i < first + alike; i++) assert.equal([mounts[i]!.type, mounts[i]!.options], [mounts[first]!.type, mounts[first]!.options]);
    // Rules are for what fits the schema.
    const fitting = all.filter((mount) => validateConfig(document([mount])).length === 0);
    const [rules, rulesAlone] = saysOf((one) => checkSemantics(one as Config), fitting);
    assert.equal(rules, rulesAlone);
    if (fitting.length >= FEW_MOUNTS) count[rules.length === 0 ? 'good' : 'wrong']++;
  }
  for (const [kind, times] of Object.entries(count)) assert.ok(times > 20, `${kind}: ${times}`);
});

test('runs are the list, in order, and what is asked for by a text of its destination is found', () => {
  for (let round = 0; round < 200; round++) {
    const mounts = Array.from({ length: random(60) }, (_, i) => ({ destination: random(5) === 0 ? one(['/dev', '/proc/uptime', '/etc/passwd']) : `/m${i}`, type: random(9) === 0 ? 'bind' : 'tmpfs', source: 's' })) as Mount[];
    const runs = mountRuns(mounts);
    assert.equal(runs.flatMap(({ first, count }) => mounts.slice(first, first + count)), mounts);
    assert.is(runs.map(({ destinations: text }) => text).join('\0'), mounts.map(({ destination }) => destination).join('\0'));
    for (const text of ['dev', 'passwd', '/m1']) assert.equal(mountsWith(mounts, text), mounts.filter(({ destination }) => destination.includes(text)));
  }
});

test('plain paths', () => {
  for (const path of ['/a', '/a/b\0/c', '/a b', '/x..']) assert.ok(arePlain(path), path);
  for (const path of ['', 'a', '/', '/a/', '/a/\0/b', '/a//b', '/a/./b', '/a/..', '/.a', '/a\0/b/']) assert.not(arePlain(path), path);
});

test.run();
