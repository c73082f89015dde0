// What only one step of the default program brings about, and no other test would miss (conformance/mutation, docs/steps.md).
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, inTerminal, makeBundle, makeRootfs, Runtime, runtimePaths, type Json } from './harness.ts';

type Config = ReturnType<typeof baseConfig>;

for (const path of runtimePaths()) {
  const runtime = new Runtime(path);
  const test = suite(`steps ${path}`);
  let count = 0;
  const fresh = (): string => `steps${process.pid}-${count++}`;
  const bundleOf = (script: string, change: (config: Config) => unknown = () => {}): string => {
    const config = baseConfig('/bin/sh', '-c', script);
    change(config);
    return makeBundle(config);
  };
  /** Runs a script inside, the runtime itself being called by way of `caller`. */
  const sh = (script: string, change?: (config: Config) => unknown, ...caller: string[]): string => {
    const done = spawnSync([...caller, path][0]!, [...[...caller, path].slice(1), '--root', runtime.root, 'run', '--bundle', bundleOf(script, change), fresh()], { encoding: 'utf8', timeout: 60_000, env: { PATH: process.env['PATH'] } });
    assert.is(done.status, 0, done.stderr);
    return done.stdout.trim();
  };
  /** What a created container's init is, seen from outside. */
  const created = (change: (config: Config) => unknown, look: (pid: number) => void): void => {
    const id = fresh();
    const result = runtime.create(id, bundleOf('true', change));
    assert.is(result.code, 0, result.stderr);
    look(Number(runtime.state(id)['pid']));
    runtime.run(['delete', '--force', id]);
  };
  const mapped = (config: Config): void => {
    (config.linux['namespaces'] as Json[]).push({ type: 'user' });
    config.linux['uidMappings'] = [{ containerID: 0, hostID: 100000, size: 65536 }];
    config.linux['gidMappings'] = [{ containerID: 0, hostID: 100000, size: 65536 }];
  };

  test('init is named, and cannot be traced: its files in /proc belong to root', () => created(mapped, (pid) => {
    assert.is(readFileSync(`/proc/${pid}/comm`, 'utf8'), 'runt:init\n');
    assert.is(statSync(`/proc/${pid}/fd`).uid, 0);
  }));

  test('what the caller leaked is closed before anything else: no descriptor reaches init', () => {
    const id = fresh();
    spawnSync('/bin/bash', ['-c', 'for n in 20 21 22; do eval "exec $n</etc/passwd"; done; exec "$@" >/dev/null 2>&1', 'bash', path, '--root', runtime.root, 'create', '--bundle', bundleOf('true'), id], { timeout: 60_000, stdio: 'ignore' });
    const held = spawnSync('ls', [`/proc/${String(runtime.state(id)['pid'])}/fd`], { encoding: 'utf8' }).stdout.trim().split('\n');
    assert.ok(held.length > 2 && held.length < 8 && held.every((fd) => Number(fd) < 20), held.join(' '));
    runtime.run(['delete', '--force', id]);
  });

  test('and not at the end of set-up only: a runtime hook that looks at init finds nothing of the caller’s', () => {
    const id = fresh();
    const seen = join(runtime.root, '.seen');
    const bundle = bundleOf('true', (config) => {
      const look = `pid=$(sed 's/.*"pid": *\\([0-9]*\\).*/\\1/'); ls /proc/$pid/fd >${seen}`;
      (config as Json)['hooks'] = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', look], env: ['PATH=/bin:/usr/bin'] }] };
    });
    const done = spawnSync('/bin/bash', ['-c', 'exec 120</etc/passwd 121</etc/passwd; exec "$@" >/dev/null 2>&1', 'bash', path, '--root', runtime.root, 'create', '--bundle', bundle, id], { timeout: 60_000, stdio: 'ignore' });
    assert.is(done.status, 0);
    const held = readFileSync(seen, 'utf8').trim().split('\n');
    assert.ok(held.length > 2 && held.every((fd) => Number(fd) < 120), held.join(' '));
    runtime.run(['delete', '--force', id]);
  });

  test('processes of a joined pid namespace may not look into init, though they have its ids and capabilities (CVE-2016-9962)', () => {
    const [first, second] = [fresh(), fresh()];
    runtime.create(first, bundleOf('sleep 300'));
    runtime.run(['start', first]);
    const joins = (config: Config): void => {
      const namespace = (config.linux['namespaces'] as Json[]).find(({ type }) => type === 'pid')!;
      namespace['path'] = `/proc/${String(runtime.state(first)['pid'])}/ns/pid`;
    };
    assert.is(runtime.create(second, bundleOf('true', joins)).code, 0);
    const look = 'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" != runt:init ] || { echo found; readlink $p/exe; }; done 2>/dev/null';
    assert.is(runtime.run(['exec', first, '/bin/sh', '-c', look]).stdout, 'found\n');
    // What stands in its way is init's own doing: into an ordinary process of the same ids one may look.
    assert.match(runtime.run(['exec', first, '/bin/sh', '-c', 'sleep 300 & readlink /proc/$!/exe']).stdout, /busybox/);
    for (const id of [second, first]) runtime.run(['delete', '--force', id]);
  });

  test('on a host whose mounts are shared, no mount of the container is seen', () => {
    const id = fresh();
    const bundle = bundleOf('true');
    const rootfs = (JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as Config).root['path'] as string;
    // Two shared mounts: the host's root, and one the rootfs lies on.
    const script = `mount --make-rshared /; mount --bind "$1" "$1"; mount --make-shared "$1"; shift; before=$(wc -l </proc/self/mountinfo); "$@" </dev/null >/dev/null 2>&1; echo $? $(($(wc -l </proc/self/mountinfo) - before)); ${path} --root ${runtime.root} delete --force ${id}`;
    const done = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', rootfs, path, '--root', runtime.root, 'create', '--bundle', bundle, id], { encoding: 'utf8', timeout: 60_000 });
    assert.is(done.stdout, '0 0\n', done.stderr);
  });

  test('a mask has room for nothing, and is a mask wherever the kernel has the file or directory', () => {
    assert.match(sh('grep " /sys/firmware " /proc/self/mountinfo'), /nr_inodes=2/);
    assert.match(sh('head -c 1 /sub/file | wc -c; ls -A /sub/directory | wc -l', (config) => {
      config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }, { destination: '/sub', type: 'bind', source: filled, options: ['rbind'] });
      config.linux['maskedPaths'] = ['/sub/file', '/sub/directory'];
    }), /^0\n0$/);
  });
  const filled = mkdtempSync(join(tmpdir(), 'filled-'));
  chmodSync(filled, 0o755);
  writeFileSync(join(filled, 'file'), 'secret\n');
  spawnSync('mkdir', ['-p', join(filled, 'directory/inside')]);

  test('a read-only path may be a file', () => {
    assert.match(sh('(echo x >/sub/file) 2>&1; true', (config) => {
      config.mounts.push({ destination: '/sub', type: 'bind', source: filled, options: ['rbind'] });
      config.linux['readonlyPaths'] = ['/sub/file'];
    }), /Read-only/);
  });

  test('the session keyring is the container’s own, with its permissions', () => {
    // /proc/keys shows those of other containers too.
    const name = `_ses\\.steps${process.pid}-${count}:`;
    assert.match(sh(`grep "keyring.*${name}" /proc/keys`, (config) => void (config.linux['maskedPaths'] = [])), / 3f1b0000 +0 +0 keyring +_ses\.steps/);
  });

  test('not the caller’s CPUs, groups, ambient capabilities or working directory', () => {
    const all = cpus().length;
    const one = sh('grep Cpus_allowed_list /proc/self/status', undefined, 'taskset', '-c', '0');
    assert.match(one, all > 1 ? new RegExp(`0-${all - 1}$`) : /0$/);
    assert.match(sh('grep -E "^Groups|^CapAmb|^CapInh" /proc/self/status', undefined, 'setpriv', '--groups', '5,6', '--inh-caps', '+net_admin', '--ambient-caps', '+net_admin'), /CapInh:\t0{16}\nCapAmb:\t0{16}/);
    assert.match(sh('grep ^Groups /proc/self/status', undefined, 'setpriv', '--groups', '5,6'), /^Groups:\s*$/);
  });

  test('gid and uid of the caller’s are gone: real, effective, saved, for files', () => {
    assert.match(sh('grep -E "^[UG]id" /proc/self/status', (config) => void (config.process['user'] = { uid: 7, gid: 8 })), /Uid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8/);
  });

  test('capabilities stay over the change of ids when they are ambient, and the flag that kept them is cleared', () => {
    const seen = sh('grep -E "^Cap(Prm|Eff|Amb)" /proc/self/status', (config) => {
      config.process['user'] = { uid: 7, gid: 8 };
      const set = ['CAP_KILL', 'CAP_CHOWN'];
      config.process['capabilities'] = { bounding: set, permitted: set, effective: set, inheritable: set, ambient: ['CAP_KILL'] };
    });
    assert.match(seen, /CapPrm:\t0+20\nCapEff:\t0+20\nCapAmb:\t0+20/);
  });

  test('a terminal: all three streams, its owner, no master, and /dev/console', () => {
    // By device and inode: the caller's terminal may have the same name, /dev/pts/0.
    const script = 'stat -c %d:%i /dev/pts/0; for n in 0 1 2; do stat -L -c %d:%i /proc/self/fd/$n; done; stat -c %u /dev/pts/0; for n in 3 4 5 6 7 8 9; do [ ! -L /proc/1/fd/$n ] || echo open $n; done; echo end';
    const bundle = bundleOf(script, (config) => {
      config.process['terminal'] = true;
      config.process['user'] = { uid: 9, gid: 9 };
    });
    const { output } = inTerminal(`${path} --root ${runtime.root} run --bundle ${bundle} ${fresh()}`);
    assert.match(output, /^(\d+:\d+)\n(\1\n){3}9\nend\n$/);
  });

  test('an image without directories, or with a /dev of its own: mount points are made, its ptmx makes way', () => {
    const rootfs = mkdtempSync(join(tmpdir(), 'image-'));
    chmodSync(rootfs, 0o755);
    makeRootfs(rootfs);
    for (const name of ['proc', 'dev', 'sys']) rmSync(join(rootfs, name), { recursive: true, force: true });
    const change = (config: Config): void => void (config.root['path'] = rootfs);
    assert.match(sh('stat -c %F /dev/null /dev/pts /sys /proc | uniq -c; readlink /dev/ptmx', change), /1 character special file\n\s+3 directory\npts\/ptmx/);
    // No tmpfs on /dev: devices go into the image's own directory, which is made when it has none.
    const bare = (config: Config): void => {
      change(config);
      config.mounts = config.mounts.filter(({ destination }) => destination !== '/dev' && !String(destination).startsWith('/dev/') );
    };
    rmSync(join(rootfs, 'dev'), { recursive: true, force: true });
    assert.is(sh('stat -c %F /dev/null', bare), 'character special file');
    rmSync(join(rootfs, 'dev/ptmx'), { force: true });
    writeFileSync(join(rootfs, 'dev/ptmx'), '');
    assert.is(sh('readlink /dev/ptmx', bare), 'pts/ptmx');
    rmSync(rootfs, { recursive: true, force: true });
  });

  test('a working directory that is missing, and one that only the user may enter', () => {
    const inside = (config: Config): void => {
      config.mounts.push({ destination: '/work', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] });
      config.process['cwd'] = '/work/a/b';
    };
    assert.is(sh('pwd', inside), '/work/a/b');
  });

  test('PATH is searched in order, past directories and files that may not be executed, to the first that fits', () => {
    const change = (config: Config): void => {
      config.mounts.push({ destination: '/sub', type: 'bind', source: searched, options: ['rbind'] });
      config.process['env'] = ['PATH=/sub/nothing:/sub/directory:/sub/plain:/sub/good:/sub/late:/bin'];
      config.process['args'] = ['word'];
    };
    assert.is(sh('', change), 'good');
  });
  const searched = mkdtempSync(join(tmpdir(), 'searched-'));
  chmodSync(searched, 0o755);
  spawnSync('sh', ['-c', 'cd "$0"; mkdir -p directory/word plain good late; echo >plain/word; printf "#!/bin/sh\\necho good\\n" >good/word; printf "#!/bin/sh\\necho late\\n" >late/word; chmod 755 good/word late/word', searched]);

  test('start tells that execve failed, and why', () => {
    const id = fresh();
    const created = runtime.create(id, bundleOf('', (config) => {
      config.mounts.push({ destination: '/sub', type: 'bind', source: broken, options: ['rbind'] });
      config.process['args'] = ['/sub/word'];
    }));
    assert.is(created.code, 0, created.stderr);
    const started = runtime.run(['start', id]);
    assert.is(started.code, 1);
    assert.match(started.stderr, /ENOENT|no such file/);
    runtime.run(['delete', '--force', id]);
  });
  const broken = mkdtempSync(join(tmpdir(), 'broken-'));
  chmodSync(broken, 0o755);
  writeFileSync(join(broken, 'word'), '#!/no/such/interpreter\n', { mode: 0o755 });

  test('a long list of mounts needs few descriptors at a time', () => {
    const change = (config: Config): void => {
      config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' });
      for (let i = 0; i < 60; i++) config.mounts.push({ destination: `/tmp/m${i}`, type: 'tmpfs', source: 'tmpfs' });
    };
    assert.is(sh('grep -c " /tmp/m" /proc/self/mountinfo', change, 'sh', '-c', 'ulimit -Sn 64; exec "$@"', 'sh'), '60');
  });

  test.after(() => {
    for (const directory of [filled, searched, broken]) rmSync(directory, { recursive: true, force: true });
    runtime.close();
  });
  test.run();
}
