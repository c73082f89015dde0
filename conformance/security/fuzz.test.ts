// Mutated bundles through create, start and delete: each works or is refused in a sentence with its place; nothing is left behind.
// FUZZ is how many (60), SEED where it starts.
import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Runtime, runtimePaths, traces } from '../harness.ts';
import { ownRootfs, temporary } from './bundles.ts';
import { found, keep } from './found.ts';
import { full, mutate, random, type Frozen } from './mutate.ts';

const count = Number(process.env['FUZZ'] ?? 60);
const seed = Number(process.env['SEED'] ?? 1);

/** What names files of the host, where it runs, or would change the machine: not part of the game. */
const isFrozen: Frozen = (pointer) => /^\/(root(\/path)?$|hooks|process\/args|process\/terminal|process\/scheduler|linux\/cgroupsPath|linux\/resources)/.test(pointer) || /^\/(mounts\/\d+\/(type|source)|linux\/namespaces\/\d+\/path)$/.test(pointer);

for (const path of runtimePaths()) {
  const test = suite(`fuzz ${basename(path)}`);
  const runtime = new Runtime(path);

  const root = ownRootfs();
  const bundle = temporary('fuzz-');

  /** One document through create, start and delete. */
  const survives = (name: string, id: string, text: string): 'ran' | 'refused' => {
    writeFileSync(join(bundle, 'config.json'), text);
    const created = runtime.create(id, bundle);
    const which = `${name}: exit ${created.code}: ${created.stderr.slice(0, 1000)}`;
    try {
      if (created.code === 0) {
        runtime.run(['start', id]);
        assert.is(runtime.run(['delete', '--force', id]).code, 0, which);
        return 'ran';
      }
      assert.is(created.code, 1, which);
      assert.not.match(created.stderr, /internal error|TypeError|RangeError|^\s+at .*:\d+:\d+/m, which);
      assert.match(created.stderr, /config\.json:\d+:\d+|: [a-z_0-9]+\(.*\): E[A-Z]+/, which);
      assert.is.not(runtime.run(['state', id]).code, 0, which);
      return 'refused';
    } catch (error) {
      (error as Error).message += `\n${keep(text)}`;
      throw error;
    } finally {
      for (const suffix of ['', '.err']) rmSync(join(runtime.root, `.${id}.out${suffix}`), { force: true });
    }
  };

  for (const { name, text } of found()) {
    test(`found once: ${name}`, () => {
      const before = traces(runtime);
      survives(name, `found${process.pid}`, JSON.stringify({ ...(JSON.parse(text) as object), root: { path: root } }));
      assert.equal(traces(runtime), before);
    });
  }

  test(`${count} mutated bundles from seed ${seed}`, () => {
    const before = traces(runtime);
    const outcomes = { ran: 0, refused: 0 };
    for (let i = 0; i < count; i++) {
      const text = JSON.stringify({ ...mutate(full, random(seed * 7_919 + i), isFrozen), root: { path: root } });
      outcomes[survives(`SEED=${seed}, bundle ${i}`, `fuzz${process.pid}-${i}`, text)]++;
      if (i % 100 === 99) assert.equal(traces(runtime), before, `SEED=${seed}, bundles ${i - 99} to ${i}`);
    }
    assert.equal(traces(runtime), before);
    assert.ok(outcomes.ran > count / 20 && outcomes.refused > count / 20, JSON.stringify(outcomes));
    if (process.env['FUZZ'] !== undefined) console.log(JSON.stringify(outcomes));
  });

  test.after(() => {
    runtime.close();
    rmSync(root, { recursive: true, force: true });
  });
  test.run();
}
