// What `update` makes of the limits a container has and those that are given.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mergeResources } from './update.ts';

const test = suite('update');

test('key by key within a controller; others, and devices, stay', () => {
  const old = { cpu: { quota: 1000, period: 5000 }, pids: { limit: 3 }, devices: [{ allow: false }] };
  assert.equal(mergeResources(old, { cpu: { quota: 2000 }, devices: [] }), { ...old, cpu: { quota: 2000, period: 5000 } });
});
test('a list is given whole', () => {
  const limits = (limit: number) => [{ pageSize: '2MB', limit }];
  assert.equal(mergeResources({ hugepageLimits: limits(1) }, { hugepageLimits: limits(2) }), { hugepageLimits: limits(2) });
});
test('unlimited memory takes the swap limit with it, unless swap is given too', () => {
  const old = { memory: { limit: 100, swap: 200, reservation: 5 } };
  assert.equal(mergeResources(old, { memory: { limit: -1 } }), { memory: { limit: -1, reservation: 5 } });
  assert.equal(mergeResources(old, { memory: { limit: -1, swap: 300 } }), { memory: { limit: -1, swap: 300, reservation: 5 } });
});
test('an idle cgroup has no weight, and what was given is not changed', () => {
  const old = { cpu: { shares: 512 } };
  assert.equal(mergeResources(old, { cpu: { idle: 1 } }), { cpu: { idle: 1 } });
  assert.equal(old, { cpu: { shares: 512 } });
});

test.run();
