// config-linux.md: namespaces, ids and time.
import { chownSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { group } from '../case.ts';
import { differ, equal, excludes, includes, match, ok, skip } from '../check.ts';
import { bind, mapped, tmpfs, withoutNamespace, type Config, type Json } from '../config.ts';
import { mountAt } from '../facts.ts';
import { cgroupsWith, kernel } from '../host.ts';

const test = group('namespaces');
const kinds = [['pid', 'pid'], ['network', 'net'], ['mount', 'mnt'], ['ipc', 'ipc'], ['uts', 'uts'], ['cgroup', 'cgroup'], ['user', 'user'], ['time', 'time']] as const;
const add = (config: Config, ...list: Json[]): void => void (config.linux['namespaces'] as Json[]).push(...list);

for (const [type, name] of kinds) {
  test('config-linux.md#namespaces/new', `a new ${type} namespace`, async (box) => {
    const facts = await box.facts((config) => {
      if (type === 'user') mapped(config);
      if (type === 'time') add(config, { type });
    });
    ok(facts.namespaces[name], `/proc/self/ns/${name}`);
    differ(facts.namespaces[name], readlinkSync(`/proc/self/ns/${name}`), `the ${type} namespace and the host's`);
  });
  if (type !== 'mount') {
    test('config-linux.md#namespaces/inherit', `no ${type} namespace`, async (box) => {
      const facts = await box.facts((config) => {
        withoutNamespace(config, type);
        if (type === 'uts') delete (config as Json)['hostname'];
        if (type === 'network') config.mounts.find((one) => one['type'] === 'sysfs')!['options'] = ['nosuid', 'noexec', 'nodev', 'ro'];
      });
      equal(facts.namespaces[name], readlinkSync(`/proc/self/ns/${name}`), `the ${type} namespace`);
    });
    test('config-linux.md#namespaces/path-join', `a ${type} namespace of another container`, async (box) => {
      if (type === 'time' && kernel[0] * 100 + kernel[1] < 506) skip('Linux 5.6');
      const other = await box.started(['sleep'], (config) => {
        if (type === 'user') mapped(config);
        if (type === 'time') add(config, { type });
      });
      const path = `/proc/${await box.pid(other.id)}/ns/${name}`, wanted = readlinkSync(path);
      const facts = await box.facts((config) => {
        withoutNamespace(config, type);
        if (type === 'uts') delete (config as Json)['hostname'];
        add(config, { type, path });
      });
      equal(facts.namespaces[name], wanted, `the ${type} namespace`);
    });
  }
  test('config-linux.md#namespaces/duplicate', `${type} twice is refused`, async (box) => void (await box.refused((config) => {
    if (type === 'user') mapped(config);
    add(config, ...(['user', 'time'].includes(type) && type !== 'user' ? [{ type }, { type }] : [{ type }]));
  })));
}
for (const [type, wrong] of [['pid', 'net'], ['network', 'uts'], ['ipc', 'net'], ['uts', 'ipc'], ['cgroup', 'net'], ['mount', 'net']] as const) {
  test('config-linux.md#namespaces/path-type', `${type} with the path of another type is refused`, async (box) => void (await box.refused((config) => {
    withoutNamespace(config, type);
    if (type === 'uts') delete (config as Json)['hostname'];
    add(config, { type, path: `/proc/${process.pid}/ns/${wrong}` });
  })));
}
test('config-linux.md#namespaces/path-type', 'a path that is no namespace is refused', async (box) => void (await box.refused((config) => {
  withoutNamespace(config, 'network');
  add(config, { type: 'network', path: '/etc/passwd' });
})));
test('config-linux.md#namespaces/path-absolute', 'a path that is missing is refused', async (box) => void (await box.refused((config) => {
  withoutNamespace(config, 'network');
  add(config, { type: 'network', path: '/proc/self/ns/nothing' });
})));
test('config-linux.md#namespaces/path-absolute', 'a relative path is refused', async (box) => {
  const bundle = box.bundle(['facts'], (config) => {
    withoutNamespace(config, 'network');
    add(config, { type: 'network', path: 'net' });
  });
  writeFileSync(`${bundle}/net`, '');
  differ((await box.call(['create', '--bundle', bundle, box.id()], { cwd: bundle })).code, 0, 'exit status');
});
test('config-linux.md#namespaces/unknown', 'an unknown type is refused', async (box) => void (await box.refused((config) => add(config, { type: 'nosuch' }))));
test('config-linux.md#namespaces/types', 'the process is pid 1 of its namespace', async (box) => equal((await box.facts()).pid, 1, 'pid'));
test('config-linux.md#namespaces/types', 'the network has loopback alone', async (box) => {
  const [list] = await box.probe(['list', '/sys/class/net']);
  equal((list?.list as readonly string[]).filter((name) => !/^(lo|tunl|sit|ip6|gre|erspan|ip_vti)/.test(name)), [], 'devices');
});
test('config-linux.md#namespaces/types', 'the cgroup namespace hides the path of the cgroup', async (box) => equal((await box.facts()).cgroup?.split('\n').find((line) => line.startsWith('0:')), '0::/', '/proc/self/cgroup'));
test('config-linux.md#namespaces/types', 'a container without a network namespace sees the devices of the host', async (box) => {
  const facts = await box.facts((config) => withoutNamespace(config, 'network'));
  equal(facts.namespaces['net'], readlinkSync('/proc/self/ns/net'), 'the network namespace');
});
test('config.md#hostname/hostname', 'hostname', async (box) => equal((await box.facts((config) => (config.hostname = 'name-1.example'))).hostname, 'name-1.example', 'hostname'));
test('config.md#hostname/hostname', 'without hostname that of the host, in a namespace of its own', async (box) => {
  const facts = await box.facts((config) => delete (config as Json)['hostname']);
  differ(facts.namespaces['uts'], readlinkSync('/proc/self/ns/uts'), 'the UTS namespaces');
});
test('config.md#hostname/namespace', 'hostname without a UTS namespace is refused, or does not rename the host', async (box) => {
  const before = (await box.spawn('/bin/hostname', []).done).stdout;
  const result = await box.call(['create', '--bundle', box.bundle(['sleep'], (config) => withoutNamespace(config, 'uts')), box.id()]);
  const after = (await box.spawn('/bin/hostname', []).done).stdout;
  if (before !== after) await box.spawn('/bin/hostname', [before.trim()]).done;
  equal(after, before, `the name of the host (create: ${result.code})`);
  differ(result.code, 0, 'exit status');
});
test('config.md#domainname/domainname', 'domainname', async (box) => equal((await box.facts((config) => Object.assign(config, { domainname: 'inside.example' }))).domainname, 'inside.example', 'domainname'));

test('config-linux.md#user-namespace-mappings/uid', 'uidMappings', async (box) => match((await box.facts(mapped)).uidMap ?? '', /^\s*0\s+100000\s+65536\s*$/, 'uid_map'));
test('config-linux.md#user-namespace-mappings/gid', 'gidMappings', async (box) => match((await box.facts(mapped)).gidMap ?? '', /^\s*0\s+100000\s+65536\s*$/, 'gid_map'));
test('config-linux.md#user-namespace-mappings/several', 'two mappings', async (box) => {
  const facts = await box.facts((config) => {
    mapped(config);
    config.linux['uidMappings'] = [{ containerID: 0, hostID: 100000, size: 10 }, { containerID: 10, hostID: 300000, size: 20 }];
  });
  equal((facts.uidMap ?? '').trim().split('\n').map((line) => line.trim().split(/\s+/).join(' ')), ['0 100000 10', '10 300000 20'], 'uid_map');
});
test('config-linux.md#user-namespace-mappings/uid', 'a file that is written belongs to the mapped user', async (box) => {
  const source = box.folder('source');
  chownSync(source, 100000, 100000);
  await box.probe(['write', '/data/file', 'x'], (config) => {
    mapped(config);
    config.mounts.push(bind(source, '/data'));
  });
  equal([statSync(`${source}/file`).uid, statSync(`${source}/file`).gid], [100000, 100000], 'the owner outside');
});
test('config-linux.md#user-namespace-mappings/uid', 'another user inside', async (box) => {
  const facts = await box.facts((config) => {
    mapped(config);
    config.process['user'] = { uid: 1000, gid: 1001, additionalGids: [5] };
  });
  equal([facts.uid[0], facts.gid[0], facts.groups], [1000, 1001, [5]], 'ids');
});
test('config-linux.md#user-namespace-mappings/uid', 'a user that is not mapped is refused', async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle(['facts'], (config) => {
    mapped(config);
    config.process['user'] = { uid: 70000, gid: 0 };
  }), box.id()]);
  differ(result.code, 0, 'exit status');
});
test('config-linux.md#user-namespace-mappings/ownership', 'the rootfs keeps its owner', async (box) => {
  const bundle = box.bundle(['facts'], mapped);
  await box.must(['run', '--bundle', bundle, box.id()]);
  equal(['', '/probe', '/etc/passwd'].map((path) => statSync(`${bundle}/rootfs${path}`).uid), [0, 0, 0], 'owners');
});
test('config-linux.md#user-namespace-mappings/uid', 'a tmpfs belongs to root inside', async (box) => equal((await box.probe(['stat', '/data'], (config) => {
  mapped(config);
  config.mounts.push(tmpfs('/data'));
}))[0]?.stat?.['/data']?.uid, 0, 'uid'));
test('config-linux.md#user-namespace-mappings/uid', 'standard streams can be opened again', async (box) => equal((await box.probe(['put', '/dev/null', 'x', ',', 'read', '/dev/zero'], mapped))[0]?.write, '0', 'writing to /dev/null'));
for (const [clock, secs] of [['monotonic', 5000], ['boottime', 700000]] as const) {
  test(`config-linux.md#offset-for-time-namespace/${clock}`, `timeOffsets.${clock}`, async (box) => {
    const facts = await box.facts((config) => {
      add(config, { type: 'time' });
      config.linux['timeOffsets'] = { [clock]: { secs, nanosecs: 1 } };
    });
    match(facts.timeOffsets ?? '', new RegExp(`^${clock}\\s+${secs}\\s+1$`, 'm'), '/proc/self/timens_offsets');
  });
}
test('config-linux.md#offset-for-time-namespace/boottime', 'timeOffsets without a time namespace is refused or ignored', async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle(['facts'], (config) => (config.linux['timeOffsets'] = { boottime: { secs: 700000 } })), box.id()]);
  if (result.code === 0) ok(JSON.parse(result.stdout.split('\n')[0]!).facts.clocks.boottime < 700000, 'the clock of the host is not moved');
  excludes(result.stderr, '    at ', 'the message');
});
test('config-linux.md#namespaces/types', 'no cgroup of a container that failed stays', async (box) => {
  await box.refused((config) => add(config, { type: 'nosuch' }));
  equal(cgroupsWith(box.token), [], 'cgroups');
});
test('config-linux.md#default-filesystems/proc', '/proc shows the processes of the container alone', async (box) => {
  const [list] = await box.probe(['list', '/proc']);
  equal((list?.list as readonly string[]).filter((name) => /^\d+$/.test(name)), ['1'], 'processes');
});
for (const [word, path, type] of [['proc', '/proc', 'proc'], ['sys', '/sys', 'sysfs'], ['pts', '/dev/pts', 'devpts'], ['shm', '/dev/shm', 'tmpfs']] as const) {
  test(`config-linux.md#default-filesystems/${word}`, `${path} is ${type}`, async (box) => equal(mountAt(await box.facts(), path).type, type, 'type'));
}
test('config-linux.md#default-filesystems/proc', 'mounts of config.json alone are there', async (box) => {
  const facts = await box.facts();
  includes(facts.mountinfo ?? '', ' /proc ', 'mounts');
  excludes(facts.mountinfo ?? '', ' /home ', 'mounts');
});
