// Where a container's cgroup is and what must not be there: occupied, frozen, threaded, delegated; the systemd driver without systemd;
// and a create that is killed at any moment leaves nothing that `delete --force` cannot clear.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths, until } from './harness.ts';

/** Fewer for the Node build, which takes five times as long; RUNT_KILLS=100 when there is time. */
const killsOf = (path: string): number => Number(process.env['RUNT_KILLS'] ?? (path.endsWith('bin/runt') ? 10 : 40));

for (const path of runtimePaths()) {
  const KILLS = killsOf(path);
  const test = suite(`cgroup place ${basename(path)}`);
  const runtime = new Runtime(path);
  const id = `place${process.pid}`;
  const root = '/sys/fs/cgroup';
  const sleeper = (cgroupsPath: string | undefined, change: (config: ReturnType<typeof baseConfig>) => void = () => {}): string => {
    const config = baseConfig('sleep', '1000');
    if (cgroupsPath !== undefined) config.linux['cgroupsPath'] = cgroupsPath;
    change(config);
    return makeBundle(config);
  };
  const create = (name: string, bundle: string, ...globals: string[]): ReturnType<Runtime['run']> => runtime.background(name, [...globals, 'create', '--bundle', bundle, name]);
  const made = (name: string, bundle: string): void => {
    const { code, stderr } = create(name, bundle);
    assert.is(code, 0, stderr);
  };
  const remove = (name: string): void => assert.is(runtime.run(['delete', '--force', name]).code, 0);
  const cgroupOf = (name: string): string => /^0::(.*)$/m.exec(readFileSync(`/proc/${String(runtime.state(name)['pid'])}/cgroup`, 'utf8'))![1]!;
  /** Removes a cgroup of ours with what is below. */
  const sweep = (name: string): void => void spawnSync('find', [`${root}/${name}`, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
  test.after(() => {
    for (const name of readdirSync(root).filter((entry) => entry.startsWith(id))) sweep(name);
    runtime.close();
  });

  test('absolute, relative, absent; parents that are missing are made', () => {
    const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))![1]!;
    const parent = own.slice(0, own.lastIndexOf('/'));
    for (const [given, expected] of [[`/${id}n/a/b`, `/${id}n/a/b`], [`${id}m/c`, `${parent}/${id}m/c`], [undefined, `${parent}/${id}`], ['', `${parent}/${id}`]] as const) {
      made(id, sleeper(given));
      assert.is(cgroupOf(id), expected);
      remove(id);
      assert.not.ok(existsSync(`${root}${expected}`));
    }
  });
  test('a cgroup with processes, in it or below, and one that is frozen are refused', () => {
    made(id, sleeper(`/${id}o/inner`));
    for (const place of [`/${id}o/inner`, `/${id}o`]) assert.match(create(`${id}x`, sleeper(place)).stderr, /cgroupsPath: container's cgroup is not empty: 1 process\(es\) found/);
    remove(id);
    assert.match(create(id, sleeper(`/${id}o`)).stderr, /EBUSY[^]*cgroup\.subtree_control/);
    mkdirSync(`${root}/${id}f`);
    writeFileSync(`${root}/${id}f/cgroup.freeze`, '1');
    assert.match(create(id, sleeper(`/${id}f`)).stderr, /container's cgroup unexpectedly frozen/);
    assert.ok(existsSync(`${root}/${id}f`));
  });
  test('below a threaded cgroup a container is threaded too, unless a limit needs a domain', () => {
    mkdirSync(`${root}/${id}t/thread`, { recursive: true });
    writeFileSync(`${root}/${id}t/thread/cgroup.type`, 'threaded');
    assert.is(readFileSync(`${root}/${id}t/cgroup.type`, 'utf8'), 'domain threaded\n');
    made(id, sleeper(`/${id}t/one/two`));
    assert.is(cgroupOf(id), `/${id}t/one/two`);
    assert.is(readFileSync(`${root}/${id}t/one/two/cgroup.type`, 'utf8'), 'threaded\n');
    assert.equal(JSON.parse(runtime.run(['ps', '--format', 'json', id]).stdout), [runtime.state(id)['pid']]);
    assert.is(runtime.run(['kill', '--all', id, 'KILL']).code, 0);
    until('stopped', () => runtime.state(id)['status'] === 'stopped');
    remove(id);
    const huge = sleeper(`/${id}t/three`, (config) => void ((config.linux['resources'] as Record<string, unknown>)['hugepageLimits'] = [{ pageSize: '2MB', limit: 0 }]));
    assert.match(create(id, huge).stderr, /cannot enter cgroupv2 .* with domain controllers -- it is in domain threaded mode/);
  });
  test('a container with a writable cgroup of its own owns what may be delegated, and no limit', () => {
    const given = (options: string[]): string => sleeper(`/${id}`, (config) => {
      config.mounts.push({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options });
      config.process['user'] = { uid: 1234, gid: 0 };
    });
    const owner = (file: string): number => statSync(`${root}/${id}/${file}`).uid;
    made(id, given(['nosuid', 'noexec', 'nodev']));
    assert.equal(['', 'cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control', 'cgroup.freeze', 'cgroup.max.depth'].map(owner), [1234, 1234, 1234, 1234, 0, 0]);
    remove(id);
    made(id, given(['ro']));
    assert.is(owner('cgroup.procs'), 0);
    remove(id);
  });
  test('the systemd driver says what is missing', () => {
    if (!existsSync('/run/systemd/system')) assert.match(create(id, sleeper(undefined), '--systemd-cgroup').stderr, /systemd support for managing cgroups is not available/);
    assert.match(create(id, sleeper('/a/b'), '--systemd-cgroup').stderr, /cgroupsPath: expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "\/a\/b" instead|not available/);
    assert.not.ok(existsSync(`${runtime.root}/${id}`));
  });
  test(`killed ${KILLS} times in the middle of create: delete --force clears everything`, () => {
    const bundle = sleeper(`/${id}`);
    const begun = Date.now();
    made(id, bundle);
    const usual = Date.now() - begun;
    remove(id);
    let halfMade = 0;
    for (let i = 0; i < KILLS; i++) {
      const child = spawn(path, ['--root', runtime.root, 'create', '--bundle', bundle, id], { stdio: 'ignore' });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * usual);
      process.kill(child.pid!, 'SIGKILL');
      until('killed', () => !existsSync(`/proc/${child.pid}`) || /\) [ZX] /.test(readFileSync(`/proc/${child.pid}/stat`, 'latin1')));
      if (existsSync(`${root}/${id}`)) halfMade++;
      remove(id);
      assert.not.ok(existsSync(`${root}/${id}`), 'cgroup');
      assert.equal(readdirSync(runtime.root).filter((name) => !name.startsWith('.')), []);
    }
    until('nothing of ours runs', () => readdirSync('/proc').every((pid) => !/^\d+$/.test(pid) || !mapsOf(pid).includes(`${runtime.root}/${id}`)));
    assert.ok(halfMade > 0 || KILLS < 40, 'no kill hit a container that was half made');
    made(id, bundle);
    remove(id);
  });
  test.run();
}

function mapsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'latin1');
  } catch {
    return '';
  }
}
