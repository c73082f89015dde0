// The executable's calls go on from a snapshot of its engine (native/snapshot). Where that serves, and that one which does not serve is never
// more than slower. conformance/snapshot-alike.test.ts: that nothing else is different.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths } from './harness.ts';
import { called, copyOf, wayOf, whyNoSnapshot, type Way } from './snapshot-copies.ts';

const EVENT_LOOP = 240;

// Both launchers are one source: what keeps it from resuming is varied with the executable, snapshot-alike.test.ts has both.
for (const path of runtimePaths().filter((one) => !one.endsWith('bin/runt'))) {
  const test = suite(`snapshot ${basename(path)}`);
  const why = whyNoSnapshot();
  if (why !== undefined) {
    console.log(`skipped: ${why}`);
    continue;
  }
  const work = mkdtempSync(join(tmpdir(), 'snapshot-'));
  chmodSync(work, 0o755);
  const whole = copyOf(path, join(work, 'whole'), 'with');
  const runtime = new Runtime(whole);
  let count = 0;
  const fresh = (): string => `snap${process.pid}-${count++}`;
  /** Another copy of all, with its snapshot where that can be changed. */
  const another = (): { readonly runt: string; readonly snapshot: string } => {
    const runt = copyOf(whole, join(work, `copy${count++}`), 'with');
    return { runt, snapshot: join(dirname(runt), 'engine/snapshot') };
  };
  const answers = (found: Way, way: Way['way'], what: string): void => {
    assert.equal({ ...found, log: '' }, { way, code: 1, stderr: 'runt: nothing: no such command: nothing\n  try: runt --help lists the commands\n', log: '' }, what);
    assert.match(found.log, /level=error msg="nothing: no such command: nothing"/, what);
  };
  /** It starts an engine, and that one creates, runs and deletes. */
  const isOnlySlower = async (runt: string, what: string, before: readonly string[] = []): Promise<void> => {
    answers(await wayOf(runt, 'engine', before), 'engine', what);
    assert.equal(called(runt, ['--root', runtime.root, 'run', '--bundle', makeBundle(baseConfig('/bin/sh', '-c', 'echo inside; exit 3')), fresh()], { before }), { code: 3, stdout: 'inside\n', stderr: '' }, what);
  };

  test('a call goes on from the snapshot, wherever all of it lies and whoever calls', async () => {
    answers(await wayOf(whole, 'snapshot'), 'snapshot', 'a copy');
    const elsewhere = join(work, 'a place ä $x of its own');
    mkdirSync(elsewhere);
    const moved = copyOf(whole, join(elsewhere, 'x'.repeat(200)), 'with');
    answers(await wayOf(moved, 'snapshot'), 'snapshot', moved);
    answers(await wayOf(moved, 'snapshot', ['setpriv', '--reuid', '1000', '--regid', '1000', '--clear-groups']), 'snapshot', 'an ordinary user');
    renameSync(dirname(whole), `${dirname(whole)}-away`); // where it was before has nothing to do with it
    try {
      const bundle = makeBundle(baseConfig('/bin/echo', 'inside'));
      assert.equal(called(moved, ['--root', runtime.root, 'run', '--bundle', bundle, fresh()]), { code: 0, stdout: 'inside\n', stderr: '' });
      const link = join(work, 'link');
      symlinkSync(moved, link);
      assert.equal(called(link, ['--root', runtime.root, 'run', '--bundle', bundle, fresh()]), { code: 0, stdout: 'inside\n', stderr: '' });
      const installation = (JSON.parse(called(moved, ['doctor', '--format', 'json']).stdout) as { feature: string; found: string; status: string }[]).find(({ feature }) => feature === 'installation')!;
      assert.equal([installation.status, installation.found], ['ok', 'HERE']);
    } finally {
      renameSync(`${dirname(whole)}-away`, dirname(whole));
    }
  });

  test('what is installed takes a snapshot of its own; below DESTDIR there is none', async () => {
    if (path !== join(process.cwd(), 'dist/runt')) return console.log('skipped: installing: only what this checkout has built is installed');
    const prefix = join(work, 'prefix');
    const install = (env: NodeJS.ProcessEnv): void => assert.is(spawnSync('native/build/install.sh', { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' }).status, 0);
    for (const time of ['the first time', 'over it']) {
      install({ PREFIX: prefix });
      answers(await wayOf(join(prefix, 'lib/runt/runt'), 'snapshot'), 'snapshot', time);
    }
    assert.is(called(join(prefix, 'bin/runt'), ['list', '-q']).code, 0);
    install({ PREFIX: '/usr/local', DESTDIR: join(work, 'package') });
    const packed = join(work, 'package/usr/local/lib/runt');
    assert.equal(readdirSync(packed).sort(), [...readdirSync(join(prefix, 'lib/runt'))].sort());
    assert.equal(readdirSync(join(packed, 'engine')), ['runt']);
    assert.is(spawnSync(join(packed, 'runt-snapshot')).status, 0);
    answers(await wayOf(join(packed, 'runt'), 'snapshot'), 'snapshot', 'unpacked');
  });

  test('without a snapshot, with an empty one, a part of one, or what is none, the engine is started', async () => {
    const { runt, snapshot } = another();
    const bytes = statSync(snapshot).size;
    const good = readFileSync(snapshot);
    for (const length of [0, 1, 100, 4096, 16384, 24576, 65536, bytes >> 1, bytes - 4096, bytes - 1]) {
      truncateSync(snapshot, length);
      await isOnlySlower(runt, `${length} of ${bytes} bytes`);
      writeFileSync(snapshot, good);
    }
    answers(await wayOf(runt, 'snapshot'), 'snapshot', 'whole again');
    for (const [what, text] of [['zeros', Buffer.alloc(bytes)], ['0xff', Buffer.alloc(bytes, 0xff)], ['words', Buffer.alloc(bytes, 'no snapshot ')], ['without its first page', good.subarray(4096)]] as const) {
      writeFileSync(snapshot, text);
      await isOnlySlower(runt, what);
    }
    rmSync(snapshot);
    await isOnlySlower(runt, 'none');
    mkdirSync(snapshot);
    await isOnlySlower(runt, 'a directory');
  });

  test('with another engine than its own it does not serve', async () => {
    const { runt } = another();
    const engine = join(dirname(runt), 'engine/runt');
    copyFileSync(engine, `${engine}.new`); // not the linked one
    renameSync(`${engine}.new`, engine);
    await isOnlySlower(runt, 'another time');
    const touched = spawnSync('touch', ['-r', join(dirname(whole), 'engine/runt'), engine]);
    assert.is(touched.status, 0);
    answers(await wayOf(runt, 'snapshot'), 'snapshot', 'the same time');
    spawnSync('touch', ['-d', `@${Math.floor(statSync(engine).mtimeMs / 1000)}.000000001`, engine]);
    await isOnlySlower(runt, 'another nanosecond');
    spawnSync('touch', ['-r', join(dirname(whole), 'engine/runt'), engine]);
    writeFileSync(engine, '\n', { flag: 'a' });
    spawnSync('touch', ['-r', join(dirname(whole), 'engine/runt'), engine]);
    answers(await wayOf(runt, 'engine'), 'engine', 'another size');
  });

  test('where the caller has taken its descriptors, or gives too few, the engine is started', async () => {
    const limited = (most: number): string[] => ['prlimit', `--nofile=${most}`];
    const held = (fd: number): string[] => ['bash', '--norc', '-c', `exec ${fd}</dev/null; exec "$@"`, 'bash'];
    for (const before of [limited(100), limited(EVENT_LOOP), limited(EVENT_LOOP + 1), held(EVENT_LOOP), held(EVENT_LOOP + 1)]) await isOnlySlower(whole, before.join(' '), before);
    for (const before of [limited(EVENT_LOOP + 60), held(EVENT_LOOP - 1), held(EVENT_LOOP + 2)]) answers(await wayOf(whole, 'snapshot', before), 'snapshot', before.join(' '));
    // Less memory than the engine reserves is no less for the started one.
    const [pages, bytes] = [1_000_000, 4096];
    answers(await wayOf(whole, 'engine', ['prlimit', `--as=${pages * bytes}`]), 'engine', 'little address space');
  });

  test('doctor says whether calls go on from the snapshot, or why not and what to do', () => {
    const { runt, snapshot } = another();
    const engine = join(dirname(snapshot), 'runt');
    copyFileSync(engine, `${engine}.new`);
    renameSync(`${engine}.new`, engine);
    const said = (before: readonly string[] = [], one = runt): unknown => {
      const { status, found, advice } = (JSON.parse(called(one, ['doctor', '--format', 'json'], { before }).stdout) as { feature: string; status: string; found: string; advice?: string }[]).find(({ feature }) => feature === 'snapshot of the engine')!;
      return [status, found, advice];
    };
    const asked = Array.from({ length: 6 }, () => said([], whole)); // now and then it does not serve, as in wayOf
    assert.ok(asked.some((one) => JSON.stringify(one) === JSON.stringify(['ok', 'calls go on from it', null])), JSON.stringify(asked));
    assert.equal(said(), ['missing', 'every call starts the engine: it is not of this engine, these libraries or this processor, or has no room here', 'HERE/runt-snapshot takes one anew, as root: it is needed after an upgrade of the C library or of libseccomp']);
    assert.equal(said(['prlimit', '--nofile=100']), ['missing', 'every call starts the engine: less than 256 descriptors may be open', 'ulimit -n 256 or more']);
    rmSync(snapshot);
    assert.equal(said(), ['missing', 'every call starts the engine: there is none', 'HERE/runt-snapshot takes one, as root']);
  });

  /** Twenty at a time. */
  const atOnce = async (calls: readonly (readonly string[])[]): Promise<readonly { readonly code: number | null; readonly output: string }[]> => {
    const results: { code: number | null; output: string }[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let mine = next++; mine < calls.length; mine = next++) {
        const out = join(work, `out${mine}`);
        const child: ChildProcess = spawn('/bin/sh', ['-c', 'out=$1; shift; exec "$@" </dev/null >"$out" 2>&1', 'sh', out, whole, '--root', runtime.root, ...calls[mine]!], { stdio: 'ignore', env: { PATH: process.env['PATH'] } });
        const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
        results[mine] = { code, output: readFileSync(out, 'utf8') };
      }
    };
    await Promise.all(Array.from({ length: 20 }, worker));
    return results;
  };

  test('two hundred calls, twenty at a time', async () => {
    const bundle = makeBundle(baseConfig('/bin/echo', 'inside'));
    const calls = Array.from({ length: 200 }, (_, i) => (i % 4 === 0 ? ['list', '-q'] : i % 4 === 1 ? ['features'] : i % 4 === 2 ? ['exec', 'nobody', 'x'] : ['run', '--bundle', bundle, fresh()]));
    const results = await atOnce(calls);
    const features = called(whole, ['features']).stdout;
    results.forEach(({ code, output }, i) => {
      if (calls[i]![0] === 'run') assert.equal({ code, output }, { code: 0, output: 'inside\n' });
      else if (calls[i]![0] === 'features') assert.equal({ code, output }, { code: 0, output: features });
      else if (calls[i]![0] === 'exec') assert.ok(code === 255 && /container does not exist/.test(output), output);
      else assert.is(code, 0, output);
    });
  });

  test('fifty that are made at once share no name: pid files, one for each and one for all; nothing temporary is left', async () => {
    const bundle = makeBundle(baseConfig('/bin/sleep', '1000'));
    const pids = join(work, 'pids');
    mkdirSync(pids);
    const ids = Array.from({ length: 50 }, fresh);
    try {
      const made = await atOnce(ids.map((id, i) => ['create', '--pid-file', join(pids, i % 2 === 0 ? id : 'all'), '--bundle', bundle, id]));
      made.forEach(({ code, output }) => assert.equal({ code, output }, { code: 0, output: '' }));
      const own = new Map(ids.map((id) => [id, String(runtime.state(id)['pid'])]));
      assert.is(new Set(own.values()).size, ids.length);
      ids.forEach((id, i) => i % 2 === 0 && assert.is(readFileSync(join(pids, id), 'utf8'), own.get(id)));
      assert.ok(ids.some((id, i) => i % 2 === 1 && own.get(id) === readFileSync(join(pids, 'all'), 'utf8')));
      assert.equal(readdirSync(pids).sort(), ['all', ...ids.filter((_, i) => i % 2 === 0)].sort());
    } finally {
      const gone = await atOnce(ids.map((id) => ['delete', '--force', id]));
      gone.forEach(({ code, output }) => assert.equal({ code, output }, { code: 0, output: '' }));
    }
    assert.equal(readdirSync(runtime.root).filter((name) => !['.filters', '.failed'].includes(name)), []);
    assert.is(existsSync('/sys/fs/cgroup/learned') || existsSync('/sys/fs/cgroup/warm'), false);
  });

  test.after(() => {
    for (let i = 0; i < count; i++) if (existsSync(join(runtime.root, `snap${process.pid}-${i}`))) runtime.run(['delete', '--force', `snap${process.pid}-${i}`]);
    runtime.close();
    rmSync(work, { recursive: true, force: true });
  });
  test.run();
}
