// Mutated bundles through create, start and delete: each works or is refused in a sentence with its place; nothing is left behind.
// FUZZ is how many (60), SEED where it starts.
import { rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Runtime, runtimePaths, traces } from '../harness.ts';
import { ownRootfs, temporary } from './bundles.ts';
import { full, mutate, random, type Frozen } from './mutate.ts';

const count = Number(process.env['FUZZ'] ?? 60);
const seed = Number(process.env['SEED'] ?? 1);

/** What names files of the host, where it runs, or would change the machine: not part of the game. */
const isFrozen: Frozen = (pointer) => /^\/(root(\/path)?$|hooks|process\/args|process\/terminal|process\/scheduler|linux\/cgroupsPath|linux\/resources)/.test(pointer) || /^\/(mounts\/\d+\/(type|source)|linux\/namespaces\/\d+\/path)$/.test(pointer);

for (const path of runtimePaths()) {
  const test = suite(`fuzz ${basename(path)}`);
  const runtime = new Runtime(path);

  test(`${count} mutated bundles from seed ${seed}`, () => {
    const root = ownRootfs();
    const bundle = temporary('fuzz-');
    const before = traces(runtime);
    const outcomes = { ran: 0, refused: 0 };
    for (let i = 0; i < count; i++) {
      const document = { ...mutate(full, random(seed * 7_919 + i), isFrozen), root: { path: root } };
      const text = JSON.stringify(document);
      writeFileSync(join(bundle, 'config.json'), text);
      const id = `fuzz${process.pid}-${i}`;
      const created = runtime.create(id, bundle);
      const which = `SEED=${seed}, bundle ${i}: exit ${created.code}: ${created.stderr.slice(0, 1000)}\n${text}`;
      if (created.code === 0) {
        outcomes.ran++;
        runtime.run(['start', id]);
        assert.is(runtime.run(['delete', '--force', id]).code, 0, which);
      } else {
        outcomes.refused++;
        assert.is(created.code, 1, which);
        assert.not.match(created.stderr, /internal error|TypeError|RangeError|^\s+at .*:\d+:\d+/m, which);
        assert.match(created.stderr, /config\.json:\d+:\d+|: [a-z_0-9]+\(.*\): E[A-Z]+/, which);
        assert.is.not(runtime.run(['state', id]).code, 0, which);
      }
    }
    assert.equal(traces(runtime), before);
    assert.ok(outcomes.ran > count / 20 && outcomes.refused > count / 20, JSON.stringify(outcomes));
    if (process.env['FUZZ'] !== undefined) console.log(JSON.stringify(outcomes));
    rmSync(root, { recursive: true, force: true });
  });

  test.after(() => runtime.close());
  test.run();
}
