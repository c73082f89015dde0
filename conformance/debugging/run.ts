// Runs the twelve broken bundles and gives what a runtime printed, with what differs from run to run taken out.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { baseConfig, makeRootfs } from '../harness.ts';
import type { Case } from './cases.ts';

/** What stands for the directory and the id of one run: the guide quotes messages word for word. */
const PLACE = '/tmp/guide';
const ID = 'guide';

export interface Printed {
  readonly text: string;
  readonly code: number;
}

/** Makes the bundle of a case and runs it; the container must not start. */
export function runCase(runtime: string, one: Case): Printed {
  const place = mkdtempSync(`${PLACE}-`);
  chmodSync(place, 0o755); // a mapped root has to get through
  const id = `${ID}${process.pid}`;
  const bundle = join(place, 'bundle');
  mkdirSync(join(bundle, 'rootfs'), { recursive: true });
  mkdirSync('/srv', { recursive: true });
  makeRootfs(join(bundle, 'rootfs'));
  const config = baseConfig('/bin/true');
  config.linux['resources'] = {}; // crun raises RLIMIT_MEMLOCK for a device filter, which a confined root may not
  one.change(config, bundle);
  const text = JSON.stringify(config, null, 2);
  writeFileSync(join(bundle, 'config.json'), one.spoil === undefined ? text : one.spoil(text));
  const root = join(place, 'state');
  const done = spawnSync(runtime, ['--root', root, 'run', '--bundle', bundle, id], { encoding: 'utf8', timeout: 60_000, input: '', env: { PATH: process.env['PATH'] } });
  spawnSync(runtime, ['--root', root, 'delete', '--force', id], { timeout: 60_000 });
  rmSync(place, { recursive: true, force: true });
  return { text: stable(`${done.stdout}${done.stderr}`.split(place).join(PLACE).split(id).join(ID)), code: done.status ?? 255 };
}

/** Times and pids are not part of a message. */
function stable(text: string): string {
  return text.replace(/time="[^"]*"/g, 'time="…"').replace(/^\d{4}-\d\d-\d\dT[0-9:.]+Z: /gm, '').replace(/\/proc\/\d+\//g, '/proc/PID/').replace(/\/proc\/self\/fd\/\d+/g, '/proc/self/fd/N').replace(/nsexec-(\d)\[\d+\]/g, 'nsexec-$1[PID]').replace(/runc-process\d+/g, 'runc-processN').trimEnd();
}
