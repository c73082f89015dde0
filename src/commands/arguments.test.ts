// The command line as managers write it.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { formatError, logLine, pointerPath } from '../log.ts';
import { RuntimeError } from '../errors.ts';
import { parseArguments } from './arguments.ts';
import { globalFlags } from './help.ts';
import { featuresObject } from './features.ts';

const test = suite('arguments');
const flags = [{ name: 'bundle', short: 'b', value: 'DIR', help: '' }, { name: 'detach', short: 'd', help: '' }, { name: 'no-pivot', help: '' }];
const table: readonly [argv: string[], flags: object, words: string[]][] = [
  [[], {}, []],
  [['x'], {}, ['x']],
  [['--bundle', '/a', 'x'], { bundle: '/a' }, ['x']],
  [['--bundle=/a', 'x'], { bundle: '/a' }, ['x']],
  [['-b', '/a', 'x'], { bundle: '/a' }, ['x']],
  [['-bundle', '/a', 'x'], { bundle: '/a' }, ['x']],
  [['-b', '/a', '-b', '/b'], { bundle: '/b' }, []],
  [['-d'], { detach: true }, []],
  [['--detach=true'], { detach: true }, []],
  [['--detach=false'], {}, []],
  [['-d', '--detach=false'], {}, []],
  [['-no-pivot', 'x'], { 'no-pivot': true }, ['x']],
  [['x', '--detach'], {}, ['x', '--detach']],
  [['--', '--detach'], {}, ['--detach']],
  [['-'], {}, ['-']],
  [['--bundle', '--detach', 'x'], { bundle: '--detach' }, ['x']],
  [['--bundle='], { bundle: '' }, []],
  [['--bundle', '1'], { bundle: '1' }, []],
  [['--bundle', '0x10'], { bundle: '0x10' }, []],
  [['--bundle', 'a=b'], { bundle: 'a=b' }, []],
];
for (const [argv, expected, words] of table) {
  test(argv.join(' ') || '(nothing)', () => {
    const parsed = parseArguments(argv, flags);
    assert.equal(parsed.flags, expected);
    assert.equal([...parsed.words], words);
  });
}

test('what managers look for in refusals', () => {
  assert.throws(() => parseArguments(['--what'], flags), /flag provided but not defined: -what/);
  assert.throws(() => parseArguments(['--bundle'], flags), /flag needs an argument: -bundle/);
  assert.throws(() => parseArguments(['--detach=maybe'], flags), /invalid boolean/);
});

test('containerd, conmon-rs and Podman: globals twice, log flags, rootless', () => {
  const { flags: given, words } = parseArguments(['--root', '/a', '--systemd-cgroup', '--root=/b', '--debug', '--log', '/l', '--log-format', 'json', '--rootless=true', 'create', '--bundle', 'b'], globalFlags);
  assert.equal(given, { root: '/b', 'systemd-cgroup': true, debug: true, log: '/l', 'log-format': 'json', rootless: 'true' });
  assert.equal([...words], ['create', '--bundle', 'b']);
});

test('errors: where, what, the kernel, the line, what to try', () => {
  assert.is(pointerPath('/mounts/3/options/1'), 'mounts[3].options[1]');
  assert.is(pointerPath('/linux/sysctl/net.ipv4~1x'), 'linux.sysctl["net.ipv4/x"]');
  const error = new RuntimeError('fsconfig("size", "banana"): EINVAL', { pointer: '/mounts/3', kernel: ['tmpfs: Bad value'], position: 'config.json:5:7', hint: 'a number' });
  assert.is(formatError(error, 'create web: '), 'runt: create web: mounts[3]: fsconfig("size", "banana"): EINVAL\n  kernel: tmpfs: Bad value\n  config.json:5:7\n  try: a number\n');
});

test('log lines', () => {
  assert.equal(JSON.parse(logLine('json', 'a "b"', '2026-01-01T00:00:00Z')), { level: 'error', msg: 'a "b"', time: '2026-01-01T00:00:00Z' });
  assert.is(logLine('text', 'a', 't'), 'time="t" level=error msg="a"\n');
});

test('features has the keys managers read', () => {
  const features = featuresObject() as { mountOptions: string[]; linux: { namespaces: string[]; mountExtensions: { idmap: { enabled: boolean } } } };
  assert.ok(features.mountOptions.includes('rro'));
  assert.ok(features.linux.namespaces.includes('user'));
  assert.is(features.linux.mountExtensions.idmap.enabled, true);
});

test.run();
