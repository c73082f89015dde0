// checkpoint and restore: what a runtime says and leaves around CRIU. CRIU itself is at work in vm/checkpoint.vmtest.ts, and here where it is fit for this kernel.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths, until, type Json } from './harness.ts';

/** A criu that refuses, as one on a kernel it cannot work with. */
const refusing = (log: string): string => `#!/bin/sh\nmkdir -p ${log}\nprintf '(00.001) Warn  (criu/a.c:1): harmless\\n(00.002) Error (criu/b.c:22): the reason\\n(00.002) Can\\047t connect to server 127.0.0.1:7001\\n(00.003) Error (criu/c.c:333): dump failed\\n' >${log}/dump.log\ncp ${log}/dump.log ${log}/restore.log\n`;

for (const path of runtimePaths()) {
  const runtime = new Runtime(path);
  const test = suite(`checkpoint ${basename(path)}`);
  const scratch = mkdtempSync(join(tmpdir(), 'checkpoint-'));
  const images = join(scratch, 'images');
  const id = `check${process.pid}`;
  const counter = baseConfig('/bin/sh', '-c', 'i=0; while :; do echo $i >/tmp/n; i=$((i+1)); sleep 0.1; done');
  counter.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' });
  const bundle = makeBundle(counter);
  const withFake = { env: { PATH: `${scratch}:${process.env['PATH']}` } };
  test.before(() => {
    writeFileSync(join(scratch, 'criu'), refusing(images), { mode: 0o755 });
    assert.is(runtime.create(id, bundle).code, 0);
  });
  test.after(() => {
    runtime.run(['delete', '--force', id]);
    runtime.close();
    rmSync(scratch, { recursive: true });
  });

  test('only what runs is checkpointed', () => {
    const done = runtime.run(['checkpoint', '--image-path', images, id], withFake);
    assert.is(done.code, 1);
    assert.match(done.stderr, /Container cannot be checkpointed in created state/);
    assert.match(runtime.run(['checkpoint', '--image-path', images, 'nobody']).stderr, /does not exist/);
    assert.is(runtime.run(['start', id]).code, 0);
  });

  test('words that mean nothing are refused before CRIU runs', () => {
    for (const words of [['--manage-cgroups-mode', 'some'], ['--empty-ns', 'pid'], ['--page-server', 'nowhere'], ['--status-fd', 'x'], ['--parent-path', '/abs'], ['--network-lock', 'some']]) {
      const done = runtime.run(['checkpoint', '--image-path', images, ...words, id], withFake);
      assert.is(done.code, 1, words.join(' '));
      assert.not.match(done.stderr, /criu failed/, words.join(' '));
      assert.not.ok(existsSync(join(images, 'dump.log')), words.join(' '));
    }
  });

  test('where CRIU refuses, the last errors of its log are in the one line, and the container goes on', () => {
    const log = join(scratch, 'log.json');
    const done = runtime.run(['--log', log, '--log-format', 'json', 'checkpoint', '--image-path', images, id], withFake);
    assert.is(done.code, 1);
    assert.match(done.stderr.split('\n')[0]!, /criu failed: type DUMP: \(criu\/b\.c:22\): the reason: Can't connect to server 127\.0\.0\.1:7001: \(criu\/c\.c:333\): dump failed$/);
    assert.match(done.stderr, new RegExp(`${images}/dump\\.log`));
    assert.is(runtime.state(id)['status'], 'running');
  });

  test('a restore that CRIU refuses leaves nothing; one without a checkpoint says so', () => {
    const ours = (): string[] => readdirSync('/sys/fs/cgroup').filter((name) => name.startsWith(id));
    const before = ours();
    const words = (from: string): string[] => ['restore', '--image-path', from, '--work-path', images, '--tcp-established', '--ext-unix-sk', '--shell-job', '--file-locks', '--manage-cgroups-mode', 'soft', '--detach', '--pid-file', join(scratch, 'pid'), '-no-subreaper', '--bundle', bundle, `${id}-r`]; // go-runc’s;
    const refused = runtime.run(words(images), withFake);
    assert.is(refused.code, 1);
    assert.match(refused.stderr.split('\n')[0]!, /criu failed: type RESTORE: .*the reason/);
    assert.match(runtime.run(words(join(scratch, 'none')), withFake).stderr, /cannot open the directory of the checkpoint/);
    mkdirSync(join(scratch, 'empty'));
    assert.match(runtime.run(words(join(scratch, 'empty')), withFake).stderr, /descriptors\.json: ENOENT/);
    assert.match(runtime.run(['restore', '--detach', '--image-path', images, '--bundle', bundle, id], withFake).stderr, /already exists/);
    assert.not.ok(existsSync(join(runtime.root, `${id}-r`)));
    assert.not.ok(existsSync(join(scratch, 'pid')));
    assert.equal(ours(), before);
  });

  const criu = spawnSync('criu', ['check'], { encoding: 'utf8', timeout: 60_000 });
  const isFit = criu.status === 0;
  if (!isFit) console.log(`skipped: a counter goes on where it was: no CRIU that works on this kernel (${(criu.stderr || String(criu.error)).trim().split('\n').at(-1)})`);
  (isFit ? test : test.skip)('a counter goes on where it was', () => {
    const count = (): number => Number(runtime.run(['exec', id, 'cat', '/tmp/n']).stdout);
    until('it counts', () => count() > 3);
    const before = count();
    const done = runtime.run(['checkpoint', '--image-path', join(scratch, 'real'), id]);
    assert.is(done.code, 0, done.stderr);
    assert.match(runtime.run(['state', id]).stderr, /does not exist/);
    const restored = runtime.background(id, ['restore', '--detach', '--image-path', join(scratch, 'real'), '--bundle', bundle, id]);
    assert.is(restored.code, 0, restored.stderr);
    assert.is(runtime.state(id)['status'], 'running');
    const first = count();
    assert.ok(first >= before);
    until('it goes on', () => count() > first);
    assert.not.match(readFileSync('/proc/self/mountinfo', 'utf8'), /criu/);
  });
  (isFit ? test : test.skip)('--leave-running leaves it; the images make another, in a cgroup of its own', () => {
    const done = runtime.run(['checkpoint', '--leave-running', '--image-path', join(scratch, 'left'), id]);
    assert.is(done.code, 0, done.stderr);
    assert.is(runtime.state(id)['status'], 'running');
    runtime.run(['delete', '--force', id]);
    const other = `${id}-other`;
    const restored = runtime.background(other, ['restore', '--detach', '--image-path', join(scratch, 'left'), '--bundle', bundle, other]);
    assert.is(restored.code, 0, restored.stderr);
    assert.match(readFileSync(`/proc/${runtime.state(other)['pid']}/cgroup`, 'utf8'), new RegExp(`^0::.*/${other}$`, 'm'));
    assert.is((JSON.parse(runtime.run(['ps', '--format', 'json', other]).stdout) as unknown[]).length > 0, true);
    assert.is(runtime.run(['delete', '--force', other]).code, 0);
  });
  (isFit ? test : test.skip)('a container in a user namespace, and in a network namespace of its manager', () => {
    const mine = `${id}-user`;
    const config = { ...counter, mounts: counter.mounts.filter(({ destination }) => !String(destination).startsWith('/sys')) };
    const namespaces = (counter.linux['namespaces'] as Json[]).map((one) => (one['type'] === 'network' ? { ...one, path: '/proc/self/ns/net' } : one));
    const mappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const users = makeBundle({ ...config, linux: { ...counter.linux, namespaces: [...namespaces, { type: 'user' }], uidMappings: mappings, gidMappings: mappings } });
    // Streams that its user may open again: CRIU does that.
    const quiet = (...words: string[]): number | null => spawnSync(path, ['--root', runtime.root, ...words], { stdio: 'ignore', timeout: 60_000 }).status;
    assert.is(quiet('run', '--detach', '--bundle', users, mine), 0);
    const count = (): number => Number(runtime.run(['exec', mine, 'cat', '/tmp/n']).stdout);
    until('it counts', () => count() > 2);
    const done = runtime.run(['checkpoint', '--image-path', join(scratch, 'user'), mine]);
    assert.is(done.code, 0, done.stderr);
    assert.is(quiet('restore', '--detach', '--image-path', join(scratch, 'user'), '--bundle', users, mine), 0);
    assert.ok(count() > 2);
    runtime.run(['delete', '--force', mine]);
  });
  test.run();
}
