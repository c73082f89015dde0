// runtime.md: what state says.
import { readFileSync } from 'node:fs';
import { group } from '../case.ts';
import { differ, equal, match, ok } from '../check.ts';
import { isAlive } from '../host.ts';

const test = group('state');

test('runtime.md#state/ociVersion', 'ociVersion is a version', async (box) => match(String((await box.state((await box.create()).id))['ociVersion']), /^\d+\.\d+\.\d+/, 'ociVersion'));
test('runtime.md#state/id', 'id is the id', async (box) => {
  const { id } = await box.create();
  equal((await box.state(id))['id'], id, 'id');
});
for (const [name, words] of [['created', undefined], ['running', ['sleep']], ['stopped', ['exit']]] as const) {
  test('runtime.md#state/status', `status ${name}`, async (box) => {
    const made = words === undefined ? await box.create() : await box.started(words);
    if (name === 'stopped') await box.until('stopped', async () => (await box.status(made.id)) === 'stopped');
    equal(await box.status(made.id), name, 'status');
  });
}
test('runtime.md#state/status', 'status after a signal ended the process', async (box) => {
  const { id } = await box.started();
  await box.stop(id);
  equal(await box.status(id), 'stopped', 'status');
});
test('runtime.md#state/status', 'status of a created container whose process was killed', async (box) => {
  const { id } = await box.create();
  const pid = await box.pid(id);
  process.kill(pid, 'SIGKILL');
  await box.gone(pid);
  await box.until('stopped', async () => (await box.status(id)) === 'stopped');
});
test('runtime.md#state/status-other', 'no status of its own for a plain container', async (box) => {
  const { id } = await box.create();
  ok(['creating', 'created', 'running', 'stopped'].includes(String(await box.status(id))), 'status is one of the four');
});
for (const name of ['created', 'running'] as const) {
  test('runtime.md#state/pid', `pid of a ${name} container is a process of this host`, async (box) => {
    const { id } = name === 'created' ? await box.create() : await box.started();
    const pid = await box.pid(id);
    ok(Number.isInteger(pid) && pid > 0 && isAlive(pid), `pid ${pid} is a process`);
    match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^NSpid:\s+\d+\s+1$/m, 'NSpid of that process');
  });
}
test('runtime.md#state/pid', 'the pid after start is that of create', async (box) => {
  const { id } = await box.create();
  const pid = await box.pid(id);
  await box.must(['start', id]);
  equal(await box.pid(id), pid, 'pid');
});
test('runtime.md#state/bundle', 'bundle is an absolute path', async (box) => {
  const made = await box.create();
  equal((await box.state(made.id))['bundle'], made.bundle, 'bundle');
});
test('runtime.md#state/bundle', 'bundle is absolute when create was given a relative one', async (box) => {
  const bundle = box.bundle(['sleep']), id = box.id();
  equal((await box.launch(['create', '--bundle', bundle.slice(box.directory.length + 1), id], { cwd: box.directory }).done).code, 0, 'create');
  equal((await box.state(id))['bundle'], bundle, 'bundle');
});
test('runtime.md#state/annotations', 'annotations are those of config.json', async (box) => {
  const annotations = { 'org.example.one': 'first', 'org.example.two': '', 'org.example.ü': 'ä"\\\n' };
  const { id } = await box.create(['sleep'], (config) => Object.assign(config, { annotations }));
  const seen = (await box.state(id))['annotations'] as Record<string, string>;
  for (const [key, value] of Object.entries(annotations)) equal(seen[key], value, `annotation ${key}`);
});
test('runtime.md#state/annotations-absent', 'no annotations are absent or an empty map', async (box) => {
  const seen = (await box.state((await box.create()).id))['annotations'];
  ok(seen === undefined || JSON.stringify(seen) === '{}', `annotations: ${JSON.stringify(seen)}`);
});
test('runtime.md#state/json', 'the types of the keys', async (box) => {
  const state = await box.state((await box.create()).id);
  const types = Object.fromEntries(['ociVersion', 'id', 'status', 'pid', 'bundle'].map((key) => [key, typeof state[key]]));
  equal(types, { ociVersion: 'string', id: 'string', status: 'string', pid: 'number', bundle: 'string' }, 'types');
});
test('runtime.md#state/json', 'state prints nothing but the object', async (box) => {
  const { stdout, stderr } = await box.must(['state', (await box.create()).id]);
  ok(JSON.parse(stdout), 'JSON');
  equal(stderr, '', 'standard error');
});
test('runtime.md#query-state/returns', 'state changes nothing', async (box) => {
  const { id } = await box.create();
  const first = await box.state(id);
  for (let round = 0; round < 3; round++) equal(await box.state(id), first, 'state');
});
test('runtime.md#state/id-unique', 'two containers have states of their own', async (box) => {
  const first = await box.create(), second = await box.started();
  equal([await box.status(first.id), await box.status(second.id)], ['created', 'running'], 'statuses');
  differ(await box.pid(first.id), await box.pid(second.id), 'pids');
});
test('callers#state/created', 'created is a time', async (box) => match(String((await box.state((await box.create()).id))['created']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/, 'created'));
test('callers#state/rootfs', 'rootfs is the absolute path of the root', async (box) => {
  const made = await box.create();
  equal((await box.state(made.id))['rootfs'], `${made.bundle}/rootfs`, 'rootfs');
});
test('callers#state/pid-stopped', 'the pid of a stopped container', async (box) => {
  const { id } = await box.started();
  await box.stop(id);
  equal((await box.state(id))['pid'] ?? 0, 0, 'pid');
});
