// config.md, valid values and extensibility: what is wrong is refused, what is unknown is ignored.
import { writeFileSync } from 'node:fs';
import { group } from '../case.ts';
import { differ, equal, excludes, match, ok } from '../check.ts';
import { bind, tmpfs, type Change, type Config, type Json } from '../config.ts';

const test = group('errors');
const set = (path: string, value: unknown): Change => (config) => {
  const keys = path.split('.'), last = keys.pop()!;
  const holder = keys.reduce<Json>((one, key) => (one[key] ??= {}) as Json, config);
  if (value === undefined) delete holder[last];
  else holder[last] = value;
};

/** A key, and a value of the wrong type or out of its range. */
const wrong: readonly (readonly [string, unknown])[] = [
  ['process.args', 'sh'], ['process.args', [1]], ['process.env', 'A=1'], ['process.cwd', 7], ['process.user.uid', 'root'], ['process.user.uid', -1], ['process.user.gid', 1.5], ['process.terminal', 'yes'], ['process.noNewPrivileges', 'yes'],
  ['process.oomScoreAdj', 'low'], ['process.oomScoreAdj', 5000], ['process.rlimits', {}], ['process.capabilities', ['CAP_CHOWN']], ['process.scheduler', { policy: 'SCHED_NOSUCH' }], ['process.ioPriority', { class: 'IOPRIO_CLASS_NOSUCH', priority: 1 }],
  ['root.path', 5], ['root.readonly', 'yes'], ['root', undefined], ['root.path', undefined], ['mounts', {}], ['mounts', [{ type: 'tmpfs', source: 'tmpfs' }]], ['mounts', [{ destination: 5, type: 'tmpfs' }]], ['mounts', [{ destination: '/x', type: 'tmpfs', options: 'ro' }]],
  ['hostname', 5], ['hostname', 'x'.repeat(100)], ['annotations', []], ['annotations', { a: 5 }], ['hooks', []], ['hooks', { createRuntime: [{ args: ['x'] }] }],
  ['linux.namespaces', 'pid'], ['linux.namespaces', [{}]], ['linux.devices', {}], ['linux.uidMappings', {}], ['linux.sysctl', []], ['linux.maskedPaths', '/proc'], ['linux.readonlyPaths', '/proc'], ['linux.cgroupsPath', 5], ['linux.resources', []], ['linux.seccomp', { defaultAction: 5 }], ['linux.seccomp', { syscalls: [] }],
  ['linux.rootfsPropagation', 5], ['linux.personality', { domain: 5 }],
];
for (const [key, value] of wrong) {
  const requirement = key === 'annotations' ? (Array.isArray(value) ? 'config.md#annotations/map' : 'config.md#annotations/strings') : 'config.md#valid-values/invalid';
  test(requirement, `${key} as ${(JSON.stringify(value) ?? 'nothing').slice(0, 60)}`, async (box) => {
    const message = await box.refused(set(key, value));
    ok(message.trim() !== '', 'a message');
  });
}
for (const [title, text] of [['no JSON', '{ "ociVersion": '], ['an empty file', ''], ['null', 'null'], ['an array', '[]'], ['a string', '"config"'], ['two documents', '{} {}']] as const) {
  test('config.md#valid-values/invalid', `config.json is ${title}`, async (box) => {
    const bundle = box.bundle(['facts']), id = box.id();
    writeFileSync(`${bundle}/config.json`, text);
    const result = await box.call(['create', '--bundle', bundle, id]);
    differ(result.code, 0, 'exit status');
    excludes(result.stderr, 'panic:', 'the message');
    differ((await box.call(['state', id])).code, 0, 'state');
  });
}
for (const [key, change] of [['at the top', set('nosuch', { a: 1 })], ['in process', set('process.nosuch', 1)], ['in linux', set('linux.nosuch', [1])], ['in root', set('root.nosuch', 'x')], ['in a mount', (config: Config) => config.mounts.push({ ...tmpfs('/data'), nosuch: true })], ['in user', set('process.user.nosuch', 1)], ['in resources', set('linux.resources', { nosuch: {} })], ['in a namespace', (config: Config) => Object.assign((config.linux['namespaces'] as Json[])[0]!, { nosuch: 1 })]] as const) {
  test('config.md#extensibility/unknown', `an unknown property ${key}`, async (box) => ok(await box.facts(change as Change), 'facts'));
}
test('config.md#annotations/unknown', 'an annotation nobody knows', async (box) => ok(await box.facts((config) => Object.assign(config, { annotations: { 'org.example.nobody': 'x' } })), 'facts'));
test('config.md#annotations/strings', 'an empty value', async (box) => ok(await box.facts((config) => Object.assign(config, { annotations: { 'org.example.empty': '' } })), 'facts'));
test('config.md#annotations/key', 'an empty key is refused or ignored', async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle(['facts'], (config) => Object.assign(config, { annotations: { '': 'x' } })), box.id()]);
  excludes(result.stderr, 'panic:', 'the message');
});
for (const [key, value] of [['windows', { layerFolders: ['x'] }], ['solaris', {}], ['vm', { kernel: { path: '/k' } }], ['freebsd', {}]] as const) test('config.md#platform-specific-configuration/others', `a section of ${key}`, async (box) => ok(await box.facts(set(key, value)), 'facts'));
test('config.md#platform-specific-configuration/linux', 'linux is used', async (box) => equal((await box.facts()).pid, 1, 'pid in a namespace of its own'));
for (const value of ['1.0.0', '1.0.2', '1.1.0', '1.2.1', '1.3.0', '1.0.0-rc5', '1.0.2-dev']) test('config.md#specification-version/compatible', `ociVersion ${value}`, async (box) => ok(await box.facts(set('ociVersion', value)), 'facts'));
for (const value of ['banana', '1', '', 1]) test('config.md#specification-version/semver', `ociVersion ${JSON.stringify(value)} is refused or accepted without harm`, async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle(['facts'], set('ociVersion', value)), box.id()]);
  excludes(result.stderr, 'panic:', 'the message');
  if (result.code === 0) match(result.stdout, /"facts"/, 'output');
});
test('runtime.md#create/property-error', 'the tenth mount that fails undoes nine', async (box) => {
  await box.refused((config) => {
    for (let index = 0; index < 9; index++) config.mounts.push(bind(box.folder('source'), `/m${index}`));
    config.mounts.push(bind(box.path('nothing'), '/m9'));
  });
});
test('callers#errors/stderr', 'the message of a failure is one for people', async (box) => {
  const message = await box.refused((config) => config.mounts.push(bind(box.path('nothing'), '/data')));
  match(message, /nothing/, 'the message names what is missing');
  excludes(message, '    at ', 'the message');
});
test('callers#errors/at-create', 'a program that is missing', async (box) => void (await box.refused((config) => (config.process['args'] = ['/nothing/here']))));
for (const args of [['/nothing/here'], ['nothing']]) test('callers#errors/not-found', `text for ${args[0]}`, async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle([], (config) => (config.process['args'] = args)), box.id()]);
  match(result.stderr, /executable file .*not found|no such file or directory/i, 'the message');
});
test('callers#errors/permission', 'text for a file that may not be run', async (box) => match((await box.call(['run', '--bundle', box.bundle([], (config) => (config.process['args'] = ['/etc/passwd'])), box.id()])).stderr, /permission denied/i, 'the message'));
