// create, start, state, kill, delete, list, run: what managers rely on (runtime.md, and how runc behaves).
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths, traces, until, type Json } from './harness.ts';

for (const path of runtimePaths()) {
  const runtime = new Runtime(path);
  const test = suite(`lifecycle ${path}`);
  const before = traces(runtime);
  const sleeper = makeBundle(baseConfig('/bin/sleep', '1000'));
  let count = 0;
  const fresh = (): string => `life${process.pid}-${count++}`;
  const made = (): string => {
    const id = fresh();
    const result = runtime.create(id, sleeper);
    assert.is(result.code, 0, result.stderr);
    return id;
  };
  const gone = (id: string): void => void runtime.run(['delete', '--force', id]);
  const stopped = (id: string): void => until('stopped', () => runtime.state(id)['status'] === 'stopped');

  test('create leaves a container created, start makes it run, kill and delete end it', () => {
    const id = made();
    const created = runtime.state(id);
    assert.is(created['status'], 'created');
    assert.ok(Number(created['pid']) > 0);
    assert.is(created['bundle'], sleeper);
    assert.is(runtime.run(['start', id]).code, 0);
    assert.is(runtime.state(id)['status'], 'running');
    assert.is(runtime.run(['kill', id, 'KILL']).code, 0);
    stopped(id);
    assert.is(runtime.state(id)['pid'], 0);
    assert.is(runtime.run(['delete', id]).code, 0);
    assert.match(runtime.run(['state', id]).stderr, /does not exist/);
  });

  test('state has the keys of runtime.md and a time that RFC 3339 knows', () => {
    const id = made();
    const state = runtime.state(id);
    for (const key of ['ociVersion', 'id', 'pid', 'status', 'bundle', 'rootfs', 'created', 'owner']) assert.ok(key in state, key);
    assert.ok(!Number.isNaN(Date.parse(String(state['created']))));
    gone(id);
  });

  test('annotations appear in state', () => {
    const id = fresh();
    runtime.create(id, makeBundle({ ...baseConfig('/bin/true'), annotations: { 'org.example.a': 'b' } }));
    assert.equal(runtime.state(id)['annotations'], { 'org.example.a': 'b' });
    gone(id);
  });

  test('a second create of the same id is refused and does no harm', () => {
    const id = made();
    const again = runtime.create(id, sleeper);
    assert.is(again.code, 1);
    assert.match(again.stderr, /container with given ID already exists/);
    assert.is(runtime.state(id)['status'], 'created');
    gone(id);
  });

  for (const bad of ['', '.', '..', '../x', 'a/b', 'a b', 'ä', 'a\nb']) {
    test(`the id ${JSON.stringify(bad)} is refused`, () => {
      const result = runtime.run(['create', '--bundle', sleeper, bad]);
      assert.is(result.code, 1);
      assert.match(result.stderr, /invalid container ID format|argument/);
    });
  }

  test('unknown ids: state, start, kill, delete fail with "does not exist", delete --force succeeds', () => {
    for (const verb of ['state', 'start', 'kill', 'delete']) {
      const result = runtime.run([verb, 'nobody']);
      assert.is(result.code, 1, verb);
      assert.match(result.stderr, /does not exist/, verb);
    }
    assert.is(runtime.run(['delete', '--force', 'nobody']).code, 0);
  });

  test('a running container is not deleted without force', () => {
    const id = made();
    runtime.run(['start', id]);
    const result = runtime.run(['delete', id]);
    assert.is(result.code, 1);
    assert.match(result.stderr, /cannot delete container .* that is not stopped/);
    assert.is(runtime.run(['delete', '-f', id]).code, 0);
  });

  test('a created container can be killed and deleted', () => {
    const id = made();
    assert.is(runtime.run(['delete', id]).code, 0);
  });

  test('start twice, and start of a stopped container, fail', () => {
    const id = made();
    assert.is(runtime.run(['start', id]).code, 0);
    assert.match(runtime.run(['start', id]).stderr, /cannot start an already running container/);
    runtime.run(['kill', id, '9']);
    stopped(id);
    assert.match(runtime.run(['start', id]).stderr, /cannot start a container that has stopped/);
    assert.match(runtime.run(['kill', id]).stderr, /container not running/);
    assert.is(runtime.run(['kill', '--all', id, '9']).code, 0);
    gone(id);
  });

  test('kill takes names and numbers and refuses others', () => {
    const id = made();
    runtime.run(['start', id]);
    for (const signal of ['0', 'CONT', 'SIGCONT', 'cont', '18']) {
      assert.is(runtime.run(['kill', id, signal]).code, 0, signal);
    }
    assert.is(runtime.run(['kill', id, 'NOPE']).code, 1);
    assert.is(runtime.run(['kill', id, '99']).code, 1);
    gone(id);
  });

  test('the pid file holds the pid of init and no newline', () => {
    const id = fresh();
    const file = join(runtime.root, '.pid');
    assert.is(runtime.create(id, sleeper, '--pid-file', file).code, 0);
    assert.is(readFileSync(file, 'utf8'), String(runtime.state(id)['pid']));
    gone(id);
  });

  test('run ends as the process ends, and leaves nothing', () => {
    for (const [script, code] of [['exit 0', 0], ['exit 7', 7], ['exit 255', 255]] as const) {
      const result = runtime.run(['run', '--bundle', makeBundle(baseConfig('/bin/sh', '-c', script)), fresh()]);
      assert.is(result.code, code, script + result.stderr);
    }
  });

  test('run gives 128 + the signal', () => {
    const config = baseConfig('/bin/sh', '-c', 'sh -c "kill -9 \\$\\$"; exit $?');
    assert.is(runtime.run(['run', '--bundle', makeBundle(config), fresh()]).code, 137);
  });

  test('run passes stdin and stdout through', () => {
    const result = runtime.run(['run', '--bundle', makeBundle(baseConfig('/bin/cat')), fresh()], { input: 'hello\n' });
    assert.is(result.stdout, 'hello\n');
  });

  test('run --detach returns while the process runs; run --keep leaves state and cgroup to delete', () => {
    const id = fresh();
    const detached = runtime.background(id, ['run', '--detach', '--bundle', sleeper, id]);
    assert.is(detached.code, 0, detached.stderr);
    assert.is(runtime.state(id)['status'], 'running');
    gone(id);
    const kept = fresh();
    assert.is(runtime.run(['run', '--keep', '--bundle', makeBundle(baseConfig('/bin/true')), kept]).code, 0);
    assert.is(runtime.state(kept)['status'], 'stopped');
    assert.is(runtime.run(['delete', kept]).code, 0);
  });

  test('list shows containers as a table, as ids and as JSON', () => {
    assert.match(runtime.run(['list']).stdout, /^ID\s+PID\s+STATUS\s+BUNDLE\s+CREATED\s+OWNER/);
    assert.is(runtime.run(['list', '-f', 'json']).stdout.trim(), 'null');
    const id = made();
    const list = JSON.parse(runtime.run(['list', '--format', 'json']).stdout) as Json[];
    assert.is(list.length, 1);
    assert.is(list[0]!['id'], id);
    assert.is(list[0]!['owner'], 'root');
    assert.is(runtime.run(['list', '--quiet']).stdout, `${id}\n`);
    gone(id);
  });

  const missing: [name: string, config: (config: ReturnType<typeof baseConfig>) => Json, pattern: RegExp][] = [
    ['a missing command', (config) => ({ ...config, process: { ...config.process, args: ['nosuchcommand'] } }), /exec: "nosuchcommand": executable file not found in \$PATH/],
    ['a missing path', (config) => ({ ...config, process: { ...config.process, args: ['/no/such'] } }), /\/no\/such.*no such file or directory/],
    ['a directory as command', (config) => ({ ...config, process: { ...config.process, args: ['/etc'] } }), /permission denied|is a directory/],
    ['a file without execute permission', (config) => ({ ...config, process: { ...config.process, args: ['/etc/passwd'] } }), /permission denied/],
    ['no args', (config) => ({ ...config, process: { ...config.process, args: [] } }), /args/],
    ['a relative cwd', (config) => ({ ...config, process: { ...config.process, cwd: 'tmp' } }), /[Cc]wd/],
    ['a cwd on a host descriptor', (config) => ({ ...config, process: { ...config.process, cwd: '/proc/self/fd/5' } }), /cwd|fd/],
    ['an unknown file system', (config) => ({ ...config, mounts: [...config.mounts, { destination: '/mnt', type: 'nosuchfs', source: 'x' }] }), /nosuchfs|no such device/],
    ['a bad tmpfs option', (config) => ({ ...config, mounts: [...config.mounts, { destination: '/mnt', type: 'tmpfs', source: 'x', options: ['size=banana'] }] }), /banana|invalid|EINVAL/],
    ['a missing bind source', (config) => ({ ...config, mounts: [...config.mounts, { destination: '/mnt', type: 'bind', source: '/no/such/source', options: ['bind'] }] }), /source/],
    ['a missing rootfs', (config) => ({ ...config, root: { path: 'nowhere' } }), /rootfs/],
    ['a duplicate namespace', (config) => ({ ...config, linux: { ...config.linux, namespaces: [{ type: 'mount' }, { type: 'mount' }] } }), /namespaces\[1\].*duplicated/],
    ['an unknown namespace', (config) => ({ ...config, linux: { ...config.linux, namespaces: [{ type: 'pids' }] } }), /namespaces\[0\].*"pids"/],
    ['a namespace path of the wrong kind', (config) => ({ ...config, hostname: '', linux: { ...config.linux, namespaces: [{ type: 'mount' }, { type: 'pid' }, { type: 'network', path: '/proc/self/ns/uts' }] } }), /setns.*EINVAL|invalid/],
    ['a sysctl of the host', (config) => ({ ...config, linux: { ...config.linux, sysctl: { 'vm.swappiness': '1' } } }), /not in a separate kernel namespace/],
    ['a hostname without uts namespace', (config) => ({ ...config, linux: { ...config.linux, namespaces: [{ type: 'mount' }] } }), /UTS namespace/],
    ['a wrong type', (config) => ({ ...config, process: { ...config.process, terminal: 'no' } }), /process\.terminal.*boolean/],
    ['an id that does not fit', (config) => ({ ...config, process: { ...config.process, user: { uid: 4294967296, gid: 0 } } }), /user\.uid/],
    ['a limit whose controller is missing', (config) => ({ ...config, linux: { ...config.linux, resources: { unified: { 'nosuch.max': '1' } } } }), /unified\["nosuch\.max"\].*controller nosuch is not available/],
    ['an option a bind mount does not have', (config) => ({ ...config, mounts: [...config.mounts, { destination: '/mnt', type: 'bind', source: '/etc', options: ['bind', 'roo'] }] }), /mounts\[6\]\.options\[1\].*roo[^]*config\.json:\d+/],
    ['two problems at once', (config) => ({ ...config, ociVersion: '2.0.0', process: { ...config.process, terminal: 1 } }), /ociVersion[^]*process\.terminal/],
  ];
  for (const [name, change, pattern] of missing) {
    test(`create refuses ${name} and leaves nothing`, () => {
      const left = traces(runtime);
      const id = fresh();
      const result = runtime.create(id, makeBundle(change(baseConfig('/bin/true'))));
      assert.is(result.code, 1, `exit ${result.code}: ${result.stderr}`);
      assert.match(result.stderr, pattern);
      assert.not.match(result.stderr, /\n\s+at .*\(/, 'a stack trace');
      assert.match(runtime.run(['state', id]).stderr, /does not exist/);
      assert.equal(traces(runtime), left);
    });
  }

  const files: [name: string, make: (bundle: string) => void, pattern: RegExp][] = [
    ['no config.json', () => {}, /config\.json not found/],
    ['an empty config.json', (bundle) => writeFileSync(join(bundle, 'config.json'), ''), /empty/],
    ['a config.json cut short', (bundle) => writeFileSync(join(bundle, 'config.json'), '{"ociVersion": "1.0.0",\n "root": {'), /not JSON[^]*config\.json:2/],
    ['null', (bundle) => writeFileSync(join(bundle, 'config.json'), 'null'), /config cannot be null/],
    ['an array', (bundle) => writeFileSync(join(bundle, 'config.json'), '[]'), /object/],
    ['deep nesting', (bundle) => writeFileSync(join(bundle, 'config.json'), '['.repeat(100000)), /nested|not JSON/],
    ['bytes that are not UTF-8', (bundle) => writeFileSync(join(bundle, 'config.json'), Buffer.from([0x7b, 0xff, 0xfe])), /UTF-8/],
    ['a directory as config.json', (bundle) => mkdirSync(join(bundle, 'config.json')), /regular file|EISDIR/],
  ];
  for (const [name, make, pattern] of files) {
    test(`create refuses ${name}`, () => {
      const bundle = join(runtime.root, `.bundle${count++}`);
      mkdirSync(bundle);
      make(bundle);
      const result = runtime.run(['create', '--bundle', bundle, fresh()]);
      assert.is(result.code, 1);
      assert.match(result.stderr, pattern);
      assert.not.match(result.stderr, /internal error/);
    });
  }

  test('errors name the place in config.json', () => {
    const config = baseConfig('/bin/true');
    config.mounts.push({ destination: '/mnt', type: 'tmpfs', source: 'x', options: ['nosuid', 'size=banana'] });
    const { stderr } = runtime.create(fresh(), makeBundle(config));
    assert.match(stderr, /mounts\[6\]\.options\[1\]: fsconfig\(/);
    assert.match(stderr, /config\.json:\d+:\d+/);
    assert.match(stderr, /kernel: tmpfs: Bad value for 'size'/);
  });

  test('--log gets exactly one JSON line on failure, and stderr the same', () => {
    const log = join(runtime.root, '.log.json');
    const result = runtime.run(['--log', log, '--log-format', 'json', 'start', 'nobody']);
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    assert.is(lines.length, 1);
    const line = JSON.parse(lines[0]!) as Json;
    assert.is(line['level'], 'error');
    assert.match(String(line['msg']), /does not exist/);
    assert.ok(!Number.isNaN(Date.parse(String(line['time']))));
    assert.match(result.stderr, /does not exist/);
  });

  test('global flags may repeat, the last wins; options end at the first word', () => {
    assert.is(runtime.run(['--root', '/nowhere', '--root', runtime.root, 'list']).code, 0);
    assert.match(runtime.run(['state', 'nobody', '--help']).stderr, /argument/);
  });

  test('unknown flags and missing values say so', () => {
    assert.match(runtime.run(['create', '--nonsense', 'x']).stderr, /flag provided but not defined/);
    assert.match(runtime.run(['create', '--bundle']).stderr, /flag needs an argument/);
    assert.is(runtime.run(['nonsense']).code, 1);
  });

  test('--help of each command, --version and features', () => {
    for (const verb of ['create', 'start', 'run', 'state', 'kill', 'delete', 'list', 'spec', 'features', 'explain', 'trace']) {
      const result = runtime.run([verb, '--help']);
      assert.is(result.code, 0, verb);
      assert.match(result.stdout, /usage/, verb);
    }
    assert.match(runtime.run(['--version']).stdout, /^\S+ version \S+\n/);
    const features = JSON.parse(runtime.run(['features']).stdout) as Json;
    assert.ok('ociVersionMin' in features && 'ociVersionMax' in features && 'linux' in features);
  });

  test('spec writes a config.json that runs, and does not overwrite one', () => {
    const bundle = join(runtime.root, '.spec');
    mkdirSync(bundle);
    assert.is(runtime.run(['spec', '--bundle', bundle]).code, 0);
    assert.ok(statSync(join(bundle, 'config.json')).size > 1000);
    assert.match(runtime.run(['spec', '--bundle', bundle]).stderr, /exists/);
  });

  test('everything works without PATH and without any environment', () => {
    const id = fresh();
    assert.is(runtime.create(id, sleeper).code, 0);
    assert.is(runtime.run(['state', id], { env: {} }).code, 0);
    assert.is(runtime.run(['start', id], { env: {} }).code, 0);
    assert.is(runtime.run(['kill', id, '9'], { env: {} }).code, 0);
    assert.is(runtime.run(['delete', '--force', id], { env: {} }).code, 0);
  });

  test('a hostile working directory changes nothing', () => {
    const directory = join(runtime.root, '.hostile');
    mkdirSync(join(directory, 'node_modules/koffi'), { recursive: true });
    writeFileSync(join(directory, '.env'), 'HOSTILE=1\nBUN_OPTIONS=--version\n');
    writeFileSync(join(directory, 'bunfig.toml'), 'preload = ["./evil.ts"]\n');
    writeFileSync(join(directory, 'evil.ts'), 'console.log("EVIL")\n');
    writeFileSync(join(directory, 'package.json'), '{"type":"nonsense"}');
    writeFileSync(join(directory, 'tsconfig.json'), '{nonsense');
    writeFileSync(join(directory, 'node_modules/koffi/index.js'), 'console.log("EVIL")');
    const result = runtime.run(['run', '--bundle', makeBundle(baseConfig('/bin/echo', 'fine')), fresh()], { cwd: directory });
    assert.is(result.stdout, 'fine\n', result.stderr);
  });

  test('explain prints the sequence without a container, trace what happened', () => {
    const explained = runtime.run(['explain', sleeper]);
    assert.is(explained.code, 0);
    assert.match(explained.stdout, /pivot_root\("\.", "\."\)/);
    assert.match(explained.stdout, /── hand over/);
    const steps = (JSON.parse(runtime.run(['explain', '--format', 'json', sleeper]).stdout) as { steps: Json[] }).steps;
    assert.ok(steps.length > 100);
    const id = made();
    assert.match(runtime.run(['trace', id]).stdout, /us {2}c {2}\$init = clone3\(/);
    runtime.run(['start', id]);
    assert.match(runtime.run(['trace', id]).stdout, /execve\(/);
    gone(id);
    const failed = fresh();
    runtime.create(failed, makeBundle(baseConfig('nosuch')));
    assert.match(runtime.run(['trace', failed]).stdout, /FAILED/);
    assert.match(runtime.run(['trace', '--last']).stdout, /FAILED/);
  });

  test('hooks of all six kinds run in order, read the state, and a failing one fails the create', () => {
    const log = join(runtime.root, '.hooks');
    const hook = (name: string): Json => ({ path: '/bin/sh', args: ['sh', '-c', `echo "${name} $(sed 's/.*"status":"\\([a-z]*\\)".*/\\1/')" >> ${log}`], env: ['PATH=/bin:/usr/bin'] });
    const config = { ...baseConfig('/bin/true'), hooks: { prestart: [hook('prestart')], createRuntime: [hook('createRuntime')], createContainer: [hook('createContainer')], startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'cat > /tmp/start'] }], poststart: [hook('poststart')], poststop: [hook('poststop')] } };
    const id = fresh();
    const created = runtime.create(id, makeBundle(config));
    assert.is(created.code, 0, created.stderr);
    const started = runtime.run(['start', id]);
    assert.is(started.code, 0, started.stderr);
    until('stopped', () => runtime.state(id)['status'] === 'stopped');
    assert.is(runtime.run(['delete', id]).code, 0);
    assert.is(readFileSync(log, 'utf8'), 'prestart creating\ncreateRuntime creating\ncreateContainer creating\npoststart running\npoststop stopped\n');
    const ran = runtime.run(['run', '--bundle', makeBundle({ ...config, hooks: { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'echo started > /tmp/started'] }] }, process: { ...config.process, args: ['/bin/cat', '/tmp/started'] } }), fresh()]);
    assert.is(ran.stdout, 'started\n', ran.stderr);
    const failing = { ...baseConfig('/bin/true'), hooks: { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', 'echo broken >&2; exit 3'] }] } };
    const result = runtime.create(fresh(), makeBundle(failing));
    assert.is(result.code, 1);
    assert.match(result.stderr, /createRuntime hook #0 .*exit status 3.*broken/);
    const slow = { ...baseConfig('/bin/true'), hooks: { prestart: [{ path: '/bin/sleep', args: ['sleep', '100'], timeout: 1 }] } };
    assert.match(runtime.create(fresh(), makeBundle(slow)).stderr, /timeout/);
  });

  test('a damaged state file is an error, and delete --force clears it', () => {
    const id = made();
    const left = traces(runtime).cgroups;
    assert.ok(left.includes(id));
    writeFileSync(join(runtime.root, id, 'state.json'), '{"ver');
    assert.match(runtime.run(['state', id]).stderr, /damaged/);
    assert.match(runtime.run(['delete', id]).stderr, /damaged/);
    assert.is(runtime.run(['delete', '--force', id]).code, 0);
    assert.match(runtime.run(['state', id]).stderr, /does not exist/);
    assert.not.ok(traces(runtime).cgroups.includes(id), 'its cgroup, known from the recorder');
  });

  test('nothing is left behind by all of this', () => {
    const after = traces(runtime);
    assert.equal(after.state, before.state);
    assert.is(after.mounts, before.mounts);
    assert.equal(after.cgroups, before.cgroups);
    runtime.close();
  });

  test('state is below XDG_RUNTIME_DIR for root of a user namespace, as rootless Podman calls it, and below /run for root', () => {
    const looked = (USER: string, ...words: string[]): string => spawnSync(words[0] ?? path, [...words.slice(1), ...(words.length > 0 ? [path] : []), 'state', 'nobody'], { encoding: 'utf8', env: { PATH: process.env['PATH'], XDG_RUNTIME_DIR: '/run/user/x', USER } }).stderr;
    assert.match(looked('someone', 'unshare', '--user', '--map-root-user'), /looked in \/run\/user\/x\/runt/);
    assert.match(looked('root', 'unshare', '--user', '--map-root-user'), /looked in \/run\/runt/);
    assert.match(looked('someone'), /looked in \/run\/runt/);
  });
  test.run();
}
