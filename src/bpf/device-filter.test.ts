// The device filter against a reference, in an interpreter of the test's own; loaded and attached in device-filter.kernel.test.ts.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceRule } from '../../spec/config.ts';
import { compileDeviceFilter } from './device-filter.ts';
import { assemble, disassemble, exit, jumpEqual, move, R0 } from './ebpf.ts';

/** Runs a program on a struct bpf_cgroup_dev_ctx of three u32; 64-bit registers, as the kernel doc has it. */
function interpret(program: Uint8Array, context: readonly number[]): number {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const registers = new Array<bigint>(11).fill(0n);
  for (let pc = 0, steps = 0; steps < 100_000; steps++) {
    const at = pc++ * 8;
    const [opcode, fields, offset, immediate] = [view.getUint8(at), view.getUint8(at + 1), view.getInt16(at + 2, true), view.getInt32(at + 4, true)];
    const d = fields & 15;
    const source = registers[fields >> 4]!;
    const k = BigInt.asUintN(64, BigInt(immediate));
    switch (opcode) {
      case 0x61: registers[d] = BigInt(context[offset / 4]! >>> 0); break;
      case 0xbf: registers[d] = source; break;
      case 0xb7: registers[d] = k; break;
      case 0x57: registers[d]! &= k; break;
      case 0x77: registers[d] = registers[d]! >> k; break;
      case 0x16: if (BigInt.asUintN(32, registers[d]!) === BigInt.asUintN(32, k)) pc += offset; break;
      case 0x56: if (BigInt.asUintN(32, registers[d]!) !== BigInt.asUintN(32, k)) pc += offset; break;
      case 0x95: return Number(registers[0]);
      default: throw new Error(`opcode 0x${opcode.toString(16)}`);
    }
  }
  throw new Error('the program does not end');
}

type Request = { readonly type: 'b' | 'c'; readonly major: number; readonly minor: number; readonly access: string };

/** What runc appends: `c *:* m`, `b *:* m`, the standard devices, ptys and tun. */
const defaultRules: readonly DeviceRule[] = ['c -1 -1 m', 'b -1 -1 m', 'c 1 3 rwm', 'c 1 5 rwm', 'c 1 7 rwm', 'c 1 8 rwm', 'c 1 9 rwm', 'c 5 0 rwm', 'c 136 -1 rwm', 'c 5 2 rwm', 'c 10 200 rwm'].map((line) => {
  const [type, major, minor, access] = line.split(' ') as [string, string, string, string];
  return { allow: true, type, major: Number(major), minor: Number(minor), access };
});

/** What the rules say, word by word: for each access the last rule that names it and the device; nothing said is denied. */
function reference(rules: readonly DeviceRule[], request: Request): boolean {
  return [...request.access].every((letter) => {
    const last = [...rules, ...defaultRules].findLast(({ type, major, minor, access }) =>
      (!type || type === 'a' || type === request.type) && (major === undefined || major < 0 || major === request.major)
      && (minor === undefined || minor < 0 || minor === request.minor) && (!access || access.includes(letter)));
    return last?.allow ?? false;
  });
}

function ask(program: Uint8Array, { type, major, minor, access }: Request): boolean {
  const bits = [...access].reduce((sum, letter) => sum | { m: 1, r: 2, w: 4 }[letter as 'm']!, 0);
  return interpret(program, [(bits << 16) | (type === 'b' ? 1 : 2), major, minor]) === 1;
}

/** mulberry32: the same rules in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const accesses = ['r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm'];
const numbers = [0, 1, 3, 5, 136, 0xffff_ffff];
const ruleNumbers = [...numbers, 0x1_0000_0001, -1, undefined];

test('the program decides as the reference does, over random rules and requests', () => {
  const next = random(20261124);
  const pick = <T>(values: readonly T[]): T => values[next(values.length)]!;
  let allowed = 0;
  for (let round = 0; round < 2000; round++) {
    const rules = Array.from({ length: next(9) }, (): DeviceRule => {
      const [type, access, major, minor] = [pick(['a', 'b', 'c', '', undefined]), pick([...accesses, '', undefined]), pick(ruleNumbers), pick(ruleNumbers)];
      const isWhole = next(6) === 0;
      return {
        allow: next(2) === 0, ...(type === undefined ? {} : { type }), ...(access === undefined || isWhole ? {} : { access }),
        ...(major === undefined || isWhole ? {} : { major }), ...(minor === undefined || isWhole ? {} : { minor }),
      };
    });
    const program = compileDeviceFilter(rules);
    for (let i = 0; i < 20; i++) {
      const request: Request = { type: pick(['b', 'c']), major: pick(numbers), minor: pick(numbers), access: pick(accesses) };
      const expected = reference(rules, request);
      allowed += expected ? 1 : 0;
      assert.is(ask(program, request), expected, `${JSON.stringify(rules)} ${JSON.stringify(request)}\n${disassemble(program).join('\n')}`);
    }
  }
  assert.ok(allowed > 8000 && allowed < 32000, `the mix is one-sided: ${allowed} of 40000 allowed`);
});

const device = (type: 'b' | 'c', major: number, minor: number, access: string): Request => ({ type, major, minor, access });

test('without rules: the default devices and nothing else, as runc 1.1.5 does', () => {
  for (const rules of [undefined, [], [{ allow: false, access: 'rwm' }]]) {
    const program = compileDeviceFilter(rules);
    for (const minor of [3, 5, 7, 8, 9]) assert.ok(ask(program, device('c', 1, minor, 'rwm')));
    for (const [major, minor] of [[5, 0], [5, 2], [136, 77], [10, 200]] as const) assert.ok(ask(program, device('c', major, minor, 'rwm')));
    assert.ok(ask(program, device('b', 8, 0, 'm')), 'a node can be made');
    for (const [type, major, minor, access] of [['b', 8, 0, 'r'], ['c', 1, 1, 'r'], ['c', 5, 1, 'w'], ['b', 1, 3, 'r'], ['c', 1, 11, 'rm']] as const) assert.not.ok(ask(program, device(type, major, minor, access)));
  }
});

test('a rule of type a forgets what came before it', () => {
  const c = (allow: boolean, major: number, minor: number, access: string): DeviceRule => ({ allow, type: 'c', major, minor, access });
  const all = (allow: boolean): DeviceRule => ({ allow, type: 'a', access: 'rwm' });
  const open = compileDeviceFilter([c(false, 4, 1, 'rwm'), all(true), c(false, 4, 2, 'w')]);
  assert.ok(ask(open, device('c', 4, 1, 'rwm')));
  assert.ok(ask(open, device('c', 4, 2, 'r')));
  assert.not.ok(ask(open, device('c', 4, 2, 'rw')));
  const closed = compileDeviceFilter([c(true, 4, 1, 'rwm'), all(false), c(true, 4, 2, 'r')]);
  assert.not.ok(ask(closed, device('c', 4, 1, 'r')));
  assert.ok(ask(closed, device('c', 4, 2, 'r')));
  assert.not.ok(ask(closed, device('c', 4, 2, 'rw')), 'all the bits asked for must be allowed');
  assert.is(compileDeviceFilter([all(true)]).length, 8 * 8, 'nothing but the verdict is left');
});

test('type a with numbers means these, not everything', () => {
  const program = compileDeviceFilter([{ allow: true, type: 'a', major: 4, minor: 1, access: 'r' }]);
  assert.ok(ask(program, device('b', 4, 1, 'r')));
  assert.not.ok(ask(program, device('c', 4, 2, 'r')));
});

test('disassemble() prints the verifier\'s notation, and what it does not know in hex', () => {
  assert.equal(disassemble(assemble([jumpEqual(R0, 0xffff_ffff, 1), move(R0, 1), exit])), ['  0: if w0 == 4294967295 goto 2', '  1: r0 = 1', '  2: exit']);
  assert.equal(disassemble(Buffer.from('ff00000000000000', 'hex')), ['  0: 0xff00000000000000']);
  assert.equal(disassemble(compileDeviceFilter([{ allow: true, type: 'a' }, { allow: false, type: 'b', major: 8, minor: 0, access: 'w' }])).slice(0, 14), [
    '  0: r2 = *(u32 *)(r1 + 0)', '  1: r3 = r2', '  2: r2 &= 0xffff', '  3: r3 >>= 16', '  4: r4 = *(u32 *)(r1 + 4)', '  5: r5 = *(u32 *)(r1 + 8)',
    '  6: if w2 != 1 goto 14', '  7: if w4 != 8 goto 14', '  8: if w5 != 0 goto 14', '  9: r3 &= 0x4', ' 10: r0 = 1', ' 11: if w3 == 0 goto 13', ' 12: r0 = 0', ' 13: exit',
  ]);
});

test.run();
