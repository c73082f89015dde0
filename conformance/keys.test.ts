// config.json key by key, where inside.test.ts and mounts.test.ts leave off: namespaces in any combination, devices, priorities, capabilities.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, runtimePaths, type Json } from './harness.ts';
import { tmpfs, within, type Config } from './within.ts';

process.setMaxListeners(300);

for (const path of runtimePaths()) {
  const test = suite(`keys ${path}`);
  const { runtime, fresh, run, inside, sh, refusal, cases } = within(path, 'keys');

  test('--no-pivot: the rootfs is moved onto / and entered', () => {
    const done = runtime.run(['run', '--no-pivot', '--bundle', makeBundle(baseConfig('/bin/sh', '-c', 'ls /; cat /proc/self/mountinfo | wc -l')), fresh()]);
    assert.is(done.code, 0, done.stderr);
    assert.match(done.stdout, /^bin\ndev\netc\nproc\nroot\nsys\ntmp\n/);
  });

  const every = ['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'];
  const file = (type: string): string => ({ network: 'net', mount: 'mnt' })[type] ?? type;
  const mapped = (config: Config): void => {
    for (const map of ['uidMappings', 'gidMappings']) config.linux[map] = [{ containerID: 0, hostID: 0, size: 65536 }];
  };

  test('all eight namespaces new; all but mount joined; each joined alone', () => {
    const other = fresh();
    const config = baseConfig('/bin/sleep', '1000');
    config.linux['namespaces'] = every.map((type) => ({ type }));
    config.linux['timeOffsets'] = { boottime: { secs: 500000, nanosecs: 1 }, monotonic: { secs: -2 } };
    mapped(config);
    const created = runtime.create(other, makeBundle(config));
    assert.is(created.code, 0, created.stderr);
    const pid = String(runtime.state(other)['pid']);
    const link = (type: string, of = pid): string => readlinkSync(`/proc/${of}/ns/${file(type)}`);
    for (const type of every) assert.is.not(link(type), link(type, 'self'), type);
    const joined = (type: string): Json => ({ type, path: `/proc/${pid}/ns/${file(type)}` });
    const links = every.map((type) => `readlink /proc/self/ns/${file(type)}`).join(';');

    const all = sh(links, (one) => {
      one['hostname'] = '';
      one.linux['namespaces'] = every.map((type) => (type === 'mount' ? { type } : joined(type)));
    }).split('\n');
    every.forEach((type, index) => (type === 'mount' ? assert.is.not(all[index], link(type)) : assert.is(all[index], link(type), type)));

    for (const type of cases(every.filter((one) => one !== 'mount'))) {
      const seen = sh(links, (one) => {
        one['hostname'] = '';
        one.linux['namespaces'] = every.filter((name) => name !== 'user' && name !== 'time').filter((name) => name !== type).map((name): Json => ({ type: name })).concat(joined(type));
      }).split('\n');
      assert.is(seen[every.indexOf(type)], link(type), type);
    }
    runtime.run(['delete', '--force', other]);
  });

  test('a joined mount namespace, owned by the host or by a joined user namespace', () => {
    const holder = spawnSync('sh', ['-c', 'unshare -m --propagation private sleep 1000 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' }).stdout.trim();
    const mine = readlinkSync('/proc/self/ns/mnt');
    for (let tries = 0; tries < 500 && readlinkSync(`/proc/${holder}/ns/mnt`) === mine; tries++) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    const entered = readlinkSync(`/proc/${holder}/ns/mnt`);
    const seen = sh('readlink /proc/self/ns/mnt; hostname', (config) => void (config.linux['namespaces'] = [{ type: 'mount', path: `/proc/${holder}/ns/mnt` }, { type: 'uts' }, { type: 'pid' }, { type: 'ipc' }, { type: 'network' }]));
    process.kill(Number(holder), 'SIGKILL');
    assert.is(seen, `${entered}\nboxed`);
  });

  test('no namespace but mount; none at all is entered by chroot and refuses what would change the host', () => {
    const only = sh('readlink /proc/self/ns/uts; readlink /proc/self/ns/pid', (config) => {
      config['hostname'] = '';
      config.linux['namespaces'] = [{ type: 'mount' }];
      config.mounts = config.mounts.filter(({ type }) => type !== 'sysfs');
      config.linux['maskedPaths'] = [];
    });
    assert.is(only, `${readlinkSync('/proc/self/ns/uts')}\n${readlinkSync('/proc/self/ns/pid')}`);
    const bare = (config: Config): void => {
      config['hostname'] = '';
      config.mounts = [];
      config.linux = { namespaces: [] };
    };
    assert.is(sh('ls /; echo $$ > /dev/null 2>&1; echo ok', bare).split('\n').at(-1), 'ok');
    for (const [at, change] of cases<readonly [RegExp, (config: Config) => void]>([
      [/mounts: mounts need a mount namespace/, (config) => void config.mounts.push(tmpfs('/tmp'))],
      [/linux\.maskedPaths/, (config) => void (config.linux['maskedPaths'] = ['/proc/x'])],
      [/linux\.devices/, (config) => void (config.linux['devices'] = [{ path: '/dev/x', type: 'p' }])],
      [/root\.readonly/, (config) => void (config.root['readonly'] = true)],
      [/linux\.rootfsPropagation/, (config) => void (config.linux['rootfsPropagation'] = 'slave')],
    ])) {
      assert.match(refusal((config) => {
        bare(config);
        change(config);
      }), at);
    }
    assert.not.ok(existsSync(join(String(baseConfig().root.path), 'x')));
  });

  test('time offsets hold for exec too; a clock that would be negative is refused', () => {
    const id = fresh();
    const config = baseConfig('/bin/sleep', '1000');
    config.linux['namespaces'] = [...(config.linux['namespaces'] as Json[]), { type: 'time' }];
    config.linux['timeOffsets'] = { boottime: { secs: 3000000, nanosecs: 999999999 } };
    assert.is(runtime.create(id, makeBundle(config)).code, 0);
    runtime.run(['start', id]);
    assert.ok(Number(runtime.run(['exec', id, '/bin/cut', '-d.', '-f1', '/proc/uptime']).stdout) >= 3000000);
    runtime.run(['delete', '--force', id]);
    assert.match(refusal((one) => {
      one.linux['namespaces'] = config.linux['namespaces'];
      one.linux['timeOffsets'] = { monotonic: { secs: -9000000000 } };
    }), /linux\.timeOffsets: write\(.*ERANGE/);
  });

  test('devices: unbuffered, large numbers, in a directory that is missing, one in place of a default', () => {
    const seen = sh('stat -c "%n %a %F %t:%T %u" /dev/u /dev/deep/er/b /dev/null', (config) => void (config.linux['devices'] = [
      { path: '/dev/u', type: 'u', major: 5, minor: 1, fileMode: 0o20600 }, { path: '/dev/deep/er/b', type: 'b', major: 259, minor: 300000, uid: 9 }, { path: '/dev/null', type: 'c', major: 1, minor: 3, fileMode: 0o600 },
    ]));
    assert.is(seen, '/dev/u 600 character special file 5:1 0\n/dev/deep/er/b 666 block special file 103:493e0 9\n/dev/null 600 character special file 1:3 0');
  });

  const statFields = (change: (config: Config) => unknown): string[] => inside(['/bin/cat', '/proc/self/stat'], change).replace(/^.*\) /, '').split(' ');
  const NICE = 16; // fields of proc_pid_stat(5) after the command
  const RT_PRIORITY = 37;
  const POLICY = 38;

  test('scheduler: every policy the kernel has', () => {
    const own = String(getPriority()); // a policy without nice leaves it as it was
    for (const [scheduler, policy, priority, nice] of cases([
      [{ policy: 'SCHED_OTHER', nice: -5 }, '0', '0', '-5'], [{ policy: 'SCHED_BATCH', nice: 7 }, '3', '0', '7'], [{ policy: 'SCHED_IDLE' }, '5', '0', own],
      [{ policy: 'SCHED_FIFO', priority: 11 }, '1', '11', own], [{ policy: 'SCHED_RR', priority: 12, flags: ['SCHED_FLAG_RESET_ON_FORK'] }, '2', '12', own],
      [{ policy: 'SCHED_DEADLINE', runtime: 1000000, deadline: 5000000, period: 10000000 }, '6', '0', own],
    ] as const)) {
      const fields = statFields((config) => void (config.process['scheduler'] = scheduler));
      assert.equal([fields[POLICY], fields[RT_PRIORITY], fields[NICE]], [policy, priority, nice], scheduler.policy);
    }
    assert.match(refusal((config) => void (config.process['scheduler'] = { policy: 'SCHED_ISO' })), /process\.scheduler: sched_setattr\(.*EINVAL/);
    assert.match(refusal((config) => void (config.process['scheduler'] = { policy: 'SCHED_FIFO' })), /process\.scheduler: sched_setattr\(.*EINVAL/);
  });

  test('ioPriority: class and level; the class goes with the process', () => {
    for (const [value, seen] of cases([[{ class: 'IOPRIO_CLASS_RT', priority: 3 }, /realtime: prio 3/], [{ class: 'IOPRIO_CLASS_BE', priority: 0 }, /best-effort: prio 0/], [{ class: 'IOPRIO_CLASS_IDLE' }, /idle/]] as const)) {
      assert.match(sh('ionice -p $$', (config) => void (config.process['ioPriority'] = value)), seen);
    }
  });

  test('memoryPolicy: mode, nodes, flags, and modes without nodes', () => {
    const policy = (value: object): string => inside(['/bin/head', '-n', '1', '/proc/self/numa_maps'], (config) => void (config.linux['memoryPolicy'] = value)).split(' ')[1]!;
    for (const [value, seen] of cases([
      [{ mode: 'MPOL_BIND', nodes: '0' }, 'bind:0'], [{ mode: 'MPOL_INTERLEAVE', nodes: '0' }, 'interleave:0'], [{ mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES'] }, 'bind=static:0'],
      [{ mode: 'MPOL_PREFERRED', nodes: '0' }, 'prefer:0'], [{ mode: 'MPOL_PREFERRED_MANY', nodes: '0', flags: ['MPOL_F_RELATIVE_NODES'] }, 'prefer'], // "prefer (many)"
      [{ mode: 'MPOL_LOCAL' }, 'local'], [{ mode: 'MPOL_DEFAULT', nodes: '' }, 'default'],
    ] as const)) assert.is(policy(value), seen);
    assert.match(refusal((config) => void (config.linux['memoryPolicy'] = { mode: 'MPOL_BIND' })), /linux\.memoryPolicy: set_mempolicy\(.*EINVAL/);
    for (const nodes of cases(['a', '3-1', '0-', '5000'])) assert.match(refusal((config) => void (config.linux['memoryPolicy'] = { mode: 'MPOL_BIND', nodes })), /linux\.memoryPolicy\.nodes: must be a list of nodes/);
  });

  test('the session keyring is the container’s own, and the caller’s with --no-new-keyring', () => {
    const config = baseConfig('/bin/cat', '/proc/keys');
    config.linux['maskedPaths'] = [];
    const id = fresh();
    assert.match(runtime.run(['run', '--bundle', makeBundle(config), id]).stdout, new RegExp(`_ses\\.${id}: `));
    const other = fresh();
    assert.not.match(runtime.run(['run', '--no-new-keyring', '--bundle', makeBundle(config), other]).stdout, new RegExp(`_ses\\.${other}: `));
  });

  test('a working directory that is missing is made, while a root or a tmpfs that is to be read-only can be written', () => {
    let rootfs = '';
    const where = (cwd: string, change: (config: Config) => void): string => {
      const config = baseConfig('/bin/sh', '-c', 'pwd; stat -c "%a %u" .');
      config.process['cwd'] = cwd;
      change(config);
      const bundle = makeBundle(config);
      rootfs = (JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as { root: { path: string } }).root.path;
      const result = runtime.run(['run', '--bundle', bundle, fresh()]);
      return `${result.stdout}${result.stderr}`;
    };
    const readonly = (config: Config): void => void (config.root['readonly'] = true);
    const name = `cwd-${process.pid}`;
    const made = (path: string): string => `${path}\n755 0\n`;
    assert.is(where(`/${name}/a/b`, readonly), made(`/${name}/a/b`));
    assert.is(where(`/${name}/c`, () => {}), made(`/${name}/c`));
    assert.is(where(`/${name}/missing/../d/`, readonly), made(`/${name}/d`));
    assert.is(where(`/${name}/e`, (config) => {
      readonly(config);
      config.process['user'] = { uid: 1000, gid: 1000 };
    }), made(`/${name}/e`));
    assert.is(where('/tmp/f/g', (config) => config.mounts.push(tmpfs('/tmp', 'ro'))), made('/tmp/f/g'));
    assert.not(existsSync(join(rootfs, name, 'missing')));
    symlinkSync('/', join(rootfs, name, 'root'));
    assert.is(where(`/${name}/root/${name}/h`, readonly), made(`/${name}/h`));
    assert.match(where('/etc/passwd', readonly), /process\.cwd: .*ENOTDIR/);
    assert.match(where('/proc/none', readonly), /process\.cwd: .*ENOENT/);
    rmSync(join(rootfs, name), { recursive: true });
  });

  test('without capabilities in config.json there are none; a process file without them, or without a score, has the container’s', () => {
    const caps = (uid: number): string => sh('grep Cap /proc/self/status', (config) => {
      delete config.process['capabilities'];
      config.process['user'] = { uid, gid: uid };
    });
    for (const uid of [0, 1000]) assert.equal(caps(uid).match(/\t0{16}/g)?.length, 5, String(uid));
    const id = fresh();
    const config = baseConfig('/bin/sleep', '1000');
    config.process['capabilities'] = { bounding: ['CAP_KILL'], permitted: ['CAP_KILL'], effective: ['CAP_KILL'] };
    config.process['oomScoreAdj'] = 77;
    const bundle = makeBundle(config);
    assert.is(runtime.background(id, ['run', '--detach', '--bundle', bundle, id]).code, 0);
    try {
      writeFileSync(join(bundle, 'process.json'), JSON.stringify({ args: ['/bin/grep', '-hE', 'Cap|^77$', '/proc/self/status', '/proc/self/oom_score_adj'], cwd: '/', user: { uid: 0, gid: 0 } }));
      const seen = runtime.run(['exec', '--process', join(bundle, 'process.json'), id]);
      assert.equal([seen.stdout.match(/\t0*20$/gm)?.length, seen.stdout.endsWith('\n77\n')], [3, true], seen.stdout + seen.stderr);
    } finally {
      runtime.run(['delete', '--force', id]);
    }
  });

  test('names that are no capability are ignored with a warning, of run and of exec --cap: in the log where there is one, never in the output of the container', () => {
    const config = baseConfig('/bin/sleep', '1000');
    config.process['capabilities'] = { bounding: ['CAP_KILL', 'CAP_ZEBRA'], permitted: ['CAP_BANANA', 'CAP_KILL'], effective: ['CAP_KILL'] };
    const bundle = makeBundle(config);
    const says = 'ignoring unknown or unavailable capabilities: [CAP_BANANA CAP_ZEBRA]';
    const id = fresh();
    assert.ok(runtime.create(id, bundle).stderr.includes(`warning: ${says}`));
    const log = join(runtime.root, '.warned');
    const executed = runtime.run(['--log', log, '--log-format', 'json', 'exec', '--cap', 'CAP_APPLE', id, 'grep', 'CapEff', '/proc/self/status']);
    assert.equal([executed.stdout, executed.stderr], ['CapEff:\t0000000000000020\n', '']);
    const { level, msg } = JSON.parse(readFileSync(log, 'utf8')) as Json;
    assert.is(level, 'warning');
    assert.match(String(msg), /ignoring unknown or unavailable capabilities: \[CAP_APPLE CAP_BANANA CAP_ZEBRA\]$/);
    assert.is(runtime.run(['delete', '--force', id]).code, 0);
    assert.is(run(['/bin/true']).stderr, '', 'a warning for names that are known');
  });

  test('a relative destination is below /, a relative bind source below the bundle', () => {
    const config = baseConfig('/bin/sh', '-c', 'cat /tmp/a/f; grep -c " /tmp/t " /proc/self/mountinfo');
    config.mounts.push(tmpfs('tmp/t'), { destination: 'tmp/a', type: 'bind', source: 'data', options: ['rbind', 'ro'] });
    const bundle = makeBundle(config);
    mkdirSync(join(bundle, 'data'));
    writeFileSync(join(bundle, 'data/f'), 'here\n');
    const done = runtime.run(['run', '--bundle', bundle, fresh()]);
    assert.is(done.stdout, 'here\n1\n', done.stderr);
  });

  test('domainname; a size of the console without a terminal means nothing', () => {
    assert.is(sh('cat /proc/sys/kernel/domainname', (config) => {
      config['domainname'] = 'example.org';
      config.process['consoleSize'] = { height: 10, width: 20 };
    }), 'example.org');
  });

  /** A run in a network namespace of its own, where two veth pairs wait to be moved. */
  const withVeth = (devices: Json, change: (config: Config) => unknown = () => {}) => {
    const config = baseConfig('/bin/sh', '-c', 'ip -o addr; ip -o link');
    config.linux['netDevices'] = devices;
    change(config);
    const script = `ip link set lo up; ip link add v0 type veth peer name p0; ip link add v1 type veth peer name p1
      ip addr add 10.9.8.7/24 broadcast 10.9.8.255 dev v0; ip addr add 10.9.9.9/32 dev v0; ip addr add fd77::5/64 dev v0 nodad; ip addr add 169.254.3.3/16 scope link dev v0
      ip link set v0 up; ip link set p0 up; "$@"; code=$?; ip -o link > ${runtime.root}/.links; exit $code`;
    return spawnSync('unshare', ['-n', 'sh', '-c', script, 'sh', path, '--root', runtime.root, 'run', '--bundle', makeBundle(config), fresh()], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  };

  test('netDevices: moved, renamed, up, with their permanent global addresses', () => {
    const done = withVeth({ v0: { name: 'eth0' }, v1: { name: 'net%d' } });
    assert.is(done.status, 0, done.stderr);
    assert.match(done.stdout, /eth0\s+inet 10\.9\.8\.7\/24 brd 10\.9\.8\.255/);
    assert.match(done.stdout, /eth0\s+inet 10\.9\.9\.9\/32/);
    assert.match(done.stdout, /eth0\s+inet6 fd77::5\/64/);
    assert.not.match(done.stdout, /169\.254\.3\.3/);
    assert.match(done.stdout, /eth0@[^\n]*<[^>]*\bUP\b/);
    assert.match(done.stdout, /net0@[^\n]*<[^>]*\bUP\b/);
    assert.not.match(readFileSync(join(runtime.root, '.links'), 'utf8'), /v0|eth0/);
  });

  test('netDevices in a user namespace; one that is missing, and two of one name, are refused with their place', () => {
    const done = withVeth({ v0: {} }, (config) => {
      config.linux['namespaces'] = [...(config.linux['namespaces'] as Json[]), { type: 'user' }];
      for (const map of ['uidMappings', 'gidMappings']) config.linux[map] = [{ containerID: 0, hostID: 100000, size: 65536 }];
      config.mounts = config.mounts.filter(({ type }) => type !== 'sysfs');
    });
    assert.is(done.status, 0, done.stderr);
    assert.match(done.stdout, /v0\s+inet 10\.9\.8\.7\/24/);
    assert.match(withVeth({ v9: {} }).stderr, /linux\.netDevices\.v9: move_net_device\(.*ENODEV[^]*try: no network device/);
    assert.match(withVeth({ v0: { name: 'lo' } }).stderr, /linux\.netDevices\.v0: move_net_device\(.*EEXIST/);
    assert.match(withVeth({ v0: { name: 'eth0' }, v1: { name: 'eth0' } }).stderr, /linux\.netDevices\.v[01]\.name: two devices would have this name/);
    assert.match(withVeth({ v0: {} }, (config) => void (config.linux['namespaces'] = [{ type: 'mount' }, { type: 'uts' }])).stderr, /linux\.netDevices: unable to move network devices without a NET namespace/);
    assert.match(withVeth({ v0: { name: 'a/b' } }).stderr, /linux\.netDevices\.v0\.name: must be the name of a network device/);
  });

  test('additional groups where setgroups(2) may not be called are an error with its place', () => {
    const config = baseConfig('/bin/true');
    config.process['user'] = { uid: 0, gid: 0, additionalGids: [0] };
    config.linux['namespaces'] = [...(config.linux['namespaces'] as Json[]), { type: 'user' }];
    for (const map of ['uidMappings', 'gidMappings']) config.linux[map] = [{ containerID: 0, hostID: 0, size: 1 }];
    assert.is(runtime.run(['run', '--bundle', makeBundle(config), fresh()]).code, 0, 'the host’s root may');
    config.process['user'] = { uid: 0, gid: 0, additionalGids: [7] };
    assert.match(runtime.run(['run', '--bundle', makeBundle(config), fresh()]).stderr, /process\.user\.additionalGids\[0\]: is not mapped/);
  });

  test.after(() => runtime.close());
  test.run();
}
