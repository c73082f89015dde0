// config-linux.md, control groups, on cgroup v2.
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import type { Box, Created } from '../box.ts';
import { group } from '../case.ts';
import { differ, equal, fail, includes, match, ok, skip } from '../check.ts';
import { mapped, type Config, type Json } from '../config.ts';
import { cgroupRoot, cgroupsWith, controllers } from '../host.ts';

const test = group('cgroups');

function needs(controller: string): void {
  if (!controllers.includes(controller)) skip(`cgroup v2 of this host has no ${controller} controller`);
}
const pathOf = (pid: number): string => `${cgroupRoot}${/^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1]}`;
/** A container under limits: it, and the directory of its cgroup. */
async function limited(box: Box, resources: Json, more: (config: Config) => void = () => {}): Promise<{ made: Created; directory: string }> {
  const made = await box.started(['sleep'], (config) => {
    config.linux['resources'] = resources;
    config.linux['cgroupsPath'] = `/${box.token}/own`;
    more(config);
  });
  return { made, directory: pathOf(await box.pid(made.id)) };
}
const file = (directory: string, name: string): string => readFileSync(`${directory}/${name}`, 'utf8').trim();

test('config-linux.md#cgroups-path/absolute', 'an absolute path is below the mount point', async (box) => {
  const made = await box.started(['sleep'], (config) => (config.linux['cgroupsPath'] = `/${box.token}/a/b`));
  match(pathOf(await box.pid(made.id)), new RegExp(`/${box.token}/a/b$`), 'the cgroup');
});
test('config-linux.md#cgroups-path/absolute', 'exactly below it where the caller is in the root', async (box) => {
  if (!/^0::\/$/m.test(readFileSync('/proc/self/cgroup', 'utf8'))) skip('the caller is not in the root of cgroup v2');
  const made = await box.started(['sleep'], (config) => (config.linux['cgroupsPath'] = `/${box.token}`));
  equal(pathOf(await box.pid(made.id)), `${cgroupRoot}/${box.token}`, 'the cgroup');
});
test('config-linux.md#cgroups-path/relative', 'a relative path names a cgroup too', async (box) => {
  const made = await box.started(['sleep'], (config) => (config.linux['cgroupsPath'] = `${box.token}/a`));
  includes(pathOf(await box.pid(made.id)), `${box.token}/a`, 'the cgroup');
});
test('config-linux.md#cgroups-path/consistent', 'the same path is the same place', async (box) => {
  const seen: string[] = [];
  for (let round = 0; round < 2; round++) {
    const made = await box.started(['sleep'], (config) => (config.linux['cgroupsPath'] = `/${box.token}/same`));
    seen.push(pathOf(await box.pid(made.id)));
    await box.must(['delete', '--force', made.id]);
  }
  equal(seen[0], seen[1], 'places');
});
test('config-linux.md#cgroups-path/created', 'missing cgroups are made, and the last one removed by delete', async (box) => {
  const made = await box.started(['sleep'], (config) => (config.linux['cgroupsPath'] = `/${box.token}/x/y`));
  const path = pathOf(await box.pid(made.id));
  ok(existsSync(path), path);
  await box.must(['delete', '--force', made.id]);
  ok(!existsSync(path), `${path} is left`);
});
test('config-linux.md#cgroups-path/default', 'without a path each container has its own', async (box) => {
  const [first, second] = [await box.started(), await box.started()];
  differ(pathOf(await box.pid(first.id)), pathOf(await box.pid(second.id)), 'cgroups');
});
test('config-linux.md#cgroups-path/default', 'the default one is removed by delete', async (box) => {
  const made = await box.started();
  const path = pathOf(await box.pid(made.id));
  await box.must(['delete', '--force', made.id]);
  ok(!existsSync(path), `${path} is left`);
});
for (const bad of ['../../../outside', '/../../outside']) {
  test('config-linux.md#cgroups-path/invalid', `${bad} stays below the root or is refused`, async (box) => {
    const name = `${bad}-${box.token}`, bundle = box.bundle(['sleep'], (config) => (config.linux['cgroupsPath'] = name)), id = box.id();
    const result = await box.launch(['create', '--bundle', bundle, id]).done;
    const outside = ['/', '/sys/', '/sys/fs/'].map((place) => `${place}outside-${box.token}`).filter((path) => existsSync(path));
    for (const path of outside) await box.spawn('/bin/rm', ['-rf', path]).done;
    equal(outside, [], 'directories outside of the hierarchy');
    if (result.code === 0) ok(pathOf(await box.pid(id)).startsWith(cgroupRoot) && !pathOf(await box.pid(id)).includes('..'), pathOf(await box.pid(id)));
  });
}
test('config-linux.md#control-groups/unfit', 'a cgroup that is frozen is refused, or create gives an answer', async (box) => {
  const path = `${cgroupRoot}/${box.token}`;
  mkdirSync(path);
  writeFileSync(`${path}/cgroup.freeze`, '1');
  const result = await box.call(['create', '--bundle', box.bundle(['sleep'], (config) => (config.linux['cgroupsPath'] = `/${box.token}`)), box.id()], { seconds: 8 });
  writeFileSync(`${path}/cgroup.freeze`, '0');
  if (result.code === 124) fail('create never ended');
});
test('config-linux.md#cgroups-path/created', 'a cgroup that exists already is used', async (box) => {
  mkdirSync(`${cgroupRoot}/${box.token}`);
  const made = await box.started(['sleep'], (config) => (config.linux['cgroupsPath'] = `/${box.token}`));
  includes(pathOf(await box.pid(made.id)), box.token, 'the cgroup');
});
test('config-linux.md#cgroups-path/created', 'every process of the container is in it', async (box) => {
  const { made, directory } = await limited(box, {});
  includes(file(directory, 'cgroup.procs').split('\n'), String(await box.pid(made.id)), 'cgroup.procs');
});

const values: readonly (readonly [requirement: string, controller: string, title: string, resources: Json, file: string, wanted: RegExp])[] = [
  ['memory/limit', 'memory', 'memory.limit', { memory: { limit: 33554432 } }, 'memory.max', /^33554432$/],
  ['memory/reservation', 'memory', 'memory.reservation', { memory: { reservation: 16777216 } }, 'memory.low', /^16777216$/],
  ['memory/swap', 'memory', 'memory.swap', { memory: { limit: 33554432, swap: 50331648 } }, 'memory.swap.max', /^16777216$/],
  ['memory/swap', 'memory', 'swap as large as memory is none', { memory: { limit: 33554432, swap: 33554432 } }, 'memory.swap.max', /^0$/],
  ['memory/unlimited', 'memory', 'memory.limit -1', { memory: { limit: -1 } }, 'memory.max', /^max$/],
  ['cpu/shares', 'cpu', 'cpu.shares', { cpu: { shares: 2 } }, 'cpu.weight', /^1$/],
  ['cpu/shares', 'cpu', 'cpu.shares at the upper end', { cpu: { shares: 262144 } }, 'cpu.weight', /^10000$/],
  ['cpu/quota', 'cpu', 'cpu.quota and cpu.period', { cpu: { quota: 50000, period: 200000 } }, 'cpu.max', /^50000 200000$/],
  ['cpu/quota', 'cpu', 'cpu.period alone', { cpu: { period: 50000 } }, 'cpu.max', /^max 50000$/],
  ['cpu/quota', 'cpu', 'cpu.quota -1', { cpu: { quota: -1, period: 100000 } }, 'cpu.max', /^max 100000$/],
  ['cpu/burst', 'cpu', 'cpu.burst', { cpu: { quota: 50000, period: 100000, burst: 20000 } }, 'cpu.max.burst', /^20000$/],
  ['cpu/idle', 'cpu', 'cpu.idle', { cpu: { idle: 1 } }, 'cpu.idle', /^1$/],
  ['cpu/cpus', 'cpuset', 'cpu.cpus', { cpu: { cpus: '0' } }, 'cpuset.cpus', /^0$/],
  ['cpu/mems', 'cpuset', 'cpu.mems', { cpu: { mems: '0' } }, 'cpuset.mems', /^0$/],
  ['pids/limit', 'pids', 'pids.limit', { pids: { limit: 77 } }, 'pids.max', /^77$/],
  ['pids/unlimited', 'pids', 'pids.limit -1', { pids: { limit: -1 } }, 'pids.max', /^max$/],
  ['block-io/weight', 'io', 'blockIO.weight', { blockIO: { weight: 500 } }, 'io.weight', /^default \d+/],
  ['unified/written', 'memory', 'unified memory.high', { unified: { 'memory.high': '50331648' } }, 'memory.high', /^50331648$/],
  ['unified/written', 'pids', 'unified pids.max', { unified: { 'pids.max': '55' } }, 'pids.max', /^55$/],
  ['unified/enabled', 'cpu', 'unified enables the controller', { unified: { 'cpu.weight': '42' } }, 'cpu.weight', /^42$/],
  ['unified/unknown', 'memory', 'a key that the runtime may not know', { unified: { 'memory.oom.group': '1' } }, 'memory.oom.group', /^1$/],
];
for (const [requirement, controller, title, resources, name, wanted] of values) {
  test(`config-linux.md#${requirement}`, title, async (box) => {
    needs(controller);
    const { directory } = await limited(box, resources);
    const path = name === 'io.weight' && !existsSync(`${directory}/${name}`) ? 'io.bfq.weight' : name;
    if (!existsSync(`${directory}/${path}`)) skip(`the kernel has no ${path}`);
    match(file(directory, path), wanted, path);
  });
}
test('config-linux.md#unified/unknown', 'a file of cgroup v2 itself', async (box) => {
  const { directory } = await limited(box, { unified: { 'cgroup.max.descendants': '7' } });
  equal(file(directory, 'cgroup.max.descendants'), '7', 'cgroup.max.descendants');
});
test('config-linux.md#unified/absent', 'a controller that is not there is refused', async (box) => void (await box.refused((config) => (config.linux['resources'] = { unified: { 'nosuch.max': '1' } }))));
test('config-linux.md#unified/absent', 'a key with a slash is refused', async (box) => void (await box.refused((config) => (config.linux['resources'] = { unified: { '../cgroup.procs': '1' } }))));
test('config-linux.md#unified/absent', 'a value the kernel refuses is refused', async (box) => void (await box.refused((config) => (config.linux['resources'] = { unified: { 'cgroup.max.depth': 'banana' } }))));
test('config-linux.md#unified/conversion', 'a limit of a controller that is missing is refused', async (box) => {
  const absent = (['memory', 'pids', 'cpu'] as const).find((name) => !controllers.includes(name));
  if (absent === undefined) skip('this host has every controller');
  await box.refused((config) => (config.linux['resources'] = { memory: { memory: { limit: 33554432 } }, pids: { pids: { limit: 7 } }, cpu: { cpu: { quota: 10000, period: 100000 } } }[absent]));
});
test('config-linux.md#block-io/throttle', 'throttleReadBpsDevice', async (box) => {
  needs('io');
  const disk = ['vda', 'sda', 'nvme0n1'].find((name) => existsSync(`/sys/block/${name}/dev`));
  if (disk === undefined) skip('no disk');
  const [major, minor] = readFileSync(`/sys/block/${disk}/dev`, 'utf8').trim().split(':').map(Number);
  const { directory } = await limited(box, { blockIO: { throttleReadBpsDevice: [{ major, minor, rate: 1048576 }], throttleWriteIOPSDevice: [{ major, minor, rate: 100 }] } });
  match(file(directory, 'io.max'), new RegExp(`^${major}:${minor} .*rbps=1048576 .*wiops=100`, 'm'), 'io.max');
});
test('config-linux.md#huge-page-limits/limit', 'hugepageLimits', async (box) => {
  needs('hugetlb');
  const { directory } = await limited(box, { hugepageLimits: [{ pageSize: '2MB', limit: 4194304 }] });
  equal(file(directory, 'hugetlb.2MB.max'), '4194304', 'hugetlb.2MB.max');
});
test('config-linux.md#memory/felt', 'a process above the limit is killed', async (box) => {
  needs('memory');
  const result = await box.call(['run', '--bundle', box.bundle(['memory', '100000000', ',', 'say', 'survived'], (config) => (config.linux['resources'] = { memory: { limit: 33554432, swap: 33554432 } })), box.id()]);
  equal([result.code, result.stdout.includes('survived')], [137, false], 'exit status, and whether it went on');
});
test('config-linux.md#pids/felt', 'a fork above the limit fails', async (box) => {
  needs('pids');
  const [line] = await box.probe(['forks', '20'], (config) => (config.linux['resources'] = { pids: { limit: 8 } }));
  equal([line?.errno, (line?.forks ?? 99) < 8], ['EAGAIN', true], 'errno, and whether less than eight were made');
});
test('config-linux.md#cpu/cpus', 'a set of processors is felt', async (box) => {
  needs('cpuset');
  const facts = await box.facts((config) => (config.linux['resources'] = { cpu: { cpus: '0' } }));
  equal(facts.affinity, [0], 'affinity');
});
test('config-linux.md#cpu/quota', 'a quota is felt', async (box) => {
  needs('cpu');
  const [line] = await box.probe(['burn', '3'], (config) => (config.linux['resources'] = { cpu: { quota: 20000, period: 100000 } }));
  ok((line?.milliseconds ?? 9999) < 1500, `of 3 s it had ${line?.milliseconds} ms, a fifth is 600`);
}, { alone: true, seconds: 40 });
test('config-linux.md#memory/checkBeforeUpdate', 'a limit below the usage is refused', async (box) => {
  needs('memory');
  const made = await box.started(['memory', '60000000', ',', 'say', 'full', ',', 'sleep'], (config) => (config.linux['resources'] = { memory: { limit: 134217728 } }));
  await box.until('memory is full', () => made.output().includes('full'));
  const result = await box.call(['update', '--resources', '-', made.id], { input: JSON.stringify({ memory: { limit: 8388608, checkBeforeUpdate: true } }) });
  differ(result.code, 0, 'exit status of update');
  equal(await box.status(made.id), 'running', 'status');
});
const mounted = (...options: string[]): Json => ({ destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', ...options] });
async function ownerOf(box: Box, change: (config: Config) => void): Promise<{ directory: string; uid: number }> {
  const { directory } = await limited(box, {}, (config) => {
    mapped(config);
    change(config);
  });
  return { directory, uid: statSync(directory).uid };
}
test('config-linux.md#cgroup-ownership/readonly', 'mounted read-only: the owner stays', async (box) => equal((await ownerOf(box, (config) => config.mounts.push(mounted('ro')))).uid, 0, 'owner'));
test('config-linux.md#cgroup-ownership/readonly', 'not mounted: the owner stays', async (box) => equal((await ownerOf(box, () => {})).uid, 0, 'owner'));
test('config-linux.md#cgroup-ownership/writable', 'mounted for writing: the owner is root inside', async (box) => equal((await ownerOf(box, (config) => config.mounts.push(mounted('rw')))).uid, 100000, 'owner'));
test('config-linux.md#cgroup-ownership/namespace', 'no cgroup namespace: the owner stays', async (box) => equal((await ownerOf(box, (config) => {
  config.mounts.push(mounted('rw'));
  config.linux['namespaces'] = (config.linux['namespaces'] as Json[]).filter(({ type }) => type !== 'cgroup');
})).uid, 0, 'owner'));
test('config-linux.md#cgroup-ownership/files', 'only delegated files change their owner', async (box) => {
  const { directory } = await ownerOf(box, (config) => config.mounts.push(mounted('rw')));
  const delegated = readFileSync('/sys/kernel/cgroup/delegate', 'utf8').trim().split('\n');
  const seen = ['cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads', 'cgroup.freeze', 'cgroup.max.depth', 'cgroup.type'].filter((name) => existsSync(`${directory}/${name}`));
  equal(seen.filter((name) => statSync(`${directory}/${name}`).uid !== 0), seen.filter((name) => delegated.includes(name)), 'files of another owner');
});
test('config-linux.md#cgroup-ownership/missing', 'files of the list that are missing do no harm', async (box) => {
  const { directory } = await ownerOf(box, (config) => config.mounts.push(mounted('rw')));
  ok(existsSync(directory), directory);
});
test('config-linux.md#cgroups-path/created', 'nothing is left after many', async (box) => {
  for (let round = 0; round < 5; round++) {
    const { made } = await limited(box, {});
    await box.must(['delete', '--force', made.id]);
  }
  const left = cgroupsWith(box.token).filter((path) => path.includes('own'));
  equal(left, [], 'cgroups');
  for (const path of cgroupsWith(box.token)) rmdirSync(path);
});
