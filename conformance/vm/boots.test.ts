// The harness's own pieces without a machine: boots.sh with a command that plays the machine, and what tap.awk makes of it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const panic = 'panic';
interface Boot { readonly says: readonly string[]; readonly end?: typeof panic | 'off' }

/** What a run of so many files prints, and where each boot was told to start: what each boot says, and how it ends. */
function run(files: number, boots: readonly Boot[]): { readonly code: number; readonly lines: string[]; readonly starts: string } {
  const directory = mkdtempSync(join(tmpdir(), 'boots-'));
  boots.forEach(({ says, end }, index) => {
    writeFileSync(join(directory, `says.${index + 1}`), says.map((line) => `${line.replace(/^!/, '\u0001')}\n`).join(''));
    writeFileSync(join(directory, `console.is.${index + 1}`), end === panic ? '[ 1.0] Kernel panic - not syncing: Fatal exception\n' : 'Power down\n');
  });
  const machine = 'echo "$RUNT_VM_BOOT:$RUNT_VM_FILES" >>"$1/starts"; cp "$1/says.$RUNT_VM_BOOT" "$1/results"; cp "$1/console.is.$RUNT_VM_BOOT" "$1/console"';
  const script = `sh conformance/vm/boots.sh "$1" 1 "$(seq -s, "$2")" sh -c '${machine}' sh "$1" | awk -v machines=1 -v expected="$2" -f conformance/vm/tap.awk`;
  const done = spawnSync('sh', ['-c', script, 'sh', directory, String(files)], { encoding: 'utf8' });
  const starts = spawnSync('cat', [join(directory, 'starts')], { encoding: 'utf8' }).stdout.trim().replaceAll('\n', ' ');
  rmSync(directory, { recursive: true });
  assert.is(done.stderr, '');
  return { code: done.status ?? -1, lines: done.stdout.trim().split('\n').map((line) => line.replace(directory, 'RUN')), starts };
}

const first = ['!file a.ts', 'ok 1 - a1', '1..1', '!exit 0'];
const begun = ['!file b.ts', 'ok 1 - b1 # 1.0 s'];
const second = [...begun, 'ok 2 - b2', '1..2', '!exit 0'];

test('one boot that ends is one plan', () => {
  const { code, lines, starts } = run(2, [{ says: [...first, ...second, '!end'] }]);
  assert.is(code, 0);
  assert.equal(lines, ['# a.ts', 'ok 1 - a1', '# b.ts', 'ok 2 - b1 # 1.0 s', 'ok 3 - b2', '1..3', '# 3 passed, 0 failed, 0 skipped']);
  assert.is(starts, '1:1,2');
});

test('what a file took is said after its results', () => {
  const { code, lines } = run(1, [{ says: ['!file a.ts', 'ok 1 - a1', '1..1', '!exit 0 42', '!end'] }]);
  assert.is(code, 0);
  assert.equal(lines, ['# a.ts', 'ok 1 - a1', '# 42 s: a.ts', '1..1', '# 1 passed, 0 failed, 0 skipped']);
});

test('a kernel that dies is booted again with the file it died in, whose results count once', () => {
  const { code, lines, starts } = run(2, [{ says: [...first, ...begun], end: panic }, { says: [...second, '!end'] }]);
  assert.is(code, 0);
  assert.equal(lines, ['# a.ts', 'ok 1 - a1', '# b.ts', 'ok 2 - b1 # 1.0 s', "# the guest's kernel died during b.ts; booted again (console: RUN/console.1)",
    '# b.ts', 'ok 3 - b2', '1..3', '# 3 passed, 0 failed, 0 skipped']);
  assert.is(starts, '1:1,2 2:2');
});

test('a failure before the kernel died stays one failure; a new one after it counts', () => {
  const failing = ['!file b.ts', 'not ok 1 - b1', 'ok 2 - b2'];
  const again = run(1, [{ says: failing, end: panic }, { says: ['!file b.ts', 'ok 1 - b1', 'not ok 2 - b2', '1..2', '!exit 1', '!end'] }]);
  assert.is(again.code, 1);
  assert.is(again.lines.at(-1), '# 1 passed, 2 failed, 0 skipped');
  const same = run(1, [{ says: failing, end: panic }, { says: [...failing, '1..2', '!exit 1', '!end'] }]);
  assert.is(same.lines.at(-1), '# 1 passed, 1 failed, 0 skipped');
});

test('a kernel that dies between two files goes on with the next', () => {
  const { code, lines, starts } = run(2, [{ says: first, end: panic }, { says: [...second, '!end'] }]);
  assert.is(code, 0);
  assert.ok(lines.includes("# the guest's kernel died; booted again (console: RUN/console.1)"));
  assert.is(starts, '1:1,2 2:2');
});

test('a file in which it dies twice fails, and the next ones run', () => {
  const { code, lines, starts } = run(2, [{ says: ['!file x.ts'], end: panic }, { says: ['!file x.ts'], end: panic }, { says: [...second, '!end'] }]);
  assert.is(code, 1);
  assert.ok(lines.includes("not ok 1 - x.ts: the guest's kernel died twice during this file"), lines.join('\n'));
  assert.is(lines.at(-1), '# 2 passed, 1 failed, 0 skipped');
  assert.is(starts, '1:1,2 2:1,2 3:2');
  const last = run(1, [{ says: ['!file x.ts'], end: panic }, { says: ['!file x.ts'], end: panic }]);
  assert.is(last.lines.at(-1), '# 0 passed, 1 failed, 0 skipped');
});

test('it is booted twice more and not oftener', () => {
  const { code, lines, starts } = run(4, [{ says: ['!file a.ts'], end: panic }, { says: [...first, '!file b.ts'], end: panic }, { says: ['!file b.ts', '!exit 0', '!file c.ts'], end: panic }]);
  assert.is(code, 1);
  assert.is(starts, '1:1,2,3,4 2:1,2,3,4 3:2,3,4');
  assert.ok(lines.some((line) => /^not ok \d+ - c.ts: the virtual machine ended during this file$/.test(line)), lines.join('\n'));
});

test('a machine that ends early without a panic is not booted again', () => {
  const { code, lines, starts } = run(1, [{ says: begun, end: 'off' }]);
  assert.is(code, 1);
  assert.is(starts, '1:1');
  assert.ok(lines.includes('not ok 2 - b.ts: the virtual machine ended during this file'));
});

test('two machines: a file is printed whole when it has ended, and each machine has to come to its end', () => {
  const join_ = (text: string, expected: number): string[] => spawnSync('awk', ['-v', 'machines=2', '-v', `expected=${expected}`, '-f', 'conformance/vm/tap.awk'], { input: text.replaceAll('!', '\u0001'), encoding: 'utf8' }).stdout.trim().split('\n');
  const both = '1 !file a.ts\n2 !file b.ts\n1 ok 1 - a1\n2 not ok 1 - b1\n1 ok 2 - a2\n2 1..1\n2 !exit 1\n2 !end\n1 1..2\n1 !exit 0\n';
  assert.equal(join_(`${both}1 !end\n`, 2), ['# b.ts', 'not ok 1 - b1', '# a.ts', 'ok 2 - a1', 'ok 3 - a2', '1..3', '# 2 passed, 1 failed, 0 skipped']);
  assert.ok(join_(`${both}1 !file c.ts\n1 ok 1 - c1\n`, 3).includes('not ok 5 - c.ts: the virtual machine ended during this file'));
  assert.ok(join_(`${both}1 !end\n`, 3).includes('not ok 4 - of 3 test files 2 ran'));
});

test('files are dealt by what they take: the longest alone, unknown ones count as a minute, each once and in order', () => {
  const directory = mkdtempSync(join(tmpdir(), 'share-'));
  writeFileSync(join(directory, 'durations'), '# seconds file\n200 long\n10 short\n');
  const share = (machines: number, ...names: string[]): string[] => spawnSync('awk', ['-v', `machines=${machines}`, '-f', 'conformance/vm/share.awk', join(directory, 'durations'), '-'], { input: names.map((name) => `${name}\n`).join(''), encoding: 'utf8' }).stdout.trim().split('\n');
  assert.equal(share(2, 'short', 'new', 'long', 'other'), ['3', '1,2,4']);
  assert.equal(share(1, 'short', 'new', 'long'), ['1,2,3']);
  assert.equal(share(2, 'new', 'short'), ['1', '2']);
  rmSync(directory, { recursive: true });
});

test('each test file of the machine is in one of the two sets, and CI runs both; a file that is none ends the run', () => {
  const files = (...words: string[]): string[] => spawnSync('sh', ['conformance/vm/files.sh', ...words], { encoding: 'utf8' }).stdout.trim().split('\n');
  const [own, managers] = [files(), files('--managers')];
  assert.equal([...new Set([...own, ...managers])].sort(), files('--all').sort());
  assert.equal(own.filter((file) => managers.includes(file)), []);
  for (const file of readdirSync('conformance/vm')) if (file.includes('.vmtest.')) assert.ok(files('--all').includes(`conformance/vm/${file}`), file);
  assert.match(readFileSync('.ci/run', 'utf8'), /test:vm:all/);
  assert.match(readFileSync('package.json', 'utf8'), /"test:vm:all": "conformance\/vm\/test\.sh --all"/);
  assert.equal(files('package.json', 'conformance/vm/suite.ts'), ['package.json', 'conformance/vm/suite.ts']);
  const none = spawnSync('sh', ['conformance/vm/test.sh', 'conformance/vm/none.ts'], { encoding: 'utf8' });
  assert.is(none.status, 2);
  assert.match(none.stderr, /none\.ts: no such test file/);
});

test.run();
