// The suite itself: this runtime passes all of it, every requirement is covered, its reports are what they say, and it can fail:
// each broken runtime is caught by the case that is meant to.
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runtimePaths } from './harness.ts';
import { faults } from './suite/broken/faults.ts';

const program = join(process.cwd(), 'dist/runt-conformance.js');
const work = mkdtempSync(join(tmpdir(), 'suite-'));
const conformance = (...args: string[]): { status: number | null; stdout: string; stderr: string } => spawnSync(process.execPath, [program, '--keep', join(work, 'kept'), ...args], { encoding: 'utf8', timeout: 600_000, maxBuffer: 1 << 28 });
interface Report { readonly runtimes: readonly { readonly name: string; readonly cases: readonly { readonly id: string; readonly result: string; readonly reason?: string; readonly reproduce?: string }[] }[] }

for (const path of runtimePaths()) {
  const test = suite(`suite ${path}`);
  // All of it on the executable; on Node what differs by engine: how calls end, what they print, who waits for whom.
  const isExecutable = path.endsWith('dist/runt');
  const filters = isExecutable ? [] : ['state/', 'lifecycle/sends', 'lifecycle/no-', 'hooks/when', 'callers/exit', 'callers/signals', 'callers/environment', 'callers/console', 'seccomp/listenerPath', 'process/terminal'].flatMap((one) => ['--filter', one]);

  test('this runtime passes', () => {
    const done = conformance('--runtime', `runt=${path}`, '--slow', '4', ...filters);
    assert.is(done.status, 0, done.stderr);
    assert.match(done.stdout, /^TAP version 14\n1\.\.1\n# Subtest: runt: /);
    assert.match(done.stdout, /\nok 1 - runt\n$/);
  });

  if (isExecutable) {
    test('three hundred cases and more, each requirement covered or explained', () => {
      const list = conformance('--list').stdout.trim().split('\n');
      assert.ok(list.length >= 300, String(list.length));
      assert.is(new Set(list).size, list.length);
      const { stdout, status } = conformance('--requirements');
      assert.is(status, 0);
      const rows = stdout.trim().split(/\n(?=\S)/);
      for (const row of rows) assert.match(row, /\n {4}\S/, row);
    });

    test('reports: JSON, JUnit, Markdown, HTML, and a reproduction of a failure', () => {
      const wrapped = wrapper('wrong-pid', path);
      const file = (name: string): string => join(work, name);
      const done = conformance('--runtime', `good=${path}`, '--runtime', `bad=${wrapped}`, '--filter', 'state/pid', '--json', file('json'), '--junit', file('xml'), '--markdown', file('md'), '--html', file('html'), '--tap', file('tap'), '--jobs', '2', '--slow', '4');
      assert.is(done.status, 1, done.stderr);
      const { runtimes } = JSON.parse(readFileSync(file('json'), 'utf8')) as Report;
      assert.equal(runtimes.map(({ name }) => name), ['good', 'bad']);
      const failed = runtimes[1]!.cases.find(({ result }) => result === 'fail')!;
      assert.ok(existsSync(failed.reproduce!), failed.reproduce);
      assert.match(readFileSync(failed.reproduce!, 'utf8'), /create --bundle \$PWD\/bundle/);
      assert.match(readFileSync(file('xml'), 'utf8'), /<testsuite name="bad state" tests="\d+" failures="[1-9]\d*"[^]*<failure message=/);
      assert.match(readFileSync(file('md'), 'utf8'), /\| state\/pid: .* \| pass \| \*\*fail\*\* \|/);
      assert.match(readFileSync(file('html'), 'utf8'), /<td class="pass">[^]*<td class="fail">/);
      assert.match(readFileSync(file('tap'), 'utf8'), /\n {4}not ok \d+ - state\/pid[^]*\n {6}message: "/);
    });

    for (const words of [['--runtime'], ['--nosuch'], ['--runtime', '/nowhere/runtime'], ['--runtime', path, '--filter', 'nothing has this'], []]) {
      test(`usage: ${words.join(' ').replace(path, 'RUNTIME') || 'nothing'}`, () => {
        const done = conformance(...words);
        assert.is(done.status, 2);
        assert.match(done.stderr, /^runt-conformance: .+\n$/);
      });
    }

    const names = Object.keys(faults);
    test(`${names.length} broken runtimes are caught by name`, async () => {
      assert.ok(names.length >= 25);
      const queue = [...names];
      const work_ = async (): Promise<void> => {
        for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
          const { stdout } = await promisify(execFile)(process.execPath, [program, '--keep', join(work, 'kept', name), '--runtime', `${name}=${wrapper(name, path)}`, '--filter', caughtBy(name), '--json', '-', '--slow', '4'], { maxBuffer: 1 << 28 }).catch((error: { stdout: string }) => error);
          const cases = (JSON.parse(stdout) as Report).runtimes[0]!.cases;
          assert.ok(cases.some(({ id, result }) => id.startsWith(caughtBy(name)) && result === 'fail'), `${name} was not caught by ${caughtBy(name)}: ${JSON.stringify(cases)}`);
        }
      };
      await Promise.all([work_(), work_(), work_()]);
    });

    test('the good runtime behind the same wrapper passes what the broken ones fail', () => {
      // One of four: that the wrapper itself changes nothing.
      const filters_ = names.filter((_, index) => index % 4 === 0).flatMap((name) => ['--filter', caughtBy(name)]);
      const done = conformance('--runtime', `good=${wrapper('nothing-wrong', path)}`, ...filters_, '--slow', '4');
      assert.is(done.status, 0, done.stderr);
    });

    test('nothing is left on the host after a runtime that leaves everything', () => {
      const before = readdirSync(tmpdir()).filter((name) => name.startsWith('conformance-')).length;
      conformance('--runtime', `bad=${wrapper('delete-removes-nothing', path)}`, '--filter', 'lifecycle/destroy', '--filter', 'lifecycle/creator', '--slow', '4');
      assert.is(readdirSync(tmpdir()).filter((name) => name.startsWith('conformance-')).length, before);
    });
  }

  test.after(() => rmSync(work, { recursive: true, force: true }));
  test.run();
}

const caughtBy = (name: string): string => faults[name]!.caughtBy;

/** A script that is the good runtime with a fault. */
function wrapper(name: string, good: string): string {
  const script = join(work, name);
  writeFileSync(script, `#!/bin/sh\nexec ${process.execPath} ${join(process.cwd(), 'dist/runt-conformance-wrap.js')} ${name} ${good} "$@"\n`);
  chmodSync(script, 0o755);
  return script;
}
