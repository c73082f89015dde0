// The systemd driver before it asks anyone: names of units, their place, their properties, and when they are started.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Config, Resources } from '../../spec/config.ts';
import { openImage, readRecords } from '../program/decode.ts';
import { encodeProgram } from '../program/encode.ts';
import { printStep } from '../program/print.ts';
import { compileCreate } from './create.ts';
import { expandSlice, resourceProperties, unitOf, unitProperties } from './scope.ts';
import { testContext } from './testing.ts';

const test = suite('scope');

test('where a unit is', () => {
  const cases: readonly (readonly [cgroupsPath: string | undefined, isUser: boolean, name: string, path: string])[] = [
    [undefined, false, 'runt-web.scope', '/system.slice/runt-web.scope'],
    ['', true, 'runt-web.scope', '/user.slice/runt-web.scope'],
    ['machine.slice:libpod:abc', false, 'libpod-abc.scope', '/machine.slice/libpod-abc.scope'],
    [':docker:abc', false, 'docker-abc.scope', '/system.slice/docker-abc.scope'],
    ['user.slice::abc', true, 'abc.scope', '/user.slice/abc.scope'],
    ['kubepods-burstable-pod1.slice:cri:x', false, 'cri-x.scope', '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-x.scope'],
    ['-.slice:a:b', false, 'a-b.scope', '/a-b.scope'],
    ['a.slice:ignored:b-c.slice', false, 'b-c.slice', '/b.slice/b-c.slice'],
  ];
  for (const [cgroupsPath, isUser, name, path] of cases) {
    const unit = unitOf(cgroupsPath, 'web', isUser);
    assert.equal([unit.name, unit.path], [name, path]);
  }
  assert.is(unitOf(undefined, 'a+b', false).name, 'runt-a\\x2bb.scope');
});
test('what is no place of a unit is refused in runc’s words', () => {
  for (const wrong of ['/a/b', 'a.slice:b', 'a.slice:b:c:d', 'a.slice:b:']) assert.throws(() => unitOf(wrong, 'web', false), /expected cgroupsPath to be of format "slice:prefix:name"/);
  for (const slice of ['a', 'a--b.slice', '-a.slice', 'a-.slice', 'a/b.slice', '.slice', '../x.slice']) assert.throws(() => expandSlice(slice), /invalid slice name/, slice);
  assert.throws(() => unitOf('a.slice:b:c d', 'web', false), /no name of a systemd unit/);
  assert.throws(() => unitOf('a.slice:b:../../c', 'web', false), /no name of a systemd unit/);
});

const limits: readonly (readonly [resources: unknown, expected: readonly string[]])[] = [
  [undefined, []],
  [{ memory: { limit: 64, reservation: 32, swap: 100 } }, ['MemoryMax=64', 'MemoryLow=32', 'MemorySwapMax=36']],
  [{ memory: { limit: -1 } }, ['MemoryMax=infinity', 'MemorySwapMax=infinity']],
  [{ memory: { limit: 0, swap: 0 }, cpu: { shares: 0, quota: 0, period: 0 }, pids: {} }, []],
  [{ cpu: { shares: 1024, cpus: '0-1', mems: '0' } }, ['CPUWeight=100', 'AllowedCPUs=0-1', 'AllowedMemoryNodes=0']],
  [{ cpu: { idle: 1, shares: 1024 } }, ['CPUWeight=0']],
  [{ cpu: { quota: 50000, period: 100000 } }, ['CPUQuotaPeriodUSec=100000', 'CPUQuotaPerSecUSec=500000']],
  [{ cpu: { quota: 1001 } }, ['CPUQuotaPerSecUSec=20000']], // 1.001 % of a CPU: rounded up to 2
  [{ cpu: { quota: -1, period: 5000 } }, ['CPUQuotaPeriodUSec=5000', 'CPUQuotaPerSecUSec=infinity']],
  [{ pids: { limit: 0 } }, ['TasksMax=infinity']],
  [{ pids: { limit: -1 } }, ['TasksMax=infinity']],
  [{ blockIO: { weight: 500 } }, ['IOWeight=4950']],
  [{ unified: { 'cpu.max': '5000 10000', 'cpu.weight': '7', 'cpu.idle': '0', 'memory.high': 'max', 'memory.min': '9', 'memory.max': '1G', 'pids.max': '3', 'cpuset.cpus': '1', 'io.max': '8:0 rbps=1' } },
    ['CPUQuotaPeriodUSec=10000', 'CPUQuotaPerSecUSec=500000', 'CPUWeight=7', 'MemoryHigh=infinity', 'MemoryMin=9', 'TasksMax=3', 'AllowedCPUs=1']],
];
for (const [resources, expected] of limits) test(`properties of ${JSON.stringify(resources)}`, () => assert.equal(resourceProperties(resources as Resources), expected));

const propertiesOf = (config: object, cgroupsPath?: string): readonly string[] => unitProperties(unitOf(cgroupsPath, 'web', false), 'web', { ociVersion: '1.3.0', ...config } as Config);

test('a scope is delegated, a slice wants its parent; oom.group is the policy', () => {
  assert.equal(propertiesOf({}).slice(0, 4), ['Description=runt container web', 'Slice=system.slice', 'Delegate=yes', 'DefaultDependencies=no']);
  assert.equal(propertiesOf({}, 'a.slice:x:b.slice').slice(0, 2), ['Description=runt container web', 'Wants=a.slice']);
  assert.is(propertiesOf({ linux: { resources: { unified: { 'memory.oom.group': '1' } } } }).at(-1), 'OOMPolicy=kill');
});
test('annotations set safe properties, by GVariant text', () => {
  const annotated = (name: string, value: string): string => propertiesOf({ annotations: { [`org.systemd.property.${name}`]: value, other: 'x' } }).at(-1)!;
  assert.is(annotated('TimeoutStopUSec', 'uint64 123456789'), 'TimeoutStopUSec=123456789');
  assert.is(annotated('TimeoutStopSec', '2.5'), 'TimeoutStopUSec=2500000');
  assert.is(annotated('CollectMode', "'inactive-or-failed'"), 'CollectMode=inactive-or-failed');
  assert.is(annotated('SendSIGHUP', 'true'), 'SendSIGHUP=true');
  assert.is(annotated('After', "['a.service', \"b.service\"]"), 'After=a.service b.service');
  for (const unsafe of ['BindsTo', 'BPFProgram', 'FailureAction', 'Slice', 'Delegate', 'ExecStop', 'toString']) assert.throws(() => annotated(unsafe, "'x'"), /may not set the property/);
  for (const wrong of ['', 'bare', "['a", "'a' 'b'", '[1]']) assert.throws(() => annotated('CollectMode', wrong), /no value of a property/, wrong);
  for (const [name, wrong] of [['TimeoutStopUSec', 'true'], ['TimeoutStopSec', "'x'"], ['SendSIGHUP', '5'], ['KillSignal', "'TERM'"]]) assert.throws(() => annotated(name!, wrong!), /no value of a property/, name);
});
test('the unit is started before init is born, its cgroup travels there, and limits hold before', () => {
  const context = testContext({ linux: { namespaces: [{ type: 'mount' }], resources: { pids: { limit: 5 } } } });
  const unit = { unit: 'runt-c1.scope', properties: [] };
  const program = compileCreate({ ...context, host: { ...context.host, cgroup: { ...context.host.cgroup!, missing: [], unit } } });
  const image = openImage(Buffer.from(encodeProgram(program)))!;
  const lines = readRecords(image).map((view) => printStep(image, view));
  const at = (op: string, text = ''): number => lines.findIndex((line) => line.includes(op) && line.includes(text));
  const order = [at('close_range'), at('hand_over', '$cgroup'), at('start_unit', 'runt-c1.scope'), at('write_file', 'pids.max'), at('clone3', 'cgroup=$cgroup')];
  assert.equal(order, [...order].sort((a, b) => a - b));
  assert.ok(order.every((index) => index >= 0), String(order));
  assert.is(at('mkdirat', '/sys/fs/cgroup'), -1);
});

test.run();
