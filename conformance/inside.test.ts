// What a process inside sees: each key of config.json felt, not just accepted.
import { spawnSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, forAnyone, inTerminal, makeBundle, makeRootfs, Runtime, runtimePaths, sharedRootfs, until, type Json } from './harness.ts';

process.setMaxListeners(200);
type Config = ReturnType<typeof baseConfig>;

for (const path of runtimePaths()) {
  const runtime = new Runtime(path);
  const test = suite(`inside ${path}`);
  let count = 0;
  const children: ReturnType<typeof spawn>[] = [];
  const fresh = (): string => `in${process.pid}-${count++}`;

  /** Runs a shell script inside and gives its output. */
  const sh = (script: string, change: (config: Config) => unknown = () => {}, input = ''): string => {
    const config = baseConfig('/bin/sh', '-c', script);
    change(config);
    const result = runtime.run(['run', '--bundle', makeBundle(config), fresh()], { input });
    assert.is(result.code, 0, `exit ${result.code}: ${result.stderr}`);
    return result.stdout.trim();
  };

  test('hostname, pid 1, namespaces of its own', () => {
    assert.is(sh('hostname; echo $$'), 'boxed\n1');
    for (const name of ['pid', 'net', 'ipc', 'uts', 'mnt']) {
      assert.is.not(sh(`readlink /proc/self/ns/${name}`), spawnSync('readlink', [`/proc/self/ns/${name}`], { encoding: 'utf8' }).stdout.trim());
    }
  });

  test('loopback is up', () => assert.is(sh('cat /sys/class/net/lo/flags'), '0x9'));

  test('default devices with exact modes, and the links of /dev', () => {
    const seen = sh('for d in null zero full random urandom tty; do stat -c "%n %a %F %t:%T" /dev/$d; done; for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done');
    assert.match(seen, /\/dev\/null 666 character special file 1:3/);
    assert.match(seen, /\/dev\/full 666 character special file 1:7/);
    assert.match(seen, /\/proc\/self\/fd\n\/proc\/self\/fd\/0\n\/proc\/self\/fd\/1\n\/proc\/self\/fd\/2\npts\/ptmx/);
  });

  test('listed devices of every type, with mode and owner', () => {
    const seen = sh('stat -c "%n %a %u:%g %F" /dev/c /dev/b /dev/sub/p', (config) => {
      config.linux['devices'] = [
        { path: '/dev/c', type: 'c', major: 1, minor: 3, fileMode: 0o640, uid: 5, gid: 6 }, { path: '/dev/b', type: 'b', major: 7, minor: 0, fileMode: 0o600 }, { path: '/dev/sub/p', type: 'p', fileMode: 0o644 },
      ];
    });
    assert.is(seen, '/dev/c 640 5:6 character special file\n/dev/b 600 0:0 block special file\n/dev/sub/p 644 0:0 fifo');
  });

  test('the device filter denies what is not listed and allows what is', () => {
    const change = (config: Config): void => {
      config.linux['devices'] = [{ path: '/dev/kmsg', type: 'c', major: 1, minor: 11, fileMode: 0o666 }];
    };
    // Opened for writing, which needs no capability: what denies it is the filter alone.
    const opened = '(: >/dev/kmsg) 2>&1 && echo opened; head -c 1 /dev/zero | od -An -tx1';
    assert.match(sh(opened, change), /not permitted[^]*00/);
    const listed = sh(opened, (config) => {
      change(config);
      (config.linux['resources'] as Json)['devices'] = [{ allow: false, access: 'rwm' }, { allow: true, type: 'c', major: 1, minor: 11, access: 'w' }];
    });
    assert.match(listed, /opened\s+00/);
  });

  test('masked files are /dev/null, masked directories empty and read-only, missing ones ignored', () => {
    const seen = sh('stat -c "%F %t:%T" /proc/keys; ls -A /sys/firmware | wc -l; touch /sys/firmware/x 2>&1; true');
    assert.match(seen, /character special file 1:3\n0\n.*Read-only/);
  });

  test('read-only paths are read-only, all else of /proc is not', () => assert.match(sh('(echo x > /proc/sys/kernel/domainname) 2>&1; grep " /proc/sys ro" /proc/self/mountinfo'), /Read-only file system[^]*ro,/));

  test('a read-only rootfs', () => assert.match(sh('touch /x 2>&1; true', (config) => void (config.root['readonly'] = true)), /Read-only/));

  test('user, groups, umask', () => {
    const seen = sh('id -u; id -g; grep ^Groups /proc/self/status; umask', (config) => void (config.process['user'] = { uid: 1000, gid: 1001, additionalGids: [5, 7], umask: 0o027 }));
    assert.match(seen, /^1000\n1001\nGroups:\s+5 7\s*\n0027$/);
  });

  test('capabilities exactly as config.json has them', () => {
    const seen = sh('grep ^Cap /proc/self/status', (config) => void (config.process['capabilities'] = { bounding: ['CAP_KILL', 'CAP_CHOWN'], permitted: ['CAP_KILL', 'CAP_CHOWN'], effective: ['CAP_KILL'], inheritable: ['CAP_KILL'], ambient: ['CAP_KILL'] }));
    assert.match(seen, /CapInh:\t0+20\nCapPrm:\t0+21\nCapEff:\t0+21\nCapBnd:\t0+21\nCapAmb:\t0+20/);
  });

  test('an unprivileged user has no capabilities but ambient ones', () => {
    assert.match(sh('grep -E "CapEff|CapAmb" /proc/self/status', (config) => void (config.process['user'] = { uid: 1000, gid: 1000 })), /CapEff:\t0{16}\nCapAmb:\t0{16}/);
  });

  test('rlimits, oomScoreAdj, noNewPrivileges', () => {
    const seen = sh('ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj; grep NoNewPrivs /proc/self/status', (config) => {
      config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }];
      config.process['oomScoreAdj'] = 321;
    });
    assert.is(seen, '100\n200\n321\nNoNewPrivs:\t1');
  });

  test('cwd is made when missing; HOME comes from the container’s passwd', () => {
    assert.is(sh('pwd; echo $HOME', (config) => {
      config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' });
      config.process['cwd'] = '/tmp/a/b';
      config.process['user'] = { uid: 1000, gid: 1000 };
    }), '/tmp/a/b\n/home/user');
  });

  test('HOME comes from a passwd that is mounted, however its destination is written', () => {
    const passwd = join(mkdtempSync(join(tmpdir(), 'passwd-')), 'passwd');
    writeFileSync(passwd, 'user:x:1000:1000::/mounted:/bin/sh\n');
    for (const destination of ['/etc/passwd', '/etc//passwd', '/./etc/passwd', '/etc/x/../passwd']) {
      assert.is(sh('echo $HOME', (config) => {
        config.mounts.push({ destination, type: 'bind', source: passwd, options: ['bind', 'ro'] });
        config.process['user'] = { uid: 1000, gid: 1000 };
      }), '/mounted', destination);
    }
    rmSync(dirname(passwd), { recursive: true });
  });

  test('of equal environment entries the last counts', () => assert.is(sh('echo $A', (config) => void (config.process['env'] = ['PATH=/bin', 'A=1', 'A=2'])), '2'));

  test('sysctl', () => assert.is(sh('cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax', (config) => void (config.linux['sysctl'] = { 'net.ipv4.ip_forward': '1', 'kernel/msgmax': '9000' })), '1\n9000'));

  test('personality, scheduler, ioPriority', () => {
    assert.match(sh('uname -m; cut -d" " -f19 /proc/self/stat', (config) => {
      config.linux['personality'] = { domain: 'LINUX32' };
      config.process['scheduler'] = { policy: 'SCHED_OTHER', nice: 5 };
      config.process['ioPriority'] = { class: 'IOPRIO_CLASS_BE', priority: 6 };
    }), /^i686\n5/);
  });

  test('a time namespace with offsets', () => {
    const up = Number(sh('cut -d. -f1 /proc/uptime', (config) => {
      (config.linux['namespaces'] as Json[]).push({ type: 'time' });
      config.linux['timeOffsets'] = { boottime: { secs: 1000000 }, monotonic: { secs: 5 } };
    }));
    assert.ok(up > 1000000);
  });

  test('bind mounts of directories and files, read-only and recursive, are made where targets are missing', () => {
    const source = mkdtempSync(join(tmpdir(), 'bind-'));
    writeFileSync(join(source, 'file'), 'content\n');
    const seen = sh('cat /tmp/dir/file /tmp/one; touch /tmp/dir/new 2>&1; echo over > /tmp/one; true', (config) => config.mounts.push(
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
      { destination: '/tmp/dir', type: 'bind', source, options: ['rbind', 'ro'] },
      { destination: '/tmp/one', type: 'bind', source: join(source, 'file'), options: ['bind'] },
    ));
    assert.match(seen, /content\ncontent\n.*Read-only/);
    assert.is(readFileSync(join(source, 'file'), 'utf8'), 'over\n');
    rmSync(source, { recursive: true });
  });

  test('a tmpfs has the mode of the directory it covers, unless one is chosen; one of nothing is for everyone', () => {
    const seen = sh('stat -c %a /etc /etc/new /tmp; ls -A /etc', (config) => {
      config.mounts.push({ destination: '/etc', type: 'tmpfs', source: 'tmpfs' }, { destination: '/etc/new', type: 'tmpfs', source: 'tmpfs' }, { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup', 'mode=1710'] });
    });
    assert.is(seen, '755\n1777\n1710\nnew');
  });

  test('a shared root: only what is mounted in a shared volume reaches the host, and nothing of the host is unmounted', () => {
    const base = mkdtempSync(join(tmpdir(), 'shared-'));
    for (const name of ['rootfs', 'volume', 'bundle']) mkdirSync(join(base, name));
    const config = baseConfig('/bin/sh', '-c', 'mount -t tmpfs t /tmp/in');
    config.root['path'] = join(base, 'rootfs');
    config.linux['rootfsPropagation'] = 'rshared';
    const capabilities = ['CAP_SYS_ADMIN'];
    config.process['capabilities'] = { bounding: capabilities, effective: capabilities, permitted: capabilities };
    config.mounts.push({ destination: '/tmp', type: 'bind', source: join(base, 'volume'), options: ['rbind', 'rshared'] });
    writeFileSync(join(base, 'bundle/config.json'), JSON.stringify(config));
    // A namespace of its own stands for the host: all of it shared, as systemd does; the rootfs is a mount, as an overlay is.
    const done = spawnSync('unshare', ['-m', '--propagation', 'private', 'sh', '-ec', `
      mount --make-rshared /; mount --bind "$2" "$1/rootfs"; mount -t tmpfs v "$1/volume"; mkdir "$1/volume/in"
      cut -d' ' -f5 /proc/self/mountinfo | sort >"$1/before"; "$3" --root "$4" run --bundle "$1/bundle" "$5"; cut -d' ' -f5 /proc/self/mountinfo | sort | diff "$1/before" - || true`,
    'sh', base, sharedRootfs(), path, runtime.root, fresh()], { encoding: 'utf8', timeout: 60_000 });
    assert.is(done.stderr, '');
    assert.match(done.stdout, /^\d+a\d+\n> \S+\/volume\/in\n$/);
    rmSync(base, { recursive: true });
  });

  test('a host whose mounts are shared: the root and its binds receive events, with a private root not even that', () => {
    const base = mkdtempSync(join(tmpdir(), 'propagation-'));
    for (const [asked, expected] of [['private', '- -'], ['rprivate', '- -'], ['rslave', 'master master'], ['', 'master master'], ['unbindable', 'unbindable master'], ['runbindable', 'unbindable unbindable']] as const) {
      const config = baseConfig('/bin/sh', '-c', "awk '$5 == \"/\" || $5 == \"/tmp\" { print $5, $7 }' /proc/self/mountinfo");
      config.root['path'] = sharedRootfs();
      if (asked !== '') config.linux['rootfsPropagation'] = asked;
      config.mounts.push({ destination: '/tmp', type: 'bind', source: base, options: ['rbind'] });
      writeFileSync(join(base, 'config.json'), JSON.stringify(config));
      const done = spawnSync('unshare', ['-m', '--propagation', 'shared', path, '--root', runtime.root, 'run', '--bundle', base, fresh()], { encoding: 'utf8', timeout: 60_000 });
      assert.is(done.stderr, '');
      assert.is(done.stdout.trim().split('\n').map((line) => line.split(' ')[1]!.replace(/:\d+$/, '')).join(' '), expected, asked);
    }
    rmSync(base, { recursive: true });
  });

  test('tmpfs options, noexec, and tmpcopyup', () => {
    const seen = sh('stat -c %a /tmp; cp /bin/busybox /tmp/b; /tmp/b true 2>&1; ls /etc', (config) => config.mounts.push(
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['noexec', 'mode=1750', 'size=8m'] }, { destination: '/etc', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] },
    ));
    assert.match(seen, /^1750\n.*Permission denied\ngroup\npasswd$/);
  });

  test('an overlay', () => {
    const base = mkdtempSync('/dev/shm/overlay-');
    for (const name of ['lower', 'upper', 'work']) mkdirSync(join(base, name));
    writeFileSync(join(base, 'lower/low'), '1');
    sh('cat /tmp/low; echo 2 > /tmp/up', (config) => config.mounts.push({ destination: '/tmp', type: 'overlay', source: 'overlay', options: [`lowerdir=${base}/lower`, `upperdir=${base}/upper`, `workdir=${base}/work`] }));
    assert.is(readFileSync(join(base, 'upper/up'), 'utf8'), '2\n');
    rmSync(base, { recursive: true });
  });

  test('seccomp: an errno of choice, and ENOSYS for system calls newer than the profile', () => {
    const seen = sh('mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status', (config) => {
      config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' });
      config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat', 'nosuchcall'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 }] };
    });
    assert.match(seen, /No space left on device\nSeccomp:\t2/);
  });

  test('seccomp without no_new_privs loads before the ids change', () => {
    assert.match(sh('grep -E "Seccomp:|NoNewPrivs" /proc/self/status', (config) => {
      config.process['noNewPrivileges'] = false;
      config.process['user'] = { uid: 1000, gid: 1000 };
      config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['reboot'], action: 'SCMP_ACT_KILL' }] };
    }), /NoNewPrivs:\t0\nSeccomp:\t2/);
  });

  test('no descriptor of the host but stdio and the preserved ones', () => {
    const config = baseConfig('/bin/sh', '-c', 'ls /proc/self/fd | tr "\\n" " "');
    const bundle = makeBundle(config);
    const run = (flags: string): string => spawnSync('/bin/bash', ['-c', `exec 5</etc/passwd 9</etc/group 3</etc/hosts; exec "$@"`, 'bash', path, '--root', runtime.root, 'run', ...flags.split(' ').filter((word) => word !== ''), '--bundle', bundle, fresh()], { encoding: 'utf8', env: { PATH: process.env['PATH'] } }).stdout.trim();
    assert.is(run(''), '0 1 2 3'); // 3 is ls's own
    assert.is(run('--preserve-fds 1'), '0 1 2 3 4'); // 4 is ls's own
  });

  test('no descriptor of the set-up is a way to a program of the host', () => {
    const directory = mkdtempSync(join(tmpdir(), 'program-'));
    spawnSync('cp', [join(sharedRootfs(), 'bin/busybox'), join(directory, 'echo')]);
    for (let fd = 3; fd < 16; fd++) {
      const config = baseConfig(`/proc/self/fd/${fd}${'/..'.repeat(12)}${directory}/echo`, 'found');
      const done = runtime.run(['run', '--bundle', makeBundle(config), fresh()]);
      assert.is(done.code, 1, `descriptor ${fd} led out: ${done.stdout}`);
    }
    rmSync(directory, { recursive: true });
  });

  test('the container’s /proc/self/exe and maps lead to no file of the host', () => {
    const id = fresh();
    runtime.create(id, makeBundle(baseConfig('/bin/true')));
    const pid = Number(runtime.state(id)['pid']);
    assert.match(spawnSync('readlink', [`/proc/${pid}/exe`], { encoding: 'utf8' }).stdout, /memfd:/);
    const status = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    assert.ok(Number(/^Pss:\s+(\d+)/m.exec(status)?.[1]) <= 64, status);
    runtime.run(['delete', '--force', id]);
  });

  test('traps in the rootfs: symlinked /dev, mount targets that point out of it', () => {
    const rootfs = mkdtempSync(join(tmpdir(), 'trap-'));
    const outside = mkdtempSync(join(tmpdir(), 'outside-'));
    chmodSync(rootfs, 0o755);
    makeRootfs(rootfs);
    rmSync(join(rootfs, 'dev'), { recursive: true });
    symlinkSync(outside, join(rootfs, 'dev'));
    symlinkSync(`${'../'.repeat(8)}${outside}`, join(rootfs, 'out'));
    const config = baseConfig('/bin/true');
    config.root['path'] = rootfs;
    config.mounts = config.mounts.filter(({ destination }) => !String(destination).startsWith('/dev'));
    config.mounts.push({ destination: '/out/target', type: 'tmpfs', source: 'tmpfs' });
    runtime.run(['run', '--bundle', makeBundle(config), fresh()]);
    assert.is(spawnSync('ls', ['-A', outside], { encoding: 'utf8' }).stdout, '');
    rmSync(join(rootfs, 'proc'), { recursive: true });
    symlinkSync('/tmp', join(rootfs, 'proc'));
    const refused = runtime.create(fresh(), makeBundle(config));
    assert.is(refused.code, 1);
    assert.match(refused.stderr, /ordinary director|ELOOP/);
    for (const directory of [rootfs, outside]) rmSync(directory, { recursive: true, force: true });
  });

  const mapped = (config: Config): void => {
    (config.linux['namespaces'] as Json[]).push({ type: 'user' });
    config.linux['uidMappings'] = [{ containerID: 0, hostID: 100000, size: 65536 }];
    config.linux['gidMappings'] = [{ containerID: 0, hostID: 100000, size: 65536 }];
  };

  test('a user namespace with maps: root inside, nobody outside, devices bound', () => {
    const seen = sh('id -u; cat /proc/self/uid_map; echo x > /dev/null && echo ok; stat -c %t:%T /dev/zero', mapped);
    assert.match(seen, /^0\n\s+0\s+100000\s+65536\nok\n1:5$/);
  });

  test('an idmapped mount, by the container’s mapping and by its own', () => {
    const source = mkdtempSync('/dev/shm/idmap-');
    writeFileSync(join(source, 'f'), '');
    chownSync(join(source, 'f'), 1000, 1000);
    chmodSync(source, 0o777);
    assert.is(sh('stat -c %u /tmp/f', (config) => {
      mapped(config);
      config.mounts.push({ destination: '/tmp', type: 'bind', source, options: ['rbind', 'idmap'] });
    }), '1000');
    assert.is(sh('stat -c %u /tmp/f', (config) => config.mounts.push({
      destination: '/tmp', type: 'bind', source, options: ['bind'], uidMappings: [{ containerID: 1000, hostID: 4242, size: 1 }], gidMappings: [{ containerID: 1000, hostID: 4242, size: 1 }],
    })), '4242');
    rmSync(source, { recursive: true });
  });

  test('more idmapped mounts than one hand-over carries descriptors', () => {
    const source = mkdtempSync('/dev/shm/idmap-');
    writeFileSync(join(source, 'f'), '');
    chownSync(join(source, 'f'), 1000, 1000);
    chmodSync(source, 0o777);
    const numbers = [1, 2, 3, 4, 5, 6, 7, 8];
    const seen = sh('stat -c %u /tmp/*/f | sort | uniq -c', (config) => {
      mapped(config);
      config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }, ...numbers.map((n) => ({ destination: `/tmp/${n}`, type: 'bind', source, options: ['rbind', 'idmap'] })));
    });
    assert.match(seen, /^8 1000$/);
    rmSync(source, { recursive: true });
  });

  test('a waiting init holds nothing of the set-up: a small RLIMIT_NOFILE leaves room for start', () => {
    const change = (config: Config): void => void (config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 10, hard: 10 }]);
    assert.is(sh('ulimit -n', change), '10');
    const config = baseConfig('/bin/true');
    const id = fresh();
    assert.is(runtime.create(id, makeBundle(config)).code, 0);
    const held = readdirSync(`/proc/${String(runtime.state(id)['pid'])}/fd`);
    assert.ok(held.length <= 7, `held: ${held.join(' ')}`);
    runtime.run(['delete', '--force', id]);
  });

  test('run does not wait for an init that could not take the call of start', () => {
    const config = baseConfig('/bin/true');
    config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 4, hard: 4 }];
    const result = runtime.run(['run', '--bundle', makeBundle(config), fresh()]);
    assert.is(result.code, 1, result.stderr);
  });

  test('joined namespaces: pid, network, ipc and uts of another container', () => {
    const other = fresh();
    runtime.create(other, makeBundle(baseConfig('/bin/sleep', '1000')));
    runtime.run(['start', other]);
    const pid = String(runtime.state(other)['pid']);
    const seen = sh('hostname; ps | grep -c "[s]leep 1000"', (config) => {
      config.hostname = '';
      config.linux['namespaces'] = [{ type: 'mount' }, ...['pid', 'network', 'ipc', 'uts'].map((type) => ({ type, path: `/proc/${pid}/ns/${type === 'network' ? 'net' : type}` }))];
    });
    assert.is(seen, 'boxed\n1');
    runtime.run(['delete', '--force', other]);
  });

  /** Receives one descriptor on a console socket by a small python: node has no SCM_RIGHTS. */
  const receiver = (socket: string): { output: () => string; end: () => void } => {
    const script = `import socket,array,os,sys
s=socket.socket(socket.AF_UNIX);s.bind(sys.argv[1]);s.listen(1);print("ready",flush=True)
c,_=s.accept();d,a,_,_=c.recvmsg(4096,64);f=array.array("i",a[0][2])[0]
print("data",d.decode(),flush=True)
try:
  while True:
    b=os.read(f,4096)
    if not b: break
    sys.stdout.write(b.decode());sys.stdout.flush()
except OSError: pass`;
    const file = join(runtime.root, `.out${count++}`);
    const child = spawn('/bin/sh', ['-c', `exec python3 -c "$0" "$1" > ${file} 2>&1`, script, socket], { stdio: 'ignore' });
    children.push(child);
    until('receiver', () => existsSync(file) && readFileSync(file, 'utf8').includes('ready'));
    return { output: () => readFileSync(file, 'utf8'), end: () => void child.kill() };
  };

  test('a console socket receives the master; the terminal has the size asked for', () => {
    const socket = join(runtime.root, '.console');
    const python = receiver(socket);
    const config = baseConfig('/bin/sh', '-c', 'tty; stty size; readlink /proc/self/fd/0; stat -c %F /dev/console');
    config.process['terminal'] = true;
    config.process['consoleSize'] = { height: 33, width: 111 };
    const id = fresh();
    const created = runtime.create(id, makeBundle(config), '--console-socket', socket);
    assert.is(created.code, 0, created.stderr);
    assert.is(runtime.run(['start', id]).code, 0);
    until('output', () => /special file/.test(python.output()));
    assert.match(python.output(), /\/dev\/pts\/0\r\n33 111\r\n\/dev\/pts\/0\r\ncharacter special file/);
    python.end();
    runtime.run(['delete', '--force', id]);
  });

  test('a terminal needs a console socket when nobody stays, and a console socket needs a terminal', () => {
    const config = baseConfig('/bin/true');
    assert.match(runtime.create(fresh(), makeBundle(config), '--console-socket', '/x').stderr, /console socket/);
    config.process['terminal'] = true;
    assert.match(runtime.create(fresh(), makeBundle(config)).stderr, /console socket/);
  });

  test('run in the foreground proxies a pty', () => {
    const config = baseConfig('/bin/sh', '-c', 'tty; echo done; exit 5');
    config.process['terminal'] = true;
    assert.equal(inTerminal(`${path} --root ${runtime.root} run --bundle ${makeBundle(config)} ${fresh()}`), { code: 5, output: '/dev/pts/0\ndone\n' });
  });

  test('signals to a foreground run reach the process', () => {
    const config = baseConfig('/bin/sh', '-c', 'trap "echo caught; exit 9" TERM; echo up; while :; do sleep 0.1; done');
    const file = join(runtime.root, '.signal');
    const id = fresh();
    const child = spawn('/bin/sh', ['-c', `exec "$@" > ${file}`, 'sh', path, '--root', runtime.root, 'run', '--bundle', makeBundle(config), id], { stdio: 'ignore' });
    until('up', () => existsSync(file) && readFileSync(file, 'utf8').includes('up'));
    child.kill('SIGTERM');
    until('caught', () => readFileSync(file, 'utf8').includes('caught'));
    runtime.run(['delete', '--force', id]);
  });

  test('an ordinary user runs a rootless bundle, without any privilege', () => {
    const home = mkdtempSync(join(tmpdir(), 'rootless-'));
    chmodSync(home, 0o755);
    const own = forAnyone(path);
    const config = baseConfig('/bin/sh', '-c', 'id -u; cat /proc/self/uid_map');
    config.mounts = config.mounts.filter(({ type }) => type !== 'sysfs');
    config.linux['namespaces'] = ['pid', 'ipc', 'uts', 'mount', 'user'].map((type) => ({ type }));
    config.linux['uidMappings'] = [{ containerID: 0, hostID: 1000, size: 1 }];
    config.linux['gidMappings'] = [{ containerID: 0, hostID: 1000, size: 1 }];
    const bundle = makeBundle(config);
    chmodSync(bundle, 0o755);
    mkdirSync(join(home, 'state'));
    chownSync(join(home, 'state'), 1000, 1000);
    const user = ['--reuid', '1000', '--regid', '1000', '--clear-groups', own, '--root', join(home, 'state'), 'run', '--bundle', bundle, fresh()];
    const done = spawnSync('setpriv', user, { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
    assert.match(done.stdout, /^0\n\s+0\s+1000\s+1\n$/, done.stderr);
    rmSync(home, { recursive: true });
  });

  test('the hardest mix: user namespace, idmapped mount, seccomp notify, console, createContainer hook, joined pid namespace', async () => {
    const other = fresh();
    const sleeper = baseConfig('/bin/sleep', '1000');
    runtime.create(other, makeBundle(sleeper));
    runtime.run(['start', other]);
    const pid = String(runtime.state(other)['pid']);
    const source = mkdtempSync('/dev/shm/mix-');
    writeFileSync(join(source, 'f'), '');
    chownSync(join(source, 'f'), 7, 7);
    const console_ = join(runtime.root, '.mixconsole');
    const listener = join(runtime.root, '.mixlistener');
    const first = receiver(console_);
    const second = receiver(listener);
    const hooked = join(runtime.root, '.mixhook');
    const config = { ...baseConfig('/bin/sh', '-c', 'id -u; stat -c %u /tmp/f; tty; ps | grep -c "[s]leep 1000"; echo end'), hooks: { createContainer: [{ path: '/bin/sh', args: ['sh', '-c', `cat > ${hooked}; readlink /proc/self/ns/mnt >> ${hooked}`] }] } };
    config.process['terminal'] = true;
    mapped(config as unknown as Config);
    config.linux['namespaces'] = [...['network', 'ipc', 'uts', 'mount', 'cgroup', 'user'].map((type) => ({ type })), { type: 'pid', path: `/proc/${pid}/ns/pid` }];
    config.mounts = config.mounts.filter(({ type }) => type !== 'proc');
    config.mounts.push({ destination: '/proc', type: 'bind', source: '/proc', options: ['rbind'] }, { destination: '/tmp', type: 'bind', source, options: ['bind', 'idmap'] });
    config.linux['maskedPaths'] = [];
    config.linux['readonlyPaths'] = [];
    config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: listener, listenerMetadata: 'meta', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_NOTIFY' }] };
    const id = fresh();
    chmodSync(runtime.root, 0o777);
    const created = runtime.create(id, makeBundle(config), '--console-socket', console_);
    assert.is(created.code, 0, created.stderr);
    assert.is(runtime.run(['start', id]).code, 0);
    until('end', () => first.output().includes('end'));
    assert.match(first.output(), /0\r\n7\r\n\/dev\/pts\/0/);
    until('listener', () => second.output().includes('metadata'));
    assert.match(second.output(), /"fds":\["seccompFd"\].*"metadata":"meta"/);
    assert.match(readFileSync(hooked, 'utf8'), new RegExp(`"id":"${id}".*mnt:\\[`));
    for (const one of [first, second]) one.end();
    for (const name of [id, other]) runtime.run(['delete', '--force', name]);
    rmSync(source, { recursive: true });
  });


  test.after(() => {
    for (const child of children) child.kill();
    runtime.close();
  });
  test.run();
}
