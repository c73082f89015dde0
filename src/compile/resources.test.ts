// Every field of linux.resources, and what it becomes on cgroup v2 (runtime-spec config-linux.md#control-groups).
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Resources } from '../../spec/config.ts';
import { blockWeightToIo, cgroupWrites, controllersOf, sharesToWeight } from './resources.ts';

const test = suite('resources');
/** `file value`, with `?` for a write whose failure may be tolerated and `|` for one that stands in for it. */
const writes = (resources: unknown): string[] =>
  cgroupWrites(resources as Resources).map(({ file, value, tolerate, unless }) => `${unless === undefined ? '' : '| '}${file} ${value}${tolerate === undefined ? '' : ` ?${tolerate.join()}`}`);

test('cpu.shares to cpu.weight: the default stays the default', () => {
  const table = [[2, 1], [3, 2], [10, 4], [100, 17], [128, 21], [256, 35], [512, 59], [1000, 99], [1024, 100], [2000, 170], [2048, 174], [4096, 303], [10000, 627], [100000, 4340], [262143, 10000], [262144, 10000], [9e9, 10000]];
  for (const [shares, weight] of table) assert.is(sharesToWeight(shares!), weight, String(shares));
  assert.equal(writes({ cpu: { shares: 0 } }), []);
});
test('blockIO.weight to io.weight', () => {
  for (const [weight, io] of [[10, 1], [100, 910], [500, 4950], [1000, 10000]]) assert.is(blockWeightToIo(weight!), io);
});

const cases: readonly (readonly [title: string, resources: unknown, expected: readonly string[]])[] = [
  ['nothing', {}, []],
  ['zeros, as managers send them', { cpu: { shares: 0, quota: 0, period: 0, cpus: '', mems: '' }, memory: { limit: 0, reservation: 0, swap: 0 }, blockIO: { weight: 0, weightDevice: [] } }, []],
  ['quota alone', { cpu: { quota: 50000 } }, ['cpu.max 50000 100000']],
  ['period alone', { cpu: { period: 20000 } }, ['cpu.max max 20000']],
  ['quota -1', { cpu: { quota: -1, period: 5000 } }, ['cpu.max max 5000']],
  ['burst before and after cpu.max', { cpu: { quota: 50000, burst: 1000 } }, ['cpu.max.burst 1000 ?EINVAL', 'cpu.max 50000 100000', '| cpu.max.burst 1000']],
  ['burst alone', { cpu: { burst: 0 } }, ['cpu.max.burst 0']],
  ['idle before weight', { cpu: { idle: 0, shares: 1024 } }, ['cpu.idle 0', 'cpu.weight 100']],
  ['an idle cgroup has no weight', { cpu: { idle: 1, shares: 1024 } }, ['cpu.idle 1']],
  ['cpuset', { cpu: { cpus: '0-1', mems: '0' } }, ['cpuset.cpus 0-1', 'cpuset.mems 0']],
  ['memory limit', { memory: { limit: 4096 } }, ['memory.max 4096']],
  ['memory limit -1 takes swap along', { memory: { limit: -1 } }, ['memory.swap.max max ?ENOENT', 'memory.max max']],
  ['memory limit -1 with a swap limit', { memory: { limit: -1, swap: 5000 } }, ['memory.swap.max 5000', 'memory.max max']],
  ['swap is memory and swap together', { memory: { limit: 1000, swap: 1500 } }, ['memory.swap.max 500', 'memory.max 1000']],
  ['swap equal to the limit: none', { memory: { limit: 1000, swap: 1000 } }, ['memory.swap.max 0 ?ENOENT', 'memory.max 1000']],
  ['swap -1', { memory: { limit: 1000, swap: -1 } }, ['memory.swap.max max ?ENOENT', 'memory.max 1000']],
  ['swap 0: as it is', { memory: { limit: 1000, swap: 0 } }, ['memory.max 1000']],
  ['exact beyond 2^53', { memory: { limit: 9007199254740993n, swap: 9007199254740995n } }, ['memory.swap.max 2', 'memory.max 9007199254740993']],
  ['reservation', { memory: { reservation: 77 } }, ['memory.low 77']],
  ['pids', { pids: { limit: 7 } }, ['pids.max 7']],
  ['pids 0 is none: Podman writes it for that', { pids: { limit: 0 } }, ['pids.max max ?ENOENT']],
  ['pids -1', { pids: { limit: -1 } }, ['pids.max max ?ENOENT']],
  ['pids null', { pids: { limit: null } }, []],
  ['block weight: bfq first', { blockIO: { weight: 500 } }, ['io.bfq.weight 500 ?ENOENT', '| io.weight default 4950']],
  ['block weight of a device', { blockIO: { weightDevice: [{ major: 8, minor: 0, weight: 100 }, { major: 8, minor: 1 }] } }, ['io.bfq.weight 8:0 100 ?ENOENT', '| io.weight 8:0 910']],
  ['throttles', { blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1 }], throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: 2 }], throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 3 }], throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 0 }] } },
    ['io.max 8:0 rbps=1', 'io.max 8:0 wbps=2', 'io.max 8:0 riops=3', 'io.max 8:0 wiops=max']],
  ['huge pages, reserved ones too', { hugepageLimits: [{ pageSize: '2MB', limit: 4194304 }] }, ['hugetlb.2MB.max 4194304', 'hugetlb.2MB.rsvd.max 4194304 ?ENOENT']],
  ['rdma', { rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10 }, mlx4_0: { hcaObjects: 1000 }, mlx5_3: {} } }, ['rdma.max mlx5_1 hca_handle=3 hca_object=10', 'rdma.max mlx4_0 hca_object=1000']],
  ['unified: last, line by line, untranslated', { unified: { 'misc.max': 'res_a 5\nres_b 7\n', 'memory.oom.group': '1', 'cpu.weight': '55' }, cpu: { shares: 1024 } }, ['cpu.weight 100', 'misc.max res_a 5', 'misc.max res_b 7', 'memory.oom.group 1', 'cpu.weight 55']],
];
for (const [title, resources, expected] of cases) test(title, () => assert.equal(writes(resources), expected));

test('the controllers that writes need', () => {
  const all = { cpu: { shares: 5, cpus: '0' }, memory: { limit: 1 }, pids: { limit: 1 }, blockIO: { weight: 10 }, hugepageLimits: [{ pageSize: '2MB', limit: 1 }], rdma: { a: { hcaHandles: 1 } }, unified: { 'misc.max': 'a 1', 'cgroup.max.depth': '3' } };
  assert.equal(controllersOf(cgroupWrites(all)), ['cpu', 'cpuset', 'memory', 'pids', 'io', 'hugetlb', 'rdma', 'misc']);
});

test.run();
