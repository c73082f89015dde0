// AppArmor with a real profile: create, exec and hooks of a container. The profiles that Docker and Podman set by themselves: managers-systemd.vmtest.ts.
import { writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime } from '../harness.ts';
import { must, runt, sh } from './guest.ts';
import { suite } from './tap.ts';

const PROFILE = 'runt-test';
const confined = suite('apparmor');
const runtime = new Runtime(runt);
const withProfile = (profile: string, ...args: string[]): ReturnType<typeof baseConfig> => {
  const config = baseConfig(...args);
  config.process['apparmorProfile'] = profile;
  return config;
};

confined.before(() => {
  writeFileSync(`/etc/apparmor.d/${PROFILE}`, `abi <abi/4.0>,\nprofile ${PROFILE} flags=(attach_disconnected) {\n  file,\n  capability,\n  mount,\n  signal,\n  unix,\n  deny /etc/group rwklx,\n}\n`);
  must(`apparmor_parser -r /etc/apparmor.d/${PROFILE}`);
});

confined('the process is confined by its profile, with no_new_privs, as a user, and in a user namespace', () => {
  const script = 'cat /proc/self/attr/current; cat /etc/group 2>&1; true';
  const plain = withProfile(PROFILE, '/bin/sh', '-c', script);
  const seen = runtime.run(['run', '--bundle', makeBundle(plain), 'aa1']);
  assert.match(seen.stdout, /^runt-test \(enforce\)\n.*Permission denied/, seen.stderr);
  const mapped = withProfile(PROFILE, '/bin/sh', '-c', script);
  (mapped.linux['namespaces'] as object[]).push({ type: 'user' });
  for (const key of ['uidMappings', 'gidMappings']) mapped.linux[key] = [{ containerID: 0, hostID: 100000, size: 65536 }];
  mapped.process['user'] = { uid: 5, gid: 5 };
  const second = runtime.run(['run', '--bundle', makeBundle(mapped), 'aa2']);
  assert.match(second.stdout, /^runt-test \(enforce\)\n.*Permission denied/, second.stderr);
});

confined('exec has the container’s profile, or the one it asks for', () => {
  assert.is(runtime.create('aa3', makeBundle(withProfile(PROFILE, '/bin/sleep', '1000'))).code, 0);
  assert.is(runtime.run(['start', 'aa3']).code, 0);
  assert.is(runtime.run(['exec', 'aa3', 'cat', '/proc/self/attr/current']).stdout, 'runt-test (enforce)\n');
  assert.is(runtime.run(['exec', '--apparmor', 'unconfined', 'aa3', 'cat', '/proc/self/attr/current']).stdout, 'unconfined\n');
  writeFileSync('/tmp/process.json', JSON.stringify({ args: ['cat', '/proc/self/attr/current'], cwd: '/', env: ['PATH=/bin'] }));
  assert.is(runtime.run(['exec', '--process', '/tmp/process.json', 'aa3']).stdout, 'runt-test (enforce)\n', 'a process object without a profile loses none');
  runtime.run(['delete', '--force', 'aa3']);
});

confined('a profile that is not loaded: which one, where, and what to do', () => {
  const { code, stderr } = runtime.run(['run', '--bundle', makeBundle(withProfile('nowhere', '/bin/true')), 'aa4']);
  assert.is(code, 1);
  assert.match(stderr, /process\.apparmorProfile: write\(.*"exec nowhere".*ENOENT[^]*no profile of this name is loaded/);
});

confined('a procfs that something is mounted on is not written through (CVE-2019-19921)', () => {
  const bundle = makeBundle(withProfile(PROFILE, '/bin/true'));
  const covered = sh(`unshare -m sh -c 'mount -t tmpfs tmpfs /proc && exec ${runt} --root ${runtime.root} run --bundle ${bundle} aa5'`);
  assert.is.not(covered.code, 0);
});

confined.after(() => runtime.close());
confined.run();
