// Bundles that no one here wrote: config.json as managers and tools wrote it, run by runt and by runc, and what is inside compared.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capturedBundles, compareRuntimes } from './bundles/bundles.ts';
import { forAnyone, runtimePaths } from './harness.ts';

const runc = ['/usr/sbin/runc', '/usr/bin/runc'].find((path) => existsSync(path));

for (const path of runtimePaths()) {
  const test = suite(`bundles ${path}`);
  for (const bundle of capturedBundles(join(import.meta.dirname, 'bundles'))) {
    // conformance/vm/bundles.vmtest.ts runs these.
    if (bundle.machine !== undefined) continue;
    const one = runc === undefined ? test.skip : test; // skipped without Debian's runc: nothing to compare with
    one(`${bundle.name}: its process sees with runt what it sees with runc`, () => assert.equal(compareRuntimes(bundle, bundle.uid === undefined ? path : forAnyone(path), runc!), { found: [], expected: [] }));
  }
  test.run();
}
