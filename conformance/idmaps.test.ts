// User namespaces and ids: maps of many ranges, joined namespaces, idmapped mounts, and an ordinary user from create to delete.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, forAnyone, isAtRest, makeBundle, Runtime, runtimePaths, until, type Json, type Result } from './harness.ts';

type Config = ReturnType<typeof baseConfig>;
type Map = readonly { readonly containerID: number; readonly hostID: number; readonly size: number }[];

const setMaps = (config: Config, uids: Map, gids: Map = uids): void => void Object.assign(config.linux, { uidMappings: uids, gidMappings: gids });
const without = (config: Config, ...types: string[]): void => void (config.linux['namespaces'] = (config.linux['namespaces'] as Json[]).filter(({ type }) => !types.includes(String(type))));
const newUser = (config: Config): void => void (config.linux['namespaces'] as Json[]).push({ type: 'user' });
const far: Map = [{ containerID: 0, hostID: 100000, size: 65536 }];

/** The host's file system of message queues, which is bound where there is one. */
const hasQueues = existsSync('/dev/mqueue');

/** In a mount namespace of our own files of /etc may be covered (v2-view.sh). */
const isPrivateView = process.env['PRIVATE_VIEW'] === '1';

for (const path of runtimePaths()) {
  const test = suite(`idmaps ${basename(path)}`);
  const runtime = new Runtime(path);
  let count = 0;
  const fresh = (): string => `ids${process.pid}-${count++}`;
  const run = (script: string, change: (config: Config) => void): Result => {
    const config = baseConfig('/bin/sh', '-c', script);
    change(config);
    return runtime.run(['run', '--bundle', makeBundle(config), fresh()]);
  };
  const seen = (script: string, change: (config: Config) => void): string => {
    const result = run(script, change);
    assert.is(result.code, 0, result.stderr);
    return result.stdout.trim();
  };

  test('maps of many ranges, each kind its own', () => {
    const uids: Map = [{ containerID: 0, hostID: 100000, size: 1000 }, { containerID: 1000, hostID: 1000, size: 1 }, { containerID: 1001, hostID: 101000, size: 64000 }];
    const gids: Map = Array.from({ length: 200 }, (_, i) => ({ containerID: i * 2, hostID: 200000 + i * 3, size: 1 }));
    const text = seen('tr -s " " < /proc/self/uid_map; wc -l < /proc/self/gid_map; id -u; id -g', (config) => {
      newUser(config);
      setMaps(config, uids, gids);
      config.process['user'] = { uid: 1000, gid: 398 };
    });
    assert.is(text, '0 100000 1000\n 1000 1000 1\n 1001 101000 64000\n200\n1000\n398');
  });

  test('more ranges than the kernel takes, and ids that are not mapped: refused with their place', () => {
    const many = run('true', (config) => {
      newUser(config);
      setMaps(config, Array.from({ length: 400 }, (_, i) => ({ containerID: i, hostID: 200000 + i * 3, size: 1 })));
    });
    assert.is(many.code, 1);
    assert.match(many.stderr, /linux\.[ug]idMappings: write_id_map.*EINVAL/);
    const unmapped = run('true', (config) => {
      newUser(config);
      setMaps(config, far);
      config.process['user'] = { uid: 70000, gid: 0 };
    });
    assert.match(unmapped.stderr, /process\.user\.uid: is not mapped/);
  });

  test('a user namespace of another container is joined, with its network and ipc', () => {
    const other = fresh();
    const config = baseConfig('sleep', '1000');
    newUser(config);
    setMaps(config, far);
    const created = runtime.create(other, makeBundle(config));
    assert.is(created.code, 0, created.stderr);
    const pid = String(runtime.state(other)['pid']);
    const text = seen('readlink /proc/self/ns/user; id -u; tr -s " " < /proc/self/uid_map; ls /sys/class/net; ls -d /dev/mqueue', (one) => {
      one.hostname = '';
      one.linux['namespaces'] = [{ type: 'pid' }, { type: 'mount' }, { type: 'cgroup' }, ...['user', 'network', 'ipc', 'uts'].map((type) => ({ type, path: `/proc/${pid}/ns/${type === 'network' ? 'net' : type}` }))];
    });
    assert.is(text, `${readlinkSync(`/proc/${pid}/ns/user`)}\n0\n 0 100000 65536\nlo\n/dev/mqueue`);
    runtime.run(['delete', '--force', other]);
  });

  test('idmapped mounts in a joined user namespace, by many ranges, recursively', () => {
    const source = mkdtempSync('/dev/shm/idmaps-');
    chmodSync(source, 0o777);
    for (const [name, id] of [['a', 0], ['b', 1000], ['c', 2000]] as const) {
      writeFileSync(join(source, name), '');
      chownSync(join(source, name), id, id);
    }
    const owners = 'stat -c %u:%g /tmp/a /tmp/b /tmp/c | tr "\\n" " "';
    const map: Map = [{ containerID: 0, hostID: 500, size: 1 }, { containerID: 1000, hostID: 3000, size: 1 }];
    assert.is(seen(owners, (config) => void config.mounts.push({ destination: '/tmp', type: 'bind', source, options: ['rbind', 'ridmap'], uidMappings: map, gidMappings: map })), '500:500 3000:3000 65534:65534');
    const other = fresh();
    const config = baseConfig('sleep', '1000');
    newUser(config);
    setMaps(config, far);
    runtime.create(other, makeBundle(config));
    const pid = String(runtime.state(other)['pid']);
    assert.is(seen(owners, (one) => {
      (one.linux['namespaces'] as Json[]).push({ type: 'user', path: `/proc/${pid}/ns/user` });
      one.mounts.push({ destination: '/tmp', type: 'bind', source, options: ['bind', 'idmap'] });
    }), '0:0 1000:1000 2000:2000');
    runtime.run(['delete', '--force', other]);
    rmSync(source, { recursive: true });
  });

  test('a runtime in the foreground keeps none of the mounts it has mapped', async () => {
    const source = mkdtempSync('/dev/shm/idmaps-');
    const held = async (mounts: number): Promise<number> => {
      const id = fresh();
      const config = baseConfig('/bin/sh', '-c', 'sleep 300');
      newUser(config);
      setMaps(config, far);
      for (let i = 0; i < mounts; i++) config.mounts.push({ destination: `/dev/${i}`, type: 'bind', source, options: ['bind', 'idmap'] });
      const child = spawn(path, ['--root', runtime.root, 'run', '--bundle', makeBundle(config), id], { stdio: 'ignore' });
      until('running', () => runtime.run(['state', id]).stdout.includes('"running"'));
      until('at rest', () => isAtRest(path, child.pid!));
      const open = readdirSync(`/proc/${child.pid}/fd`).length;
      const ended = new Promise((resolve) => child.on('exit', resolve));
      runtime.run(['kill', id, 'KILL']);
      await ended;
      return open;
    };
    assert.is(await held(7), await held(1));
    rmSync(source, { recursive: true });
  });

  test('tmpcopyup: the tmpfs belongs to the container’s root, who copies', () => {
    const covered = mkdtempSync('/dev/shm/copied-');
    mkdirSync(join(covered, 'closed'), { mode: 0o700 });
    writeFileSync(join(covered, 'closed/file'), 'text', { mode: 0o640 });
    for (const [name, uid, gid] of [['', 100000, 100000], ['closed', 100000, 100000], ['closed/file', 100005, 100006]] as const) chownSync(join(covered, name), uid, gid);
    const text = seen('stat -c "%n %a %u:%g" /tmp /tmp/closed; stat -c "%n %a %u:%g %s" /tmp/closed/file; touch /tmp/more', (config) => {
      newUser(config);
      setMaps(config, far);
      config.mounts.push({ destination: '/tmp', type: 'bind', source: covered, options: ['bind'] }, { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup', 'mode=751'] });
    });
    assert.is(text, '/tmp 751 0:0\n/tmp/closed 700 0:0\n/tmp/closed/file 640 5:6 4');
    assert.equal(readdirSync(covered), ['closed']);
    rmSync(covered, { recursive: true });
  });

  test('a source that cannot be idmapped says so with its place', () => {
    const result = run('true', (config) => void config.mounts.push({ destination: '/tmp', type: 'bind', source: '/proc/sys', options: ['bind'], uidMappings: far, gidMappings: far }));
    assert.is(result.code, 1);
    assert.match(result.stderr, /mounts\[6\]\.uidMappings: mount_setattr\(.*MOUNT_ATTR_IDMAP.*EINVAL[^]*file system allows it/);
  });

  test('without a network or ipc namespace of its own a mapped container sees the host’s sysfs, read-only, and its queues', () => {
    const text = seen('ls /sys/class/net | head -1; touch /sys/fs/cgroup/x 2>&1; mkdir /sys/fs/cgroup/y 2>&1; test ! -d /dev/mqueue || stat -f -c %t /dev/mqueue; awk "\\$5 ~ /^.sys/ {print \\$6}" /proc/self/mountinfo | grep -c ^rw; true', (config) => {
      newUser(config);
      setMaps(config, far);
      without(config, 'network', 'ipc', 'cgroup');
      config.mounts = config.mounts.filter(({ type }) => type !== 'mqueue' || hasQueues).map((mount) => (mount['destination'] === '/sys' ? { ...mount, options: [] } : mount));
    });
    assert.match(text, /^\S+\n.*Read-only.*\n.*Read-only.*(\n19800202)?\n0$/);
  });

  /** The runtime where anyone may execute it, a bundle and a state root of the user's own. */
  const asUser = (config: Config): { readonly home: string; readonly call: (...words: string[]) => Result } => {
    const home = mkdtempSync(join(tmpdir(), 'user-'));
    chmodSync(home, 0o755);
    const bundle = makeBundle(config);
    chmodSync(bundle, 0o755);
    mkdirSync(join(home, 'state'));
    chownSync(join(home, 'state'), 1000, 1000);
    const own = [forAnyone(path), '--root', join(home, 'state')];
    const call = (...words: string[]): Result => {
      const out = join(home, 'out');
      const rest = words[0] === 'create' ? [...words, '--bundle', bundle] : words;
      const command = ['--reuid', '1000', '--regid', '1000', '--clear-groups', ...own, rest[0]!, ...(words[0] === 'create' ? ['--bundle', bundle] : []), ...words.slice(1)];
      const done = spawnSync('/bin/sh', ['-c', 'exec setpriv "$@" </dev/null >"$0" 2>"$0.err"', out, ...command], { timeout: 60_000, env: { PATH: process.env['PATH'] } });
      return { code: done.status ?? 137, stdout: readFileSync(out, 'utf8'), stderr: readFileSync(`${out}.err`, 'utf8') };
    };
    return { home, call };
  };

  const lifecycle = (config: Config, map: RegExp): void => {
    const { home, call } = asUser(config);
    const ok = (...words: string[]): string => {
      const { code, stdout, stderr } = call(...words);
      assert.is(code, 0, `${words.join(' ')}: ${stderr}`);
      return stdout;
    };
    ok('create', 'mine');
    assert.match(ok('state', 'mine'), /"status": "created"/);
    ok('start', 'mine');
    assert.match(ok('exec', 'mine', 'sh', '-c', 'id -u; cat /proc/self/uid_map'), map);
    assert.match(ok('list'), /mine .*running/);
    ok('kill', 'mine', 'KILL');
    until('stopped', () => call('state', 'mine').stdout.includes('"stopped"'));
    ok('delete', 'mine');
    assert.is.not(call('state', 'mine').code, 0);
    rmSync(home, { recursive: true });
  };

  const rootless = (uids: Map): Config => {
    const config = baseConfig('sleep', '1000');
    newUser(config);
    without(config, 'cgroup');
    config.linux['resources'] = {};
    setMaps(config, uids);
    return config;
  };

  test('an ordinary user without subordinate ids: create, start, exec, kill, delete', () => lifecycle(rootless([{ containerID: 0, hostID: 1000, size: 1 }]), /^0\n\s+0\s+1000\s+1\n$/));

  test('a runtime hook of an ordinary user opens the namespaces of init, as slirp4netns and pasta do', () => {
    const config = rootless([{ containerID: 0, hostID: 1000, size: 1 }]);
    const script = 'pid=$(sed -n \'s/.*"pid": *\\([0-9]*\\).*/\\1/p\'); exec nsenter -t $pid -U -n --preserve-credentials ip link set lo mtu 1234';
    config['hooks'] = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] }] };
    const { home, call } = asUser(config);
    const created = call('create', 'mine');
    assert.is(created.code, 0, created.stderr);
    assert.is(call('start', 'mine').code, 0);
    assert.match(call('exec', 'mine', 'cat', '/sys/class/net/lo/mtu').stdout, /^1234$/m);
    assert.is(call('delete', '--force', 'mine').code, 0);
    rmSync(home, { recursive: true });
  });

  const hasTools = isPrivateView && existsSync('/usr/bin/newuidmap');
  if (!hasTools) test.skip('with subordinate ids: newuidmap is not installed (apt-get install uidmap), or this is no private view');
  else {
    test('an ordinary user with subordinate ids: newuidmap and newgidmap write the maps', () => {
      const directory = mkdtempSync(join(tmpdir(), 'subids-'));
      for (const [name, line] of [['passwd', 'plain:x:1000:1000::/tmp:/bin/sh'], ['group', 'plain:x:1000:'], ['subuid', 'plain:200000:65536'], ['subgid', 'plain:200000:65536']] as const) {
        const target = `/etc/${name}`;
        const old = existsSync(target) ? readFileSync(target, 'utf8').split('\n').filter((one) => !/^[^:]*:x:1000:/.test(one)).join('\n') : '';
        if (!existsSync(target)) continue;
        writeFileSync(join(directory, name), `${old}${line}\n`, { mode: 0o644 });
        assert.is(spawnSync('mount', ['--bind', join(directory, name), target]).status, 0);
      }
      try {
        const map: Map = [{ containerID: 0, hostID: 1000, size: 1 }, { containerID: 1, hostID: 200000, size: 65536 }];
        lifecycle(rootless(map), /^0\n\s+0\s+1000\s+1\n\s+1\s+200000\s+65536\n$/);
        const foreign = asUser(rootless([{ containerID: 0, hostID: 1000, size: 1 }, { containerID: 1, hostID: 900000, size: 10 }]));
        const refused = foreign.call('create', 'mine');
        assert.is(refused.code, 1);
        assert.match(refused.stderr, /linux\.gidMappings: newgidmap .* failed[^]*subgid/);
        assert.is(foreign.call('list', '-q').stdout, '');
        rmSync(foreign.home, { recursive: true });
      } finally {
        for (const name of ['passwd', 'group', 'subuid', 'subgid']) spawnSync('umount', [`/etc/${name}`]);
        rmSync(directory, { recursive: true });
      }
    });
  }

  test('groups that cannot be set are an error, never dropped', () => {
    const config = rootless([{ containerID: 0, hostID: 1000, size: 1 }]);
    config.process['user'] = { uid: 0, gid: 0, additionalGids: [0] };
    const { home, call } = asUser(config);
    assert.match(call('create', 'mine').stderr, /additionalGids: setgroups\(.*EPERM[^]*cannot set any additional groups in a rootless container/);
    rmSync(home, { recursive: true });
  });

  test.after(() => runtime.close());
  test.run();
}
