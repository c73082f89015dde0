// What `update` makes of the limits a container has and those that are given.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mergeResources } from './merge-resources.ts';

const test = suite('merge-resources');

test('key by key within a controller; others, and devices when none are given, stay', () => {
  const old = { cpu: { quota: 1000, period: 5000 }, pids: { limit: 3 }, devices: [{ allow: false }] };
  assert.equal(mergeResources(old, { cpu: { quota: 2000 }, devices: [] }), { ...old, cpu: { quota: 2000, period: 5000 } });
});
test('a list is given whole', () => {
  const limits = (limit: number) => [{ pageSize: '2MB', limit }];
  assert.equal(mergeResources({ hugepageLimits: limits(1) }, { hugepageLimits: limits(2) }), { hugepageLimits: limits(2) });
});
test('devices that are given replace all', () => {
  assert.equal(mergeResources({ devices: [{ allow: false }] }, { devices: [{ allow: true, type: 'c' }] }), { devices: [{ allow: true, type: 'c' }] });
});
test('zeros and empty texts of managers leave what there was; pids, idle and burst mean them', () => {
  const old = { cpu: { shares: 5, quota: 7, cpus: '0', idle: 1, burst: 3 }, memory: { limit: 10, swap: 20 }, pids: { limit: 4 } };
  const zeros = { cpu: { shares: 0, quota: 0, cpus: '', idle: 0, burst: 0 }, memory: { limit: 0, swap: 0 }, pids: { limit: 0 } };
  assert.equal(mergeResources(old, zeros), { cpu: { shares: 5, quota: 7, cpus: '0', idle: 0, burst: 0 }, memory: { limit: 10, swap: 20 }, pids: { limit: 0 } });
});
test('throttles are given device by device', () => {
  const rate = (minor: number, value: number) => ({ major: 8, minor, rate: value });
  const key = 'throttleReadBpsDevice';
  assert.equal(mergeResources({ blockIO: { [key]: [rate(0, 1), rate(1, 2)] } }, { blockIO: { [key]: [rate(1, 9)] } }), { blockIO: { [key]: [rate(0, 1), rate(1, 9)] } });
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
