// Figures: the case holds what must hold at any speed, the report says how long it took.
import { readFileSync } from 'node:fs';
import { group } from '../case.ts';
import { equal, ok } from '../check.ts';
import { tmpfs } from '../config.ts';
import { cgroupsWith, processesWith } from '../host.ts';

const test = group('figures');
const alone = { alone: true, seconds: 60 };

test('figures#time/parallel', 'ten at once', async (box) => {
  const bundle = box.bundle(['say', 'hello']), begin = performance.now();
  const results = await Promise.all(Array.from({ length: 10 }, () => box.launch(['run', '--bundle', bundle, box.id()]).done));
  equal(results.map(({ code }) => code), Array<number>(10).fill(0), 'exit statuses');
  box.note(`ten runs at once: ${(performance.now() - begin).toFixed(0)} ms`);
}, alone);
test('figures#time/mounts', 'a hundred mounts', async (box) => {
  const begin = performance.now();
  const facts = await box.facts((config) => {
    for (let index = 0; index < 100; index++) config.mounts.push(tmpfs(`/m${index}`));
  });
  equal((facts.mountinfo ?? '').split('\n').filter((line) => / \/m\d+ /.test(line)).length, 100, 'mounts');
  box.note(`run with a hundred mounts: ${(performance.now() - begin).toFixed(0)} ms`);
}, alone);
test('figures#time/environment', 'a thousand variables', async (box) => {
  const begin = performance.now();
  const facts = await box.facts((config) => (config.process['env'] = [`CONFORMANCE=${box.token}`, ...Array.from({ length: 1000 }, (_, index) => `VARIABLE_${index}=${'x'.repeat(100)}`)]));
  equal(facts.env.filter((one) => one.startsWith('VARIABLE_')).length, 1000, 'variables');
  box.note(`run with a thousand variables: ${(performance.now() - begin).toFixed(0)} ms`);
}, alone);
test('figures#time/environment', 'an argument of a hundred kilobytes', async (box) => equal((await box.facts((config) => (config.process['args'] = ['/probe', 'facts', ',', 'say', 'x'.repeat(100_000)]))).args[4]?.length, 100_000, 'length'), alone);
test('figures#time/cycles', 'one id ten times', async (box) => {
  const bundle = box.bundle(['exit']), id = box.id(), begin = performance.now();
  for (let round = 0; round < 10; round++) await box.must(['run', '--bundle', bundle, id]);
  equal(cgroupsWith(id), [], 'cgroups');
  box.note(`run: ${((performance.now() - begin) / 10).toFixed(1)} ms`);
}, alone);
test('figures#time/memory', 'waiting for start', async (box) => {
  const made = await box.create(), pid = await box.pid(made.id);
  const pss = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
  ok(pss > 0, 'memory of the process');
  box.note(`memory of a process that waits for start: ${pss} KB`);
}, alone);
test('figures#time/processes', 'waiting for start', async (box) => {
  await box.create();
  box.note(`processes of a container that waits for start: ${processesWith(`CONFORMANCE=${box.token}`).length}`);
}, alone);
test('figures#time/big-config', 'annotations of a megabyte', async (box) => {
  const begin = performance.now();
  ok(await box.facts((config) => Object.assign(config, { annotations: Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`org.example.key${index}`, 'x'.repeat(1000)])) })), 'facts');
  box.note(`run with a configuration of a megabyte: ${(performance.now() - begin).toFixed(0)} ms`);
}, alone);
