// Nothing of config.json is ignored in silence: every key of our schema changes what is compiled, or is refused, or is listed here with its reason.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Config, Seccomp } from '../../spec/config.ts';
import { schema } from '../../spec/schema/config.ts';
import { checkSemantics } from '../../spec/semantic.ts';
import { validateConfig } from '../../spec/validate.ts';
import { compileDeviceFilter } from '../bpf/device-filter.ts';
import { compileSeccomp } from '../bpf/seccomp.ts';
import { cgroupPath } from '../cgroup/locate.ts';
import { encodeProgram } from '../program/encode.ts';
import { compileCreate } from './create.ts';
import { complete } from './every-key.samples.ts';
import { compileExec } from './exec.ts';
import { testContext } from './testing.ts';

/** Keys that change no step of create or exec, each with the place where they do count. */
const elsewhere: Readonly<Record<string, string>> = {
  '/ociVersion': 'told to hooks and by `state`; any 1.x is accepted',
  '/annotations/*': 'told to hooks and by `state`; those that change properties of a systemd unit are in scope.ts, that of crun which keeps groups in user.ts',
  '/hooks/*/*/args/*': 'the hook step names the entry, which is read when it runs (src/container/hooks.ts)',
  '/hooks/*/*/env/*': 'as args',
  '/hooks/*/*/timeout': 'as args',
  '/hooks/poststart/*/path': 'run by `start`, after the program',
  '/hooks/poststop/*/path': 'run by `delete`',
  '/linux/resources/memory/checkBeforeUpdate': 'only `update` can find memory in use',
  '/linux/resources/memory/useHierarchy': 'cgroup v2 is always hierarchical',
};

/** Keys of which every value but the harmless one is an error: what the runtime-spec or cgroup v2 gives no meaning. */
const refused: Readonly<Record<string, string>> = {
  '/linux/personality/flags/*': 'the runtime-spec defines none',
  '/linux/resources/memory/kernel': 'cgroup v2 has no such limit',
  '/linux/resources/memory/kernelTCP': 'cgroup v2 has no such limit',
  '/linux/resources/memory/swappiness': 'cgroup v2 has no such limit',
  '/linux/resources/memory/disableOOMKiller': 'cgroup v2 has no such limit',
  '/linux/resources/cpu/realtimeRuntime': 'cgroup v2 has no such limit',
  '/linux/resources/cpu/realtimePeriod': 'cgroup v2 has no such limit',
  '/linux/resources/network/classID': 'cgroup v2 has no such controller',
  '/linux/resources/network/priorities/*/name': 'cgroup v2 has no such controller',
  '/linux/resources/network/priorities/*/priority': 'cgroup v2 has no such controller',
  '/linux/resources/blockIO/leafWeight': 'cgroup v2 has no such limit',
  '/linux/resources/blockIO/weightDevice/*/leafWeight': 'cgroup v2 has no such limit',
};

type Node = { readonly properties?: Readonly<Record<string, Node>>; readonly items?: Node; readonly additionalProperties?: Node; readonly required?: readonly string[]; readonly enum?: readonly string[]; readonly [key: string]: unknown };

/** Pointers of all keys that hold no others; `*` stands for an index or a free name. */
function leaves(node: Node, at = ''): readonly string[] {
  if (node.properties !== undefined) return Object.entries(node.properties).flatMap(([key, below]) => leaves(below, `${at}/${key}`));
  if (node.items !== undefined) return leaves(node.items, `${at}/*`);
  if (node.additionalProperties !== undefined) return leaves(node.additionalProperties, `${at}/*`);
  return [at];
}

const nodeAt = (leaf: string): Node => leaf.split('/').slice(1).reduce<Node>((node, word) => (word === '*' && node.properties === undefined ? (node.items ?? node.additionalProperties)! : node.properties![word]!), schema as Node);

/** Whether a table has the leaf, where `*` of the table matches any one word. */
const listed = (table: Readonly<Record<string, string>>, leaf: string): string | undefined =>
  Object.keys(table).find((pattern) => new RegExp(`^${pattern.replace(/\*/g, '[^/]+')}$`).test(leaf));

/** The first place of a document that a leaf names: the object or list that holds it, and its key there. */
function find(document: unknown, words: readonly string[]): { readonly holder: Record<string, unknown>; readonly key: string } | undefined {
  if (typeof document !== 'object' || document === null) return undefined;
  const [word, ...rest] = words;
  for (const key of word === '*' ? Object.keys(document) : [word!]) {
    if (!Object.hasOwn(document, key)) continue;
    if (rest.length === 0) return { holder: document as Record<string, unknown>, key };
    const found = find((document as Record<string, unknown>)[key], rest);
    if (found !== undefined) return found;
  }
  return undefined;
}

const filters = new Map<string, ReturnType<typeof compileSeccomp>>();

function filterOf(seccomp: Seccomp): ReturnType<typeof compileSeccomp> {
  const key = JSON.stringify(seccomp);
  if (!filters.has(key)) filters.set(key, compileSeccomp(seccomp));
  return filters.get(key)!;
}

/** What a config becomes; a refusal is something too. */
function effect(config: Config): string {
  try {
    return compiled(config);
  } catch (error) {
    return `refused: ${(error as Error).message}`;
  }
}

/** Both programs, both filters, and the paths that are decided before compilation. */
function compiled(config: Config): string {
  const { seccomp, cgroupsPath, resources } = config.linux ?? {};
  const loaded = seccomp === undefined ? undefined : filterOf(seccomp);
  const filter = loaded === undefined ? undefined : { program: loaded.filter, flags: loaded.flags, hasListener: loaded.newListener };
  const base = testContext(config, { filter, console: config.process?.terminal === true ? { kind: 'foreground' } : { kind: 'none' }, rootfs: `/b/${config.root!.path}` });
  const context = { ...base, host: { ...base.host, resctrl: '/sys/fs/resctrl', cgroup: { ...base.host.cgroup!, path: cgroupPath('/sys/fs/cgroup', cgroupsPath, 'c1', '/') } } };
  const programs = [compileCreate(context), compileExec({ ...context, init: { pid: 7, startTime: '1' }, entersUser: true })].map((program) => Buffer.from(encodeProgram(program)).toString('latin1'));
  return [...programs, Buffer.from(compileDeviceFilter(resources?.devices)).toString('latin1')].join('\n');
}

/** Words that have a form of their own. */
const alternatives: Readonly<Record<string, string>> = { 'RLIMIT_NOFILE': 'RLIMIT_CORE', '2MB': '1GB', rw: 'r' };

/** Another good value of the same kind. */
function other(value: unknown, node: Node): unknown {
  if (typeof value === 'string' && Object.hasOwn(alternatives, value)) return alternatives[value];
  if (node.enum !== undefined) return node.enum.find((one) => one !== value);
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value > 0 ? value - 1 : value + 1;
  if (typeof value === 'bigint') return value - 1n;
  return value === null ? 5 : `${String(value)}1`;
}

/** Documents that differ from a sample in this key alone: without it, and with another value. */
function* changes(sample: Config, leaf: string): Generator<Config> {
  for (const kind of ['removed', 'changed'] as const) {
    const copy = JSON.parse(JSON.stringify(sample)) as Config;
    const place = find(copy, leaf.split('/').slice(1));
    if (place === undefined) return;
    const { holder, key } = place;
    if (kind === 'changed') holder[key] = other(holder[key], nodeAt(leaf));
    else if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
    if (validateConfig(copy).length === 0 && checkSemantics(copy).length === 0) yield copy;
  }
}

const test = suite('every key');

for (const [name, sample] of Object.entries(complete)) {
  test(`the sample ${name} is good`, () => {
    assert.equal(validateConfig(sample), []);
    assert.equal(checkSemantics(sample), []);
    assert.not.match(effect(sample), /^refused/);
  });
}

const known = leaves(schema as Node);

for (const leaf of known) {
  test(leaf, () => {
    if (listed(refused, leaf) !== undefined) {
      const sample = structuredClone(complete['plain']!) as unknown as Record<string, unknown>;
      put(sample, leaf);
      const issues = [...validateConfig(sample), ...checkSemantics(sample as unknown as Config)];
      assert.ok(issues.some(({ pointer }) => leaf.startsWith(pointer.replace(/\/(0|x)(?=\/|$)/g, '/*'))), `it is listed as refused, and it is not: ${JSON.stringify(issues)}`);
      return;
    }
    const samples = Object.values(complete).filter((sample) => find(sample, leaf.split('/').slice(1)) !== undefined);
    assert.ok(samples.length > 0, 'no sample has this key: add it to every-key.samples.ts');
    const counts = samples.some((sample) => {
      const before = effect(sample);
      return [...changes(sample, leaf)].some((changed) => effect(changed) !== before);
    });
    if (listed(elsewhere, leaf) === undefined) assert.ok(counts, 'it changes nothing, and no list says why');
    else assert.not.ok(counts, `it is listed as counting elsewhere (${elsewhere[listed(elsewhere, leaf)!]}), and it changes a program`);
  });
}

/** Sets a key that no good sample can have, with the containers around it. */
function put(document: Record<string, unknown>, leaf: string): void {
  const words = leaf.split('/').slice(1);
  const node = nodeAt(leaf);
  const value = node['type'] === 'boolean' ? true : node['type'] === 'string' ? 'x' : 5;
  let holder: Record<string, unknown> | unknown[] = document;
  words.forEach((word, depth) => {
    const key = word === '*' ? 0 : word;
    const target = holder as Record<string | number, unknown>;
    if (depth === words.length - 1) target[key] = value;
    else holder = (target[key] ??= words[depth + 1] === '*' ? [] : {}) as Record<string, unknown>;
  });
}

test('the lists name only keys that exist', () => {
  for (const pattern of [...Object.keys(elsewhere), ...Object.keys(refused)]) assert.ok(known.some((leaf) => listed({ [pattern]: '' }, leaf) !== undefined), pattern);
});

test.run();
