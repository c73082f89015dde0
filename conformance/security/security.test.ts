// Every check of confinement, as a test of the runtimes in RUNTIMES.
import { basename } from 'node:path';
import { suite } from 'uvu';
import { Runtime, runtimePaths } from '../harness.ts';
import { Subject } from './bundles.ts';
import { checks } from './checks.ts';

for (const path of runtimePaths()) {
  const test = suite(`security ${basename(path)}`);
  const runtime = new Runtime(path);
  const subject = new Subject(runtime);
  for (const { about, holds, check } of checks) test(`${holds} (${about})`, () => check(subject));
  test.after(() => runtime.close());
  test.run();
}
