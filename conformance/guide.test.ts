// The twelve cases of docs/debugging.md stay true: runt prints what the guide says, and names place and cause in each.
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
