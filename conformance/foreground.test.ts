// `run` and `exec` in the foreground once the process runs: the executable's engine gives way to its launcher (native/engine/attend.h), and
// whoever waits, the container ends the same way.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, isAtRest, makeBundle, Runtime, runtimePaths, until, type Json } from './harness.ts';

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

for (const path of runtimePaths()) {
  const test = suite(`foreground ${basename(path)}`);
  const runtime = new Runtime(path);
  const isExecutable = !path.endsWith('bin/runt');
  const work = mkdtempSync(join(tmpdir(), 'foreground-'));
  let count = 0;
  const fresh = (): string => `fore${process.pid}-${count++}`;
  const waiting = ['/bin/sh', '-c', 'trap "exit 7" TERM; echo up; while :; do sleep 0.05; done'];
  const begun: ChildProcess[] = [];

  /** Begins a command that stays; resolves once its process has said `up`. */
  const begin = async (words: readonly string[], env: NodeJS.ProcessEnv = { PATH: process.env['PATH'] }): Promise<{ readonly child: ChildProcess; readonly ended: Promise<Ended> }> => {
    const child = spawn(path, ['--root', runtime.root, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
    begun.push(child);
    let stderr = '';
    child.stderr!.on('data', (text: Buffer) => void (stderr += text.toString()));
    const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, stderr })));
    await Promise.race([new Promise((resolve) => child.stdout!.once('data', resolve)), ended.then((early) => assert.unreachable(`${words.join(' ')}: ${early.stderr}`))]);
    return { child, ended };
  };
  const gaveWay = (child: ChildProcess): void => until('the launcher waits', () => isAtRest(path, child.pid!));
  /** One of them may be the container's own process, which is gone any moment. */
  const signalled = (pid: number, signal: NodeJS.Signals): void => {
    try {
      process.kill(pid, signal);
    } catch (error) {
      assert.is((error as NodeJS.ErrnoException).code, 'ESRCH');
    }
  };
  const residentKilobytes = (pid: number): number => Number(/^Rss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]);
  const isGone = (id: string): boolean => runtime.run(['state', id]).code !== 0 && !existsSync(join(runtime.root, id));
  const withoutPidNamespace = (...args: string[]): ReturnType<typeof baseConfig> => {
    const config = baseConfig(...args);
    config.linux['namespaces'] = (config.linux['namespaces'] as Json[]).filter(({ type }) => type !== 'pid');
    return config;
  };

  test('who waits for run and exec is small, is called as before, and ends with the status; nothing is left', async () => {
    const id = fresh();
    const run = await begin(['run', '--bundle', makeBundle(baseConfig(...waiting)), id]);
    const exec = await begin(['exec', id, ...waiting]);
    for (const { child } of [run, exec]) {
      gaveWay(child);
      if (isExecutable) assert.ok(residentKilobytes(child.pid!) < 1024, `${residentKilobytes(child.pid!)} KB`);
      assert.match(readFileSync(`/proc/${child.pid!}/cmdline`, 'utf8'), new RegExp(`\0(run|exec)\0.*${id}`));
    }
    for (const { child, ended } of [exec, run]) {
      child.kill('SIGTERM');
      assert.equal(await ended, { code: 7, stderr: '' });
    }
    assert.ok(isGone(id));
  });

  test('one that is killed gives 128 + the signal', async () => {
    const id = fresh();
    const run = await begin(['run', '--bundle', makeBundle(baseConfig(...waiting)), id]);
    const exec = await begin(['exec', id, ...waiting]);
    gaveWay(run.child);
    gaveWay(exec.child);
    assert.is(runtime.run(['kill', id, 'KILL']).code, 0);
    assert.equal([await exec.ended, await run.ended], Array.from({ length: 2 }, () => ({ code: 137, stderr: '' })));
    assert.ok(isGone(id));
  });

  test('--keep leaves the container', async () => {
    const id = fresh();
    const { child, ended } = await begin(['run', '--keep', '--bundle', makeBundle(baseConfig(...waiting)), id]);
    gaveWay(child);
    child.kill('SIGTERM');
    assert.equal(await ended, { code: 7, stderr: '' });
    assert.is((JSON.parse(runtime.run(['state', id]).stdout) as Json)['status'], 'stopped');
    assert.is(runtime.run(['delete', id]).code, 0);
  });

  test('an operation under way is waited for before the container goes', async () => {
    const id = fresh();
    const { child, ended } = await begin(['run', '--bundle', makeBundle(baseConfig(...waiting)), id]);
    gaveWay(child);
    const holder = spawn('flock', [join(runtime.root, id), 'sh', '-c', 'echo held; read end'], { stdio: ['pipe', 'pipe', 'ignore'] });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    child.kill('SIGTERM');
    until('it has ended', () => (JSON.parse(runtime.run(['state', id]).stdout) as Json)['status'] === 'stopped');
    assert.is(child.exitCode, null);
    holder.stdin.end('\n');
    assert.equal(await ended, { code: 7, stderr: '' });
    assert.ok(isGone(id));
  });

  test('another container that has the id by then stays', async () => {
    const id = fresh();
    const directory = join(runtime.root, id);
    const { child, ended } = await begin(['run', '--bundle', makeBundle(baseConfig(...waiting)), id]);
    gaveWay(child);
    const holder = spawn('flock', [directory, 'sh', '-c', 'echo held; read end'], { stdio: ['pipe', 'pipe', 'ignore'] });
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    child.kill('SIGTERM');
    until('it has ended', () => (JSON.parse(runtime.run(['state', id]).stdout) as Json)['status'] === 'stopped');
    const deleting = (): readonly number[] => [child.pid!, ...readFileSync(`/proc/${child.pid!}/task/${child.pid!}/children`, 'utf8').trim().split(' ').filter((word) => word !== '').map(Number)];
    if (isExecutable) until('an engine is to delete it', () => deleting().length > 1);
    const stopped = deleting();
    for (const pid of stopped) signalled(pid, 'SIGSTOP'); // it is not to come in between
    renameSync(directory, join(work, 'old'));
    assert.is(runtime.create(id, makeBundle(baseConfig(...waiting))).code, 0);
    for (const pid of stopped) signalled(pid, 'SIGCONT');
    holder.stdin.end('\n');
    assert.equal(await ended, { code: 7, stderr: '' });
    assert.is((JSON.parse(runtime.run(['state', id]).stdout) as Json)['status'], 'created');
    assert.is(runtime.run(['delete', id]).code, 0);
  });

  test('a container that cannot be taken away is an error, on standard error and in the log', async () => {
    const id = fresh();
    const log = join(work, 'log');
    const { child, ended } = await begin(['--log', log, '--log-format', 'json', 'run', '--bundle', makeBundle(baseConfig(...waiting)), id]);
    gaveWay(child);
    const cgroup = (JSON.parse(readFileSync(join(runtime.root, id, 'state.json'), 'utf8')) as { cgroup: { path: string } }).cgroup.path;
    mkdirSync(join(cgroup, 'below'));
    const guest = spawn('sh', ['-c', 'echo $$ > "$1"; exec sleep 100', 'sh', join(cgroup, 'below/cgroup.procs')], { stdio: 'ignore' });
    until('another is in its cgroup', () => readFileSync(join(cgroup, 'below/cgroup.procs'), 'utf8') !== '');
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    guest.kill('SIGKILL');
    assert.is(code, 1);
    assert.match(stderr, /cannot remove cgroup .*EBUSY/);
    assert.match((JSON.parse(readFileSync(log, 'utf8').trim()) as { msg: string }).msg, /cannot remove cgroup/);
    assert.is(runtime.run(['delete', '--force', id]).code, 0);
  });

  test('without a pid namespace what is left in the cgroup ends with the container', async () => {
    for (const terminal of [false, true]) {
      const id = fresh();
      const config = withoutPidNamespace('/bin/sh', '-c', '(trap "" HUP; exec sleep 1000) & echo $!; exit 3');
      config.process['terminal'] = terminal;
      const done = terminal
        ? spawnSync('script', ['-qec', [path, '--root', runtime.root, 'run', '--bundle', makeBundle(config), id].join(' '), '/dev/null'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
        : spawnSync(path, ['--root', runtime.root, 'run', '--bundle', makeBundle(config), id], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
      assert.is(done.status, 3, done.stdout + done.stderr);
      const left = Number(/\d{2,}/.exec(done.stdout)?.[0]);
      assert.ok(left > 1, done.stdout);
      until('it ends', () => !existsSync(`/proc/${left}`));
      assert.ok(isGone(id));
    }
  });

  test('a RUNT_ATTEND of the caller’s means nothing, and nobody inside sees ours', async () => {
    const env = { PATH: process.env['PATH'], RUNT_ATTEND: `${process.pid} 0` };
    const seen = join(work, 'seen');
    const hook = join(work, 'hook');
    writeFileSync(hook, `#!/bin/sh\nenv >> ${seen}\n`, { mode: 0o755 });
    const id = fresh();
    const bundle = makeBundle({ ...baseConfig(...waiting), hooks: { createRuntime: [{ path: hook }], poststart: [{ path: hook }], poststop: [{ path: hook }] } });
    const { child, ended } = await begin(['run', '--bundle', bundle, id], env);
    assert.is(runtime.run(['state', id], { env }).code, 0);
    child.kill('SIGTERM');
    assert.equal(await ended, { code: 7, stderr: '' });
    assert.not.match(readFileSync(seen, 'utf8'), /RUNT_ATTEND/);
    assert.ok(isGone(id));
  });

  test.after(() => {
    for (let i = 0; i < count; i++) runtime.run(['delete', '--force', `fore${process.pid}-${i}`]); // what a test that failed has left
    for (const child of begun) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    runtime.close();
    rmSync(work, { recursive: true, force: true });
  });
  test.run();
}
