// The virtual machine itself: systemd, every cgroup v2 controller, an ordinary user's session, and all three runtimes run.
import { spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, until } from '../harness.ts';
import { asTester, must, runt, sh } from './guest.ts';
import { note, suite } from './tap.ts';

const machine = suite('machine');

machine('systemd is process 1 and running', () => {
  assert.is(readFileSync('/proc/1/comm', 'utf8'), 'systemd\n');
  sh('systemctl is-system-running --wait');
  assert.is(sh('systemctl --failed --no-legend --plain').stdout, '', 'units failed');
  assert.is(sh('systemctl is-system-running').stdout, 'running\n');
});

machine('cgroup v2 has every controller of the design', () => {
  assert.is(must('stat -fc %T /sys/fs/cgroup').trim(), 'cgroup2fs');
  const controllers = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim().split(' ');
  note(`kernel ${must('uname -r').trim()}: ${controllers.join(' ')}`);
  for (const name of ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc']) assert.ok(controllers.includes(name), name);
});

machine('AppArmor is on and has profiles', () => {
  assert.is(readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8'), 'Y\n');
  assert.match(readFileSync('/sys/kernel/security/apparmor/profiles', 'utf8'), /^runc/m);
});

machine('the user tester has a systemd of her own, subordinate ids and delegated controllers', () => {
  until('the session', () => existsSync('/run/user/1000/bus'));
  const result = asTester('id -u; systemctl --user is-system-running; cat /proc/self/cgroup; unshare --user --map-auto --map-root-user cat /proc/self/uid_map');
  assert.is(result.code, 0, result.stderr);
  const [uid, state, cgroup, ...map] = result.stdout.trim().split('\n');
  assert.is(uid, '1000');
  assert.is(state, 'running');
  assert.match(cgroup ?? '', /^0::\/user\.slice\/user-1000\.slice\/user@1000\.service\//);
  assert.match(map.join('\n'), /1\s+100000\s+65536|1\s+100000\s+65535/);
  assert.match(readFileSync('/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/cgroup.controllers', 'utf8'), /cpu.*memory.*pids/);
});

machine('the executable’s calls go on from the snapshot that guest.sh took', () => {
  const runtime = new Runtime(runt);
  const created = runtime.create('snapshot', makeBundle(baseConfig('/bin/sleep', '1000')));
  assert.is(created.code, 0, created.stderr);
  // Two of three: where the kernel happens to put a stack on a place of the snapshot's, an engine is started.
  const waiting = [1, 2, 3].map((number) => {
    const said = join(runtime.root, `.said.${number}`);
    const events = spawn(runt, ['--root', runtime.root, 'events', '--interval', '200ms', 'snapshot'], { stdio: ['ignore', openSync(said, 'w'), 'inherit'] });
    return { events, said };
  });
  const programs = waiting.map(({ events, said }) => {
    until('statistics, which say that it waits', () => readFileSync(said, 'utf8').includes('stats'));
    const program = readlinkSync(`/proc/${events.pid}/exe`);
    events.kill('SIGKILL');
    return program;
  });
  runtime.run(['delete', '--force', 'snapshot']);
  runtime.close();
  note(programs.join(' '));
  assert.ok(programs.filter((program) => program === runt).length >= 2, programs.join(' '));
});

machine.run();

for (const path of [runt, '/usr/sbin/runc', '/usr/bin/crun']) {
  const test = suite(path.slice(path.lastIndexOf('/') + 1));
  const runtime = new Runtime(path);
  const cgroup = `/smoke-${process.pid}`;
  const limits = { memory: { limit: 64 << 20 }, cpu: { quota: 50_000, period: 100_000, cpus: '0' }, pids: { limit: 50 }, blockIO: { weight: 100 } };
  const configure = (...args: string[]): ReturnType<typeof baseConfig> => {
    const config = baseConfig(...args);
    config.linux = { ...config.linux, cgroupsPath: cgroup, resources: { ...(config.linux['resources'] as object), ...limits } };
    return config;
  };

  test('--version', () => {
    const result = runtime.run(['--version']);
    assert.is(result.code, 0, result.stderr);
    note(result.stdout);
  });

  test('run runs a command of busybox', () => {
    const result = runtime.run(['run', '--bundle', makeBundle(configure('/bin/sh', '-c', 'echo hello from $(hostname); id -u')), 'smoke-run']);
    assert.is(result.stdout, 'hello from boxed\n0\n', result.stderr);
    assert.is(result.code, 0);
  });

  test('create applies the limits in the cgroup that was asked for, delete removes it', () => {
    const created = runtime.create('smoke-limits', makeBundle(configure('/bin/sleep', '1000')));
    assert.is(created.code, 0, created.stderr);
    const directory = `/sys/fs/cgroup${cgroup}`;
    // runc puts init into the cgroup itself, crun by default too; where not, the limits are still at the path.
    const read = (file: string): string => readFileSync(`${directory}/${file}`, 'utf8').trim();
    const found = [read('memory.max'), read('cpu.max'), read('cpuset.cpus'), read('pids.max')];
    const removed = runtime.run(['delete', '--force', 'smoke-limits']);
    assert.equal(found, [String(64 << 20), '50000 100000', '0', '50']);
    assert.is(removed.code, 0, removed.stderr);
    assert.not(existsSync(directory));
  });

  test.after(() => runtime.close());
  test.run();
}
