// Device filters: the compiled program against a plain reading of the rules, for random rules and requests.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceRule } from '../../spec/config.ts';
import { compileDeviceFilter, defaultRules } from './device-filter.ts';

const test = suite('device filter');
const letters = ['m', 'r', 'w'];

/** Runs struct bpf_insn as far as the compiler uses it. */
function execute(program: Uint8Array, type: number, access: number, major: number, minor: number): number {
  const bytes = Buffer.from(program);
  const registers = new Array<number>(11).fill(0);
  const context = [type | (access << 16), major, minor];
  for (let pc = 0; ; pc++) {
    const code = bytes[8 * pc]!;
    const to = bytes[8 * pc + 1]! & 15;
    const from = bytes[8 * pc + 1]! >> 4;
    const offset = bytes.readInt16LE(8 * pc + 2);
    const immediate = bytes.readInt32LE(8 * pc + 4);
    if (code === 0x61) registers[to] = context[offset / 4]!;
    else if (code === 0xb7) registers[to] = immediate;
    else if (code === 0xbf) registers[to] = registers[from]!;
    else if (code === 0x57) registers[to]! &= immediate;
    else if (code === 0x77) registers[to] = registers[to]! >>> immediate;
    else if (code === 0x55) pc += registers[to] !== immediate ? offset : 0;
    else if (code === 0x15) pc += registers[to] === immediate ? offset : 0;
    else if (code === 0x95) return registers[0]!;
    else throw new Error(`unknown instruction ${code}`);
  }
}

/** Each bit asked for: the last rule that names it decides. */
function reference(rules: readonly DeviceRule[], type: string, access: string, major: number, minor: number): boolean {
  return [...access].every((bit) => {
    const last = [...rules, ...defaultRules].filter((rule) => (rule.type ?? 'a') === 'a' || rule.type === type)
      .filter((rule) => (rule.major ?? -1) < 0 || rule.major === major).filter((rule) => (rule.minor ?? -1) < 0 || rule.minor === minor)
      .filter((rule) => (rule.access || 'rwm').includes(bit)).at(-1);
    return last?.allow ?? true;
  });
}

test('random rules and requests agree with the reference', () => {
  let seed = 1;
  const random = (below: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) % below;
  const someAccess = (): string => letters.filter(() => random(2) === 1).join('') || 'r';
  for (let round = 0; round < 2000; round++) {
    const rules = Array.from({ length: 1 + random(6) }, (): DeviceRule => ({
      allow: random(2) === 1, type: ['a', 'b', 'c'][random(3)]!, ...(random(2) === 1 ? { major: random(3) } : {}), ...(random(2) === 1 ? { minor: random(3) } : {}), access: someAccess(),
    }));
    const program = compileDeviceFilter(rules)!;
    const type = ['b', 'c'][random(2)]!;
    const access = someAccess();
    const bits = [...access].reduce((sum, letter) => sum | { m: 1, r: 2, w: 4 }[letter]!, 0);
    const [major, minor] = [random(3), random(3)];
    assert.is(execute(program, type === 'b' ? 1 : 2, bits, major, minor) === 1, reference(rules, type, access, major, minor), JSON.stringify({ rules, type, access, major, minor }));
  }
});

test('no rules, no program; deny all still allows the standard devices', () => {
  assert.is(compileDeviceFilter(undefined), undefined);
  assert.is(compileDeviceFilter([]), undefined);
  const program = compileDeviceFilter([{ allow: false, access: 'rwm' }])!;
  assert.is(execute(program, 2, 6, 1, 3), 1);
  assert.is(execute(program, 2, 6, 1, 11), 0);
  assert.is(execute(program, 1, 1, 8, 0), 1);
  assert.is(execute(program, 1, 2, 8, 0), 0);
});

test.run();
