// process.apparmorProfile and process.selinuxLabel where the kernel has neither; with AppArmor: vm/apparmor.vmtest.ts.
import { existsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths, traces, type Json, type Result } from './harness.ts';

const hasAppArmor = existsSync('/sys/kernel/security/apparmor') || existsSync('/proc/self/attr/apparmor');
const hasSelinux = existsSync('/sys/fs/selinux/enforce');

for (const path of runtimePaths()) {
  const test = suite(`labels ${basename(path)}`);
  const runtime = new Runtime(path);
  let count = 0;
  const run = (process: Json, linux: Json = {}): Result => {
    const config = baseConfig('echo', 'ran');
    Object.assign(config.process, process);
    Object.assign(config.linux, linux);
    return runtime.run(['run', '--bundle', makeBundle(config), `label${globalThis.process.pid}-${count++}`]);
  };

  test('no profile and no label: nothing is written', () => assert.is(run({ apparmorProfile: '', selinuxLabel: '' }).stdout, 'ran\n'));

  if (!hasAppArmor) {
    test('a profile is never dropped: without AppArmor create fails with its place, and leaves nothing', () => {
      const before = traces(runtime);
      const { code, stderr } = run({ apparmorProfile: 'docker-default' });
      assert.is(code, 1);
      assert.match(stderr, /process\.apparmorProfile: write\(.*"exec docker-default".*EINVAL[^]*no AppArmor/);
      assert.equal(traces(runtime), before);
    });
    test('unconfined is what a process is without AppArmor', () => assert.is(run({ apparmorProfile: 'unconfined' }).stdout, 'ran\n'));
    test('exec --apparmor and a process object are held to the same', () => {
      const id = `label${process.pid}`;
      assert.is(runtime.create(id, makeBundle(baseConfig('sleep', '1000'))).code, 0);
      assert.match(runtime.run(['exec', '--apparmor', 'nothing', id, 'true']).stderr, /"exec nothing".*EINVAL/);
      const file = join(runtime.root, '.process.json');
      writeFileSync(file, JSON.stringify({ args: ['/bin/true'], cwd: '/', apparmorProfile: 'other' }));
      const fromFile = runtime.run(['exec', '--process', file, id]);
      assert.match(fromFile.stderr, /"exec other".*EINVAL[^]*\.process\.json:1:/);
      assert.is(fromFile.code, 255);
      runtime.run(['delete', '--force', id]);
    });
  } else test.skip('without AppArmor: this kernel has it');

  if (!hasSelinux) {
    test('SELinux labels are refused in runc’s words', () => {
      const label = 'system_u:system_r:container_t:s0';
      const { code, stderr } = run({ selinuxLabel: label });
      assert.is(code, 1);
      assert.match(stderr, /process\.selinuxLabel: selinux label is specified in config, but selinux is disabled or not supported[^]*config\.json:\d+/);
      const mounted = run({}, { mountLabel: label });
      assert.is(mounted.code, 1);
      assert.match(mounted.stderr, /linux\.mountLabel: fsconfig\(.*"context", "system_u.*EINVAL[^]*no SELinux/);
    });
  } else test.skip('without SELinux: this kernel has it');

  test.after(() => runtime.close());
  test.run();
}
