// linux.intelRdt against a directory that behaves as resctrl does: making a class or a monitoring group fills it. No machine of ours has RDT.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileCreate } from '../compile/create.ts';
import { testContext } from '../compile/testing.ts';
import { beginExecution } from '../execute/execute.ts';
import { writeProgram } from '../execute/program-file.ts';
import { runRecord, setSlot } from '../execute/records.ts';
import { readRecords, readText } from '../program/decode.ts';
import { expandAll } from '../program/template.ts';
import type { Bundle } from './bundle.ts';
import { createHandlers } from './create-handlers.ts';
import { mountPointOfType } from './host.ts';
import { recordedResctrl } from './record.ts';
import type { ContainerState } from './state.ts';

const test = suite('intelRdt');
const INIT = 4711;

/** What the kernel puts into a new directory of resctrl. */
function fill(path: string): void {
  for (const file of ['tasks', 'schemata']) writeFileSync(join(path, file), '');
  if (!path.includes('mon_groups')) mkdirSync(join(path, 'mon_groups'));
}

/** Runs the runtime-side steps of linux.intelRdt; gives the directory and the first errno. */
function apply(intelRdt: object, classes: readonly string[] = []): { readonly root: string; readonly state: string; readonly errno: number } {
  const root = mkdtempSync(join(tmpdir(), 'resctrl-'));
  fill(root);
  for (const name of classes) {
    mkdirSync(join(root, name));
    fill(join(root, name));
  }
  const base = testContext({ linux: { namespaces: [{ type: 'mount' }], intelRdt } });
  const context = { ...base, host: { ...base.host, resctrl: root } };
  const steps = expandAll(compileCreate(context).steps).filter(({ at }) => at.startsWith('/linux/intelRdt'));
  const state = mkdtempSync(join(tmpdir(), 'state-'));
  const program = writeProgram(join(state, 'program'), { steps, inherited: { init: 9 } }, { id: 'c1', command: 'create' });
  setSlot(program.image, 'init', INIT, 'runtime');
  const { handlers } = createHandlers(context, { id: 'c1' } as ContainerState, {} as Bundle, beginExecution(program));
  for (const view of readRecords(program.image)) {
    const outcome = runRecord(program.image, view, handlers);
    if (outcome.kind === 'failed') return { root, state, errno: outcome.errno };
    if (view.op === 'mkdirat' && outcome.kind === 'done') fill(readText(program.image.bytes, Number(view.args[1]!.value) - program.image.base));
  }
  return { root, state, errno: 0 };
}

const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');
const clean = ({ root, state }: { readonly root: string; readonly state: string }): void => [root, state].forEach((path) => rmSync(path, { recursive: true }));

test('without closID: a class of the container’s own, which goes with it; schemata in order; init inside', () => {
  const done = apply({ l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=70\n', schemata: ['L3:1=3', 'MB:1=20'] });
  assert.is(done.errno, 0);
  assert.is(read(done.root, 'c1/schemata'), 'MB:1=20\n'); // a plain file keeps the last write; resctrl takes each
  assert.is(read(done.root, 'c1/tasks'), `${INIT}\n`);
  assert.equal(recordedResctrl(done.state), [join(done.root, 'c1')]);
  clean(done);
});

test('every schema is a write of its own, with its place', () => {
  const { config, ...rest } = testContext({ linux: { namespaces: [{ type: 'mount' }], intelRdt: { memBwSchema: 'MB:0=70', l3CacheSchema: 'L3:0=f', schemata: ['L2:0=1'] } } });
  const steps = expandAll(compileCreate({ config, ...rest, host: { ...rest.host, resctrl: '/r' } }).steps).filter(({ op, at }) => op === 'write_file' && at.startsWith('/linux/intelRdt'));
  assert.equal(steps.map(({ at, args }) => [at, args[0], args[1]]), [
    ['/linux/intelRdt/l3CacheSchema', '/r/c1/schemata', 'L3:0=f\n'], ['/linux/intelRdt/memBwSchema', '/r/c1/schemata', 'MB:0=70\n'], ['/linux/intelRdt/schemata/0', '/r/c1/schemata', 'L2:0=1\n'],
  ]);
});

test('a closID that exists is entered and stays; one that is missing and not described is an error', () => {
  const done = apply({ closID: 'gold' }, ['gold']);
  assert.is(done.errno, 0);
  assert.is(read(done.root, 'gold/tasks'), `${INIT}\n`);
  assert.is(read(done.root, 'gold/schemata'), '');
  assert.equal(recordedResctrl(done.state), []);
  clean(done);
  const missing = apply({ closID: 'silver' });
  assert.is(missing.errno, 2);
  assert.not.ok(existsSync(join(missing.root, 'silver')));
  clean(missing);
  const made = apply({ closID: 'bronze', l3CacheSchema: 'L3:0=1' });
  assert.is(read(made.root, 'bronze/schemata'), 'L3:0=1\n');
  assert.equal(recordedResctrl(made.state), [], 'a class that config.json names stays');
  clean(made);
});

test('closID "/" is everyone’s class; enableMonitoring makes a group that goes with the container', () => {
  const done = apply({ closID: '/', enableMonitoring: true });
  assert.is(done.errno, 0);
  assert.is(read(done.root, 'tasks'), `${INIT}\n`);
  assert.is(read(done.root, 'mon_groups/c1/tasks'), `${INIT}\n`);
  assert.equal(recordedResctrl(done.state), [join(done.root, 'mon_groups/c1')]);
  clean(done);
});

test('without resctrl it is refused in runc’s words', () => {
  assert.throws(() => compileCreate(testContext({ linux: { namespaces: [{ type: 'mount' }], intelRdt: {} } })), /Intel RDT is not supported or enabled/);
});

test('the mount point is found wherever it is', () => {
  const text = '25 1 0:23 / /proc rw - proc proc rw\n31 1 0:40 / /sys/fs/res\\040ctrl rw,relatime shared:9 - resctrl resctrl rw\n';
  assert.is(mountPointOfType('resctrl', text), '/sys/fs/res ctrl');
  assert.is(mountPointOfType('resctrl', '25 1 0:23 / /proc rw - proc proc rw\n'), undefined);
});

test.run();
