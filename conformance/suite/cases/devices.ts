// config-linux.md: devices, and what a process may open.
import { mkdirSync, writeFileSync } from 'node:fs';
import { group } from '../case.ts';
import { equal, fail, match, ok, skip } from '../check.ts';
import { mapped, type Change, type Json } from '../config.ts';
import type { Box } from '../box.ts';

const test = group('devices');
const numbers = { null: [1, 3], zero: [1, 5], full: [1, 7], random: [1, 8], urandom: [1, 9], tty: [5, 0] } as const;

for (const [name, [major, minor]] of Object.entries(numbers)) {
  const id = `config-linux.md#default-devices/${name}`;
  test(id, `/dev/${name} is supplied`, async (box) => {
    const stat = (await box.probe(['stat', `/dev/${name}`]))[0]?.stat?.[`/dev/${name}`];
    equal([stat?.type, stat?.major, stat?.minor], ['char', major, minor], 'the device');
  });
  test(id, `/dev/${name} can be used by everyone`, async (box) => equal((await box.probe(['stat', `/dev/${name}`]))[0]?.stat?.[`/dev/${name}`]?.mode, 0o666, 'mode'));
  test(id, `/dev/${name} in a user namespace`, async (box) => equal((await box.probe(['stat', `/dev/${name}`], mapped))[0]?.stat?.[`/dev/${name}`]?.minor, minor, 'minor'));
}
for (const name of ['null', 'zero', 'urandom'] as const) test(`config-linux.md#default-devices/${name}`, `/dev/${name} can be read`, async (box) => equal((await box.probe(['read', `/dev/${name}`]))[0]?.read, '0', 'reading'));
test('config-linux.md#default-devices/full', '/dev/full is full', async (box) => equal((await box.probe(['put', '/dev/full', 'x']))[0]?.write, 'ENOSPC', 'writing'));
test('config-linux.md#default-devices/ptmx', '/dev/ptmx leads to pts/ptmx', async (box) => {
  const stat = (await box.probe(['stat', '/dev/ptmx', '/dev/pts/ptmx']))[0]?.stat;
  ok(stat?.['/dev/ptmx']?.link === 'pts/ptmx' || stat?.['/dev/ptmx']?.link === '/dev/pts/ptmx' || stat?.['/dev/ptmx']?.inode === stat?.['/dev/pts/ptmx']?.inode, `/dev/ptmx: ${JSON.stringify(stat)}`);
});
test('config-linux.md#default-devices/ptmx', 'a terminal can be opened', async (box) => equal((await box.probe(['put', '/dev/ptmx', '']))[0]?.write, '0', 'opening'));
for (const [word, link] of [['fd', '/proc/self/fd'], ['stdin', '/proc/self/fd/0'], ['stdout', '/proc/self/fd/1'], ['stderr', '/proc/self/fd/2']] as const) {
  test(`runtime-linux.md#dev-symbolic-links/${word}`, `/dev/${word}`, async (box) => equal((await box.probe(['stat', `/dev/${word}`]))[0]?.stat?.[`/dev/${word}`]?.link, link, 'the link'));
}
test('runtime-linux.md#file-descriptors/stdio', 'three descriptors and no more', async (box) => {
  const { descriptors } = await box.facts();
  equal(Object.keys(descriptors), ['0', '1', '2'], 'descriptors');
});
test('runtime-linux.md#file-descriptors/more', 'LISTEN_FDS is not set by itself', async (box) => equal((await box.facts()).env.filter((one) => one.startsWith('LISTEN_')), [], 'environment'));

const device = async (box: Box, one: Json, change: Change = () => {}): Promise<unknown[]> => {
  const path = String(one['path']);
  const stat = (await box.probe(['stat', path], (config) => {
    config.linux['devices'] = [one];
    change(config);
  }))[0]?.stat?.[path];
  return [stat?.type, stat?.major, stat?.minor, stat?.mode, stat?.uid, stat?.gid];
};
test('config-linux.md#devices/available', 'a character device', async (box) => equal((await device(box, { path: '/dev/own', type: 'c', major: 1, minor: 5, fileMode: 0o600, uid: 0, gid: 0 })).slice(0, 3), ['char', 1, 5], 'the device'));
test('config-linux.md#devices/available', 'type u is a character device', async (box) => equal((await device(box, { path: '/dev/own', type: 'u', major: 1, minor: 5, fileMode: 0o600 })).slice(0, 3), ['char', 1, 5], 'the device'));
test('config-linux.md#devices/available', 'a block device', async (box) => equal((await device(box, { path: '/dev/own', type: 'b', major: 7, minor: 3, fileMode: 0o600 })).slice(0, 3), ['block', 7, 3], 'the device'));
test('config-linux.md#devices/numbers', 'a fifo needs no numbers', async (box) => equal((await device(box, { path: '/dev/own', type: 'p', fileMode: 0o600 }))[0], 'fifo', 'type'));
test('config-linux.md#devices/fileMode', 'fileMode', async (box) => equal((await device(box, { path: '/dev/own', type: 'c', major: 1, minor: 5, fileMode: 0o641 }))[3], 0o641, 'mode'));
test('config-linux.md#devices/fileMode', 'fileMode holds whatever the umask of the caller', async (box) => {
  const bundle = box.bundle(['stat', '/dev/own'], (config) => (config.linux['devices'] = [{ path: '/dev/own', type: 'c', major: 1, minor: 5, fileMode: 0o666 }]));
  const done = await box.spawn('/bin/sh', ['-c', 'umask 077; exec "$@"', 'sh', box.settings.runtime, '--root', box.root, 'run', '--bundle', bundle, box.id()]).done;
  match(done.stdout, new RegExp(`"mode":${0o666}`), `the device (${done.stderr.trim()})`);
});
test('config-linux.md#devices/owner', 'uid and gid', async (box) => equal((await device(box, { path: '/dev/own', type: 'c', major: 1, minor: 5, fileMode: 0o600, uid: 77, gid: 88 })).slice(4), [77, 88], 'owner'));
test('config-linux.md#devices/anywhere', 'a path outside of /dev', async (box) => equal((await device(box, { path: '/opt/own', type: 'c', major: 1, minor: 5, fileMode: 0o600 }))[0], 'char', 'type'));
test('config-linux.md#devices/anywhere', 'a path below a directory that is missing', async (box) => equal((await device(box, { path: '/dev/deep/er/own', type: 'c', major: 1, minor: 5, fileMode: 0o600 }))[0], 'char', 'type'));
test('config-linux.md#devices/mismatch', 'another file at the path is refused', async (box) => {
  const bundle = box.bundle(['facts'], (config) => (config.linux['devices'] = [{ path: '/opt/own', type: 'c', major: 1, minor: 5, fileMode: 0o600 }]));
  mkdirSync(`${bundle}/rootfs/opt`);
  writeFileSync(`${bundle}/rootfs/opt/own`, '');
  const result = await box.call(['create', '--bundle', bundle, box.id()]);
  if (result.code === 0) fail('create succeeded');
});
for (const [title, one] of [['an unknown type', { path: '/dev/own', type: 'x', major: 1, minor: 5 }], ['no type', { path: '/dev/own', major: 1, minor: 5 }], ['no path', { type: 'c', major: 1, minor: 5 }]] as const) {
  test('config-linux.md#devices/available', `${title} is refused`, async (box) => void (await box.refused((config) => (config.linux['devices'] = [one]))));
}

/**
 * What a process may do to 1:50 under a list. No driver has that device: opening it is ENXIO where the list allows it, EPERM where it
 * does not. Lists are programs of the kernel: where root lacks CAP_SYS_RESOURCE some runtimes cannot load any.
 */
const rules = async (box: Box, list: readonly Json[], words: readonly string[]): Promise<readonly string[]> => {
  const change: Change = (config) => {
    config.linux['resources'] = { devices: list };
    config.linux['devices'] = [{ path: '/dev/own', type: 'c', major: 1, minor: 50, fileMode: 0o666 }];
    config.process['capabilities'] = { bounding: ['CAP_MKNOD'], effective: ['CAP_MKNOD'], permitted: ['CAP_MKNOD'] };
  };
  const bundle = box.bundle(words, change);
  const result = await box.call(['run', '--bundle', bundle, box.id()]);
  if (result.code !== 0 && /RLIMIT_MEMLOCK|bpf|BPF|setrlimit|Operation not permitted/.test(result.stderr)) skip(`device rules cannot be loaded here: ${result.stderr.trim().slice(0, 200)}`);
  if (result.code !== 0) fail(result.stderr.trim());
  return result.stdout.trim().split('\n').map((line) => {
    const one = JSON.parse(line) as Record<string, string>;
    return one['read'] ?? one['write'] ?? one['mknod'] ?? '';
  });
};
const deny = { allow: false, access: 'rwm' };
test('config-linux.md#allowed-device-list/access', 'what is denied cannot be opened', async (box) => equal(await rules(box, [deny], ['read', '/dev/own']), ['EPERM'], 'reading /dev/own'));
test('config-linux.md#allowed-device-list/access', 'r allows reading alone', async (box) => equal(await rules(box, [deny, { allow: true, type: 'c', major: 1, minor: 50, access: 'r' }], ['read', '/dev/own', ',', 'put', '/dev/own', 'x']), ['ENXIO', 'EPERM'], 'reading and writing'));
test('config-linux.md#allowed-device-list/access', 'w allows writing alone', async (box) => equal(await rules(box, [deny, { allow: true, type: 'c', major: 1, minor: 50, access: 'w' }], ['read', '/dev/own', ',', 'put', '/dev/own', '']), ['EPERM', 'ENXIO'], 'reading and writing'));
test('config-linux.md#allowed-device-list/access', 'm allows making alone', async (box) => equal(await rules(box, [deny, { allow: true, type: 'b', major: 7, minor: 9, access: 'm' }], ['mknod', '/dev/made', 'b', '7', '9', ',', 'read', '/dev/made']), ['0', 'EPERM'], 'making and reading'));
test('config-linux.md#allowed-device-list/order', 'a later entry takes back an earlier one', async (box) => equal(await rules(box, [deny, { allow: true, type: 'c', major: 1, minor: 50, access: 'rwm' }, { allow: false, type: 'c', major: 1, minor: 50, access: 'rwm' }], ['read', '/dev/own']), ['EPERM'], 'reading'));
test('config-linux.md#allowed-device-list/order', 'everything allowed, one denied', async (box) => equal(await rules(box, [{ allow: true, access: 'rwm' }, { allow: false, type: 'c', major: 1, minor: 50, access: 'rwm' }], ['read', '/dev/own', ',', 'read', '/dev/zero']), ['EPERM', '0'], 'reading'));
test('config-linux.md#allowed-device-list/unset', 'numbers that are not set are all', async (box) => equal(await rules(box, [deny, { allow: true, type: 'c', access: 'rwm' }], ['read', '/dev/own']), ['ENXIO'], 'reading'));
test('config-linux.md#allowed-device-list/unset', 'a minor that is not set is all of them', async (box) => equal(await rules(box, [deny, { allow: true, type: 'c', major: 1, access: 'rwm' }], ['read', '/dev/own']), ['ENXIO'], 'reading'));
test('config-linux.md#allowed-device-list/order', 'default devices work whatever is denied', async (box) => equal(await rules(box, [deny], ['read', '/dev/zero', ',', 'put', '/dev/null', 'x', ',', 'read', '/dev/urandom']), ['0', '0', '0'], 'default devices'));
test('security#privileges/devices', 'a device that is made inside cannot be opened', async (box) => equal(await rules(box, [deny, { allow: true, type: 'c', access: 'm' }], ['mknod', '/dev/made', 'c', '1', '1', ',', 'read', '/dev/made']), ['0', 'EPERM'], 'making and reading'));
