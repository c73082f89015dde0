// The twelve cases of docs/debugging.md stay true: runt prints what the guide says, and names place and cause in each.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cases } from './debugging/cases.ts';
import { runCase } from './debugging/run.ts';
import { runtimePaths } from './harness.ts';

const guide = readFileSync(join(import.meta.dirname, '../docs/debugging.md'), 'utf8');

for (const path of runtimePaths()) {
  const test = suite(`guide ${path}`);
  assert.is(cases.length, 12);
  cases.forEach((one, index) => {
    test(one.title, () => {
      const { text, code } = runCase(path, one);
      assert.is.not(code, 0);
      assert.match(text, one.place);
      assert.match(text, one.cause);
      assert.match(text, /config\.json:\d+:\d+/);
      assert.not.match(text, /\n\s+at |internal error/);
      const section = guide.split(`### ${index + 1}. `)[1]?.split('\n### ')[0] ?? '';
      assert.ok(section.includes(text), `npm run guide: the guide has not\n${text}`);
    });
  });
  test.run();
}

// What the guide says of others was printed by certain versions: where these are installed, it is looked at again.
for (const [name, path] of [['runc', '/usr/sbin/runc'], ['crun', '/usr/bin/crun']] as const) {
  const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0];
  const isTheirs = process.env['PRIVATE_VIEW'] === '1' && version !== undefined && guide.includes(`| ${version} |`);
  const test = suite(`guide ${name}`);
  test(isTheirs ? `prints what the guide quotes` : `prints what the guide quotes: SKIPPED, not in v2-view.sh, or ${version ?? 'none'} is not the version of the guide`, () => {
    if (!isTheirs) return;
    const wrong = cases.filter((one, index) => {
      const section = guide.split(`### ${index + 1}. `)[1]?.split('\n### ')[0] ?? '';
      return !section.includes(runCase(path, one).text);
    });
    assert.equal(wrong.map(({ title }) => title), [], 'npm run guide');
  });
  test.run();
}
