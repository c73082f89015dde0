// config.md, POSIX-platform hooks.
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import type { Box } from '../box.ts';
import { group } from '../case.ts';
import { differ, equal, includes, match, ok } from '../check.ts';
import type { Config, Json } from '../config.ts';
import { parseLines, type Facts } from '../facts.ts';
import { isAlive } from '../host.ts';

const test = group('hooks');
const kinds = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const;
type Kind = (typeof kinds)[number];
const section: Record<Kind, string> = { prestart: 'config.md#prestart', createRuntime: 'config.md#createruntime-hooks', createContainer: 'config.md#createcontainer-hooks', startContainer: 'config.md#startcontainer-hooks', poststart: 'config.md#poststart', poststop: 'config.md#poststop' };
const isInside = (kind: Kind): boolean => kind === 'startContainer';

/** A hook that writes what it was given to a file; startContainer's is one of the container. */
function hook(box: Box, kind: Kind, status = 0, seconds?: number, name: string = kind): Json {
  const file = isInside(kind) ? `/${name}` : box.path(name);
  return { path: isInside(kind) ? '/probe' : box.settings.probe, args: ['probe', 'hook', file, String(status), ...(seconds === undefined ? [] : [String(seconds)])], env: ['MARK=1'] };
}
const add = (config: Config, hooks: Record<string, readonly Json[]>): void => void Object.assign(config, { hooks });
interface Seen { readonly input: Record<string, unknown>; readonly facts: Facts }
function seen(box: Box, bundle: string, kind: Kind, name: string = kind): readonly Seen[] {
  const file = isInside(kind) ? `${bundle}/rootfs/${name}` : box.path(name);
  if (!existsSync(file)) return [];
  return parseLines(readFileSync(file, 'utf8')).map((line) => ({ input: JSON.parse(line.input!) as Record<string, unknown>, facts: line.facts! }));
}
/** A container with one hook, brought to its end. */
async function whole(box: Box, kind: Kind): Promise<{ id: string; bundle: string; seen: Seen; pid: number; namespaces: Record<string, string> }> {
  const made = await box.create(['sleep'], (config) => add(config, { [kind]: [hook(box, kind)] }));
  const pid = await box.pid(made.id);
  const namespaces = Object.fromEntries(['mnt', 'net', 'pid', 'uts', 'ipc'].map((name) => [name, readlinkSync(`/proc/${pid}/ns/${name}`)]));
  await box.must(['start', made.id]);
  await box.stop(made.id);
  await box.must(['delete', made.id]);
  const all = seen(box, made.bundle, kind);
  equal(all.length, 1, `calls of ${kind}`);
  return { ...made, seen: all[0]!, pid, namespaces };
}

for (const kind of kinds) {
  test(`${section[kind]}/when`, `${kind} is called at its time`, async (box) => {
    const made = await box.create(['write', '/ran', 'x', ',', 'sleep'], (config) => add(config, { [kind]: [hook(box, kind)] }));
    const calls = (): number => seen(box, made.bundle, kind).length;
    equal(calls(), ['prestart', 'createRuntime', 'createContainer'].includes(kind) ? 1 : 0, 'calls after create');
    await box.must(['start', made.id]);
    if (kind === 'startContainer') await box.until('the hook is called', () => calls() === 1);
    equal(calls(), kind === 'poststop' ? 0 : 1, 'calls after start');
    await box.stop(made.id);
    equal(calls(), kind === 'poststop' ? 0 : 1, 'calls after the end of the process');
    await box.must(['delete', made.id]);
    equal(calls(), 1, 'calls after delete');
  });
  test('config.md#posix-platform-hooks/state', `${kind} gets the state`, async (box) => {
    const made = await whole(box, kind);
    const { input } = made.seen;
    equal([input['id'], input['bundle']], [made.id, made.bundle], 'id and bundle');
    match(String(input['ociVersion']), /^\d+\.\d+\.\d+/, 'ociVersion');
    const statuses = { prestart: /creating|created/, createRuntime: /creating|created/, createContainer: /creating|created/, startContainer: /created|creating/, poststart: /running/, poststop: /stopped/ };
    match(String(input['status']), statuses[kind], 'status');
    if (!['poststop', 'startContainer', 'createContainer'].includes(kind)) equal(input['pid'], made.pid, 'pid');
  });
  test(`${section[kind]}/namespace`, `${kind} runs in its namespaces`, async (box) => {
    const { seen: { facts }, namespaces } = await whole(box, kind);
    const name = kind === 'createContainer' || kind === 'startContainer' ? 'mnt' : 'net';
    if (kind === 'createContainer' || kind === 'startContainer') equal(facts.namespaces[name] ?? namespaces[name], namespaces[name], `the ${name} namespace`);
    else equal(['mnt', 'net', 'uts'].map((one) => facts.namespaces[one]), ['mnt', 'net', 'uts'].map((one) => readlinkSync(`/proc/self/ns/${one}`)), 'namespaces');
  });
  test(`${section[kind]}/path`, `the path of ${kind} that is missing is a failure`, async (box) => {
    const bundle = box.bundle(['sleep'], (config) => add(config, { [kind]: [{ path: '/nothing/here' }] })), id = box.id();
    const created = (await box.launch(['create', '--bundle', bundle, id]).done).code;
    const started = created === 0 ? (await box.call(['start', id])).code : created;
    if (kind === 'poststop') {
      equal([created, started], [0, 0], 'exit statuses');
      await box.stop(id);
      await box.must(['delete', id]);
    } else differ(started, 0, 'exit status of create or start');
  });
  test('config.md#posix-platform-hooks/args', `args of ${kind}`, async (box) => equal((await whole(box, kind)).seen.facts.args.slice(0, 2), ['probe', 'hook'], 'argv'));
  test('config.md#posix-platform-hooks/env', `env of ${kind}`, async (box) => {
    const { env } = (await whole(box, kind)).seen.facts;
    includes(env, 'MARK=1', 'environment');
    equal(env.filter((one) => !/^(MARK|_|HOME|PWD|SHLVL)=/.test(one)), [], 'other variables');
  });
}
for (const kind of ['prestart', 'createRuntime', 'createContainer'] as const) {
  test(`runtime.md#lifecycle/${kind}`, `a failing ${kind} fails create and leaves nothing`, async (box) => {
    const bundle = box.bundle(['sleep'], (config) => add(config, { [kind]: [hook(box, kind, 3)], poststop: [hook(box, 'poststop')] })), id = box.id();
    differ((await box.call(['create', '--bundle', bundle, id])).code, 0, 'exit status');
    differ((await box.call(['state', id])).code, 0, 'state');
    const pid = Number(seen(box, bundle, kind)[0]?.input['pid'] ?? 0);
    ok(pid === 0 || !isAlive(pid), 'the process is alive');
  });
  test('config.md#posix-platform-hooks/timeout', `${kind} that takes too long fails`, async (box) => {
    const bundle = box.bundle(['sleep'], (config) => add(config, { [kind]: [{ ...hook(box, kind, 0, 60), timeout: 1 }] }));
    const begin = Date.now();
    differ((await box.call(['create', '--bundle', bundle, box.id()])).code, 0, 'exit status');
    ok(Date.now() - begin < 40_000 * box.settings.slow, 'create waited for the hook');
  }, { seconds: 60 });
  test(`runtime.md#lifecycle/${kind}`, `after a failing ${kind} the next ones are not called`, async (box) => {
    const bundle = box.bundle(['sleep'], (config) => add(config, { [kind]: [hook(box, kind, 1), hook(box, kind, 0, undefined, 'second')] }));
    differ((await box.call(['create', '--bundle', bundle, box.id()])).code, 0, 'exit status');
    equal(seen(box, bundle, kind, 'second').length, 0, 'calls of the second hook');
  });
}
test('runtime.md#lifecycle/startContainer', 'a failing startContainer fails start, and the program does not run', async (box) => {
  const made = await box.create(['write', '/ran', 'x'], (config) => add(config, { startContainer: [hook(box, 'startContainer', 4)] }));
  differ((await box.call(['start', made.id])).code, 0, 'exit status');
  ok(!existsSync(`${made.bundle}/rootfs/ran`), 'the program ran');
});
test('runtime.md#lifecycle/startContainer', 'after a failing startContainer the process is stopped', async (box) => {
  const made = await box.create(['sleep'], (config) => add(config, { startContainer: [hook(box, 'startContainer', 4)] }));
  const pid = await box.pid(made.id);
  await box.call(['start', made.id]);
  await box.gone(pid);
});
test('runtime.md#lifecycle/poststart', 'a failing poststart fails start', async (box) => {
  const made = await box.create(['sleep'], (config) => add(config, { poststart: [hook(box, 'poststart', 5)] }));
  differ((await box.call(['start', made.id])).code, 0, 'exit status');
});
test('runtime.md#lifecycle/poststart', 'a failing poststart stops the container', async (box) => {
  const made = await box.create(['sleep'], (config) => add(config, { poststart: [hook(box, 'poststart', 5)] }));
  const pid = await box.pid(made.id);
  await box.call(['start', made.id]);
  await box.gone(pid);
});
test('runtime.md#lifecycle/poststop', 'a failing poststop stops neither delete nor the next hook', async (box) => {
  const made = await box.started(['sleep'], (config) => add(config, { poststop: [hook(box, 'poststop', 6), hook(box, 'poststop', 0, undefined, 'second')] }));
  await box.stop(made.id);
  await box.must(['delete', made.id]);
  equal([seen(box, made.bundle, 'poststop').length, seen(box, made.bundle, 'poststop', 'second').length], [1, 1], 'calls');
});
test('config.md#poststop/when', 'poststop finds the process gone', async (box) => {
  const made = await box.started(['sleep'], (config) => add(config, { poststop: [hook(box, 'poststop')] }));
  const pid = await box.pid(made.id);
  await box.must(['delete', '--force', made.id]);
  ok(!isAlive(pid), 'the process is alive');
  equal(seen(box, made.bundle, 'poststop').length, 1, 'calls');
});
test('config.md#poststart/when', 'poststart comes after the program began', async (box) => {
  const made = await box.started(['sleep'], (config) => add(config, { poststart: [hook(box, 'poststart')] }));
  equal(seen(box, made.bundle, 'poststart')[0]?.input['status'], 'running', 'status');
});
for (const kind of kinds) {
  test('config.md#posix-platform-hooks/order', `three of ${kind} in order`, async (box) => {
    const made = await box.started(['sleep'], (config) => add(config, { [kind]: ['a', 'b', 'c'].map((mark) => ({ ...hook(box, kind), env: [`MARK=${mark}`] })) }));
    await box.stop(made.id);
    await box.must(['delete', made.id]);
    equal(seen(box, made.bundle, kind).map(({ facts }) => facts.env.find((one) => one.startsWith('MARK='))), ['MARK=a', 'MARK=b', 'MARK=c'], 'order');
  });
}
test('config.md#posix-platform-hooks/path', 'a relative path is refused', async (box) => void (await box.refused((config) => add(config, { createRuntime: [{ path: 'bin/true' }] }))));
test('config.md#posix-platform-hooks/timeout', 'a timeout of nothing is refused', async (box) => void (await box.refused((config) => add(config, { createRuntime: [{ ...hook(box, 'createRuntime'), timeout: -1 }] }))));
for (const [title, hooks] of [['an empty object', {}], ['empty lists', Object.fromEntries(kinds.map((kind) => [kind, []]))]] as const) {
  test('config.md#posix-platform-hooks/absent', title, async (box) => ok(await box.facts((config) => add(config, hooks as Record<string, Json[]>)), 'facts'));
}
test('config.md#createcontainer-hooks/when', 'createContainer sees the mounts before the root is changed', async (box) => {
  const made = await box.create(['sleep'], (config) => {
    config.mounts.push({ destination: '/made', type: 'tmpfs', source: 'tmpfs' });
    add(config, { createContainer: [hook(box, 'createContainer')] });
  });
  match(seen(box, made.bundle, 'createContainer')[0]?.facts.mountinfo ?? '', /\/rootfs\/made |\/made /, 'mounts');
});
test('config.md#startcontainer-hooks/when', 'startContainer is called before the program', async (box) => {
  const made = await box.started(['stat', '/startContainer'], (config) => add(config, { startContainer: [hook(box, 'startContainer')] }));
  await box.until('the program looks', () => made.lines().length > 0);
  equal(made.lines()[0]?.stat?.['/startContainer']?.type, 'file', 'the file of the hook');
});
