// config-linux.md: sysctl, masked and read-only paths, propagation of the root, personality and what a host seldom has.
import { existsSync } from 'node:fs';
import { group } from '../case.ts';
import { differ, equal, excludes, includes, match, ok } from '../check.ts';
import { mountAt } from '../facts.ts';

const test = group('linux');

for (const [key, path, value] of [['net.ipv4.ip_forward', '/proc/sys/net/ipv4/ip_forward', '1'], ['kernel.msgmax', '/proc/sys/kernel/msgmax', '9000'], ['kernel/shmmni', '/proc/sys/kernel/shmmni', '4000'], ['net.ipv4.ping_group_range', '/proc/sys/net/ipv4/ping_group_range', '0 10']] as const) {
  test('config-linux.md#sysctl/value', key, async (box) => equal((await box.probe(['content', path], (config) => (config.linux['sysctl'] = { [key]: value })))[0]?.content?.trim().replace(/\s+/g, ' '), value, path));
}
test('config-linux.md#sysctl/value', 'a parameter that is missing is refused', async (box) => void (await box.refused((config) => (config.linux['sysctl'] = { 'net.nosuch.parameter': '1' }))));
test('config-linux.md#sysctl/value', 'a value the kernel refuses is refused', async (box) => void (await box.refused((config) => (config.linux['sysctl'] = { 'net.ipv4.ip_forward': 'banana' }))));
test('config-linux.md#sysctl/value', 'a parameter of the host is refused', async (box) => void (await box.refused((config) => (config.linux['sysctl'] = { 'vm.swappiness': '60' }))));
test('config-linux.md#sysctl/value', 'a parameter of a namespace the container does not have is refused', async (box) => void (await box.refused((config) => {
  config.linux['namespaces'] = (config.linux['namespaces'] as { type: string }[]).filter(({ type }) => type !== 'network');
  config.linux['sysctl'] = { 'net.ipv4.ip_default_ttl': '64' };
})));

test('config-linux.md#masked-paths/unreadable', 'a file', async (box) => {
  const [line] = await box.probe(['content', '/etc/passwd'], (config) => (config.linux['maskedPaths'] = ['/etc/passwd']));
  equal(line?.content ?? '', '', 'content');
});
test('config-linux.md#masked-paths/unreadable', 'a directory', async (box) => equal((await box.probe(['list', '/etc'], (config) => (config.linux['maskedPaths'] = ['/etc'])))[0]?.list, [], 'the list'));
test('config-linux.md#masked-paths/unreadable', 'a masked directory cannot be written', async (box) => equal((await box.probe(['write', '/etc/new', 'x'], (config) => (config.linux['maskedPaths'] = ['/etc'])))[0]?.write, 'EROFS', 'writing'));
test('config-linux.md#masked-paths/unreadable', 'a file of /proc', async (box) => equal((await box.probe(['content', '/proc/timer_list'], (config) => (config.linux['maskedPaths'] = ['/proc/timer_list'])))[0]?.content ?? '', '', 'content'));
test('config-linux.md#masked-paths/unreadable', 'a path that is missing is passed over', async (box) => ok(await box.facts((config) => (config.linux['maskedPaths'] = ['/nothing', '/proc/nothing'])), 'facts'));
test('config-linux.md#masked-paths/unreadable', 'the file of the rootfs stays', async (box) => {
  const bundle = box.bundle(['facts'], (config) => (config.linux['maskedPaths'] = ['/etc/passwd']));
  await box.must(['run', '--bundle', bundle, box.id()]);
  ok((await box.spawn('/bin/cat', [`${bundle}/rootfs/etc/passwd`]).done).stdout.includes('root'), 'content');
});
test('config-linux.md#masked-paths/absolute', 'a relative path is refused, or masks nothing of the host', async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle(['facts'], (config) => (config.linux['maskedPaths'] = ['etc/passwd'])), box.id()]);
  excludes(result.stderr, '    at ', 'the message');
});
test('config-linux.md#readonly-paths/readonly', 'a directory', async (box) => equal((await box.probe(['write', '/etc/new', 'x'], (config) => (config.linux['readonlyPaths'] = ['/etc'])))[0]?.write, 'EROFS', 'writing'));
test('config-linux.md#readonly-paths/readonly', 'a file', async (box) => equal((await box.probe(['put', '/etc/passwd', 'x'], (config) => (config.linux['readonlyPaths'] = ['/etc/passwd'])))[0]?.write, 'EROFS', 'writing'));
test('config-linux.md#readonly-paths/readonly', 'the rest stays writable', async (box) => equal((await box.probe(['write', '/tmp/new', 'x'], (config) => (config.linux['readonlyPaths'] = ['/etc'])))[0]?.write, '0', 'writing'));
test('config-linux.md#readonly-paths/readonly', 'a file of /proc/sys', async (box) => equal((await box.probe(['put', '/proc/sys/kernel/domainname', 'x'], (config) => (config.linux['readonlyPaths'] = ['/proc/sys'])))[0]?.write, 'EROFS', 'writing'));
test('config-linux.md#readonly-paths/readonly', 'options of the mount stay', async (box) => includes(mountAt(await box.facts((config) => {
  config.mounts.push({ destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'noexec'] });
  config.linux['readonlyPaths'] = ['/data'];
}), '/data').options, 'noexec', 'options'));
test('config-linux.md#readonly-paths/readonly', 'a path that is missing is passed over', async (box) => ok(await box.facts((config) => (config.linux['readonlyPaths'] = ['/nothing'])), 'facts'));
test('config-linux.md#readonly-paths/absolute', 'a relative path is refused, or changes nothing of the host', async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle(['facts'], (config) => (config.linux['readonlyPaths'] = ['etc'])), box.id()]);
  excludes(result.stderr, '    at ', 'the message');
});
for (const [word, pattern] of [['shared', /shared:/], ['slave', /^(?!.*shared:)/], ['private', /^$/], ['unbindable', /unbindable/]] as const) {
  test(`config-linux.md#rootfs-mount-propagation/${word}`, `the root is ${word}`, async (box) => match(mountAt(await box.facts((config) => (config.linux['rootfsPropagation'] = word)), '/').propagation, pattern, 'propagation of /'));
}
test('config-linux.md#rootfs-mount-propagation/private', 'an unknown word is refused', async (box) => void (await box.refused((config) => (config.linux['rootfsPropagation'] = 'banana'))));
test('config-linux.md#personality/domain', 'LINUX32', async (box) => {
  const facts = await box.facts((config) => (config.linux['personality'] = { domain: 'LINUX32' }));
  equal(facts.personality & 0xff, 8, 'personality');
});
test('config-linux.md#personality/domain', 'LINUX', async (box) => equal((await box.facts((config) => (config.linux['personality'] = { domain: 'LINUX' }))).personality & 0xff, 0, 'personality'));
test('config-linux.md#personality/domain', 'an unknown domain is refused', async (box) => void (await box.refused((config) => (config.linux['personality'] = { domain: 'PLAN9' }))));
test('config-linux.md#personality/flags', 'a flag is refused or ignored', async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle(['facts'], (config) => (config.linux['personality'] = { domain: 'LINUX', flags: ['NOSUCH'] })), box.id()]);
  excludes(result.stderr, '    at ', 'the message');
});
test('config-linux.md#intelrdt/unavailable', 'intelRdt without resctrl is refused', async (box) => {
  if (existsSync('/sys/fs/resctrl/schemata')) return;
  await box.refused((config) => (config.linux['intelRdt'] = { closID: box.token, l3CacheSchema: 'L3:0=f' }));
});
test('config-linux.md#network-devices/error', 'a device that is missing is refused', async (box) => {
  const bundle = box.bundle(['facts'], (config) => (config.linux['netDevices'] = { nosuchdev0: {} }));
  differ((await box.call(['create', '--bundle', bundle, box.id()])).code, 0, 'exit status');
});
test('config-linux.md#network-devices/moved', 'a device is moved, or netDevices is refused', async (box) => {
  const name = `c${box.token.slice(-6)}`;
  const made = await box.spawn('/bin/ip', ['link', 'add', name, 'type', 'dummy']).done;
  try {
    const result = await box.call(['run', '--bundle', box.bundle(['list', '/sys/class/net'], (config) => (config.linux['netDevices'] = { [name]: {} })), box.id()]);
    if (made.code !== 0 || result.code !== 0) differ(result.code, 0, 'exit status');
    else includes(result.stdout, name, 'devices inside');
  } finally {
    if (made.code === 0) await box.spawn('/bin/ip', ['link', 'del', name]).done;
  }
});
test('config-linux.md#memory-policy/mode', 'an unknown mode is refused', async (box) => void (await box.refused((config) => (config.linux['memoryPolicy'] = { mode: 'MPOL_NOSUCH', nodes: '0' }))));
