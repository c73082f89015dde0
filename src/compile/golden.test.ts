// Golden programs: golden/*.md hold a part of config.json and the lines it compiles to, golden/exec.md whole programs of exec.
// `--update` rewrites them; read the diff.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openImage, readRecords } from '../program/decode.ts';
import { encodeProgram } from '../program/encode.ts';
import { printStep } from '../program/print.ts';
import { compileCreate } from './create.ts';
import { compileExec } from './exec.ts';
import { testContext } from './testing.ts';

const test = suite('golden');
const directory = join(import.meta.dirname, 'golden');
const update = process.argv.includes('--update');

/** Lines that the change adds to the minimal bundle's, plus all that carry a pointer into what was given. */
function linesFor(change: Record<string, unknown>): string {
  const program = compileCreate(testContext(change));
  const image = openImage(Buffer.from(encodeProgram(program)))!;
  const prefixes = Object.entries(change).flatMap(([key, value]) => (key === 'linux' || key === 'process' ? Object.keys(value as object).filter((name, _, names) => names.length === 1 || !['namespaces', 'args', 'cwd', 'env'].includes(name)).map((name) => `/${key}/${name}`) : [`/${key}`]));
  return readRecords(image).filter(({ pointer }) => prefixes.some((prefix) => pointer === prefix || pointer.startsWith(`${prefix}/`))).map((view) => `${view.side === 'runtime' ? 'runtime  ' : 'container'} ${printStep(image, view)}\n`).join('');
}

/** All lines: what matters in exec is the order. */
function execLines(change: Record<string, unknown>): string {
  const context = testContext(change, { console: { kind: 'foreground' } });
  const image = openImage(Buffer.from(encodeProgram(compileExec({ ...context, init: { pid: 7, startTime: '4711' }, entersUser: true }))))!;
  return readRecords(image).map((view) => `${view.side === 'runtime' ? 'runtime  ' : 'container'} ${printStep(image, view)}\n`).join('');
}

for (const file of readdirSync(directory).filter((name) => name.endsWith('.md'))) {
  const text = readFileSync(join(directory, file), 'utf8');
  let rewritten = text;
  for (const [whole, title, json, expected] of text.matchAll(/### (.+)\n\n```json\n([^]*?)```\n\n```strace\n([^]*?)```/g)) {
    const actual = (file === 'exec.md' ? execLines : linesFor)(JSON.parse(json!) as Record<string, unknown>);
    rewritten = rewritten.replace(whole, () => whole.replace(/```strace\n[^]*```/, () => `\`\`\`strace\n${actual}\`\`\``));
    test(`${file}: ${title}`, () => assert.is(actual, update ? actual : expected));
  }
  if (update) writeFileSync(join(directory, file), rewritten);
}

test('/dev is /dev however it is written', () => {
  const calls = (destination: string): readonly string[] => {
    const image = openImage(Buffer.from(encodeProgram(compileCreate(testContext({ mounts: [{ destination, type: 'tmpfs', source: 'tmpfs' }] })))))!;
    return readRecords(image).map((view) => printStep(image, view));
  };
  for (const destination of ['/dev/', '//dev', '/./dev', '/x/../dev', '/dev/.']) assert.equal(calls(destination), calls('/dev'), destination);
  assert.not.equal(calls('/x'), calls('/dev'));
});

test('the same bundle compiles to the same program', () => {
  const encode = (): Buffer => Buffer.from(encodeProgram(compileCreate(testContext({}))));
  assert.ok(encode().equals(encode()));
});

test.run();
