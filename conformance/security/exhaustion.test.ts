// Nothing left to take: room, descriptors, memory, processes. A sentence where the engine still runs, and nothing left behind in any case.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, forAnyone, makeBundle, Runtime, runtimePaths, sharedRootfs, traces, until, type Result } from '../harness.ts';
import { fresh, ownRootfs, temporary } from './bundles.ts';

/** Nobody else's: the limit counts all processes of a user. */
const USER = 100_000 + process.pid;
/** From here on a shell says that a signal ended the process: the engine itself could not go on, and said so in its own way. */
const SIGNALLED = 128;

for (const path of runtimePaths()) {
  const test = suite(`exhaustion ${basename(path)}`);
  const runtime = new Runtime(path);
  const bundle = makeBundle(baseConfig('/bin/sleep', '1000'));
  const isExecutable = path.endsWith('dist/runt');
  const isSentence = (text: string, what: string): void => assert.not.match(text, /internal error|TypeError|^\s+at .*:\d+:\d+/m, `${what}: ${text}`);

  /** Runs a line of shell whose words are a create; its output goes to a file, because a container that is created holds a pipe open. */
  const within = (line: string, words: readonly string[]): Result => {
    const out = join(temporary('out-'), 'out');
    const done = spawnSync('sh', ['-c', `exec </dev/null >${out} 2>&1; ${line}`, 'sh', ...words], { stdio: 'ignore', timeout: 60_000, env: { PATH: process.env['PATH'] } });
    return { code: done.status ?? SIGNALLED + 9, stdout: '', stderr: readFileSync(out, 'utf8') };
  };

  test('no room for state: a clear error, nothing left', () => {
    const directory = temporary('small-');
    for (const options of ['size=8k', 'nr_inodes=2', 'nr_inodes=4', 'size=24k']) {
      const script = `mount -t tmpfs -o ${options} small ${directory}; "$@"; echo "code $?"; find ${directory} -mindepth 1 -maxdepth 1 -not -name ".*"; umount ${directory}`;
      const done = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', path, '--root', directory, 'create', '--bundle', bundle, fresh()], { encoding: 'utf8', input: '', timeout: 60_000, env: { PATH: process.env['PATH'] } });
      assert.is(done.stdout, 'code 1\n', `${options}: ${done.stderr}`);
      assert.match(done.stderr, /ENOSPC|space/, options);
      isSentence(done.stderr, options);
    }
  });

  test('a tmpfs of the container that is too small for what is copied up: the error names the mount, nothing left', () => {
    const root = ownRootfs();
    mkdirSync(join(root, 'srv'));
    writeFileSync(join(root, 'srv/large'), Buffer.alloc(200_000));
    const config = baseConfig('/bin/true');
    config.root['path'] = root;
    config.mounts.push({ destination: '/srv', type: 'tmpfs', source: 'tmpfs', options: ['size=16k', 'tmpcopyup'] });
    const before = traces(runtime);
    const { code, stderr } = runtime.create(fresh(), makeBundle(config));
    assert.is(code, 1);
    assert.match(stderr, /mounts\[6\].*ENOSPC/);
    assert.equal(traces(runtime), before);
  });

  test('no descriptors: a clear error, nothing left', () => {
    const before = traces(runtime);
    // Node itself does not start with so few, and says so in its own way.
    for (const limit of isExecutable ? [9, 12, 16, 20] : []) {
      const id = fresh();
      const { stderr } = within(`ulimit -n ${limit}; exec "$@"`, [path, '--root', runtime.root, 'create', '--bundle', bundle, id]);
      isSentence(stderr, `${limit} descriptors`);
      runtime.run(['delete', '--force', id]);
      assert.equal(traces(runtime), before, `${limit} descriptors`);
    }
  });

  test('no memory: what the kernel refuses is named, an engine that cannot go on leaves nothing', () => {
    const before = traces(runtime);
    for (const call of ['clone3', 'fsopen', 'fsmount', 'openat2', 'pivot_root', 'sethostname']) {
      const { code, stderr } = runtime.create(fresh(), bundle, '--inject', `${call}=ENOMEM`);
      assert.is(code, 1, call);
      assert.match(stderr, new RegExp(`${call}\\(.*\\): ENOMEM[^]*config\\.json:\\d+`), call);
      assert.equal(traces(runtime), before, call);
    }
    // Between what Node needs to start and what it needs to go on, it may wait for ever.
    for (const kilobytes of isExecutable ? [100_000, 250_000, 370_000, 500_000, 700_000, 1_000_000] : [50_000, 2_000_000]) {
      const id = fresh();
      const { code, stderr } = within(`ulimit -v ${kilobytes}; exec "$@"`, [path, '--root', runtime.root, 'create', '--bundle', bundle, id]);
      isSentence(code < SIGNALLED ? stderr : '', `${kilobytes} KB`);
      assert.ok(code === 0 || code === 1 || code >= SIGNALLED, `${kilobytes} KB: exit status ${code}: ${stderr}`);
      assert.is(runtime.run(['delete', '--force', id]).code, 0, `${kilobytes} KB`);
      assert.equal(traces(runtime), before, `${kilobytes} KB`);
    }
  });

  test('a process whose own limit leaves it no memory ends at once or start says why, and the container can be cleared', () => {
    const config = baseConfig('/bin/sleep', '1000');
    config.process['rlimits'] = [{ type: 'RLIMIT_AS', soft: 4096, hard: 4096 }];
    const before = traces(runtime);
    const id = fresh();
    const created = runtime.create(id, makeBundle(config));
    assert.is(created.code, 0, created.stderr); // the limit is the process's own, not that of what sets it up
    const started = runtime.run(['start', id]);
    isSentence(started.stderr, 'RLIMIT_AS');
    until('its end', () => started.code !== 0 || runtime.state(id)['status'] === 'stopped');
    assert.is(runtime.run(['delete', '--force', id]).code, 0);
    assert.equal(traces(runtime), before);
  });

  test('no processes for an ordinary user: the sentence names the limit, and nothing is left', () => {
    const home = temporary('user-');
    mkdirSync(join(home, 'state'));
    chownSync(join(home, 'state'), USER, USER);
    const config = baseConfig('/bin/sleep', '1000');
    config.root['path'] = sharedRootfs();
    config.linux['namespaces'] = [...(config.linux['namespaces'] as { type: string }[]).filter(({ type }) => type !== 'cgroup'), { type: 'user' }];
    for (const key of ['uidMappings', 'gidMappings']) config.linux[key] = [{ containerID: 0, hostID: USER, size: 1 }];
    config.linux['resources'] = {};
    const own = makeBundle(config);
    chmodSync(own, 0o755);
    const as = ['setpriv', '--reuid', String(USER), '--regid', String(USER), '--clear-groups'];
    const call = [forAnyone(path), '--root', join(home, 'state')];
    const said = new Set<string>();
    // With none for its threads Node waits for ever: its own matter.
    for (const limit of isExecutable ? [1, 2, 3, 4, 5, 6, 8, 12] : [40]) {
      const id = fresh();
      const { code, stderr } = within('exec "$@"', [...as, 'prlimit', `--nproc=${limit}`, ...call, 'create', '--bundle', own, id]);
      isSentence(code < SIGNALLED ? stderr : '', `${limit} processes`);
      if (code !== 0 && code < SIGNALLED) {
        assert.match(stderr, /EAGAIN[^]*limit of processes is reached/, `${limit} processes`);
        said.add(/clone3|posix_spawn/.exec(stderr)?.[0] ?? stderr);
      }
      assert.is(within('exec "$@"', [...as, ...call, 'delete', '--force', id]).code, 0, `${limit} processes`);
      assert.equal(readdirSync(join(home, 'state')).filter((name) => !name.startsWith('.')), [], `${limit} processes`);
    }
    if (isExecutable) assert.equal([...said].sort(), ['clone3', 'posix_spawn']);
  });

  test.after(() => runtime.close());
  test.run();
}
