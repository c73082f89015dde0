// Verbs that the launcher does without an engine (src/prepared): a launcher with no engine to start shows which, and that where one of
// these programs gives up, the engine says what it has always said.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, makeRootfs, Runtime, runtimePaths, until, type Json, type Result } from './harness.ts';

/** The launcher's own words when it has no engine to start. */
const GAVE_UP = 127;

for (const path of runtimePaths()) {
  const runtime = new Runtime(path);
  const test = suite(`prepared ${path}`);
  const work = mkdtempSync(join(tmpdir(), 'prepared-'));
  const alone = join(work, 'runt');
  if (path.endsWith('bin/runt')) writeFileSync(alone, `#!/bin/sh\nexec ${join(dirname(path), '../dist/node/launcher')} /nonexistent/node /nonexistent/script "$@"\n`, { mode: 0o755 });
  else copyFileSync(path, alone);
  const sleeper = makeBundle(baseConfig('/bin/sleep', '1000'));
  let count = 0;
  const fresh = (): string => `prep${process.pid}-${count++}`;
  const call = (words: readonly string[], env: NodeJS.ProcessEnv = { PATH: process.env['PATH'] }): Result => {
    const done = spawnSync(alone, words, { encoding: 'utf8', env, timeout: 30_000 });
    return { code: done.status ?? 137, stdout: done.stdout, stderr: done.stderr };
  };
  /** By the launcher alone. */
  const launcher = (...words: string[]): Result => call(['--root', runtime.root, ...words]);
  /** By the engine: --debug is not among what the launcher understands. */
  const engine = (...words: string[]): Result => runtime.run(['--debug', ...words]);
  const done = (...words: string[]): void => assert.equal(launcher(...words), { code: 0, stdout: '', stderr: '' }, words.join(' '));
  const givesUp = (...words: string[]): void => assert.is(launcher(...words).code, GAVE_UP, words.join(' '));
  const statusOf = (id: string): string => (JSON.parse(engine('state', id).stdout) as { status: string }).status;
  const made = (bundle = sleeper): string => {
    const id = fresh();
    const result = runtime.create(id, bundle);
    assert.is(result.code, 0, result.stderr);
    return id;
  };
  const pidOf = (id: string): number => Number((JSON.parse(engine('state', id).stdout) as { pid: number }).pid);
  const gone = (id: string): void => void engine('delete', '--force', id);
  /** For an engine to come to where it waits; one that needs longer is not noticed, and fails nothing. */
  const someTime = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));
  const stopped = (id: string): void => until('stopped', () => statusOf(id) === 'stopped');

  /** A rootfs of its own with one more program, and a config.json that runs it. */
  const withProgram = (name: string, text: string): { readonly rootfs: string; readonly config: ReturnType<typeof baseConfig> } => {
    const rootfs = mkdtempSync(join(work, 'rootfs-'));
    makeRootfs(rootfs);
    writeFileSync(join(rootfs, 'bin', name), text, { mode: 0o755 });
    const config = baseConfig(`/bin/${name}`);
    config.root['path'] = rootfs;
    return { rootfs, config };
  };

  test('a life without an engine: state, start, pause, resume, kill, delete; state is the engine’s to the byte', () => {
    const id = made(makeBundle({ ...baseConfig('/bin/sleep', '1000'), annotations: { 'org.example.ä': '"\n' } }));
    const same = (status: string): void => {
      const { stdout } = launcher('state', id);
      assert.is(stdout, engine('state', id).stdout);
      assert.is((JSON.parse(stdout) as Json)['status'], status);
    };
    same('created');
    done('start', id);
    same('running');
    done('pause', id);
    same('paused');
    done('resume', id);
    same('running');
    done('kill', id, 'KILL');
    stopped(id);
    same('stopped');
    done('delete', id);
    assert.is(existsSync(join(runtime.root, id)), false);
    assert.is(existsSync(`/sys/fs/cgroup/${id}`), false);
    givesUp('state', id);
  });

  test('annotations that are longer than a report are reported by the engine, and everything else is done without one', () => {
    for (const annotations of [Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`org.example.${i}`, 'a'.repeat(20)])), { 'org.example.a': '\n'.repeat(17_000) }]) {
      const id = made(makeBundle({ ...baseConfig('/bin/sleep', '1000'), annotations }));
      givesUp('state', id);
      done('start', id);
      assert.equal((JSON.parse(runtime.run(['state', id]).stdout) as Json)['annotations'], annotations);
      assert.equal((JSON.parse(runtime.run(['list', '--format', 'json']).stdout) as Json[]).find((one) => one['id'] === id)?.['annotations'], annotations);
      done('kill', id, 'KILL');
      stopped(id);
      done('delete', id);
    }
  });

  test('managers’ flags are understood, others are the engine’s', () => {
    const id = made();
    for (const flags of [['--log', '/dev/null', '--log-format', 'json'], ['--systemd-cgroup'], ['--log=/dev/null', '-log-format=text']]) assert.is(call(['--root', '/nowhere', ...flags, '-root', runtime.root, 'state', id]).code, 0, flags.join(' '));
    for (const flags of [['--debug'], ['--log-format', 'xml'], ['--systemd-cgroup=maybe'], ['--rootless', 'auto'], ['--banana'], ['--root', '/'], ['--root='], ['-h'], ['--']]) assert.is(call(['--root', runtime.root, ...flags, 'state', id]).code, GAVE_UP, flags.join(' '));
    for (const words of [['state'], ['state', id, id], ['state', '--help'], ['state', `../${id}`], ['state', '.'], ['kill', '--all', id], ['delete', '--banana', id], ['list'], []]) givesUp(...words);
    gone(id);
  });

  test('kill takes numbers and names as the engine does', () => {
    const id = made(makeBundle(baseConfig('/bin/sh', '-c', 'trap "echo got USR1" USR1; trap "echo got USR2" USR2; trap "echo got TERM; exit" TERM; echo ready; while :; do sleep 0.05; done')));
    done('start', id);
    until('ready', () => runtime.output(id).includes('ready'));
    done('kill', id, 'USR1');
    until('USR1', () => runtime.output(id).includes('got USR1'));
    done('kill', id, 'SIGUSR2');
    until('USR2', () => runtime.output(id).includes('got USR2'));
    done('kill', id, '0');
    for (const signal of ['BANANA', '65', '9x', 'RTMIN+1', 'SIGSIGKILL', '']) givesUp('kill', id, signal);
    done('kill', id);
    until('TERM', () => runtime.output(id).includes('got TERM'));
    stopped(id);
    givesUp('kill', id, 'KILL');
    assert.match(runtime.run(['kill', id, 'KILL']).stderr, /container not running/);
    gone(id);
  });

  test('the state root is /run/runt, unless XDG_RUNTIME_DIR has another: then the engine looks', () => {
    const id = fresh();
    const create = spawnSync('/bin/sh', ['-c', 'exec "$0" create --bundle "$1" "$2" >/dev/null 2>&1 </dev/null', path, sleeper, id], { env: { PATH: process.env['PATH'] } });
    assert.is(create.status, 0);
    assert.is(call(['state', id]).code, 0);
    assert.is(call(['state', id], { XDG_RUNTIME_DIR: '' }).code, 0);
    assert.is(call(['state', id], { XDG_RUNTIME_DIR: '/run/user/0' }).code, GAVE_UP);
    assert.is(call(['delete', id]).code, 0);
  });

  test('delete ends what is created; what runs or is paused only by force', () => {
    const created = made();
    const pid = pidOf(created);
    done('delete', created);
    assert.is(existsSync(`/proc/${pid}`) && !/ Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')), false);
    for (const [isStarted, isPaused] of [[true, false], [true, true], [false, true]]) {
      const id = made();
      if (isStarted) done('start', id);
      if (isPaused) done('pause', id);
      givesUp('delete', id);
      assert.match(runtime.run(['delete', id]).stderr, /cannot delete container .* that is not stopped/);
      done('delete', isPaused ? '-f' : '--force', id);
      assert.is(existsSync(join(runtime.root, id)), false);
      assert.is(existsSync(`/sys/fs/cgroup/${id}`), false);
    }
  });

  test('without a pid namespace of its own everything in the cgroup ends, cgroups below it too', () => {
    const config = baseConfig('/bin/sh', '-c', 'sleep 1000 & echo ready; sleep 1000');
    config.linux['namespaces'] = (config.linux['namespaces'] as Json[]).filter(({ type }) => type !== 'pid');
    config.mounts = config.mounts.filter(({ destination }) => destination !== '/proc');
    Object.assign(config.linux, { maskedPaths: [], readonlyPaths: [] });
    for (const end of [['kill', 'KILL'], ['delete', '--force']]) {
      const id = made(makeBundle(config));
      const members = (): string => readFileSync(`/sys/fs/cgroup/${id}/cgroup.procs`, 'utf8');
      done('start', id);
      until('both run', () => members().trim().split('\n').length >= 2 && runtime.output(id).includes('ready'));
      const pids = members().trim().split('\n');
      if (end[0] === 'kill') done('kill', id, 'KILL');
      else assert.is(runtime.run(['delete', '--force', id]).code, 0); // by the engine, if they take their time to leave
      until('all have ended', () => pids.every((pid) => !existsSync(`/proc/${pid}`) || / [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))));
      gone(id);
      assert.is(existsSync(`/sys/fs/cgroup/${id}`), false);
    }
    const id = made();
    done('start', id);
    mkdirSync(`/sys/fs/cgroup/${id}/below`);
    assert.is(runtime.run(['delete', '--force', id]).code, 0);
    assert.is(existsSync(`/sys/fs/cgroup/${id}`), false);
    assert.is(existsSync(join(runtime.root, id)), false);
  });

  test('a name that looks like fields of /proc/PID/stat, and another process with the same pid', () => {
    const { config } = withProgram('a) Z 1 (X', '#!/bin/sh\necho ready; sleep 1000\n');
    const id = made(makeBundle(config));
    done('start', id);
    until('it runs', () => runtime.output(id).includes('ready'));
    assert.match(readFileSync(`/proc/${pidOf(id)}/stat`, 'latin1'), /\(a\) Z 1 \(X\)/);
    assert.match(launcher('state', id).stdout, /"status": "running"/);
    const facts = readFileSync(join(runtime.root, id, 'facts'));
    const START_TIME = 16;
    facts.writeBigUInt64LE(facts.readBigUInt64LE(START_TIME) + 1n, START_TIME);
    writeFileSync(join(runtime.root, id, 'facts'), facts);
    assert.match(launcher('state', id).stdout, /"status": "stopped"/);
    givesUp('kill', id, 'KILL');
    givesUp('start', id);
    assert.is(statusOf(id), 'running');
    gone(id);
  });

  test('facts of another state.json, of another layout, of another owner, or none, are the engine’s', () => {
    const id = made();
    const directory = join(runtime.root, id);
    const facts = readFileSync(join(directory, 'facts'));
    const state = readFileSync(join(directory, 'state.json'));
    writeFileSync(join(directory, 'facts'), Buffer.concat([Buffer.from('x'), facts.subarray(1)]));
    givesUp('state', id);
    rmSync(join(directory, 'facts'));
    symlinkSync('elsewhere', join(directory, 'facts'));
    writeFileSync(join(directory, 'elsewhere'), facts);
    givesUp('state', id);
    rmSync(join(directory, 'facts'));
    givesUp('state', id);
    const [INODE, CHANGED] = [32, 48];
    for (const place of [INODE, CHANGED]) {
      const other = Buffer.from(facts);
      other[place]! ^= 1;
      writeFileSync(join(directory, 'facts'), other, { mode: 0o600 });
      givesUp('state', id);
    }
    writeFileSync(join(directory, 'facts'), facts, { mode: 0o600 });
    assert.is(launcher('state', id).code, 0);
    for (const name of ['facts', '.']) {
      chownSync(join(directory, name), 1000, 1000);
      givesUp('delete', id);
      chownSync(join(directory, name), 0, 0);
    }
    writeFileSync(join(directory, 'facts'), facts);
    writeFileSync(join(directory, 'state.json'), '{');
    givesUp('state', id);
    assert.match(runtime.run(['state', id]).stderr, /is damaged/);
    writeFileSync(join(directory, 'state.json'), state);
    givesUp('state', id);
    assert.is(statusOf(id), 'created');
    gone(id);
  });

  test('start: hooks, NOTIFY_SOCKET, a second start, one that is stopped or paused are the engine’s', () => {
    const mark = join(work, 'mark');
    const hooked = made(makeBundle({ ...baseConfig('/bin/sleep', '1000'), hooks: { poststart: [{ path: '/bin/touch', args: ['touch', mark] }], poststop: [{ path: '/bin/touch', args: ['touch', `${mark}.stop`] }] } }));
    givesUp('start', hooked);
    assert.is(statusOf(hooked), 'created');
    assert.is(runtime.run(['start', hooked]).code, 0);
    assert.ok(existsSync(mark));
    givesUp('delete', '--force', hooked);
    assert.is(runtime.run(['delete', '--force', hooked]).code, 0);
    assert.ok(existsSync(`${mark}.stop`));
    const id = made();
    assert.is(call(['--root', runtime.root, 'start', id], { NOTIFY_SOCKET: '/nowhere' }).code, GAVE_UP);
    done('pause', id);
    givesUp('start', id);
    done('resume', id);
    done('start', id);
    givesUp('start', id);
    givesUp('resume', id);
    const unseen = made();
    const facts = readFileSync(join(runtime.root, unseen, 'facts'));
    const [CANDIDATES, BYTES] = [64, 64];
    writeFileSync(join(runtime.root, unseen, 'facts'), facts.fill(0, CANDIDATES, CANDIDATES + BYTES)); // as if init had not come to execve
    givesUp('start', unseen);
    gone(unseen);

    assert.match(runtime.run(['start', id]).stderr, /cannot start an already running container/);
    done('kill', id, 'KILL');
    stopped(id);
    givesUp('start', id);
    givesUp('pause', id);
    assert.match(runtime.run(['start', id]).stderr, /cannot start a container that has stopped/);
    gone(id);
  });

  test('start: what init has to say is heard by the engine, through the same connection', () => {
    const { rootfs, config } = withProgram('program', '#!/bin/sh\n');
    const id = made(makeBundle(config));
    writeFileSync(join(rootfs, 'bin/program'), 'no program any more');
    const failed = runtime.run(['start', id]);
    assert.is(failed.code, 1);
    assert.match(failed.stderr, /exec format error/);
    assert.not.match(failed.stderr, /stopped|already/);
    gone(id);
    const mark = join(rootfs, 'tmp/hook');
    const hooked = made(makeBundle({ ...config, process: { ...config.process, args: ['/bin/sleep', '1000'] }, hooks: { startContainer: [{ path: '/bin/touch', args: ['touch', '/tmp/hook'] }] } }));
    assert.is(runtime.run(['start', hooked], { env: { PATH: process.env['PATH'], RUNT_GATE: '0' } }).code, 0);
    assert.ok(existsSync(mark));
    assert.is(statusOf(hooked), 'running');
    gone(hooked);
    const plain = made();
    assert.is(runtime.run(['--debug', 'start', plain], { env: { PATH: process.env['PATH'], RUNT_GATE: '0' } }).code, 0);
    gone(plain);
  });

  test('an operation under way is waited for by the engine', () => {
    const id = made();
    const holder = spawn('flock', [join(runtime.root, id), 'sh', '-c', 'echo held; read end'], { stdio: ['pipe', 'pipe', 'ignore'] });
    until('the lock is held', () => launcher('kill', id, '0').code === GAVE_UP);
    for (const words of [['start', id], ['delete', id]]) givesUp(...words);
    assert.is(launcher('state', id).code, 0);
    holder.stdin.end('\n');
    until('the lock is free', () => launcher('kill', id, '0').code === 0);
    gone(id);
  });

  test('who waited for a container that was deleted meanwhile waits for the next one with its id', async () => {
    const id = made();
    done('start', id); // a socket cannot be copied
    const directory = join(runtime.root, id);
    const hold = async (): Promise<ChildProcess> => {
      const holder = spawn('flock', [directory, 'sh', '-c', 'echo held; read end'], { stdio: ['pipe', 'pipe', 'ignore'] });
      await new Promise((resolve) => holder.stdout.once('data', resolve));
      return holder;
    };
    const first = await hold();
    const waiting = spawn(path, ['--root', runtime.root, '--debug', 'kill', id, '0'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => waiting.on('exit', resolve));
    await someTime();
    waiting.kill('SIGSTOP'); // it is not to come in between
    renameSync(directory, `${directory}-old`);
    cpSync(`${directory}-old`, directory, { recursive: true });
    const second = await hold();
    waiting.kill('SIGCONT');
    first.stdin!.end('\n');
    await someTime();
    assert.is(waiting.exitCode, null);
    second.stdin!.end('\n');
    assert.is(await ended, 0);
    const third = await hold();
    const deleting = spawn(path, ['--root', runtime.root, 'delete', '--force', id], { stdio: 'ignore' });
    await someTime();
    process.kill(pidOf(id), 'SIGKILL');
    rmSync(directory, { recursive: true }); // as another delete does
    third.stdin!.end('\n');
    assert.is(await new Promise((resolve) => deleting.on('exit', resolve)), 0);
    renameSync(`${directory}-old`, directory);
    gone(id);
  });

  test('delete --pid leaves a container alone that is not the one meant', () => {
    const id = made();
    givesUp('delete', '--force', '--pid', '1', id);
    assert.equal(runtime.run(['delete', '--force', '--pid', '1', id]), { code: 0, stdout: '', stderr: '' });
    assert.is(statusOf(id), 'created');
    for (const pid of ['0', '-1', '1x', '', '99999999999']) {
      givesUp('delete', '--pid', pid, id);
      assert.match(runtime.run(['delete', '--pid', pid, id]).stderr, /invalid value ".*" for -pid/);
    }
    done('delete', `--pid=${pidOf(id)}`, '--force', id);
    assert.is(existsSync(join(runtime.root, id)), false);
    const other = made();
    assert.equal(engine('delete', '--pid', String(pidOf(other)), other), { code: 0, stdout: '', stderr: '' });
    assert.is(existsSync(join(runtime.root, other)), false);
  });

  test('delete finishes what a delete left, and what lies in the state directory besides', () => {
    const id = made();
    const hidden = join(runtime.root, `.${id}^`);
    mkdirSync(hidden);
    writeFileSync(join(hidden, 'state.json'), '');
    givesUp('delete', id); // before anything of it is gone
    assert.is(runtime.run(['delete', id]).code, 0);
    assert.is(existsSync(hidden), false);
    const other = made();
    writeFileSync(join(runtime.root, other, 'something'), '');
    assert.is(runtime.run(['delete', other]).code, 0);
    assert.equal(readdirSync(runtime.root).filter((name) => name.includes(other) && !/\.out/.test(name)), []);
    assert.match(runtime.run(['delete', other]).stderr, /does not exist/);
  });

  /** A container whose facts name a directory of files for its cgroup: this host has few controllers. What is in one of them, and its place. */
  const withLimits = (bundle = sleeper): { readonly id: string; readonly cgroup: string; readonly read: (file: string) => string; readonly reset: () => void; readonly name: (path: string) => void } => {
    const id = made(bundle);
    const cgroup = mkdtempSync(join(work, 'cgroup-'));
    const [CGROUP, ROOM] = [328, 1024];
    const name = (path: string): void => {
      const facts = readFileSync(join(runtime.root, id, 'facts'));
      facts.fill(0, CGROUP, CGROUP + ROOM).write(path, CGROUP);
      writeFileSync(join(runtime.root, id, 'facts'), facts);
    };
    const reset = (): void => {
      for (const file of ['cpu.max', 'cpuset.cpus', 'cpuset.mems', 'memory.max', 'memory.low', 'pids.max']) writeFileSync(join(cgroup, file), '');
    };
    name(cgroup);
    reset();
    return { id, cgroup, read: (file) => readFileSync(join(cgroup, file), 'utf8'), reset, name };
  };
  const storedResources = (id: string): unknown => (JSON.parse(readFileSync(join(runtime.root, id, 'config.json'), 'utf8')) as { linux: Json }).linux['resources'];

  test('update: each limit is one write, and the engine knows of it afterwards', () => {
    const { id, read, reset, name } = withLimits();
    const before = storedResources(id) as Json | undefined;
    done('update', '--memory', '67108864', '-pids-limit=77', '--cpu-quota', '50000', '--cpuset-cpus', '0-1,3', '-cpuset-mems', '0', '--memory-reservation=1048576', id);
    assert.equal(['memory.max', 'pids.max', 'cpu.max', 'cpuset.cpus', 'cpuset.mems', 'memory.low'].map(read), ['67108864', '77', '50000', '0-1,3', '0', '1048576']);
    assert.is(engine('pause', id).code, 0);
    reset();
    done('update', '--memory', '5000000', '--cpuset-cpus', '2', id);
    assert.equal(['memory.max', 'pids.max', 'cpuset.cpus'].map(read), ['5000000', '', '2']);
    assert.equal(storedResources(id), before);
    const asked = (JSON.parse(engine('inspect', '--format', 'json', id).stdout) as { rows: { at: string; asked: string }[] }).rows.filter(({ at }) => at.includes('resources/'));
    assert.equal(asked.filter(({ at }) => /pids|memory.limit/.test(at)).map(({ asked }) => asked), ['5000000', '77']);
    assert.equal(engine('update', '-r', '/dev/null', id).code, 1);
    const more = join(work, 'more.json');
    writeFileSync(more, '{"unified":{"cgroup.max.descendants":"33"}}');
    assert.equal(engine('update', '-r', more, id), { code: 0, stdout: '', stderr: '' });
    const settled = { ...before, cpu: { quota: 50000, cpus: '2', mems: '0' }, memory: { limit: 5000000, reservation: 1048576 }, pids: { limit: 77 }, unified: { 'cgroup.max.descendants': '33' } };
    assert.equal(storedResources(id), settled);
    assert.is(existsSync(join(runtime.root, id, 'limits')), false);
    reset();
    done('update', '--pids-limit', '5', '--memory', '64m', '--memory-reservation', '999999G', id); // the kernel knows these units
    assert.equal(['memory.max', 'memory.low'].map(read), ['64m', '999999G']);
    writeFileSync(more, '{"unified":{"cgroup.max.descendants":"34"}}');
    assert.is(engine('update', '-r', more, id).code, 0);
    assert.equal(storedResources(id), { ...settled, pids: { limit: 5 }, memory: { limit: 64 << 20, reservation: 999_999 * 2 ** 30 }, unified: { 'cgroup.max.descendants': '34' } });
    done('update', '--pids-limit', '6', id);
    name(`/sys/fs/cgroup/${id}`);
    done('delete', '--force', id);
    assert.is(existsSync(join(runtime.root, id)), false);
  });

  test('update: what is no plain limit is the engine’s, and nothing is written before', () => {
    const { id, cgroup, read, name } = withLimits();
    const [ROOM, DIGITS] = [63, 15];
    const untouched = (...words: string[]): void => {
      givesUp('update', ...words);
      for (const file of readdirSync(cgroup)) assert.is(read(file), '', words.join(' '));
      assert.is(existsSync(join(runtime.root, id, 'limits')), false, words.join(' '));
    };
    for (const value of ['-1', '0', '007', '', ' 5', '5 ', '5.5', '0x5', '9'.repeat(DIGITS + 1)]) for (const flag of ['--memory', '--pids-limit', '--cpu-quota']) untouched(flag, value, id);
    for (const value of ['m', '0m', '64mb', '64 m', '1.5g', '64t', '5kk', '1234567m']) untouched('--memory', value, id);
    for (const flag of ['--pids-limit', '--cpu-quota', '--cpuset-cpus']) untouched(flag, '5k', id);
    for (const value of ['', 'a', '-1', '0 1', ',0', '1'.repeat(ROOM + 1)]) untouched('--cpuset-cpus', value, id);
    for (const words of [[], ['--memory', '5', '--memory', '6'], ['--memory', '5', '--cpu-share', '5'], ['--memory', '5', '--memory-swap', '5'], ['--cpu-period', '5'], ['-r', '-'], ['--resources', '/dev/null'], ['--memory-reservations', '5']]) untouched(...words, id);
    for (const words of [[id, '--memory', '5'], ['--memory', '5'], ['--memory', '5', id, id], ['--memory'], ['--memory', '5', '--', id]]) untouched(...words);
    rmSync(join(cgroup, 'pids.max'));
    untouched('--cpu-quota', '5000', '--pids-limit', '5', id);
    done('update', '--memory', '9'.repeat(DIGITS), '--cpuset-cpus', '1'.repeat(ROOM), id);
    assert.equal(['memory.max', 'cpuset.cpus'].map(read), ['9'.repeat(DIGITS), '1'.repeat(ROOM)]);
    for (const path of ['', join(work, 'nowhere')]) {
      name(path);
      givesUp('update', '--memory', '5', id);
    }
    name(cgroup);
    const holder = spawn('flock', [join(runtime.root, id), 'sh', '-c', 'echo held; read end'], { stdio: ['pipe', 'pipe', 'ignore'] });
    try {
      until('the lock is held', () => launcher('update', '--memory', '5', id).code === GAVE_UP);
    } finally {
      holder.stdin.end('\n');
    }
    until('the lock is free', () => launcher('update', '--memory', '5', id).code === 0);
    done('kill', id, 'KILL');
    stopped(id);
    givesUp('update', '--memory', '5', id);
    assert.match(runtime.run(['update', '--memory', '5', id]).stderr, /container not running/);
    name(`/sys/fs/cgroup/${id}`);
    gone(id);
  });

  test('update: limits that have to do with each other are the engine’s, from create or from an update on', () => {
    const config = baseConfig('/bin/sleep', '1000');
    config.linux['resources'] = { ...(config.linux['resources'] as Json), memory: { checkBeforeUpdate: true } };
    const looked = withLimits(makeBundle(config));
    givesUp('update', '--pids-limit', '5', looked.id);
    const { id, name } = withLimits();
    done('update', '--pids-limit', '5', id);
    const more = join(work, 'more.json');
    writeFileSync(more, '{"memory":{"checkBeforeUpdate":true}}');
    assert.equal(engine('update', '-r', more, id), { code: 0, stdout: '', stderr: '' });
    assert.equal((storedResources(id) as Json)['memory'], { checkBeforeUpdate: true });
    givesUp('update', '--pids-limit', '5', id);
    assert.is(launcher('state', id).code, 0);
    looked.name(`/sys/fs/cgroup/${looked.id}`);
    name(`/sys/fs/cgroup/${id}`);
    for (const one of [id, looked.id]) done('delete', '--force', one);
  });

  test('an ordinary user gets no further with a container of root’s', () => {
    const id = made();
    chmodSync(work, 0o755);
    chmodSync(runtime.root, 0o755);
    chmodSync(join(runtime.root, id), 0o755);
    for (const file of ['facts', 'state.json']) chmodSync(join(runtime.root, id, file), 0o644);
    const tried = spawnSync('setpriv', ['--reuid', '1000', '--regid', '1000', '--clear-groups', alone, '--root', runtime.root, 'kill', id, 'KILL'], { encoding: 'utf8' });
    assert.not.equal(tried.status, 0);
    assert.is(statusOf(id), 'created');
    gone(id);
  });

  test.after(() => {
    runtime.close();
    rmSync(work, { recursive: true, force: true });
  });
  test.run();
}
