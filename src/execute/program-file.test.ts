// A program file: what is mapped is what was encoded, and the file has just its bytes, whatever room it was given.
import { closeSync, existsSync, fstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Config } from '../../spec/config.ts';
import { parseJson } from '../../spec/json.ts';
import { compileCreate } from '../compile/create.ts';
import { testContext } from '../compile/testing.ts';
import { encodeProgram, imageRoom } from '../program/encode.ts';
import { BASE } from '../program/layout.ts';
import { part, type Program } from '../program/step.ts';
import { writeProgram } from './program-file.ts';

const test = suite('program file');
const work = mkdtempSync(join(tmpdir(), 'program-'));
const step = part('container', '/a');
const small: Program = { steps: [step('chdir', ['/x'], 'why')], inherited: { gate: 3 } };
const long: Program = { steps: [step('chdir', ['x'.repeat(imageRoom(small))], 'why'), step('chdir', ['ä'.repeat(5)], '')], inherited: {} };
const many: Program = { steps: Array.from({ length: 3000 }, (_, i) => step('chdir', [`/${i}`], '')), inherited: {} };

for (const [name, program] of Object.entries({ small, long, many })) {
  test(`${name}: mapped, in the file and encoded are the same`, () => {
    const path = join(work, name);
    const { image, fd } = writeProgram(path, program, { id: 'c', command: 'create' });
    assert.equal(Buffer.from(image.bytes), Buffer.from(encodeProgram(program, { id: 'c', command: 'create', base: image.base })));
    assert.equal(readFileSync(path), Buffer.from(image.bytes));
    assert.is(fstatSync(fd).mode & 0o777, 0o600);
    image.bytes[image.bytes.length - 1] = 7;
    assert.is(readFileSync(path).at(-1), 7);
    closeSync(fd);
  });
}

test('there is room for what managers ask for, with a filter: what has to grow is copied and mapped again', () => {
  const bundles = join(import.meta.dirname, '../../conformance/bundles');
  const names = readdirSync(bundles).filter((name) => existsSync(join(bundles, name, 'config.json')));
  assert.ok(names.length > 20);
  for (const name of names) {
    const program = compileCreate(testContext(parseJson(readFileSync(join(bundles, name, 'config.json'), 'utf8')) as Config, { filter: { program: new Uint8Array(8 * 1003), flags: 0, hasListener: false } }));
    const { length } = encodeProgram(program);
    assert.ok(length <= imageRoom(program), `${name}: ${length} bytes, room for ${imageRoom(program)}`);
  }
});

test('where the address is taken another one is', () => {
  const programs = [1, 2, 3].map(() => writeProgram(undefined, small, {}));
  assert.is(new Set(programs.map(({ image }) => image.base)).size, 3);
  for (const { image, fd } of programs) {
    assert.ok(image.base > BASE);
    closeSync(fd);
  }
});

test.after(() => rmSync(work, { recursive: true }));
test.run();
