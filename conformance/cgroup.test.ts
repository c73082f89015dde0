// pause, resume, update, ps, events, stats through the command line, as far as this host's controllers allow (hugetlb in a v2 view).
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, readFileSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths, until } from './harness.ts';

for (const path of runtimePaths()) {
  const test = suite(`cgroup ${basename(path)}`);
  const runtime = new Runtime(path);
  const id = `cgroup${process.pid}`;
  const cgroup = `/sys/fs/cgroup/${id}`;
  const run = (...words: string[]): ReturnType<Runtime['run']> => runtime.run(words);
  const read = (file: string): string => readFileSync(`${cgroup}/${file}`, 'utf8').trim();
  const hugetlb = existsSync('/sys/fs/cgroup/cgroup.controllers') && readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').includes('hugetlb');

  test.before(() => {
    const config = baseConfig('sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i > /dev/shm/count; done');
    config.linux['cgroupsPath'] = `/${id}`;
    assert.is(runtime.create(id, makeBundle(config)).code, 0);
    assert.is(run('start', id).code, 0);
  });
  test.after(() => {
    run('delete', '--force', id);
    runtime.close();
  });
  const count = (): string => readFileSync(`/proc/${String(runtime.state(id)['pid'])}/root/dev/shm/count`, 'utf8');

  test('pause stops progress, resume lets it go on; state says so', () => {
    until('it counts', () => existsSync(`/proc/${String(runtime.state(id)['pid'])}/root/dev/shm/count`));
    assert.is(run('pause', id).code, 0);
    assert.is(runtime.state(id)['status'], 'paused');
    const before = count();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    assert.is(count(), before);
    assert.is(run('pause', id).code, 1);
    assert.is(run('resume', id).code, 0);
    assert.is(runtime.state(id)['status'], 'running');
    until('it counts again', () => count() !== before && count() !== '');
    assert.match(run('resume', id).stderr, /container not paused/);
  });
  test('kill --all and delete --force reach a paused container', () => {
    const other = `${id}p`;
    const config = baseConfig('sleep', '1000');
    config.linux['cgroupsPath'] = `/${other}`;
    assert.is(runtime.create(other, makeBundle(config)).code, 0);
    assert.is(run('pause', other).code, 0);
    assert.is(run('kill', '--all', other, 'KILL').code, 0);
    until('stopped', () => runtime.state(other)['status'] === 'stopped');
    assert.is(run('delete', other).code, 0);
    assert.is(runtime.create(other, makeBundle(config)).code, 0);
    assert.is(run('pause', other).code, 0);
    assert.is(run('delete', '--force', other).code, 0);
    assert.not.ok(existsSync(`/sys/fs/cgroup/${other}`));
  });
  test('ps lists what is in the cgroup and below', () => {
    mkdirSync(`${cgroup}/below`);
    const out = openSync(join(runtime.root, '.ps'), 'w+');
    const child = spawn(path, ['--root', runtime.root, 'exec', '--cgroup', 'below', id, 'sleep', '333'], { stdio: ['ignore', out, out] });
    const pids = (): number[] => JSON.parse(run('ps', '--format', 'json', id).stdout) as number[];
    until('two processes', () => pids().length === 2);
    assert.ok(pids().includes(Number(runtime.state(id)['pid'])));
    const table = run('ps', id).stdout;
    assert.match(table, /^UID +PID .*\n(.*\n)*.*sleep 333/);
    assert.is(table.trim().split('\n').length, 3);
    assert.match(run('ps', id, '-o', 'args').stderr, /couldn't find PID field/);
    assert.is(run('ps', id, '-o', 'pid,args').code, 0);
    for (const pid of pids()) if (pid !== runtime.state(id)['pid']) process.kill(pid, 'SIGKILL');
    child.unref();
  });
  test('events --stats is one line of runc’s shape', () => {
    const text = run('events', '--stats', id).stdout;
    const line = JSON.parse(text) as { type: string; id: string; data: Record<string, Record<string, Record<string, unknown>>> };
    assert.is(line.type, 'stats');
    assert.is(line.id, id);
    assert.equal(Object.keys(line.data).sort(), ['blkio', 'cpu', 'cpuset', 'hugetlb', 'intel_rdt', 'memory', 'network_interfaces', 'pids']);
    assert.ok(Number(line.data['cpu']!['usage']!['total']) > 0);
    assert.is(text.trim().split('\n').length, 1);
    if (existsSync(`${cgroup}/cpu.pressure`)) assert.equal(Object.keys((line.data['cpu']!['psi'] as { some: object }).some), ['avg10', 'avg60', 'avg300', 'total']);
  });
  test('events goes on at its interval, and ends with the container', () => {
    const other = `${id}e`;
    const config = baseConfig('sleep', '1000');
    config.linux['cgroupsPath'] = `/${other}`;
    assert.is(runtime.create(other, makeBundle(config)).code, 0);
    assert.is(run('start', other).code, 0);
    const file = join(runtime.root, '.events');
    const out = openSync(file, 'w');
    const child = spawn(path, ['--root', runtime.root, 'events', '--interval', '200ms', other], { stdio: ['ignore', out, out] });
    until('three lines', () => readFileSync(file, 'utf8').split('\n').length > 3);
    assert.is(run('kill', other, 'KILL').code, 0);
    until('events has ended', () => /\) [ZX] /.test(readFileSync(`/proc/${child.pid}/stat`, 'latin1')));
    assert.equal([...new Set(readFileSync(file, 'utf8').trim().split('\n').map((line) => (JSON.parse(line) as { type: string }).type))], ['stats']);
    run('delete', '--force', other);
    assert.match(run('events', '--stats', other).stderr, /does not exist/);
    assert.match(run('events', '--interval', 'soon', id).stderr, /invalid value/);
  });
  test('stats is a table for a person, and json for a program', () => {
    const table = run('stats', '--no-stream', id).stdout;
    assert.match(table, /^ID +CPU % +MEMORY/);
    assert.ok(Number(table.split('\n')[1]!.trim().split(/\s+/)[1]) > 0, table);
    assert.is((JSON.parse(run('stats', '--no-stream', '--format', 'json', id).stdout) as { id: string }[])[0]!.id, id);
  });
  test('update writes what is given, and refuses what is wrong or not there', () => {
    const update = (json: string): ReturnType<Runtime['run']> => runtime.run(['update', '-r', '-', id], { input: json });
    if (hugetlb) {
      const size = readdirSync(cgroup).flatMap((name) => /^hugetlb\.(\w+)\.max$/.exec(name)?.[1] ?? [])[0]!;
      assert.is(update(JSON.stringify({ hugepageLimits: [{ pageSize: size, limit: 1073741824 }] })).code, 0);
      assert.is(read(`hugetlb.${size}.max`), '1073741824');
      assert.is(update('{"unified":{"cgroup.max.descendants":"33"}}').code, 0);
      assert.is(read('cgroup.max.descendants'), '33');
    }
    assert.match(update('{"memory":{"limit":"much"}}').stderr, /resources\.memory\.limit.*must be/);
    assert.match(update('{"cpu":{"idle":7}}').stderr, /resources\.cpu\.idle.*must be at most 1: got 7/);
    assert.match(update('{"memory":{"swap":5}}').stderr, /resources\.memory\.swap.*without memory limit: got 5/);
    assert.match(update('{"unified":{"cgroup.kill":"1"}}').stderr, /unified\/?.*cgroup\.kill.*is no limit/s);
    assert.match(update('{"toString":{"valueOf":1}}').stderr, /^$/);
    assert.match(update('{').stderr, /is not JSON/);
    assert.match(run('update', '--memory', '12q', id).stderr, /invalid value "12q" for -memory/);
    if (!readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').includes('memory')) assert.match(run('update', '--memory', '64m', id).stderr, /memory\.max.*ENOENT|controller memory/s);
    assert.is(spawnSync('grep', ['-c', 'hugepageLimits', `${runtime.root}/${id}/config.json`], { encoding: 'utf8' }).stdout.trim(), hugetlb ? '1' : '0');
  });
  test('update exchanges the device rules, and at no moment there are none', () => {
    const other = `${id}d`;
    const config = baseConfig('sh', '-c', 'while :; do (: < /dev/zero) 2>/dev/null || echo lost; (: > /dev/kmsg) 2>/dev/null && echo leaked; echo >> /dev/shm/rounds; done');
    config.linux['cgroupsPath'] = `/${other}`;
    config.linux['devices'] = [{ path: '/dev/kmsg', type: 'c', major: 1, minor: 11, fileMode: 0o666 }];
    assert.is(runtime.create(other, makeBundle(config)).code, 0);
    assert.is(run('start', other).code, 0);
    const pid = String(runtime.state(other)['pid']);
    const deny = { allow: false, access: 'rwm' };
    const update = (...rules: object[]): void => assert.is(runtime.run(['update', '-r', '-', other], { input: JSON.stringify({ devices: [deny, ...rules] }) }).code, 0);
    for (let i = 0; i < 20; i++) update({ allow: true, type: 'c', major: 4, minor: i, access: 'rw' });
    const size = (): number => (existsSync(`/proc/${pid}/root/dev/shm/rounds`) ? readFileSync(`/proc/${pid}/root/dev/shm/rounds`).length : 0);
    until('it went round', () => size() > 20);
    assert.is(runtime.output(other), '');
    update({ allow: true, type: 'c', major: 1, minor: 11, access: 'w' });
    until('what is allowed now', () => runtime.output(other).includes('leaked'));
    update();
    const before = size();
    until('a round that began after it', () => size() > before + 2);
    const length = runtime.output(other).length;
    const after = size();
    until('more rounds', () => size() > after + 5);
    assert.is(runtime.output(other).length, length);
    run('delete', '--force', other);
  });
  test('what the container made below its cgroup goes with it', () => {
    for (const name of ['x', 'x/y', 'z']) mkdirSync(`${cgroup}/${name}`, { recursive: true });
    assert.is(run('kill', id, 'KILL').code, 0);
    until('stopped', () => runtime.state(id)['status'] === 'stopped');
    for (const verb of ['pause', 'update', 'events']) assert.match(runtime.run([verb, ...(verb === 'update' ? ['--pids-limit', '5'] : []), id]).stderr, /not running/);
    assert.is(run('delete', id).code, 0);
    assert.not.ok(existsSync(cgroup));
  });
  test.run();
}
