// Mutated documents through reading, validation, compilation and encoding: each is refused with a place or becomes a program.
// FUZZ is how many (5,000), SEED where it starts; a failure prints both.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { found, keep } from '../../conformance/security/found.ts';
import { full, mutate, random } from '../../conformance/security/mutate.ts';
import type { Config } from '../../spec/config.ts';
import { decodeConfig, JsonError, locate, parseJson } from '../../spec/json.ts';
import { checkSemantics } from '../../spec/semantic.ts';
import { validateConfig } from '../../spec/validate.ts';
import { RuntimeError } from '../errors.ts';
import { encodeProgram } from '../program/encode.ts';
import { compileCreate } from './create.ts';
import { testContext } from './testing.ts';

const test = suite('fuzz');
const count = Number(process.env['FUZZ'] ?? 5_000);
const seed = Number(process.env['SEED'] ?? 1);
/** Milliseconds. A hang, not a matter of speed: a document takes a fraction of one. */
const SLOWEST = 20_000;

/** What became of a document. Throws what must never be thrown. */
function become(text: string): 'refused' | 'program' {
  let document: unknown;
  try {
    document = parseJson(decodeConfig(Buffer.from(text)));
  } catch (error) {
    if (error instanceof JsonError) return 'refused';
    throw error;
  }
  const issues = [...validateConfig(document)].filter(({ severity }) => severity === 'error');
  if (issues.length === 0) issues.push(...checkSemantics(document as Config).filter(({ severity }) => severity === 'error'));
  for (const { pointer, expected } of issues) {
    assert.ok(pointer === '' || pointer.startsWith('/'), pointer);
    assert.ok(expected.length > 0);
  }
  for (const { pointer } of issues.slice(0, 10)) assert.ok(locate(text, pointer).line >= 1);
  if (issues.length > 0) return 'refused';
  try {
    encodeProgram(compileCreate({ ...testContext({}), config: document as Config }));
    return 'program';
  } catch (error) {
    if (error instanceof RuntimeError && error.details.pointer?.startsWith('/')) return 'refused';
    throw error;
  }
}

/** What became of a document, and its processor time in milliseconds: on a busy machine the clock says little. */
function timed(name: string, text: string): { readonly outcome: 'refused' | 'program'; readonly took: number } {
  const start = performance.now();
  const before = process.cpuUsage();
  try {
    const outcome = become(text);
    const wall = performance.now() - start;
    const { user, system } = process.cpuUsage(before);
    assert.ok(wall < SLOWEST, `it took ${wall} ms`);
    return { outcome, took: (user + system) / 1000 };
  } catch (error) {
    throw new Error(`${name}: ${String((error as Error).stack)}\n${keep(text)}`);
  }
}

for (const { name, text } of found()) test(`found once: ${name}`, () => void timed(name, text));

test(`${count} mutated documents from seed ${seed}`, () => {
  const outcomes = { refused: 0, program: 0 };
  const slowest = { took: 0, bytes: 0, document: 0 };
  let memory = 0;
  for (let i = 0; i < count; i++) {
    const text = JSON.stringify(mutate(full, random(seed * 1_000_003 + i)));
    const { outcome, took } = timed(`SEED=${seed}, document ${i}`, text);
    outcomes[outcome]++;
    if (took > slowest.took) Object.assign(slowest, { took, bytes: text.length, document: i });
    if (i % 100 === 0) memory = Math.max(memory, process.memoryUsage.rss());
  }
  assert.ok(outcomes.program > count / 20 && outcomes.refused > count / 4, JSON.stringify(outcomes));
  if (process.env['FUZZ'] !== undefined) console.log(`${JSON.stringify(outcomes)}, at most ${Math.round(memory / 1048576)} MB, slowest: ${JSON.stringify(slowest)}`);
});

test.run();
