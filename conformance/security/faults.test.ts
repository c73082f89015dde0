// Every step made to fail, and the runtime killed there; state files that are damaged.
// FAULT_STRIDE is every how many steps (19).
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths, traces, until } from '../harness.ts';
import { fresh } from './bundles.ts';

const stride = Number(process.env['FAULT_STRIDE'] ?? 19);

/** That a process is gone, or waits for its parent to notice. */
function isEnded(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
}

for (const path of runtimePaths()) {
  const test = suite(`faults ${basename(path)}`);
  const runtime = new Runtime(path);
  const bundle = makeBundle(baseConfig('/bin/sleep', '1000'));
  const steps = Number(/^\s*(\d+)/.exec(runtime.run(['explain', bundle]).stdout.trimEnd().split('\n').at(-1)!)![1]);

  /** That the id is free again, and a container of it works. */
  const works = (id: string, what: string): void => {
    const created = runtime.create(id, bundle);
    assert.is(created.code, 0, `${what}: the second create: ${created.stderr}`);
    assert.is(runtime.run(['delete', '--force', id]).code, 0);
  };
  const isSentence = (text: string, what: string): void => assert.not.match(text, /internal error|TypeError|^\s+at .*:\d+:\d+/m, `${what}: ${text}`);

  test(`a step that fails is named, leaves nothing, and a second create works (every ${stride} of ${steps})`, () => {
    const before = traces(runtime);
    let failed = 0;
    for (let step = Math.floor(stride / 4); step < steps; step += stride) {
      const id = fresh();
      const created = runtime.create(id, bundle, '--inject', `${step}=EIO`);
      if (created.code !== 0 && /no step/.test(created.stderr)) continue; // a hand-over is no step
      if (created.code === 0) {
        runtime.run(['start', id]); // a step that was skipped, or one that start makes
        assert.is(runtime.run(['delete', '--force', id]).code, 0, `step ${step}`);
        continue;
      }
      failed++;
      // The sentence for a program that cannot be found is runc's.
      assert.match(created.stderr, /: [a-z_0-9]+\(.*\): EIO|: exec: "\/bin\/sleep": .*\n {2}config\.json:\d+/, `step ${step}`);
      isSentence(created.stderr, `step ${step}`);
      assert.match(runtime.run(['state', id]).stderr, /does not exist/, `step ${step}`);
      assert.equal(traces(runtime), before, `step ${step}`);
      works(id, `step ${step}`);
    }
    assert.ok(failed > steps / stride / 4, `${failed} of ${steps} failed`);
    if (process.env['FAULT_STRIDE'] !== undefined) console.log(`${failed} steps failed, of ${steps}`);
  });

  test('SIGKILL to the runtime at a step: state answers, delete --force clears, a second create works', () => {
    const before = traces(runtime);
    for (let step = Math.floor(stride / 5); step < steps; step += stride === 1 ? 1 : stride * 2) {
      const id = fresh();
      const out = join(runtime.root, `.break-${id}`);
      const child = spawn('/bin/sh', ['-c', 'exec "$@" >"$0" 2>&1', out, path, '--root', runtime.root, 'create', '--break', String(step), '--bundle', bundle, id], { stdio: ['pipe', 'ignore', 'ignore'] });
      // A step that is skipped is no place to stop at: create ends.
      until('the break point', () => isEnded(child.pid!) || (existsSync(out) && readFileSync(out, 'utf8').length > 0));
      child.kill('SIGKILL');
      until('its end', () => isEnded(child.pid!));
      const state = runtime.run(['state', id]);
      isSentence(state.stderr, `step ${step}`);
      if (state.code === 0) assert.is((JSON.parse(state.stdout) as { id: string }).id, id);
      isSentence(runtime.run(['list']).stderr, `step ${step}`);
      const deleted = runtime.run(['delete', '--force', id]);
      assert.is(deleted.code, 0, `step ${step}: ${deleted.stderr}`);
      assert.equal(traces(runtime), before, `step ${step}`);
      works(id, `step ${step}`);
    }
  });

  test('state files cut short, emptied, of another kind: clear errors, and delete --force ends the container', () => {
    for (const [name, spoil] of [
      ['emptied', (file: string): void => truncateSync(file, 0)], ['cut short', (file: string): void => truncateSync(file, 40)],
      ['of another kind', (file: string): void => writeFileSync(file, '{"version": 7}')], ['of wrong types', (file: string): void => writeFileSync(file, '{"version":1,"id":[],"pid":"x","hooks":null,"cgroup":7}')],
    ] as const) {
      for (const file of ['state.json', 'config.json', 'program']) {
        const id = fresh();
        assert.is(runtime.create(id, bundle).code, 0);
        const { pid } = runtime.state(id) as { pid: number };
        spoil(join(runtime.root, id, file));
        const what = `${file} ${name}`;
        for (const words of [['state', id], ['list'], ['ps', id], ['start', id], ['trace', id], ['kill', id, 'KILL']]) isSentence(runtime.run(words).stderr, `${what}: ${words[0]}`);
        const deleted = runtime.run(['delete', '--force', id]);
        assert.is(deleted.code, 0, `${what}: ${deleted.stderr}`);
        if (!(file === 'program' && existsSync(`/proc/${pid}`))) until('its end', () => isEnded(pid));
        works(id, what);
      }
    }
  });

  test.after(() => runtime.close());
  test.run();
}
