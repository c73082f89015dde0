// config.json checked: every kind of mistake, with its place, in words.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkConfig } from './check.ts';
import type { Config } from './config.ts';
import { decodeConfig, locate, parseJson, stringifyJson } from './json.ts';
import { checkSemantics } from './semantic.ts';
import { specSample } from './testing.ts';
import { validateConfig } from './validate.ts';

const test = suite('spec');

test('a good config has no issues', () => {
  assert.equal(validateConfig(specSample()), []);
  assert.equal(checkSemantics(specSample() as unknown as Config), []);
});

type Change = (config: ReturnType<typeof specSample>) => void;
const table: readonly [pointer: string, expected: RegExp, change: Change][] = [
  ['', /ociVersion is required/, (c) => delete (c as Partial<typeof c>).ociVersion],
  ['/ociVersion', /1\.x\.y/, (c) => void (c.ociVersion = '2.0.0')],
  ['/ociVersion', /string/, (c) => void (c.ociVersion = 1 as never)],
  ['/root', /path is required/, (c) => void (c.root = {} as never)],
  ['/process/terminal', /boolean/, (c) => void (c.process['terminal'] = 'yes')],
  ['/process/user/uid', /at most 4294967295/, (c) => void (c.process['user'] = { uid: 2 ** 32, gid: 0 })],
  ['/process/user/uid', /at least 0/, (c) => void (c.process['user'] = { uid: -1, gid: 0 })],
  ['/process/user/uid', /integer/, (c) => void (c.process['user'] = { uid: 1.5, gid: 0 })],
  ['/process/args', /array/, (c) => void (c.process['args'] = 'sh')],
  ['/process/args/0', /NUL/, (c) => void (c.process['args'] = ['a\0b'])],
  ['/process/rlimits/0/type', /setrlimit/, (c) => void (c.process['rlimits'] = [{ type: 'RLIMIT_X', soft: 1, hard: 1 }])],
  ['/process/rlimits/0/soft', /64-bit/, (c) => void (c.process['rlimits'] = [{ type: 'RLIMIT_AS', soft: '1', hard: 1 }])],
  ['/process/oomScoreAdj', /at most 1000/, (c) => void (c.process['oomScoreAdj'] = 1001)],
  ['/process/scheduler/policy', /one of/, (c) => void (c.process['scheduler'] = { policy: 'SCHED_FOO' })],
  ['/process/ioPriority/priority', /at most 7/, (c) => void (c.process['ioPriority'] = { class: 'IOPRIO_CLASS_BE', priority: 8 })],
  ['/linux/namespaces/0/type', /one of/, (c) => void (c.linux['namespaces'] = [{ type: 'pids' }])],
  ['/linux/seccomp/defaultAction', /one of/, (c) => void (c.linux['seccomp'] = { defaultAction: 'ALLOW' })],
  ['/linux/seccomp/syscalls/0/args/0/index', /at most 5/, (c) => void (c.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['a'], action: 'SCMP_ACT_LOG', args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }] })],
  ['/linux/maskedPaths/0', /absolute/, (c) => void (c.linux['maskedPaths'] = ['proc'])],
  ['/linux/resources/memory/limit', /64-bit/, (c) => void (c.linux['resources'] = { memory: { limit: '1g' } })],
  ['/linux/rootfsPropagation', /one of/, (c) => void (c.linux['rootfsPropagation'] = 'rshard')],
  ['/hooks/prestart/0/path', /absolute/, (c) => void (c['hooks'] = { prestart: [{ path: 'x' }] })],
  ['/hooks/prestart/0/timeout', /at least 1/, (c) => void (c['hooks'] = { prestart: [{ path: '/x', timeout: 0 }] })],
  ['/mounts/0', /destination is required/, (c) => void (c.mounts[0] = {} as never)],
  ['/linux/devices/0/type', /one of/, (c) => void (c.linux['devices'] = [{ path: '/dev/x', type: 'x' }])],
];
for (const [pointer, expected, change] of table) {
  test(`${pointer || '(document)'} ${expected.source}`, () => {
    const config = specSample();
    change(config);
    const found = validateConfig(config).find((issue) => issue.pointer === pointer && expected.test(issue.expected));
    assert.ok(found, JSON.stringify(validateConfig(config)));
  });
}

const rules: readonly [pointer: string, expected: RegExp, change: Change][] = [
  ['/process/args', /args must not be empty/, (c) => void (c.process['args'] = [])],
  ['/process/cwd', /absolute/, (c) => void (c.process['cwd'] = 'a')],
  ['/process/env/0', /NAME=VALUE/, (c) => void (c.process['env'] = ['=x'])],
  ['/process/rlimits/0/soft', /above the hard/, (c) => void (c.process['rlimits'] = [{ type: 'RLIMIT_AS', soft: 2, hard: 1 }])],
  ['/process/rlimits/1/type', /only once/, (c) => void (c.process['rlimits'] = [1, 1].map(() => ({ type: 'RLIMIT_AS', soft: 1, hard: 1 })))],
  ['/process/scheduler/priority', /SCHED_FIFO/, (c) => void (c.process['scheduler'] = { policy: 'SCHED_OTHER', priority: 1 })],
  ['/hostname', /UTS namespace/, (c) => void (c.linux['namespaces'] = [{ type: 'mount' }])],
  ['/linux/namespaces/1', /duplicated/, (c) => void (c.linux['namespaces'] = [{ type: 'uts' }, { type: 'uts' }])],
  ['/linux/namespaces/0/path', /absolute/, (c) => void (c.linux['namespaces'] = [{ type: 'uts', path: 'x' }])],
  ['/linux/uidMappings', /no mappings found/, (c) => void (c.linux['namespaces'] = [{ type: 'uts' }, { type: 'mount' }, { type: 'user' }])],
  ['/linux/sysctl/vm.swappiness', /separate kernel namespace/, (c) => void (c.linux['sysctl'] = { 'vm.swappiness': '1' })],
  ['/linux/sysctl/kernel.hostname', /not allowed/, (c) => void (c.linux['sysctl'] = { 'kernel.hostname': 'x' })],
  ['/mounts/0/destination', /inside \/proc/, (c) => void (c.mounts[0] = { destination: '/proc/self', type: 'tmpfs', source: 'x' })],
  ['/mounts/0/destination', /top of rootfs/, (c) => void (c.mounts[0] = { destination: '/', type: 'tmpfs', source: 'x' })],
  ['/mounts/0', /go together/, (c) => void (c.mounts[0] = { destination: '/x', type: 'bind', source: '/y', options: ['bind'], uidMappings: [] } as never)],
  ['/mounts/0/options/1', /file system options/, (c) => void (c.mounts[0] = { destination: '/x', type: 'bind', source: '/y', options: ['bind', 'mode=1'] } as never)],
  ['/linux/seccomp/defaultAction', /cannot be used as default/, (c) => void (c.linux['seccomp'] = { defaultAction: 'SCMP_ACT_NOTIFY' })],
  ['/linux/resources/memory/swap', /without memory limit/, (c) => void (c.linux['resources'] = { memory: { swap: 5 } })],
  ['/linux/resources/memory/kernel', /no such limit/, (c) => void (c.linux['resources'] = { memory: { kernel: 5 } })],
  ['/linux/intelRdt/closID', /class of service/, (c) => void (c.linux['intelRdt'] = { closID: 'a/b' })],
  ['/linux/cgroupsPath', /\.\./, (c) => void (c.linux['cgroupsPath'] = '/a/../b')],
  ['/linux/timeOffsets', /new time namespace/, (c) => void (c.linux['timeOffsets'] = { boottime: { secs: 1 } })],
];
for (const [pointer, expected, change] of rules) {
  test(`rule ${pointer} ${expected.source}`, () => {
    const config = specSample();
    change(config);
    assert.equal(validateConfig(config), []);
    const issues = checkSemantics(config as unknown as Config);
    assert.ok(issues.some((issue) => issue.pointer === pointer && expected.test(issue.expected)), JSON.stringify(issues));
  });
}

const plainMounts = [
  { destination: '/a', type: 'tmpfs', source: 'tmpfs', options: ['mode=1'] }, { destination: '/a', type: 'bind', source: '/b', options: ['bind'] }, { destination: '/a', type: 'tmpfs', source: 'tmpfs' },
  { destination: '/a', type: 'none', source: '/b', options: ['rbind', 'ro'] }, { destination: '/a', type: 'ramfs', source: 'x', options: ['ro'] },
];
const wrongMounts: readonly (readonly [pointer: string, expected: RegExp, mount: object])[] = [
  ['/destination', /top of rootfs/, { destination: '/a/..', type: 'tmpfs', source: 'tmpfs' }],
  ['/destination', /top of rootfs/, { destination: '..', type: 'tmpfs', source: 'tmpfs' }],
  ['/destination', /top of rootfs/, { destination: '//', type: 'tmpfs', source: 'tmpfs' }],
  ['/destination', /inside \/proc/, { destination: '/x/../proc/self', type: 'tmpfs', source: 'tmpfs' }],
  ['/source', /needs a source/, { destination: '/x', type: 'bind', options: ['bind'] }],
  ['/type', /needs a type/, { destination: '/x', source: 'x', options: ['ro'] }],
  ['/uidMappings', /only bind mounts/, { destination: '/x', type: 'tmpfs', source: 'tmpfs', options: ['idmap'] }],
  ['/uidMappings', /only bind mounts/, { destination: '/x', type: 'tmpfs', source: 'tmpfs', uidMappings: [], gidMappings: [] }],
  ['', /go together/, { destination: '/x', type: 'bind', source: '/b', options: ['bind'], gidMappings: [] }],
  ['/options/1', /not by a remount/, { destination: '/x', type: 'bind', source: '/b', options: ['bind', 'remount', 'ro'], uidMappings: [{ containerID: 0, hostID: 1, size: 1 }], gidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }],
  ['/options', /needs uidMappings/, { destination: '/x', type: 'bind', source: '/b', options: ['bind', 'ridmap'] }],
  ['/options', /only on tmpfs/, { destination: '/x', type: 'ramfs', source: 'x', options: ['tmpcopyup'] }],
  ['/options/1', /file system options/, { destination: '/x', type: 'none', source: '/b', options: ['rbind', 'mode=1'] }],
  ['/options/0', /file system options/, { destination: '/x', type: 'bind', source: '/b', options: ['mode=1'] }],
];

test('a mount that is wrong is found among many that are not, whatever it has in common with the one before it', () => {
  for (const before of plainMounts) {
    for (const [pointer, expected, mount] of wrongMounts) {
      const config = { ...specSample(), mounts: [before, before, mount, before] };
      assert.equal(validateConfig(config), []);
      const issues = checkSemantics(config as unknown as Config);
      assert.ok(issues.some((issue) => issue.pointer === `/mounts/2${pointer}` && expected.test(issue.expected)), JSON.stringify({ before, mount, issues }));
      assert.ok(issues.every((issue) => issue.pointer.startsWith('/mounts/2')));
    }
  }
});

test('several problems are reported at once, with hints', () => {
  const config = { ...specSample(), ociVersion: 1, process: { ...specSample().process, terminal: 1 } };
  assert.is(validateConfig(config).length, 2);
  const slip = specSample();
  slip.linux['namespaces'] = [{ type: 'pids' }];
  assert.match(validateConfig(slip)[0]!.hint ?? '', /did you mean "pid"/);
});

test('unknown properties are ignored, newer 1.x versions accepted', () => assert.equal(validateConfig({ ...specSample(), ociVersion: '1.9.0-dev', future: { a: 1 } }), []));

test('what is wrong in type and what is wrong between fields are told together, and no part twice', () => {
  const config = { ...specSample(), hostname: 5, linux: { namespaces: [{ type: 'uts' }, { type: 'uts' }], sysctl: { 'vm.x': '1' }, devices: 'all' }, process: { args: 'sh', cwd: 'a' } };
  const found = checkConfig(config).map(({ pointer }) => pointer).sort();
  assert.equal(found, ['/hostname', '/linux/devices', '/linux/namespaces/1', '/linux/sysctl/vm.x', '/mounts', '/process/args', '/process/cwd']);
  assert.equal(checkConfig({ process: null, mounts: [null], linux: { namespaces: [null], seccomp: { syscalls: [null] }, resources: 5 } }).map(({ pointer }) => pointer).filter((pointer) => pointer === '/process'), ['/process']);
  for (const bad of [null, 5, [], 'x']) assert.is(checkConfig(bad).length, 1);
});

test('64-bit integers are exact', () => {
  const parsed = parseJson('{"a": 18446744073709551615, "b": -9223372036854775808, "c": 5, "d": 1.5, "e": "9999999999999999999"}') as Record<string, unknown>;
  assert.equal(parsed, { a: 18446744073709551615n, b: -9223372036854775808n, c: 5, d: 1.5, e: '9999999999999999999' });
});

test('places', () => {
  const text = '{\n  "a": [1, {"b/c": 2}],\n  "~": 3\n}';
  assert.equal(locate(text, '/a/1/b~1c'), { line: 2, column: 20 });
  assert.equal(locate(text, '/~0'), { line: 3, column: 8 });
  assert.equal(locate(text, '/a/1/none'), { line: 2, column: 12 });
});

test('what is not JSON is refused with its place', () => {
  for (const [bad, pattern] of [['{', /end of file|key/], ['{"a" 1}', /":"/], ['[1,]', /value/], ['{"a": tru}', /value/], ['[1 2]', /"," or "\]"/], ['"\n"', /string/], ['{} x', /after the end/], ['[01]', /"," or/]] as const) {
    assert.throws(() => parseJson(bad), pattern);
  }
  assert.throws(() => decodeConfig(Buffer.from([0xef, 0xbb, 0xbf, 0x7b])), /byte order mark/);
  assert.throws(() => decodeConfig(Buffer.from([0x7b, 0xff])), /UTF-8/);
  assert.throws(() => parseJson('['.repeat(100000)), /nested|end of file/);
  for (const deep of ['['.repeat(3000) + ']'.repeat(3000), '{"a":'.repeat(3000) + '1' + '}'.repeat(3000)]) assert.throws(() => parseJson(deep), /nested deeper/);
});

test('a key that comes twice is refused at its second place, wherever it is and whatever strings look like', () => {
  for (const [text, line, column] of [['{"a": 1, "a": 1}', 1, 10], ['{"x": [{"k": {}},\n {"k": 1, "y": 2, "k": 3}]}', 2, 19], ['{"__proto__": 1, "__proto__": 2}', 1, 18]] as const) {
    assert.throws(() => parseJson(text), (error: { message: string; line: number; column: number }) => /a second time/.test(error.message) && error.line === line && error.column === column);
  }
  for (const good of ['{"a": "b: \\"c\\":", "b": {"a": 1}, "c": [{"a": 1}, {"a": 2}], "__proto__": 1, "hasOwnProperty": ":"}', '[":", {":": ":"}]', '{"\\\\": "\\\\", "\\"": ":"}']) assert.equal(parseJson(good), JSON.parse(good));
});

test('long strings and many values are read', () => {
  const long = JSON.stringify({ a: 'x'.repeat(2_000_000), b: '\n"'.repeat(100_000) });
  assert.equal(parseJson(long), JSON.parse(long));
  const exact = `{"n": 12345678901234567890, ${long.slice(1)}`;
  assert.is((parseJson(exact) as { n: bigint }).n, 12345678901234567890n);
  assert.equal(locate(exact, '/b').line, 1);
});

test('random documents survive the exact parser', () => {
  let seed = 7;
  const random = (below: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) % below;
  const value = (depth: number): unknown => {
    switch (random(depth > 3 ? 4 : 6)) {
      case 0: return random(1000) - 500;
      case 1: return `s"\\\u00e4${random(100)}`;
      case 2: return random(2) === 1;
      case 3: return null;
      case 4: return Array.from({ length: random(4) }, () => value(depth + 1));
      default: return Object.fromEntries(Array.from({ length: random(4) }, (_, i) => [`k${i}`, value(depth + 1)]));
    }
  };
  for (let i = 0; i < 300; i++) {
    const document = { big: 0, value: value(0) };
    const text = JSON.stringify(document).replace('"big":0', '"big":12345678901234567890');
    assert.equal(parseJson(text), { ...document, big: 12345678901234567890n });
    assert.equal(parseJson(stringifyJson(parseJson(text))), { ...document, big: 12345678901234567890n });
  }
});

test('what is written again is what was read, whatever the strings look like', () => {
  const document = { args: ['#5#', '"', '\u0000', 'é'], none: undefined, nothing: null, big: 18446744073709551615n, deep: [[], {}, [1.5, true]] };
  assert.is(stringifyJson(document), '{"args":["#5#","\\"","\\u0000","é"],"nothing":null,"big":18446744073709551615,"deep":[[],{},[1.5,true]]}');
});

test('a key that comes twice is found whatever colons there are in strings', () => {
  for (const text of ['{"a":1,"a":2}', '{"a:b":":","a:b":""}', '{"x":{"a":"\\u003a","a":1}}', '{"x":{"a":"\\u003A:","b":1,"a":1}}', '[{"k" : 1, "k":2}]', '{"a":{"b":":::"},"a":"::::"}',
    '{"a" :1,"b":2,"b":3}', '{"a"\n\t :1,"b":2,"b":3}', '{"a\\\\":1,"b":2,"b":3}', '{"a\\":":1,"a\\":":1}', '{"\\"":{"a":1,"a":"\\":"}}', '{"\\u0022:":1,"\\":":2}']) {
    assert.throws(() => parseJson(text), (error: Error) => error.message.includes('comes a second time'), text);
  }
  for (const text of ['{"a:":"b:c","d":[":",{"e":"\\u003a"}]}', '{"a" :{"b": "::" }}', '[1e300,-0,"\\":"]']) assert.equal(parseJson(text), JSON.parse(text), text);
  assert.equal(parseJson('[9007199254740993,1]'), [9007199254740993n, 1]);
});

test('of texts made at random, with strings as awkward as can be, those and only those are refused in which a key comes twice', () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x6d2b79f5;
    return ((seed ^ (seed >>> 13)) >>> 0) % below;
  };
  const pieces = ['a', 'b', ':', '"', '\\', ' ', '":', '" :', '\\"', '\\\\"', '\\u0022', '\n', ','];
  const spaces = ['', '', '', ' ', '\n', '\t ', '\r\n'];
  const space = (): string => spaces[random(spaces.length)]!;
  const string = (): string => Array.from({ length: random(4) }, () => pieces[random(pieces.length)]!).join('');
  let comesTwice = false;
  const value = (depth: number): string => {
    const kind = random(depth > 3 ? 2 : 4);
    if (kind === 0) return JSON.stringify(string());
    if (kind === 1) return String(random(9));
    if (kind === 2) return `[${Array.from({ length: random(4) }, () => value(depth + 1)).join(`${space()},`)}]`;
    const keys = Array.from({ length: random(4) }, string);
    comesTwice ||= new Set(keys).size < keys.length;
    return `{${keys.map((key) => `${space()}${JSON.stringify(key)}${space()}:${space()}${value(depth + 1)}`).join(',')}}`;
  };
  let refused = 0;
  for (let i = 0; i < 5000; i++) {
    comesTwice = false;
    const text = `[${value(0)},${value(0)}]`;
    if (!comesTwice) {
      assert.equal(parseJson(text), JSON.parse(text), text);
      continue;
    }
    refused++;
    assert.throws(() => parseJson(text), (error: Error) => error.message.includes('comes a second time'), text);
  }
  assert.ok(refused > 300, String(refused));
});

test.run();
