// `update` by the launcher alone and by the engine, with every controller: the same files of the cgroup, the same limits kept.
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as assert from 'uvu/assert';
import { must, runt, runtNode, sh } from './guest.ts';
import { Subject } from './limits.ts';
import { suite } from './tap.ts';

/** The launcher's own words when it has no engine to start. */
const GAVE_UP = 127;
/** Not in the machine's /tmp, in which nothing need be executable. */
const alone = '/var/tmp/launcher-alone';
const files = ['cpu.max', 'cpu.weight', 'cpuset.cpus', 'cpuset.mems', 'memory.max', 'memory.low', 'memory.swap.max', 'pids.max'];
const test = suite('update');

/** Two containers with these resources: of `mine` the launcher alone, of `theirs` the engine changes the limits. */
function pair(resources: object): { readonly id: (whose: string) => string; readonly read: (whose: string) => readonly string[]; readonly stored: (whose: string) => unknown; readonly end: () => void } {
  const subject = new Subject('runt', runt, 'cgroupfs');
  const id = (whose: string): string => `update-${whose}`;
  for (const whose of ['mine', 'theirs']) subject.detached(id(whose), resources, 'while :; do sleep 10; done');
  return {
    id,
    read: (whose) => files.map((file) => `${file} ${readFileSync(`${subject.cgroup(id(whose))}/${file}`, 'utf8').trim()}`),
    stored: (whose) => (JSON.parse(readFileSync(`/run/runt/${id(whose)}/config.json`, 'utf8')) as { linux: { resources: unknown } }).linux.resources,
    end: () => void must(`for id in ${id('mine')} ${id('theirs')}; do ${runt} delete --force $id || exit 1; done`),
  };
}

const byEngine = (words: string): string => must(`${runt} --debug update ${words}`);

for (const [name, prepare] of [['dist/runt', () => copyFileSync(runt, alone)], ['bin/runt', () => must(`printf '#!/bin/sh\\nexec ${dirname(runtNode)}/../dist/node/launcher /nonexistent/node /nonexistent/script "$@"\\n' >${alone}; chmod +x ${alone}`)]] as const) {
  test(`${name} without an engine: the limits, and what is kept of them, are the engine’s`, () => {
    prepare();
    const { id, read, stored, end } = pair({ memory: { limit: 64 << 20 }, cpu: { quota: 50_000, period: 50_000, shares: 512 }, pids: { limit: 50 } });
    for (const flags of ['--memory 67112960 --cpu-quota 20000 --pids-limit 60', '--memory-reservation 1048576', '--memory 65m --memory-reservation 2048K', '--cpuset-cpus 0-1 --cpuset-mems 0', '--cpuset-cpus 1', '--pids-limit 61']) {
      assert.equal([sh(`${alone} update ${flags} ${id('mine')}`).code, byEngine(`${flags} ${id('theirs')}`)], [0, ''], flags);
      assert.equal(read('mine'), read('theirs'), flags);
    }
    assert.ok(read('mine').includes('cpu.max 20000 50000'));
    // Refused by the kernel after others were written: the engine begins again, and says it.
    const refused = `--cpu-quota 30000 --cpuset-cpus 4000 --pids-limit 70`;
    assert.is(sh(`${alone} update ${refused} ${id('mine')}`).code, GAVE_UP);
    for (const whose of ['mine', 'theirs']) {
      const said = sh(`${runt} update ${refused} ${id(whose)}`);
      assert.is(said.code, 1);
      assert.match(said.stderr, /cpuset\.cpus.*4000/);
    }
    assert.equal(read('mine'), read('theirs'));
    for (const whose of ['mine', 'theirs']) byEngine(`--cpu-share 256 ${id(whose)}`);
    assert.equal(stored('mine'), stored('theirs'));
    assert.equal(read('mine'), read('theirs'));
    for (const whose of ['mine', 'theirs']) byEngine(`--memory-swap 70m ${id(whose)}`);
    assert.is(sh(`${alone} update --memory 5000000 ${id('mine')}`).code, GAVE_UP, 'memory that has swap');
    assert.equal(stored('mine'), stored('theirs'));
    end();
  });
}

test('what is not plain is the engine’s: swap, a burst, a period of unified, a unit of systemd', () => {
  const subject = new Subject('runt', runt, 'cgroupfs');
  for (const resources of [{ memory: { limit: 64 << 20, swap: 64 << 20 } }, { cpu: { quota: 50_000, burst: 10_000 } }, { unified: { 'cpu.max': '50000 50000' } }]) {
    subject.detached('update-more', resources, 'while :; do sleep 10; done');
    assert.is(sh(`${alone} update --pids-limit 60 update-more`).code, GAVE_UP, JSON.stringify(resources));
    must(`${runt} delete --force update-more`);
  }
  const unit = new Subject('runt', runt, 'systemd');
  unit.detached('update-unit', {}, 'while :; do sleep 10; done');
  assert.is(sh(`${alone} --systemd-cgroup update --pids-limit 60 update-unit`).code, GAVE_UP);
  must(`${unit.command} update --pids-limit 60 update-unit && systemctl show limits-update-unit.scope --property=TasksMax | grep -q =60`);
  assert.not(existsSync('/run/runt/update-unit/limits'));
  must(`${runt} delete --force update-unit`);
});

test.run();
