// Broken bundles: each is refused with an error that names the place, and leaves no process, mount, cgroup or state. Never a stack trace.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keys, machines, type Case } from './bad-bundles.ts';
import { documents, files, ids } from './bad-documents.ts';
import { baseConfig, Runtime, runtimePaths, sharedRootfs, type Result } from './harness.ts';

process.setMaxListeners(300);

for (const path of runtimePaths()) {
  const runtime = new Runtime(path);
  const test = suite(`bad input ${path}`);
  const isSample = path.endsWith('bin/runt');
  const home = mkdtempSync(join(tmpdir(), 'bad-'));
  chmodSync(home, 0o755);
  let count = 0;

  /** What a refused bundle could leave; of cgroups only ours: others may be testing beside us. */
  const remains = () => ({
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length,
    cgroups: readdirSync('/sys/fs/cgroup').filter((name) => name.startsWith(`bad${process.pid}-`)),
    state: readdirSync(runtime.root).filter((name) => !name.startsWith('.')),
  });
  const before = remains();

  /** Processes in a cgroup that one of our ids named. */
  const processes = (): readonly string[] =>
    readdirSync('/proc').filter((pid) => {
      try {
        return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(`bad${process.pid}-`);
      } catch {
        return false;
      }
    });

  const judge = (result: Result, expected: RegExp): void => {
    const text = result.stderr;
    assert.ok(result.code > 0 && result.code < 126, `exit status ${result.code}\n${text}`);
    assert.ok(expected.test(text), `${expected} is not in:\n${text}`);
    assert.not.match(text, /^\s+at .*:\d+:\d+|internal error|TypeError|RangeError|undefined|\[object/m, text);
    assert.match(text, /^runt: (create|run)/);
    assert.equal(remains(), before, 'something is left behind');
    assert.equal(processes(), [], 'a process is left');
    rmSync(join(runtime.root, '.failed'), { recursive: true, force: true });
  };

  const tryBundle = ({ verb = 'create', flags = [], prepare, expected }: Case): void => {
    const id = `bad${process.pid}-${count++}`;
    const bundle = join(home, id);
    mkdirSync(bundle);
    const config = baseConfig('/bin/true');
    config.root['path'] = sharedRootfs();
    const written = prepare(config, bundle) ?? config;
    const file = join(bundle, 'config.json');
    if (typeof written === 'string' || written instanceof Uint8Array) writeFileSync(file, written);
    else if (written !== 'none') writeFileSync(file, JSON.stringify(written, null, 2));
    const args = [verb, ...flags.map((flag) => flag.replace('BUNDLE', bundle)), '--bundle', bundle, id];
    // Output to files: a container that was made against expectation would keep a pipe open.
    const result = runtime.background(id, args);
    if (result.code === 0) runtime.run(['delete', '--force', id]);
    spawnSync('umount', ['-q', bundle]);
    rmSync(bundle, { recursive: true, force: true });
    judge(result, expected);
  };

  const all = { documents, keys, machines };
  for (const [kind, cases] of Object.entries(all)) {
    for (const [index, one] of cases.entries()) {
      // Both engines run the same source: every case by the executable, a tenth by Node.
      if (isSample && index % 10 !== 0) continue;
      test(`${kind}: ${one.name}`, () => tryBundle(one));
    }
  }

  for (const one of isSample ? files.slice(0, 2) : files) {
    test(`config.json is ${one.name}`, () => {
      const bundle = join(home, `bad${process.pid}-${count++}`);
      mkdirSync(bundle);
      one.make(join(bundle, 'config.json'));
      const result = runtime.background('file', ['create', '--bundle', one.bundle?.(bundle) ?? bundle, `bad${process.pid}-file`]);
      rmSync(bundle, { recursive: true, force: true });
      judge(result, one.expected);
    });
  }

  for (const id of isSample ? ids.slice(0, 2) : ids) {
    test(`the id ${JSON.stringify(id.length > 40 ? `${id.slice(0, 40)}…` : id)}`, () => {
      const bundle = join(home, 'ids');
      mkdirSync(bundle, { recursive: true });
      const config = baseConfig('/bin/true');
      config.root['path'] = sharedRootfs();
      writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
      const result = runtime.background('id', ['create', '--bundle', bundle, '--', id]);
      judge(result, /invalid container ID format|container ID cannot be empty/);
    });
  }

  test('a full disk: state that cannot be written is an error, and nothing of it stays', () => {
    const small = join(home, 'full');
    mkdirSync(small);
    assert.is(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', small]).status, 0);
    spawnSync('sh', ['-c', `head -c 1m /dev/zero > ${small}/filler 2>/dev/null`]);
    const bundle = join(home, 'full-bundle');
    mkdirSync(bundle);
    const config = baseConfig('/bin/true');
    config.root['path'] = sharedRootfs();
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
    const id = `bad${process.pid}-full`;
    const out = join(home, 'full.err');
    const done = spawnSync('sh', ['-c', `exec "$0" --root ${small} create --bundle ${bundle} ${id} </dev/null >/dev/null 2>${out}`, path]);
    const left = readdirSync(small).filter((name) => name !== 'filler' && name !== '.failed');
    spawnSync('umount', [small]);
    judge({ code: done.status ?? 137, stdout: '', stderr: readFileSync(out, 'utf8') }, /ENOSPC|no space/i);
    assert.equal(left, []);
  });

  test('many problems are told at once, each with its line, and not without end', () => {
    const bundle = join(home, 'many');
    mkdirSync(bundle);
    const text = JSON.stringify({ ...baseConfig('/bin/true'), hostname: 5, process: { args: [1], cwd: '/', env: Array.from({ length: 2000 }, (_, i) => i) } }, null, 1);
    writeFileSync(join(bundle, 'config.json'), text);
    const result = runtime.run(['create', '--bundle', bundle, `bad${process.pid}-many`]);
    judge(result, /config\.json:\d+:\d+/);
    assert.match(result.stderr, /hostname: must be a string: got 5/);
    assert.match(result.stderr, /process\.args\[0\]: must be a string: got 1/);
    assert.match(result.stderr, /and \d{4} more problems/);
    assert.ok(result.stderr.split('\n').length < 100);
  });

  test('a place is named by the line it is on', () => {
    const bundle = join(home, 'line');
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'config.json'), '{\n "ociVersion": "1.2.0",\n "root": {"path": "rootfs"},\n "process": {"args": ["x"],\n  "cwd": 7}\n}');
    judge(runtime.run(['create', '--bundle', bundle, `bad${process.pid}-line`]), /^runt: create bad\d+-line: process\.cwd: must be a string: got 7\n {2}config\.json:5:10\n/);
  });

  test.after(() => {
    assert.ok(existsSync(sharedRootfs()));
    rmSync(home, { recursive: true, force: true });
    runtime.close();
  });
  test.run();
}
