// features.md: what a runtime says of itself must hold.
import type { Box } from '../box.ts';
import { group } from '../case.ts';
import { equal, fail, ok, skip } from '../check.ts';
import { capabilityNames, mapped, type Json } from '../config.ts';
import { kernel } from '../host.ts';

const test = group('features');

async function features(box: Box): Promise<Record<string, any>> {
  const result = await box.call(['features']);
  if (result.code !== 0 || result.stdout.trim() === '') skip('this runtime has no features document (features.md: it MAY)');
  try {
    return JSON.parse(result.stdout) as Record<string, any>;
  } catch {
    return fail(`the document is no JSON: ${result.stdout.slice(0, 200)}`);
  }
}
const list = (value: unknown): readonly string[] => (Array.isArray(value) ? (value as string[]) : skip('the document does not have the list'));
const version = (text: string): readonly number[] => text.split(/[.+-]/).slice(0, 3).map(Number);

for (const [word, key] of [['minimum', 'ociVersionMin'], ['maximum', 'ociVersionMax']] as const) {
  test(`features.md#specification-version/${word}`, `${key} is accepted`, async (box) => {
    const value = String((await features(box))[key]);
    ok(/^\d+\.\d+\.\d+/.test(value), `${key}: ${value}`);
    await box.facts((config) => Object.assign(config, { ociVersion: value }));
  });
}
test('features.md#specification-version/order', 'the maximum is not below the minimum', async (box) => {
  const document = await features(box), low = version(document['ociVersionMin']), high = version(document['ociVersionMax']);
  const difference = low.map((one, index) => high[index]! - one).find((one) => one !== 0) ?? 0;
  ok(difference >= 0, `${document['ociVersionMin']} to ${document['ociVersionMax']}`);
});
test('features.md#specification-version/defined', 'no property that the document does not define', async (box) => {
  const known = ['ociVersionMin', 'ociVersionMax', 'hooks', 'mountOptions', 'linux', 'annotations', 'potentiallyUnsafeConfigAnnotations'];
  const linux = ['namespaces', 'capabilities', 'cgroup', 'seccomp', 'apparmor', 'selinux', 'intelRdt', 'memoryPolicy', 'mountExtensions', 'netDevices'];
  const document = await features(box);
  equal([...Object.keys(document).filter((key) => !known.includes(key)), ...Object.keys(document['linux'] ?? {}).filter((key) => !linux.includes(key))], [], 'other properties');
});
test('features.md#specification-version/constant', 'the document is the same in another place', async (box) => {
  const first = await box.must(['features']).catch(() => skip('no features document')), second = await box.must(['features'], { cwd: '/', env: {} });
  equal(second.stdout, first.stdout, 'documents');
});
for (const hook of ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop']) {
  test('features.md#hooks/supported', `${hook} is supported when listed`, async (box) => {
    if (!list((await features(box))['hooks']).includes(hook)) skip(`${hook} is not listed`);
    const inside = hook === 'startContainer';
    const made = await box.started(['sleep'], (config) => Object.assign(config, { hooks: { [hook]: [{ path: inside ? '/probe' : box.settings.probe, args: ['probe', 'hook', inside ? '/seen' : box.path('seen'), '0'] }] } }));
    await box.must(['delete', '--force', made.id]);
    ok((await box.spawn('/usr/bin/test', ['-s', inside ? `${made.bundle}/rootfs/seen` : box.path('seen')]).done).code === 0, 'the hook was not called');
  });
}
test('features.md#mount-options/recognised', 'every option that is listed can be used', async (box) => {
  const options = list((await features(box))['mountOptions']).filter((one) => !['idmap', 'ridmap', 'remount', 'acl', 'noacl', 'copy-symlink', 'tmpcopyup', 'move', 'dest-nofollow', 'src-nofollow'].includes(one));
  const isPropagation = (one: string): boolean => /^r?(private|shared|slave|unbindable)$/.test(one);
  const facts = await box.facts((config) => {
    options.forEach((option, index) => config.mounts.push(/bind$/.test(option) ? { destination: `/m${index}`, type: 'bind', source: box.folder('source'), options: [option] } : { destination: `/m${index}`, type: 'tmpfs', source: 'tmpfs', options: isPropagation(option) ? [option] : [option] }));
  });
  for (const index of options.keys()) ok(facts.mountinfo?.includes(` /m${index} `), `mount with ${options[index]}`);
}, { seconds: 60 });
test('features.md#mount-options/data', 'options of filesystems are not listed', async (box) => equal(list((await features(box))['mountOptions']).filter((one) => /^(size|mode|uid|gid|nr_inodes|lowerdir|upperdir|newinstance|ptmxmode)/.test(one)), [], 'such options'));
test('features.md#annotations/map', 'annotations is a map of strings', async (box) => {
  const { annotations } = await features(box);
  ok(Object.entries((annotations ?? {}) as Json).every(([key, value]) => key !== '' && typeof value === 'string'), JSON.stringify(annotations));
});
test('features.md#unsafe-annotations/list', 'potentiallyUnsafeConfigAnnotations is a list', async (box) => {
  const value = (await features(box))['potentiallyUnsafeConfigAnnotations'] ?? [];
  ok(Array.isArray(value) && value.every((one) => typeof one === 'string'), JSON.stringify(value));
});
for (const type of ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts']) {
  test('features-linux.md#namespaces/supported', `${type} is supported when listed`, async (box) => {
    if (!list((await features(box))['linux']?.namespaces).includes(type)) skip(`${type} is not listed`);
    ok(await box.facts((config) => {
      const namespaces = config.linux['namespaces'] as Json[];
      if (type === 'user') mapped(config);
      else if (!namespaces.some((one) => one['type'] === type)) namespaces.push({ type });
    }), 'facts');
  });
}
test('features-linux.md#capabilities/recognised', 'every capability that is listed is one of the kernel', async (box) => equal(list((await features(box))['linux']?.capabilities).filter((one) => !capabilityNames.includes(one)), [], 'others'));
test('features-linux.md#cgroup/shape', 'the keys of cgroup are booleans', async (box) => {
  const cgroup = ((await features(box))['linux']?.cgroup ?? {}) as Json;
  ok(Object.values(cgroup).every((one) => typeof one === 'boolean' || one === null), JSON.stringify(cgroup));
});
const seccomp = async (box: Box, key: string): Promise<readonly string[]> => {
  const { enabled, [key]: value } = ((await features(box))['linux']?.seccomp ?? {}) as Json;
  if (enabled !== true) skip('seccomp is not enabled');
  return list(value);
};
test('features-linux.md#seccomp/actions', 'every action that is listed is recognised', async (box) => {
  const actions = (await seccomp(box, 'actions')).filter((one) => one !== 'SCMP_ACT_NOTIFY');
  const names = ['acct', 'swapon', 'swapoff', 'reboot', 'settimeofday', 'init_module', 'delete_module', 'quotactl', 'kexec_load', 'lookup_dcookie'];
  ok(await box.facts((config) => (config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: actions.filter((one) => one !== 'SCMP_ACT_ALLOW').map((action, index) => ({ names: [names[index]], action })) })), 'facts');
});
test('features-linux.md#seccomp/operators', 'every operator that is listed is recognised', async (box) => {
  const operators = await seccomp(box, 'operators');
  for (const op of operators) ok(await box.facts((config) => (config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 255, ...(op === 'SCMP_CMP_MASKED_EQ' ? { valueTwo: 1 } : {}), op }] }] })), op);
});
test('features-linux.md#seccomp/archs', 'every architecture that is listed is recognised', async (box) => {
  const archs = await seccomp(box, 'archs');
  ok(await box.facts((config) => (config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', architectures: archs.filter((one) => /X86|AARCH64|ARM$|X32/.test(one)), syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] })), 'facts');
});
test('features-linux.md#seccomp/knownFlags', 'flags that are known are understood', async (box) => ok((await seccomp(box, 'knownFlags')).every((one) => /^SECCOMP_FILTER_FLAG_[A-Z_]+$/.test(one)), 'names of flags'));
test('features-linux.md#seccomp/supportedFlags', 'flags that are supported are known, and work', async (box) => {
  const flags = await seccomp(box, 'supportedFlags'), known = await seccomp(box, 'knownFlags');
  equal(flags.filter((one) => !known.includes(one)), [], 'supported and not known');
  for (const flag of flags.filter((one) => !/WAIT_KILLABLE/.test(one) || kernel[0] * 100 + kernel[1] >= 600)) {
    if (/WAIT_KILLABLE/.test(flag)) continue; // For SCMP_ACT_NOTIFY alone.
    ok(await box.facts((config) => (config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', flags: [flag], syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] })), flag);
  }
});
test('features-linux.md#modules/shape', 'enabled is a boolean wherever it is', async (box) => {
  const linux = ((await features(box))['linux'] ?? {}) as Record<string, any>;
  for (const one of [linux['apparmor'], linux['selinux'], linux['intelRdt'], linux['mountExtensions']?.idmap, linux['netDevices']]) ok(one === undefined || one === null || ['boolean', 'undefined'].includes(typeof one.enabled), JSON.stringify(one));
});
