// runt-conformance inside the machine: its cases of one runtime as tests, with time limits for emulation, by a caller in the root of
// cgroup v2. The JSON report goes to the host.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { note, skip, suite } from './tap.ts';

interface Report { readonly runtimes: readonly { readonly cases: readonly { readonly id: string; readonly result: string; readonly reason?: string }[] }[] }

/** Runs the cases that the filters name (all without any) against a runtime; `mayFail`: a peer, whose failures are no failures here. */
export function suiteOf(name: string, path: string, filters: readonly string[], mayFail = false): void {
  const test = suite(`conformance ${name}`);
  const file = join(mkdtempSync(join(tmpdir(), 'suite-')), 'report');
  writeFileSync('/sys/fs/cgroup/cgroup.procs', String(process.pid));
  const done = spawnSync(process.execPath, ['/work/runt/dist/runt-conformance.js', '--runtime', `${name}=${path}`, '--slow', '10', '--json', file, '--keep', `${file}.kept`, ...filters.flatMap((one) => ['--filter', one])], { stdio: ['ignore', 'inherit', 'inherit'] });
  const text = readFileSync(file, 'utf8');
  appendFileSync('/dev/virtio-ports/report', `${JSON.stringify(JSON.parse(text))}\n`);
  for (const one of (JSON.parse(text) as Report).runtimes[0]!.cases) {
    test(one.id, () => {
      if (one.result === 'skip') skip(one.reason ?? '');
      if (one.result !== 'pass' && mayFail) note(`fails: ${one.reason}`);
      else if (one.result !== 'pass') throw new Error(one.reason);
    });
  }
  test('ran to its end', () => {
    if (done.status !== 0 && !(mayFail && done.status === 1)) throw new Error(`exit status ${done.status}`);
  });
  test.run();
}
