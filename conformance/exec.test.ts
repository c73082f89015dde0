// `exec` through the command line: what a second process in a container is, and every way it is refused.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths, sharedRootfs, until, type Json } from './harness.ts';

const runtimeRoot = (): string => `${readdirSync(sharedRootfs()).sort().join('\n')}\n`;

for (const path of runtimePaths()) {
  const test = suite(`exec ${basename(path)}`);
  const runtime = new Runtime(path);
  const id = `exec${process.pid}`;
  const exec = (...words: string[]): ReturnType<Runtime['run']> => runtime.run(['exec', ...words]);
  const inside = (command: string, ...flags: string[]): string => {
    const done = exec(...flags, id, 'sh', '-c', command);
    assert.is(done.code, 0, done.stderr);
    return done.stdout.trim();
  };

  test.before(() => {
    const config = baseConfig('sleep', '1000');
    config.linux['cgroupsPath'] = `/${id}`;
    config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 500, hard: 600 }];
    config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdirat', 'mkdir'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }] };
    const bundle = makeBundle(config);
    const created = runtime.create(id, bundle);
    assert.is(created.code, 0, created.stderr);
  });
  test.after(() => {
    runtime.run(['delete', '--force', id]);
    runtime.close();
  });

  test('into a created container, and into a running one', () => {
    assert.is(inside('echo there'), 'there');
    assert.is(runtime.run(['start', id]).code, 0);
    assert.is(inside('echo there'), 'there');
  });
  test('every namespace, the cgroup, and the root are those of init', () => {
    const { pid } = runtime.state(id) as { pid: number };
    const links = ['pid', 'net', 'ipc', 'uts', 'mnt', 'cgroup'].map((name) => `readlink /proc/self/ns/${name}`).join('; ');
    const expected = spawnSync('sh', ['-c', links.replaceAll('/self/', `/${pid}/`)], { encoding: 'utf8' }).stdout.trim();
    assert.is(inside(links), expected);
    assert.is(inside('grep ^0 /proc/self/cgroup'), '0::/');
    assert.is(inside('hostname; ls /proc | grep -c "^[0-9]"').split('\n')[0], 'boxed');
  });
  test('capabilities, limits, no_new_privs and the filter are the container’s', () => {
    const ofInit = readFileSync(`/proc/${String((runtime.state(id) as { pid: number }).pid)}/status`, 'utf8');
    const fields = (text: string): string[] => text.split('\n').filter((line) => /^(Cap|NoNewPrivs|Seccomp:)/.test(line));
    assert.equal(fields(inside('cat /proc/self/status')), fields(ofInit));
    assert.is(inside('ulimit -Sn; ulimit -Hn'), '500\n600');
    assert.match(exec(id, 'mkdir', '/tmp/never').stderr, /not supported/);
  });
  test('--cap adds to three sets, never to the inheritable one (CVE-2022-29162)', () => {
    const status = inside('cat /proc/self/status', '--cap', 'CAP_NET_RAW');
    const set = (name: string): bigint => BigInt(`0x${new RegExp(`${name}:\\s+(\\w+)`).exec(status)![1]!}`);
    for (const name of ['CapBnd', 'CapEff', 'CapPrm']) assert.is((set(name) >> 13n) & 1n, 1n, name);
    assert.is(set('CapInh'), 0n);
    assert.is(set('CapAmb'), 0n);
  });
  test('--user, --additional-gids, --cwd, --env', () => {
    assert.is(inside('id -u; id -g; id -G; pwd; echo $A,$B', '--user', '1000:100', '-g', '5', '-g', '6', '--cwd', '/tmp', '-e', 'A=1', '--env', 'B=x=y'), '1000\n100\n100 5 6\n/tmp\n1,x=y');
    assert.is(inside('echo $HOME', '--user', '1000'), '/home/user');
  });
  test('ids that are no numbers are refused (CVE-2026-30892)', () => {
    for (const user of ['', ':', '1x', '1:', ':1', '-1', '4294967296', ' 1', '0x10', '1:2:3']) {
      const done = exec(`--user=${user}`, id, 'id');
      assert.is(done.code, 255, user);
      assert.match(done.stderr, /invalid value/);
    }
  });
  test('the exit status is the process’s own, or 128 and its signal', () => {
    assert.is(exec(id, 'sh', '-c', 'exit 7').code, 7);
    assert.is(exec(id, 'sh', '-c', 'kill -9 $$').code, 137);
  });
  test('a missing command, a directory and a missing container end with 255', () => {
    for (const [words, expected] of [[[id, 'nothing'], /exec: "nothing": executable file not found in \$PATH/], [[id, '/nothing'], /stat \/nothing: no such file or directory/], [[id, '/etc'], /permission denied/], [['nobody', 'id'], /container does not exist/], [[id], /process args cannot be empty/]] as const) {
      const done = exec(...words);
      assert.is(done.code, 255, done.stderr);
      assert.match(done.stderr, expected);
      assert.not.match(done.stderr, /\n\s+at /);
    }
  });
  test('an empty command is not found, and no command is a usage error', () => {
    const empty = runtime.run(['exec', id, '']);
    assert.is(empty.code, 255);
    assert.match(empty.stderr.replaceAll('\\"', '"'), /exec: "": executable file not found in \$PATH/);
    assert.match(runtime.run(['exec']).stderr.replaceAll('\\"', '"'), /"exec" requires a minimum of 1 argument\(s\)/);
  });

  test('a working directory is not made: a missing one is an error, as in runc', () => {
    const done = exec('--cwd', '/missing', id, 'pwd');
    assert.is(done.code, 255);
    assert.match(done.stderr, /process\.cwd: chdir\("\/missing"\): ENOENT/);
    assert.not.match(done.stderr, /no such file/i); // managers would take it for a missing command
  });
  test('a working directory that leads out is refused (CVE-2024-21626)', () => {
    for (let fd = 3; fd < 12; fd++) {
      const done = exec('--cwd', `/proc/self/fd/${fd}`, id, 'sh', '-c', 'pwd; stat -c %d:%i . /');
      const [where, here, root] = done.stdout.split('\n');
      assert.ok(done.code === 255 || (where === '/' && here === root), done.stdout);
    }
  });
  test('no descriptor of the host; --preserve-fds passes as many as it says', () => {
    const list = (flags: string): string => spawnSync('sh', ['-c', `exec 3</etc/hostname 4</etc/hostname; exec "$@"`, 'sh', path, '--root', runtime.root, 'exec', ...flags.split(' ').filter((word) => word !== ''), id, 'sh', '-c', 'for n in $(seq 0 40); do [ -e /proc/$$/fd/$n ] && echo $n; done'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).stdout.trim().replace(/\s+/g, ' ');
    assert.is(list(''), '0 1 2');
    assert.is(list('--preserve-fds 2'), '0 1 2 3 4');
    assert.is(list('--preserve-fds 3'), ''); // the third would be one of the engine's own
  });
  test('--process, with its problems named by line', () => {
    const file = join(runtime.root, '.process.json');
    const write = (change: Json): void => writeFileSync(file, JSON.stringify({ terminal: false, user: { uid: 7, gid: 8 }, args: ['sh', '-c', 'id -u; echo $X; pwd'], env: ['PATH=/bin', 'X=y'], cwd: '/etc', ...change }, null, 1));
    write({});
    assert.is(exec('--process', file, id).stdout, '7\ny\n/etc\n');
    write({ cwd: 5, args: 'id' });
    const bad = exec('--process', file, id);
    assert.is(bad.code, 255);
    assert.match(bad.stderr, /\.process\.json:\d+:\d+/);
    assert.match(bad.stderr, /args/);
    writeFileSync(file, '{');
    assert.match(exec('--process', file, id).stderr, /is not JSON/);
  });
  test('--detach writes the pid when the process runs, and nothing when it does not', () => {
    const file = join(runtime.root, '.pid');
    assert.is(runtime.background('bg', ['exec', '--detach', '--pid-file', file, id, 'sleep', '500']).code, 0);
    const pid = Number(readFileSync(file, 'utf8'));
    assert.is(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), 'sleep\x00500\x00');
    assert.match(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), new RegExp(`0::.*/${id}$`, 'm'));
    process.kill(pid, 'SIGKILL');
    assert.is(exec('--detach', '--pid-file', `${file}2`, id, 'nothing').code, 255);
    assert.not.ok(existsSync(`${file}2`));
  });
  test('a pid file that cannot be written ends the process', () => {
    const done = exec('--detach', '--pid-file', '/nowhere/pid', id, 'sleep', '4711');
    assert.is(done.code, 255);
    assert.match(done.stderr, /cannot write the pid file/);
    until('the process is gone', () => !inside('ps').includes('4711'));
  });
  test('signals reach the process through runt in the foreground', () => {
    const out = openSync(join(runtime.root, '.signal'), 'w+');
    const child = spawn(path, ['--root', runtime.root, 'exec', id, 'sh', '-c', 'trap "echo got; exit 9" TERM; echo ready; while :; do sleep 0.1; done'], { stdio: ['ignore', out, 'ignore'] });
    const text = (): string => readFileSync(join(runtime.root, '.signal'), 'utf8');
    until('the process is ready', () => text().includes('ready'));
    spawnSync('sh', ['-c', `sleep 0.2; kill -TERM ${child.pid}`]);
    until('the trap ran', () => text().includes('got'));
  });
  test('a terminal in the foreground', () => {
    const words = [path, '--root', runtime.root, 'exec', '--tty', id, 'sh', '-c', 'tty; exit 3'].join(' ').replace("sh -c tty; exit 3", "sh -c 'tty; exit 3'");
    const done = spawnSync('script', ['-qec', words, '/dev/null'], { encoding: 'utf8', input: '', timeout: 30_000 });
    assert.match(done.stdout, /\/dev\/pts\/\d/);
    assert.is(done.status, 3);
  });
  test('a console socket needs --detach and a terminal', () => {
    assert.match(exec('--console-socket', '/nowhere', id, 'id').stderr, /cannot use console socket/);
    assert.match(exec('--detach', '--tty', id, 'id').stderr, /without setting console socket/);
  });
  test('--cgroup is a cgroup below the container’s, and only that', () => {
    const cgroup = `/sys/fs/cgroup/${id}`;
    mkdirSync(`${cgroup}/below`);
    assert.match(inside('grep ^0 /proc/self/cgroup', '--cgroup', 'below'), /\/below$/);
    for (const [bad, expected] of [['../..', /\.\.\/\.\. is not a sub cgroup path/], ['/../other', /not a sub cgroup path/], ['missing', /there is no cgroup/], ['cpu:below', /unknown controller cpu/]] as const) {
      const done = exec('--cgroup', bad, id, 'id');
      assert.is(done.code, 255, bad);
      assert.match(done.stderr, expected);
    }
  });
  test('a paused container refuses, unless --ignore-paused', () => {
    const freeze = `/sys/fs/cgroup/${id}/cgroup.freeze`;
    writeFileSync(freeze, '1');
    assert.match(exec(id, 'id').stderr, /cannot exec in a paused container/);
    spawn('sh', ['-c', `sleep 0.5; echo 0 > ${freeze}`], { stdio: 'ignore' });
    const began = Date.now();
    assert.is(exec('--ignore-paused', id, 'echo', 'thawed').stdout, 'thawed\n');
    assert.ok(Date.now() - began >= 400, 'a frozen process ran');
  });
  test('nothing of exec stays in the state directory', () => assert.equal(readdirSync(join(runtime.root, id)).sort(), ['config.json', 'facts', 'program', 'state.json']));
  test('without a mount namespace of its own it is in the rootfs all the same', () => {
    const other = `${id}c`;
    const config = baseConfig('sleep', '1000');
    config.linux['namespaces'] = [{ type: 'pid' }];
    Object.assign(config, { mounts: [], hostname: undefined });
    Object.assign(config.linux, { maskedPaths: [], readonlyPaths: [], cgroupsPath: `/${other}` });
    assert.is(runtime.create(other, makeBundle(config)).code, 0);
    assert.is(runtime.run(['start', other]).code, 0);
    const done = exec(other, 'ls', '/');
    assert.is(done.stdout, runtimeRoot(), done.stderr);
    assert.is(exec('--cwd', '/..', other, 'ls').stdout, runtimeRoot());
    runtime.run(['delete', '--force', other]);
  });
  test('where init has made cgroups of its own, the process is born beside it', () => {
    const cgroup = `/sys/fs/cgroup/${id}`;
    const [controller] = readFileSync(`${cgroup}/cgroup.controllers`, 'utf8').trim().split(' ');
    if (!controller) return;
    const { pid } = runtime.state(id) as { pid: number };
    mkdirSync(`${cgroup}/init.scope`);
    writeFileSync(`${cgroup}/init.scope/cgroup.procs`, String(pid));
    writeFileSync(`${cgroup}/cgroup.subtree_control`, `+${controller}`);
    assert.match(inside('grep ^0 /proc/self/cgroup'), /\/init\.scope$/);
    writeFileSync(`${cgroup}/cgroup.subtree_control`, `-${controller}`);
    writeFileSync(`${cgroup}/cgroup.procs`, String(pid));
  });
  test('HOME is found in what the container has mounted, not in what the rootfs has', () => {
    const other = `${id}h`;
    const config = baseConfig('sleep', '1000');
    config.mounts.push({ destination: '/etc', type: 'tmpfs', source: 'tmpfs' });
    config.linux['cgroupsPath'] = `/${other}`;
    assert.is(runtime.create(other, makeBundle(config)).code, 0);
    assert.is(runtime.run(['start', other]).code, 0);
    assert.is(exec(other, 'sh', '-c', 'echo "root:x:0:0::/elsewhere:/bin/sh" > /etc/passwd; echo $HOME').stdout, '/\n');
    assert.is(exec(other, 'sh', '-c', 'echo $HOME').stdout, '/elsewhere\n');
    runtime.run(['delete', '--force', other]);
  });
  test('in a user namespace of its own', () => {
    const other = `${id}u`;
    const config = baseConfig('sleep', '1000');
    (config.linux['namespaces'] as Json[]).push({ type: 'user' });
    Object.assign(config.linux, { uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }], gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }], cgroupsPath: `/${other}` });
    assert.is(runtime.create(other, makeBundle(config)).code, 0);
    assert.is(runtime.run(['start', other]).code, 0);
    const done = exec(other, 'sh', '-c', 'id -u; cat /proc/self/uid_map; grep ^0 /proc/self/cgroup');
    assert.is(exec('--tty', '--user', '7', other, 'stat', '-c', '%u', '/dev/pts/0').stdout, '7\r\n');
    assert.is(done.stdout.replace(/ +/g, ' '), '0\n 0 100000 65536\n0::/\n', done.stderr);
    runtime.run(['delete', '--force', other]);
  });
  test('a stopped container refuses', () => {
    runtime.run(['kill', id, 'KILL']);
    until('stopped', () => runtime.state(id)['status'] === 'stopped');
    const done = exec(id, 'id');
    assert.is(done.code, 255);
    assert.match(done.stderr, /cannot exec in a stopped container/);
  });
  test.run();
}
