// The calls of container managers, word for word: arguments, environment, descriptors, files. No manager is needed.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, makeRootfs, runtimePaths, until, type Json, type Result } from './harness.ts';

type Config = ReturnType<typeof baseConfig>;
interface Options { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string; readonly input?: string }

for (const path of runtimePaths()) {
  const isRunt = basename(path) === 'runt';
  const name = basename(path);
  const root = mkdtempSync(join(tmpdir(), 'callers-root-'));
  const scratch = mkdtempSync(join(tmpdir(), 'callers-'));
  let count = 0;
  const fresh = (): string => `caller${process.pid}-${count++}`;
  const bundleOf = (script: string, change: (config: Config) => unknown = () => {}): string => {
    const config = baseConfig('/bin/sh', '-c', script);
    change(config);
    return makeBundle(config);
  };
  const patient = 'trap "exit 0" TERM; while :; do sleep 0.05; done';

  /** One call. Output goes to files, because a created container keeps the descriptors of its creator. */
  const call = (args: readonly string[], { env = { PATH: process.env['PATH'] }, cwd, input }: Options = {}): Result => {
    const at = join(scratch, `call${count++}`);
    const [out, err] = [openSync(`${at}.out`, 'w'), openSync(`${at}.err`, 'w')];
    const done = spawnSync(path, args, { stdio: [input === undefined ? 'ignore' : 'pipe', out, err], timeout: 60_000, env, ...(cwd === undefined ? {} : { cwd }), ...(input === undefined ? {} : { input }) });
    closeSync(out);
    closeSync(err);
    return { code: done.status ?? 137, stdout: readFileSync(`${at}.out`, 'utf8'), stderr: readFileSync(`${at}.err`, 'utf8') };
  };
  const ok = (args: readonly string[], options?: Options): string => {
    const done = call(args, options);
    assert.is(done.code, 0, `${args.join(' ')}: ${done.stderr}`);
    return done.stdout;
  };
  const fails = (args: readonly string[], code: number, text: RegExp, options?: Options): void => {
    const done = call(args, options);
    assert.is(done.code, code, `${args.join(' ')}: ${done.stderr}`);
    assert.match(done.stderr, text);
  };
  const ended = (prefix: readonly string[], id: string): void => until(`${id} has stopped`, () => (JSON.parse(ok([...prefix, 'state', id])) as Json)['status'] === 'stopped');
  /** Every JSON object of a log, as go-runc streams them. */
  const logged = (log: string): readonly { level: string; msg: string; time: string }[] => readFileSync(log, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line) as { level: string; msg: string; time: string });
  const processFile = (args: readonly string[], more: Json = {}): string => {
    const file = join(scratch, `process${count++}.json`);
    writeFileSync(file, JSON.stringify({ ...baseConfig(...args).process, ...more }));
    return file;
  };

  const shim = suite(`containerd, Docker: shim by go-runc: ${name}`);
  const go = (bundle: string): string[] => ['--root', root, '--log', join(bundle, 'log.json'), '--log-format', 'json'];
  shim('create, start, exec, ps, pause, resume, update, kill, delete', () => {
    const id = fresh();
    const bundle = bundleOf(patient);
    const global = go(bundle);
    ok([...global, 'create', '--bundle', bundle, '--pid-file', join(bundle, 'init.pid'), id]);
    const pid = readFileSync(join(bundle, 'init.pid'), 'utf8');
    assert.match(pid, /^[1-9]\d*$/, 'strconv.Atoi takes no newline');
    const state = JSON.parse(ok([...global, 'state', id])) as Json;
    assert.is(state['pid'], Number(pid));
    assert.match(String(state['created']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/, 'time.Time');
    ok([...global, 'start', id]);
    ok([...global, 'exec', '--process', processFile(['/bin/sh', '-c', 'sleep 100']), '--detach', '--pid-file', join(bundle, 'e1.pid'), id]);
    assert.match(readFileSync(join(bundle, 'e1.pid'), 'utf8'), /^[1-9]\d*$/);
    const pids = JSON.parse(ok([...global, 'ps', '--format', 'json', id])) as number[];
    for (const file of ['init.pid', 'e1.pid']) assert.ok(pids.includes(Number(readFileSync(join(bundle, file), 'utf8'))), file);
    ok([...global, 'pause', id]);
    assert.is((JSON.parse(ok([...global, 'state', id])) as Json)['status'], 'paused');
    ok([...global, 'resume', id]);
    ok([...global, 'update', '--resources=-', id], { input: '{}' });
    ok([...global, 'kill', id, '15']);
    ended(global, id);
    ok([...global, 'kill', '--all', id, '9']); // init is dead: still no error
    ok([...global, 'delete', id]);
    ok([...global, 'delete', '--force', id]);
    assert.equal(existsSync(join(bundle, 'log.json')) ? logged(join(bundle, 'log.json')).filter(({ level }) => level === 'error') : [], []);
  });
  shim('the log: an error is one object with level, msg and time; later ones are appended', () => {
    const bundle = makeBundle(baseConfig('/nothing'));
    const global = go(bundle);
    for (const lines of [1, 2]) {
      const done = call([...global, 'create', '--bundle', bundle, fresh()]);
      assert.is(done.code, 1);
      const errors = logged(join(bundle, 'log.json')).filter(({ level }) => level === 'error');
      assert.is(errors.length, lines);
      const { msg, time } = errors.at(-1)!;
      assert.match(msg, /exec: "\/nothing": stat \/nothing: no such file or directory/);
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
      assert.ok(done.stderr.includes('no such file or directory'), 'standard error has it as well');
    }
  });
  shim('what checkKillError and delete look for', () => {
    const id = fresh();
    const bundle = bundleOf(patient);
    const global = go(bundle);
    for (const verb of ['kill', 'delete', 'state', 'start']) fails([...global, verb, 'nobody'], 1, /does not exist/);
    ok([...global, 'create', '--bundle', bundle, id]);
    ok([...global, 'start', id]);
    fails([...global, 'delete', id], 1, /not stopped/);
    ok([...global, 'kill', id, '9']);
    ended(global, id);
    fails([...global, 'kill', id, '15'], 1, /container not running/);
    fails([...global, 'exec', '--process', processFile(['/bin/true']), '--detach', id], 255, /cannot exec in a stopped container/);
    ok([...global, 'delete', id]);
  });
  shim('introspection: features on standard output alone, version lines', () => {
    const done = call(['features']);
    if (isRunt) {
      assert.is(done.stderr, '');
      const features = JSON.parse(done.stdout) as { ociVersionMin: string; ociVersionMax: string; mountOptions: string[]; linux: { namespaces: string[]; mountExtensions: Json } };
      assert.ok(features.ociVersionMin && features.ociVersionMax);
      assert.ok(features.mountOptions.includes('rro') && features.linux.namespaces.includes('user'));
      assert.equal(features.linux.mountExtensions, { idmap: { enabled: true } });
    }
    const lines = ok(['--version']).trim().split('\n');
    assert.match(lines[0]!, new RegExp(`^${name} version \\S+$`));
    assert.ok(lines.some((line) => line.startsWith('commit: ')) && lines.some((line) => line.startsWith('spec: ')));
    assert.is(lines.filter((line) => line.includes('version')).length, 1, 'dockerd takes the last line that says version');
  });
  shim('dockerd’s wrapper puts runtimeArgs in front of the shim’s flags', () => {
    const id = fresh();
    const bundle = bundleOf('exit 0');
    const wrapper = join(scratch, 'wrapper');
    writeFileSync(wrapper, `#!/bin/sh\n${path} --debug "$@"\n`, { mode: 0o755 });
    const done = spawnSync(wrapper, [...go(bundle), 'run', '--bundle', bundle, id], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
    assert.is(done.status, 0, done.stderr);
  });
  shim('what dockerd and Podman make exit codes of', () => {
    const bad = (words: string[], change: (config: Config) => unknown = () => {}): string => {
      const config = baseConfig(...words);
      change(config);
      return call(['--root', root, 'create', '--bundle', makeBundle(config), fresh()]).stderr.replace(/\\"/g, '"'); // logrus quotes
    };
    assert.match(bad(['nothing']), /exec: "nothing": executable file not found in \$PATH/);
    assert.match(bad(['/nothing']), /no such file or directory/);
    assert.match(bad(['/etc/passwd']), /permission denied/);
    assert.match(bad(['/etc']), /(is a directory|permission denied)/);
    if (isRunt) assert.not.match(bad(['/bin/true'], (config) => void config.mounts.push({ destination: '/mnt', source: '/no/source', type: 'bind', options: ['bind'] })), /no such file or directory/i, 'this is not a missing command: 127 would be wrong');
  });
  shim.run();

  const conmon = suite(`conmon, conmon-rs: ${name}`);
  /** As conmon starts a runtime: three pipes, the descriptors of its own protocol open, LISTEN_PID rewritten. */
  const fromConmon = (args: readonly string[]): Result & { readonly out: string } => {
    const at = join(scratch, `conmon${count++}`);
    const script = 'exec 7</dev/null 8</dev/null 9>/dev/null; out=$1; shift; "$@" >"$out.out" 2>"$out.err" </dev/null';
    const env = { PATH: process.env['PATH'], _OCI_SYNCPIPE: '7', _OCI_STARTPIPE: '9', _OCI_ATTACHPIPE: '8', XDG_RUNTIME_DIR: '/run' };
    const done = spawnSync('/bin/sh', ['-c', script, 'sh', at, path, ...args], { stdio: 'ignore', env, timeout: 60_000 });
    return { out: `${at}.out`, code: done.status ?? 137, stdout: readFileSync(`${at}.out`, 'utf8'), stderr: readFileSync(`${at}.err`, 'utf8') };
  };
  conmon('create, exec: arguments in conmon’s order; none of its descriptors or variables gets inside', () => {
    const id = fresh();
    const global = [`--root=${root}`, '--log-format=json', `--log=${scratch}/oci-log`];
    const bundle = bundleOf(`ls /proc/self/fd | wc -l >/tmp/fds; env >/tmp/env; ${patient}`, (config) => void config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }));
    const made = fromConmon([...global, 'create', '--bundle', bundle, '--pid-file', join(bundle, 'pidfile'), id]);
    assert.is(made.code, 0, made.stderr);
    assert.is(made.stderr, '');
    ok([...global, 'start', id]);
    const pidFile = join(bundle, 'exec.pid');
    const inside = fromConmon([...global, 'exec', '--pid-file', pidFile, '--process', processFile(['/bin/sh', '-c', 'sleep 0.1; ls /proc/self/fd | wc -l; env; cat /tmp/fds /tmp/env']), '--detach', id]);
    assert.is(inside.code, 0, inside.stderr);
    assert.match(readFileSync(pidFile, 'utf8'), /^\d+$/);
    const written = (): string => readFileSync(inside.out, 'utf8'); // by the process, when the runtime has gone
    until('exec has written', () => written().split('\n').filter((line) => line === '4').length === 2);
    assert.not.match(written(), /_OCI_|LISTEN_|LIBCONTAINER/);
    ok([...global, 'delete', '--force', id]);
  });
  conmon('exec: no pid file when it failed, and something on standard error; the log is one JSON object', () => {
    const id = fresh();
    ok(['--root', root, 'create', '--bundle', bundleOf(patient), id]);
    ok(['--root', root, 'start', id]);
    const pidFile = join(scratch, 'failed.pid');
    const log = join(scratch, 'failed.log');
    const done = fromConmon([`--root=${root}`, '--log-format=json', `--log=${log}`, 'exec', '--pid-file', pidFile, '--process', processFile(['/nothing']), '--detach', id]);
    assert.is.not(done.code, 0);
    assert.not.ok(existsSync(pidFile));
    assert.match(done.stderr, /no such file or directory/);
    if (isRunt) assert.match((JSON.parse(readFileSync(log, 'utf8')) as { msg: string }).msg, /no such file or directory/);
    ok(['--root', root, 'delete', '--force', id]);
  });
  conmon('conmon-rs: the same global flags twice, flags with =, exec by words', () => {
    const id = fresh();
    const bundle = bundleOf(patient);
    const global = [`--root=${root}/elsewhere`, `--root=${root}`];
    ok([...global, 'create', '--bundle', bundle, '--pid-file', join(bundle, 'pid'), id]);
    ok([...global, 'start', id]);
    ok([...global, 'exec', '-d', `--pid-file=${bundle}/e.pid`, id, '/bin/sleep', '-x', '5'].filter((word) => word !== '-x'));
    assert.match(readFileSync(join(bundle, 'e.pid'), 'utf8'), /^\d+$/);
    ok([...global, 'delete', '--force', id]);
  });
  conmon.run();

  const podman = suite(`Podman, CRI-O, buildah: ${name}`);
  podman('kill, delete, pause, resume know nothing but XDG_RUNTIME_DIR; start and update PATH as well', () => {
    const id = fresh();
    const bare = { env: { XDG_RUNTIME_DIR: '/run/user/0' } };
    const withPath = { env: { XDG_RUNTIME_DIR: '/run/user/0', PATH: '/usr/bin:/bin' } };
    const global = ['--root', root];
    ok([...global, 'create', '--bundle', bundleOf(patient), id]);
    ok([...global, 'start', id], withPath);
    const resources = join(scratch, 'resources.json');
    writeFileSync(resources, '{}');
    ok([...global, 'update', `--resources=${resources}`, id], withPath);
    ok([...global, 'pause', id], bare);
    ok([...global, 'resume', id], bare);
    ok([...global, 'kill', '--all', id, '15'], bare);
    ended(global, id);
    ok([...global, 'delete', '--force', id], bare);
    const empty = fresh();
    assert.is(call([...global, 'run', '--bundle', bundleOf('exit 7'), empty], { env: {} }).code, 7);
  });
  podman('feature probes', () => {
    ok(['checkpoint', '--help']);
    const probe = call(['restore', '--lsm-mount-context']);
    if (isRunt) assert.match(probe.stdout + probe.stderr, /flag needs an argument|requires an argument/);
    const both = spawnSync('/bin/sh', ['-c', '"$1" features 2>&1', 'sh', path], { encoding: 'utf8' });
    if (isRunt) JSON.parse(both.stdout); // CRI-O reads both streams as one
  });
  podman('--group-add keep-groups, crun’s annotation: the groups of the caller stay, for exec too', () => {
    const groups = (value: string | undefined): readonly string[] => {
      const id = fresh();
      const bundle = bundleOf('grep ^Groups: /proc/self/status; sleep 100', (config) => {
        config.process['user'] = { uid: 0, gid: 0, additionalGids: [7] };
        if (value !== undefined) config['annotations'] = { 'run.oci.keep_original_groups': value };
      });
      const seenBy = (caller: string, ...words: string[]): string => {
        const out = join(scratch, `groups${count++}`);
        const done = spawnSync('/bin/sh', ['-c', 'out=$1; shift; exec "$@" </dev/null >"$out" 2>&1', 'sh', out, 'setpriv', '--groups', caller, path, '--root', root, ...words]);
        assert.is(done.status, 0, readFileSync(out, 'utf8'));
        until('it has spoken', () => readFileSync(out, 'utf8').endsWith('\n'));
        return readFileSync(out, 'utf8').replace(/\s+/g, ' ').trim();
      };
      const seen = [seenBy('55,66', 'run', '--detach', '--bundle', bundle, id), seenBy('77', 'exec', id, 'grep', '^Groups:', '/proc/self/status')];
      ok(['--root', root, 'delete', '--force', id]);
      return seen;
    };
    assert.equal(groups(undefined), ['Groups: 7', 'Groups: 7']);
    if (isRunt || name === 'crun') assert.equal(groups('1'), ['Groups: 55 66', 'Groups: 77']);
    assert.equal(groups('0'), ['Groups: 7', 'Groups: 7']);
  });
  podman('CRI-O: exec in the foreground ends as the process does; its words for what is gone', () => {
    const id = fresh();
    const global = ['--root', root];
    const env = { ...process.env, CRI_O_EXTERNAL: '1' };
    ok([...global, 'create', '--bundle', bundleOf(patient), id], { env });
    ok([...global, 'start', id], { env });
    for (const [script, code] of [['exit 42', 42], ['kill -9 $$', 137]] as const) assert.is(call([...global, 'exec', '--process', processFile(['/bin/sh', '-c', script]), id], { env }).code, code);
    ok([...global, 'kill', id, 'KILL'], { env });
    ended(global, id);
    fails([...global, 'kill', id, '15'], 1, /container not running/, { env });
    ok([...global, 'delete', '--force', id], { env });
  });
  podman('buildah: the working directory is the bundle, the default root, a status it knows, delete without force', () => {
    const id = fresh();
    const bundle = bundleOf('exit 3');
    ok(['create', '--bundle', bundle, '--pid-file', join(bundle, 'pid'), id], { cwd: bundle });
    assert.is((JSON.parse(ok(['state', id], { cwd: bundle })) as Json)['status'], 'created');
    ok(['start', id], { cwd: bundle });
    until('it has stopped', () => {
      const status = String((JSON.parse(ok(['state', id], { cwd: bundle })) as Json)['status']);
      assert.ok(['created', 'running', 'stopped'].includes(status), status);
      return status === 'stopped';
    });
    ok(['delete', id], { cwd: bundle });
  });
  podman.run();

  const buildkit = suite(`BuildKit: ${name}`);
  buildkit('run --keep in the foreground, exec once state says running, kill, the cgroup until delete', () => {
    const id = fresh();
    const log = join(scratch, 'runc-log.json');
    const global = ['--log', log, '--log-format', 'json'];
    const bundle = bundleOf(patient, (config) => void (config.linux['cgroupsPath'] = `/${id}`));
    const child = spawn(path, [...global, 'run', '--bundle', bundle, '--keep', id], { stdio: 'ignore', detached: true, env: { PATH: process.env['PATH'] } });
    let state: Json = {};
    until('it runs', () => {
      const done = call([...global, 'state', id]);
      if (done.code === 0) state = JSON.parse(done.stdout) as Json;
      return state['status'] === 'running';
    });
    assert.is(state['bundle'], bundle);
    assert.ok(existsSync(String(state['rootfs'])));
    assert.is(call([...global, 'exec', '--process', processFile(['/bin/sh', '-c', 'exit 5']), '--pid-file', join(bundle, 'x.pid'), id]).code, 5);
    ok([...global, 'kill', id, '9']);
    ended(global, id);
    child.unref();
    assert.ok(existsSync(`/sys/fs/cgroup/${id}/cgroup.events`), 'memory.events is read after the exit');
    ok([...global, 'delete', id]);
    assert.not.ok(existsSync(`/sys/fs/cgroup/${id}`));
  });
  buildkit('many at once over one rootfs: the same mount points are made by all of them', async () => {
    const shared = mkdtempSync(join(tmpdir(), 'callers-rootfs-'));
    makeRootfs(shared);
    writeFileSync(join(scratch, 'file'), '');
    for (let round = 0; round < 3; round++) {
      const config = baseConfig('/bin/true');
      config.root['path'] = shared;
      config.mounts.push({ destination: `/made/${round}/deep/directory`, source: scratch, type: 'bind', options: ['bind', 'ro'] }, { destination: `/made/${round}/deep/file`, source: join(scratch, 'file'), type: 'bind', options: ['bind', 'ro'] });
      const bundle = makeBundle(config);
      const runs = Array.from({ length: 8 }, () => new Promise<string>((resolve) => {
        const child = spawn(path, ['--root', root, 'run', '--bundle', bundle, fresh()], { stdio: ['ignore', 'ignore', 'pipe'] });
        let said = '';
        child.stderr.on('data', (chunk) => void (said += String(chunk)));
        child.on('close', (code) => resolve(code === 0 ? '' : `${code}: ${said}`));
      }));
      assert.equal((await Promise.all(runs)).filter(Boolean), []);
    }
    rmSync(shared, { recursive: true });
  });
  buildkit.run();

  const steady = suite(`never in between: ${name}`);
  /** Runs a shell loop beside `body` and gives what it printed. */
  const beside = async (script: string, words: readonly string[], body: () => void): Promise<string> => {
    const stop = join(scratch, `stop${count++}`);
    const out = `${stop}.out`;
    const fd = openSync(out, 'w');
    const child = spawn('/bin/sh', ['-c', `stop=$1; shift; while [ ! -e "$stop" ]; do ${script}; done`, 'sh', stop, ...words], { stdio: ['ignore', fd, 'ignore'] });
    const closed = new Promise((resolve) => child.on('close', resolve));
    try {
      body();
    } finally {
      writeFileSync(stop, '');
      await closed;
      closeSync(fd);
    }
    return readFileSync(out, 'utf8');
  };
  steady('state, while create, start, kill and delete run: it is there whole, or it does not exist', async () => {
    const id = fresh();
    const bundle = bundleOf('sleep 100');
    const seen = await beside('"$@" state "$0$1" 2>&1; echo "=$?"'.replace('"$0$1"', id), [path, '--root', root], () => {
      for (let cycle = 0; cycle < 12; cycle++) {
        for (const words of [['create', '--bundle', bundle, id], ['start', id], ['kill', id, 'KILL']]) ok(['--root', root, ...words]);
        if (cycle % 2 === 0) ended(['--root', root], id);
        ok(['--root', root, 'delete', ...(cycle % 2 === 0 ? [] : ['--force']), id]);
      }
    });
    const answers = seen.split(/=(\d+)\n/);
    assert.ok(answers.length > 10);
    for (let i = 0; i + 1 < answers.length; i += 2) {
      if (answers[i + 1] === '0') assert.ok(['creating', 'created', 'running', 'stopped'].includes(String((JSON.parse(answers[i]!) as Json)['status'])), answers[i]);
      else assert.ok(/does not exist/.test(answers[i]!), answers[i]);
    }
  });
  steady('the pid file: absent, or the whole pid; nothing else appears for good', async () => {
    const directory = join(scratch, 'pids');
    mkdirSync(directory);
    const file = join(directory, 'pid');
    const pids: string[] = [];
    const seen = await beside('[ -e "$1" ] && { cat "$1"; echo; }', [file], () => {
      for (let cycle = 0; cycle < 8; cycle++) {
        const id = fresh();
        ok(['--root', root, 'create', '--bundle', bundleOf('sleep 100'), '--pid-file', 'pid', id], { cwd: directory });
        pids.push(readFileSync(file, 'utf8'));
        ok(['--root', root, 'delete', '--force', id]);
        rmSync(file);
      }
    });
    for (const line of seen.split('\n').filter(Boolean)) assert.ok(pids.includes(line), JSON.stringify(line));
    assert.equal(readdirSync(directory), []);
  });
  steady('a pid file that a killed call left half made is no obstacle', () => {
    writeFileSync(join(scratch, '.stale.pid'), '1');
    const id = fresh();
    const done = call(['--root', root, 'create', '--bundle', bundleOf('sleep 1'), '--pid-file', join(scratch, 'stale.pid'), id]);
    if (isRunt) assert.is(done.code, 0, done.stderr); // runc refuses: it opens that name with O_EXCL
    call(['--root', root, 'delete', '--force', id]);
  });
  steady('without standard streams', () => {
    const id = fresh();
    const bundle = bundleOf('ls -l /proc/self/fd >/tmp/out; sleep 100', (config) => void config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }));
    const done = spawnSync('/bin/sh', ['-c', '"$@" <&- >&- 2>&-', 'sh', path, '--root', root, 'run', '--detach', '--bundle', bundle, id], { stdio: 'ignore' });
    assert.is(done.status, 0);
    until('it has written', () => /\d/.test(call(['--root', root, 'exec', id, 'cat', '/tmp/out']).stdout));
    if (isRunt) for (const [, target] of call(['--root', root, 'exec', id, 'cat', '/tmp/out']).stdout.matchAll(/-> (\S+)/g)) assert.match(target!, /^(\/dev\/null|\/tmp\/out|\/proc\/\d+\/fd)$/);
    call(['--root', root, 'delete', '--force', id]);
  });
  steady('nothing is left', () => {
    assert.equal(readdirSync(root).filter((entry) => entry !== '.failed'), []);
    rmSync(root, { recursive: true });
    rmSync(scratch, { recursive: true });
  });
  steady.run();
}
