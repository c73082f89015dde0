// runtime.md: the operations and what they may and may not do.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readJson, type Box } from '../box.ts';
import { group } from '../case.ts';
import { differ, equal, excludes, includes, match, ok } from '../check.ts';
import { cgroupsWith, isAlive, mountsWith, processesWith } from '../host.ts';

const test = group('lifecycle');
const snapshot = (box: Box): string => JSON.stringify([mountsWith(box.token), cgroupsWith(box.token)]);

test('bundle.md#container-format/config', 'a bundle without config.json is refused', async (box) => {
  const bundle = box.bundle(['facts']);
  rmSync(`${bundle}/config.json`);
  const result = await box.call(['create', '--bundle', bundle, box.id()]);
  differ(result.code, 0, 'exit status');
});
test('bundle.md#container-format/root', 'a root that is missing is refused', async (box) => void (await box.refused((config) => (config.root['path'] = 'nowhere'))));
test('bundle.md#container-format/config', 'a bundle that does not exist is refused', async (box) => differ((await box.call(['create', '--bundle', box.path('nothing'), box.id()])).code, 0, 'exit status'));
test('runtime.md#scope-of-a-container/creator', 'its maker goes through every operation', async (box) => {
  const { id } = await box.create();
  equal(await box.status(id), 'created', 'status after create');
  await box.must(['start', id]);
  equal(await box.status(id), 'running', 'status after start');
  await box.stop(id);
  await box.must(['delete', id]);
  differ((await box.call(['state', id])).code, 0, 'state after delete');
});
for (const verb of ['state', 'create', 'start', 'kill', 'delete']) {
  test('runtime.md#operations/all', `${verb} is known`, async (box) => equal((await box.call([verb, '--help'])).code, 0, `${verb} --help`));
}
test('runtime.md#lifecycle/create-environment', 'the environment is there after create', async (box) => {
  const made = await box.create(['sleep'], (config) => void (config.hostname = 'early'));
  const pid = await box.pid(made.id);
  for (const [kind, name] of [['uts', 'uts'], ['mount', 'mnt'], ['network', 'net'], ['ipc', 'ipc'], ['pid', 'pid']]) {
    const link = await box.spawn('/usr/bin/readlink', [`/proc/${pid}/ns/${name}`, `/proc/self/ns/${name}`]).done;
    const [inside, outside] = link.stdout.trim().split('\n');
    ok(inside, `the ${kind} namespace`);
    differ(inside, outside, `the ${kind} namespace after create`);
  }
});
test('runtime.md#lifecycle/create-error', 'an environment that cannot be made is an error', async (box) => void (await box.refused((config) => config.mounts.push({ destination: '/tmp/x', type: 'nosuchfs', source: 'x' }))));
test('runtime.md#lifecycle/create-not-run', 'create does not run the program', async (box) => {
  const { id, bundle } = await box.create(['write', '/ran', 'x', ',', 'sleep']);
  ok(!existsSync(`${bundle}/rootfs/ran`), 'the program ran before start');
  await box.must(['start', id]);
  await box.until('the program writes its file', () => existsSync(`${bundle}/rootfs/ran`));
});
test('runtime.md#create/process-later', 'arguments take no effect before start', async (box) => {
  const made = await box.create(['say', 'hello', ',', 'sleep']);
  equal(made.output(), '', 'output before start');
  await box.must(['start', made.id]);
  await box.until('output after start', () => made.output().includes('hello'));
});
test('runtime.md#lifecycle/config-frozen', 'a later change of config.json changes nothing', async (box) => {
  const made = await box.create(['facts', ',', 'sleep'], (config) => void (config.hostname = 'before'));
  const config = readJson(`${made.bundle}/config.json`);
  config['hostname'] = 'after';
  config['process'].args = ['/probe', 'say', 'changed'];
  box.write(made.bundle, config);
  await box.must(['start', made.id]);
  await box.until('facts', () => made.lines().length > 0);
  equal(made.lines()[0]?.facts?.hostname, 'before', 'hostname');
});
test('runtime.md#lifecycle/config-frozen', 'start does not need config.json', async (box) => {
  const made = await box.create(['say', 'hello']);
  rmSync(`${made.bundle}/config.json`);
  await box.must(['start', made.id]);
  await box.until('output', () => made.output().includes('hello'));
});
test('runtime.md#lifecycle/start-run', 'start runs the program', async (box) => {
  const made = await box.create(['say', 'hello']);
  await box.must(['start', made.id]);
  await box.until('output', () => made.output().includes('hello'));
});
test('runtime.md#start/runs', 'the program runs once', async (box) => {
  const made = await box.started(['say', 'once', ',', 'sleep']);
  await box.until('output', () => made.output().includes('once'));
  await box.call(['start', made.id]);
  equal(made.lines().length, 1, 'lines of output');
});
test('runtime.md#lifecycle/destroy', 'delete leaves no process, mount, cgroup or state', async (box) => {
  const { id } = await box.started();
  const pid = await box.pid(id);
  await box.stop(id);
  await box.must(['delete', id]);
  ok(!isAlive(pid), 'the process is alive');
  equal(mountsWith(box.token), [], 'mounts');
  equal(cgroupsWith(id), [], 'cgroups');
  equal(processesWith(`CONFORMANCE=${box.token}`).filter(isAlive), [], 'processes');
});
test('runtime.md#delete/resources', 'delete of a container that was never started leaves nothing', async (box) => {
  const { id } = await box.create();
  const pid = await box.pid(id);
  await box.call(['kill', id, 'KILL']);
  await box.gone(pid);
  await box.until('stopped', async () => (await box.status(id)) === 'stopped');
  await box.must(['delete', id]);
  equal([mountsWith(box.token), cgroupsWith(id)], [[], []], 'mounts and cgroups');
});
test('runtime.md#delete/others', 'delete leaves the bundle and sources of mounts', async (box) => {
  const source = box.folder('source');
  writeFileSync(`${source}/file`, 'kept');
  const { id, bundle } = await box.create(['sleep'], (config) => config.mounts.push({ destination: '/data', type: 'bind', source, options: ['rbind'] }));
  await box.must(['start', id]);
  await box.stop(id);
  await box.must(['delete', id]);
  equal(readFileSync(`${source}/file`, 'utf8'), 'kept', 'file of a source');
  ok(existsSync(`${bundle}/config.json`) && existsSync(`${bundle}/rootfs/probe`), 'the bundle is gone');
});
test('runtime.md#delete/others', 'delete leaves a namespace that was joined', async (box) => {
  const first = await box.started();
  const pid = await box.pid(first.id);
  const second = await box.started(['sleep'], (config) => void (config.linux['namespaces'] = [{ type: 'mount' }, { type: 'uts' }, { type: 'ipc', path: `/proc/${pid}/ns/ipc` }, { type: 'network', path: `/proc/${pid}/ns/net` }]));
  await box.stop(second.id);
  await box.must(['delete', second.id]);
  equal(await box.status(first.id), 'running', 'the other container');
});
test('runtime.md#delete/id-free', 'an id may be used again', async (box) => {
  const first = await box.create(['say', 'again']);
  await box.must(['delete', '--force', first.id]);
  const again = await box.launch(['create', '--bundle', first.bundle, first.id]).done;
  equal(again.code, 0, `create: ${again.stderr}`);
});
test('runtime.md#errors/untouched', 'a failed create leaves no mount, cgroup, process or state', async (box) => {
  const before = snapshot(box);
  await box.refused((config) => config.mounts.push({ destination: '/tmp/x', type: 'nosuchfs', source: 'x' }));
  equal(snapshot(box), before, 'mounts and cgroups');
  equal(processesWith(`CONFORMANCE=${box.token}`).filter(isAlive), [], 'processes');
});
test('runtime.md#errors/untouched', 'after a failed create the id is free', async (box) => {
  const bundle = box.bundle(['facts']), id = box.id();
  const config = readJson(`${bundle}/config.json`);
  box.write(bundle, { ...config, mounts: [...config['mounts'], { destination: '/x', type: 'nosuchfs', source: 'x' }] });
  differ((await box.call(['create', '--bundle', bundle, id])).code, 0, 'exit status');
  box.write(bundle, config);
  equal((await box.launch(['create', '--bundle', bundle, id]).done).code, 0, 'the second create');
});
test('runtime.md#warnings/continue', 'a warning of delete does not stop it', async (box) => {
  const { id } = await box.create(['sleep'], (config) => Object.assign(config, { hooks: { poststop: [{ path: '/bin/false' }] } }));
  await box.call(['kill', id, 'KILL']);
  await box.until('stopped', async () => (await box.status(id)) === 'stopped');
  await box.must(['delete', id]);
  differ((await box.call(['state', id])).code, 0, 'state after delete');
});
for (const [verb, requirement] of [['state', 'runtime.md#query-state/no-id'], ['start', 'runtime.md#start/no-id'], ['kill', 'runtime.md#kill/no-id'], ['delete', 'runtime.md#delete/no-id'], ['create', 'runtime.md#create/no-arguments']] as const) {
  test(requirement, `${verb} without an id is an error`, async (box) => differ((await box.call([verb])).code, 0, 'exit status'));
}
for (const [verb, requirement] of [['state', 'runtime.md#query-state/unknown'], ['start', 'runtime.md#start/unknown'], ['delete', 'runtime.md#delete/unknown'], ['kill', 'runtime.md#kill/stopped']] as const) {
  test(requirement, `${verb} of nothing is an error`, async (box) => differ((await box.call([verb, `${box.token}-nobody`])).code, 0, 'exit status'));
}
test('runtime.md#create/not-unique', 'an id that is taken is an error and the first container stays', async (box) => {
  const first = await box.create();
  const pid = await box.pid(first.id);
  differ((await box.call(['create', '--bundle', box.bundle(['facts']), first.id])).code, 0, 'exit status');
  equal([await box.status(first.id), await box.pid(first.id), isAlive(pid)], ['created', pid, true], 'the first container');
});
test('runtime.md#state/id-unique', 'the id of a stopped container is still taken', async (box) => {
  const first = await box.started();
  await box.stop(first.id);
  differ((await box.call(['create', '--bundle', first.bundle, first.id])).code, 0, 'exit status');
});
for (const [title, bad] of [['empty', ''], ['a dot', '.'], ['two dots', '..'], ['a path upwards', '../escape'], ['a slash', 'a/b'], ['a blank', 'a b'], ['a newline', 'a\nb'], ['a control character', 'a\u0001b']] as const) {
  test('runtime.md#create/invalid-id', `the id is ${title}`, async (box) => {
    differ((await box.call(['create', '--bundle', box.bundle(['sleep']), bad])).code, 0, 'exit status');
    ok(!existsSync(box.path('escape')), 'something was made outside of the state root');
  });
}
test('runtime.md#create/created', 'the status after create is created', async (box) => equal(await box.status((await box.create()).id), 'created', 'status'));
test('runtime.md#create/applied', 'everything but the program is applied by create', async (box) => {
  const made = await box.create(['sleep'], (config) => config.mounts.push({ destination: '/made', type: 'tmpfs', source: 'tmpfs' }));
  const mounts = readFileSync(`/proc/${await box.pid(made.id)}/mountinfo`, 'utf8');
  includes(mounts, ' /made ', 'mounts of the process');
});
test('runtime.md#create/validate', 'a configuration of the wrong shape is an error of create', async (box) => void (await box.refused((config) => (config.process['args'] = 'sh'))));
test('runtime.md#create/property-error', 'a property that cannot be applied makes no container', async (box) => void (await box.refused((config) => (config.linux['sysctl'] = { 'kernel.nosuchthing': '1' }))));
test('runtime.md#create/process-optional', 'without process create succeeds or says why not', async (box) => {
  const bundle = box.bundle(['facts'], (config) => delete (config as Record<string, unknown>)['process']), id = box.id();
  const result = await box.call(['create', '--bundle', bundle, id]);
  if (result.code !== 0) match(result.stderr, /process/, 'the message');
});
test('runtime.md#start/no-process', 'start without process is an error', async (box) => {
  const bundle = box.bundle(['facts'], (config) => delete (config as Record<string, unknown>)['process']), id = box.id();
  if ((await box.call(['create', '--bundle', bundle, id])).code === 0) differ((await box.call(['start', id])).code, 0, 'exit status of start');
});
test('config.md#process/absent', 'run without process is an error', async (box) => differ((await box.call(['run', '--bundle', box.bundle(['facts'], (config) => delete (config as Record<string, unknown>)['process']), box.id()])).code, 0, 'exit status'));
test('runtime.md#start/not-created', 'start of a running container is an error', async (box) => differ((await box.call(['start', (await box.started()).id])).code, 0, 'exit status'));
test('runtime.md#start/not-created', 'start of a stopped container is an error', async (box) => {
  const { id } = await box.started(['exit']);
  await box.until('stopped', async () => (await box.status(id)) === 'stopped');
  differ((await box.call(['start', id])).code, 0, 'exit status');
});
test('runtime.md#start/no-effect', 'start of a running container leaves it running', async (box) => {
  const { id } = await box.started();
  const pid = await box.pid(id);
  await box.call(['start', id]);
  equal([await box.status(id), await box.pid(id), isAlive(pid)], ['running', pid, true], 'the container');
});
test('runtime.md#start/no-effect', 'start of a stopped container leaves it stopped', async (box) => {
  const { id, bundle } = await box.started(['exit']);
  await box.until('stopped', async () => (await box.status(id)) === 'stopped');
  mkdirSync(`${bundle}/rootfs/x`);
  await box.call(['start', id]);
  equal(await box.status(id), 'stopped', 'status');
});
test('runtime.md#kill/stopped', 'kill of a stopped container is an error', async (box) => {
  const { id } = await box.started(['exit']);
  await box.until('stopped', async () => (await box.status(id)) === 'stopped');
  differ((await box.call(['kill', id, 'TERM'])).code, 0, 'exit status');
});
test('runtime.md#kill/no-effect', 'kill of a stopped container changes nothing', async (box) => {
  const { id } = await box.started(['exit']);
  await box.until('stopped', async () => (await box.status(id)) === 'stopped');
  await box.call(['kill', id, 'KILL']);
  equal(await box.status(id), 'stopped', 'status');
});
for (const [name, number] of [['HUP', 1], ['INT', 2], ['QUIT', 3], ['USR1', 10], ['USR2', 12], ['TERM', 15], ['CONT', 18], ['WINCH', 28], ['RTMIN', 34]] as const) {
  test('runtime.md#kill/sends', `kill sends ${name}`, async (box) => {
    const made = await box.started(['wait']);
    await box.until('the process is ready', () => made.output().includes('ready'));
    await box.must(['kill', made.id, name === 'RTMIN' ? String(number) : name]);
    await box.until('the process answers', () => made.lines().length > 1);
    equal(made.lines()[1]?.signal, number, 'signal');
  });
}
test('runtime.md#kill/sends', 'kill ends a container that was created only', async (box) => {
  const { id } = await box.create();
  const pid = await box.pid(id);
  await box.must(['kill', id, 'KILL']);
  await box.gone(pid);
});
test('runtime.md#delete/not-stopped', 'delete of a running container is an error', async (box) => differ((await box.call(['delete', (await box.started()).id])).code, 0, 'exit status'));
test('runtime.md#delete/no-effect', 'delete of a running container leaves it running', async (box) => {
  const { id } = await box.started();
  const pid = await box.pid(id);
  await box.call(['delete', id]);
  equal([await box.status(id), isAlive(pid)], ['running', true], 'the container');
});
test('runtime.md#delete/unknown', 'a second delete is an error', async (box) => {
  const { id } = await box.started(['exit']);
  await box.until('stopped', async () => (await box.status(id)) === 'stopped');
  await box.must(['delete', id]);
  const again = await box.call(['delete', id]);
  differ(again.code, 0, 'exit status');
  excludes(again.stderr, 'panic', 'the message');
});
