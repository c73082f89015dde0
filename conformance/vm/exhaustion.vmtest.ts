// What the host has none left of, where every controller is real: processes and memory. Natively: security/exhaustion.test.ts.
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime } from '../harness.ts';
import { must, runt } from './guest.ts';
import { note, suite } from './tap.ts';

const test = suite('exhaustion');
const runtime = new Runtime(runt);
const full = '/sys/fs/cgroup/full';

/** A bundle whose container is made below the cgroup that is full. */
function below(id: string): string {
  const config = baseConfig('/bin/sleep', '1000');
  config.linux['cgroupsPath'] = `/full/${id}`;
  return makeBundle(config);
}

test.before(() => {
  must('echo "+pids +memory" >/sys/fs/cgroup/cgroup.subtree_control');
  mkdirSync(full);
});

test('no process is left below pids.max: clone3 says so with the limit as a hint, nothing stays, and the id is free', () => {
  writeFileSync(`${full}/pids.max`, '0');
  const { code, stderr } = runtime.create('nopids', below('nopids'));
  assert.is(code, 1, stderr);
  assert.match(stderr, /linux\.namespaces: clone3\(.*EAGAIN[^]*limit of processes is reached/);
  assert.match(runtime.run(['state', 'nopids']).stderr, /does not exist/);
  assert.not(existsSync(`${full}/nopids`));
  writeFileSync(`${full}/pids.max`, 'max');
  assert.is(runtime.create('nopids', below('nopids')).code, 0);
  assert.is(runtime.run(['delete', '--force', 'nopids']).code, 0);
});

for (const kilobytes of [0, 64, 256, 1024]) {
  test(`a container with ${kilobytes} KB of memory for its set-up: it is made, or create says what became of it, and nothing stays`, () => {
    const id = `nomemory${kilobytes}`;
    writeFileSync(`${full}/memory.max`, String(kilobytes << 10));
    const { code, stderr } = runtime.create(id, below(id));
    note(`exit ${code}: ${stderr.split('\n')[0]}`);
    assert.not.match(stderr, /internal error|^\s+at /m);
    assert.ok(code === 0 || stderr.startsWith(`runt: create ${id}: `), stderr);
    const deleted = runtime.run(['delete', '--force', id]);
    assert.is(deleted.code, 0, deleted.stderr);
    writeFileSync(`${full}/memory.max`, 'max');
    assert.not(existsSync(`${full}/${id}`));
    assert.is(runtime.create(id, below(id)).code, 0);
    assert.is(runtime.run(['delete', '--force', id]).code, 0);
  });
}

for (const megabytes of [4, 16, 24, 32]) {
  test(`runt itself in ${megabytes} MB of memory: killed or not, delete --force clears what it began`, () => {
    const id = `small${megabytes}`;
    const own = '/sys/fs/cgroup/small';
    mkdirSync(own);
    writeFileSync(`${own}/memory.max`, String(megabytes << 20));
    const bundle = makeBundle(baseConfig('/bin/sleep', '1000'));
    const said = must(`sh -c 'echo $$ >${own}/cgroup.procs; exec "$@" </dev/null >/tmp/small.out 2>&1' sh ${runt} --root ${runtime.root} create --bundle ${bundle} ${id}; echo $?; head -c 300 /tmp/small.out`);
    note(`exit ${said.trim().replaceAll('\n', ': ')}`);
    const deleted = runtime.run(['delete', '--force', id]);
    assert.is(deleted.code, 0, deleted.stderr);
    assert.match(runtime.run(['state', id]).stderr, /does not exist/);
    rmdirSync(own);
    assert.is(runtime.create(id, bundle).code, 0);
    assert.is(runtime.run(['delete', '--force', id]).code, 0);
  });
}

test.after(() => {
  rmdirSync(full);
  runtime.close();
});
test.run();
