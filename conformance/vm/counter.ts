// A container whose process counts: what a checkpoint has kept shows in the number it goes on from.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { baseConfig, type Json } from '../harness.ts';
import { busyboxRootfs, must, runt } from './guest.ts';

export const counter = 'i=0; while :; do echo $i >/tmp/n; i=$((i+1)); sleep 0.2; done';
export const directory = '/tmp/checkpoint';

/** A bundle of a process that counts in a tmpfs; with a bind, as managers always have one. */
export function bundleOf(name: string, change: (config: ReturnType<typeof baseConfig>) => unknown = () => {}): string {
  const config = baseConfig('/bin/sh', '-c', counter);
  config.root['path'] = busyboxRootfs;
  config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }, { destination: '/etc/hostname', type: 'bind', source: '/etc/hostname', options: ['bind', 'ro'] });
  config.linux['cgroupsPath'] = `/${name}`;
  change(config);
  const bundle = join(directory, name);
  mkdirSync(bundle, { recursive: true });
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
  return bundle;
}

// The file is empty between the shell's open and its write.
export const count = (id: string): number => Number(must(`until n=$(${runt} exec ${id} cat /tmp/n) && [ "$n" ]; do sleep 0.1; done; echo $n`));
export const detached = (words: string): void => void must(`${runt} ${words} </dev/null >${directory}/out 2>&1 || { cat ${directory}/out; exit 1; }`);
export const status = (id: string): unknown => (JSON.parse(must(`${runt} state ${id}`)) as Json)['status'];
export const goesOn = (id: string, from: number): void => {
  const first = count(id);
  assert.ok(first >= from, `${first} after ${from}`);
  must(`for i in $(seq 100); do [ "$(${runt} exec ${id} cat /tmp/n)" -gt ${first} ] && exit; sleep 0.2; done; exit 1`);
};
