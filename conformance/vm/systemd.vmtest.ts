// The systemd driver: the unit, its place and its properties, what a reload leaves alone, and what is left after failures: nothing.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, until, type Json } from '../harness.ts';
import { asTester, busyboxRootfs, must, runt, sh } from './guest.ts';
import { note, suite } from './tap.ts';

type Change = (config: ReturnType<typeof baseConfig>) => void;

const test = suite('systemd');
const command = `${runt} --systemd-cgroup`;

function bundleOf(cgroupsPath: string | undefined, change: Change = () => {}, ...args: string[]): string {
  const config = baseConfig(...(args.length > 0 ? args : ['sleep', '1000']));
  if (cgroupsPath !== undefined) config.linux['cgroupsPath'] = cgroupsPath;
  change(config);
  return makeBundle(config);
}
const limits = (resources: Json): Change => (config) => void Object.assign(config.linux['resources'] as Json, resources);
const create = (id: string, bundle: string): ReturnType<typeof sh> => sh(`${command} create --bundle ${bundle} ${id} </dev/null`);
const made = (id: string, bundle: string): void => {
  const { code, stderr } = create(id, bundle);
  assert.is(code, 0, stderr);
};
const show = (unit: string, ...names: string[]): string[] => names.map((name) => must(`systemctl show --value -p ${name} ${unit}`).trim());
const cgroupOf = (id: string): string => must(`sed -n s/^0:://p /proc/$(${runt} state ${id} | sed -n 's/.*"pid": \\([0-9]*\\).*/\\1/p')/cgroup`).trim();
const remove = (id: string): void => void must(`${runt} delete --force ${id}`);
/** Units and cgroups of containers; the machine's own test unit is called runt-vm-test.service. */
const left = (): string => must('systemctl list-units --all --no-legend --plain "runt-*" "pre-*" | grep -v "^runt-vm-"; systemctl --failed --no-legend --plain | grep -E "runt|pre-" | grep -v "^runt-vm-"; find /sys/fs/cgroup \\( -name "runt-*" -o -name "pre-*" \\) ! -name "runt-vm-*"; true');

test('without a cgroupsPath: a delegated scope in system.slice, with accounting', () => {
  made('one', bundleOf(undefined));
  assert.is(cgroupOf('one'), '/system.slice/runt-one.scope');
  assert.equal(show('runt-one.scope', 'Slice', 'Delegate', 'Description', 'MemoryAccounting', 'TasksAccounting', 'ActiveState'), ['system.slice', 'yes', 'runt container one', 'yes', 'yes', 'active']);
  remove('one');
  assert.is(left(), '');
});
test('slice:prefix:name; a-b.slice lies in a.slice; exec is in the scope', () => {
  made('two', bundleOf('a-b.slice:pre:two'));
  must(`${runt} start two`);
  assert.is(cgroupOf('two'), '/a.slice/a-b.slice/pre-two.scope');
  assert.is(must(`${runt} exec two cat /proc/self/cgroup`).trim().split('\n').at(-1), '0::/');
  remove('two');
  assert.is(left(), '');
  assert.match(create('two', bundleOf('/a/b')).stderr, /expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "\/a\/b" instead/);
});
test('a .slice is a unit of its own', () => {
  made('three', bundleOf('system.slice:pre:pre-three.slice'));
  assert.is(cgroupOf('three'), '/pre.slice/pre-three.slice');
  remove('three');
  assert.is(left().replace(/^.*pre\.slice$/gm, '').trim(), '');
});
test('limits are properties, and exact in the files; a reload keeps both, and the device rules', () => {
  const rules = [{ allow: false, access: 'rwm' }, { allow: true, type: 'c', major: 1, minor: 11, access: 'w' }];
  const resources = limits({ memory: { limit: 67108864, swap: 100663296, reservation: 33554432 }, cpu: { shares: 512, quota: 12345, period: 50000, cpus: '1', mems: '0' }, pids: { limit: 33 }, blockIO: { weight: 0 }, unified: { 'memory.high': '60000000', 'memory.oom.group': '1' }, devices: rules });
  const loop = 'while :; do (: > /dev/kmsg) || echo lost; (: < /dev/fuse) && echo leaked; sleep 0.2; done';
  const devices: Change = (config) => {
    resources(config);
    config.linux['devices'] = [{ path: '/dev/kmsg', type: 'c', major: 1, minor: 11, fileMode: 0o666 }, { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o666 }];
  };
  must(`${command} run --detach --bundle ${bundleOf('system.slice:pre:four', devices, 'sh', '-c', loop)} four </dev/null >/tmp/four 2>/tmp/four.err`);
  const files = (): string[] => ['memory.max', 'memory.swap.max', 'memory.low', 'memory.high', 'memory.oom.group', 'cpu.weight', 'cpu.max', 'cpuset.cpus', 'pids.max'].map((file) => readFileSync(`/sys/fs/cgroup/system.slice/pre-four.scope/${file}`, 'utf8').trim());
  const expected = ['67108864', '33554432', '33554432', '59998208', '1', '59', '12345 50000', '1', '33'];
  assert.equal(files(), expected);
  assert.equal(show('pre-four.scope', 'MemoryMax', 'MemorySwapMax', 'CPUQuotaPerSecUSec', 'CPUWeight', 'AllowedCPUs', 'TasksMax', 'OOMPolicy', 'DevicePolicy'), ['67108864', '33554432', '250ms', '59', '1', '33', 'kill', 'auto']);
  must('systemctl daemon-reload; sleep 2');
  assert.equal(files().filter((_, i) => i !== 6), expected.filter((_, i) => i !== 6));
  note(`cpu.max after a reload: ${files()[6]}`);
  assert.is(readFileSync('/tmp/four', 'utf8'), '');
  must(`${runt} update --pids-limit 44 --memory 80m --memory-swap 80m four`);
  assert.equal([...show('pre-four.scope', 'TasksMax', 'MemoryMax', 'MemorySwapMax'), files()[0], files()[8]], ['44', '83886080', '0', '83886080', '44']);
  must(`${runt} pause four`);
  assert.match(must(`${runt} state four`), /"paused"/);
  remove('four');
  assert.is(left(), '');
});
test('controllers systemd does not know are shared where a limit needs them', () => {
  made('five', bundleOf('a-b.slice:pre:five', limits({ hugepageLimits: [{ pageSize: '2MB', limit: 4194304 }], unified: { 'misc.max': '' } })));
  assert.is(must('cat /sys/fs/cgroup/a.slice/a-b.slice/pre-five.scope/hugetlb.2MB.max').trim(), '4194304');
  remove('five');
});
test('annotations set safe properties, and no others', () => {
  const annotated = (name: string, value: string): string => bundleOf('system.slice:pre:six', (config) => Object.assign(config, { annotations: { [`org.systemd.property.${name}`]: value } }));
  made('six', annotated('TimeoutStopSec', '2.5'));
  assert.equal(show('pre-six.scope', 'TimeoutStopUSec'), ['2.500000s']);
  remove('six');
  const refused = create('six', annotated('FailureAction', "'reboot'"));
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /annotations\["?org.systemd.property.FailureAction"?\]: an annotation may not set the property FailureAction/);
  assert.is(left(), '');
});
test('a unit that is in use is refused; what fails leaves nothing', () => {
  made('seven', bundleOf('system.slice:pre:seven'));
  assert.match(create('eight', bundleOf('system.slice:pre:seven')).stderr, /cgroupsPath: container's cgroup is not empty: 1 process\(es\) found/);
  remove('seven');
  const wrong = bundleOf('system.slice:pre:eight', (config) => config.mounts.push({ destination: '/x', type: 'tmpfs', source: 'x', options: ['size=banana'] }));
  assert.match(create('eight', wrong).stderr, /banana/);
  assert.match(create('eight', bundleOf('system.slice:pre:eight', limits({ cpu: { cpus: '77' } }))).stderr, /cpuset\.cpus|AllowedCPUs/);
  assert.is(left(), '');
});
test('a scope that is stopped, or failed, is a stopped container; its name is free again', () => {
  // An init that does not know SIGTERM is given this long by systemd.
  made('nine', bundleOf('system.slice:pre:nine', (config) => Object.assign(config, { annotations: { 'org.systemd.property.TimeoutStopSec': '1' } })));
  must('systemctl stop pre-nine.scope');
  until('stopped', () => must(`${runt} state nine`).includes('"stopped"'));
  must(`${runt} delete nine`);
  assert.is(left(), '');
});
test('a container in the foreground keeps no connection to systemd', () => {
  const connections = (): number => Number(must('ss -xH | grep -cE "/run/systemd/private|system_bus_socket"; true'));
  const before = connections();
  must(`(${command} run --bundle ${bundleOf('system.slice:pre:fore')} fore </dev/null >/dev/null 2>&1 &) ; for i in $(seq 300); do ${runt} state fore 2>/dev/null | grep -q running && exit; sleep 0.2; done; exit 1`);
  until('no connection more', () => connections() <= before);
  remove('fore');
});
test('killed in the middle of create: delete --force clears everything', () => {
  const bundle = bundleOf('system.slice:pre:ten');
  const rounds = Number(process.env['RUNT_KILLS'] ?? 3);
  const usual = Number(must(`s=$(date +%s%N); ${command} create --bundle ${bundle} ten </dev/null >/dev/null 2>&1; echo $((($(date +%s%N) - s) / 1000000)); ${runt} delete --force ten`).trim());
  for (let i = 0; i < rounds; i++) {
    const moment = ((usual * Math.random()) / 1000).toFixed(3);
    sh(`timeout -s KILL ${moment} ${command} create --bundle ${bundle} ten </dev/null >/dev/null 2>&1`);
    remove('ten');
    assert.not.ok(existsSync('/sys/fs/cgroup/system.slice/pre-ten.scope'));
  }
  until('no unit', () => left() === '');
  made('ten', bundle);
  remove('ten');
});
test('an ordinary user: her own systemd, limits, exec and delete, also from a session outside it', () => {
  mkdirSync('/home/tester/user/rootfs', { recursive: true });
  must(`cp -a ${busyboxRootfs}/. /home/tester/user/rootfs/; chown -R tester /home/tester/user; cd /home/tester/user && rm -f config.json && runuser -u tester -- runc spec --rootless`);
  const config = JSON.parse(readFileSync('/home/tester/user/config.json', 'utf8')) as Record<string, any>;
  config['process'].terminal = false;
  config['process'].args = ['sleep', '1000'];
  config['linux'].resources = existsSync('/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/pids.max') ? { pids: { limit: 12 } } : {};
  writeFileSync('/home/tester/user/config.json', JSON.stringify(config));
  must('chown -R tester /home/tester/user');
  const script = `${command} run --detach --bundle user web </dev/null >/dev/null 2>&1 && ${runt} exec web cat /proc/self/cgroup | tail -n 1; systemctl --user show --value -p ControlGroup -p TasksMax runt-web.scope; ${runt} delete --force web; systemctl --user list-units --all --no-legend "runt-*"`;
  const lines = (text: string): string[] => text.trim().split('\n').filter((line) => line !== '');
  const expected = ['0::/', '/user.slice/user-1000.slice/user@1000.service/user.slice/runt-web.scope'];
  const inside = asTester(script);
  const outside = sh(`cd /home/tester && runuser -u tester -- env XDG_RUNTIME_DIR=/run/user/1000 sh -c '${script}'`);
  for (const { stdout, stderr } of [inside, outside]) {
    const [cgroup, place, tasks, ...rest] = lines(stdout).sort();
    assert.equal([...lines(stdout).filter((line) => line.startsWith('0::') || line.startsWith('/'))].sort(), [...expected].sort(), stdout + stderr);
    note(`${cgroup} ${place} ${tasks} ${rest.join(' ')}`);
  }
});
test('an ordinary user and cgroupfs: a cgroup that is delegated to her is used, elsewhere it is runc’s words', () => {
  const path = '/home/tester/user/config.json';
  const given = JSON.parse(readFileSync(path, 'utf8')) as Record<string, any>;
  const delegated = asTester(`${runt} run --detach --bundle user mine </dev/null >/dev/null 2>&1 && ${runt} exec mine cat /proc/self/cgroup | tail -n 1; find /sys/fs/cgroup -name mine; ${runt} delete --force mine; find /sys/fs/cgroup -name mine`);
  assert.is(delegated.stdout, '0::/\n/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/mine\n', delegated.stderr);
  const outside = (change: Json): string => {
    writeFileSync(path, JSON.stringify({ ...given, linux: { ...given['linux'], ...change } }));
    return sh(`cd /home/tester && runuser -u tester -- env XDG_RUNTIME_DIR=/run/user/1000 ${runt} run --bundle user mine`).stderr;
  };
  const words = /rootless needs no limits \+ no cgrouppath when no permission is granted for cgroups/;
  assert.match(outside({ resources: { unified: { 'cgroup.max.depth': '3' } } }), words);
  assert.match(outside({ resources: {}, cgroupsPath: '/mine' }), words);
  assert.match(outside({ resources: { hugepageLimits: [{ pageSize: '2MB', limit: 0 }] } }), /rootless needs no limits|controller hugetlb is not available/);
});
test('without systemd, or without a user’s: an error that says so', () => {
  const bundle = bundleOf(undefined);
  assert.match(sh(`unshare -m sh -c 'mount -t tmpfs none /run/systemd; ${command} --root /tmp/nowhere create --bundle ${bundle} no'`).stderr, /systemd support for managing cgroups is not available/);
  must(`chmod 755 ${bundle}; chmod 644 ${bundle}/config.json`);
  assert.match(sh(`runuser -u tester -- env XDG_RUNTIME_DIR=/tmp ${command} --root /tmp/nowhere2 create --bundle ${bundle} no`).stderr, /cannot reach the user.s systemd: connect\(\/tmp\/systemd\/private\): ENOENT/);
});
test.run();
