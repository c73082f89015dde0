// Seccomp filters as the kernel would run them, in an interpreter of the test's own; really loaded in seccomp.kernel.test.ts.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Seccomp, SeccompRule } from '../../spec/config.ts';
import { libseccomp, libseccompVersion } from '../../native/linux/libseccomp.ts';
import { RuntimeError } from '../errors.ts';
import { enosysStub } from './enosys-stub.ts';
import { bigProfile, knownNames, refusedNames } from './profile.fixture.ts';
import { compileSeccomp } from './seccomp.ts';

interface Data {
  readonly nr: number;
  readonly arch?: number;
  readonly args?: readonly (number | bigint)[];
}

const X86_64 = 0xc000_003e;
const I386 = 0x4000_0003;
const AARCH64 = 0xc000_00b7;
const X32_BIT = 0x4000_0000;

/** Runs struct sock_filter[] on struct seccomp_data (seccomp(2)): the action word, `through` when the end is passed. */
function interpret(filter: Uint8Array, { nr, arch = X86_64, args = [] }: Data): number | 'through' {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(nr >>> 0, 0);
  data.writeUInt32LE(arch, 4);
  args.forEach((arg, i) => data.writeBigUInt64LE(BigInt.asUintN(64, BigInt(arg)), 16 + 8 * i));
  const program = Buffer.from(filter);
  let a = 0;
  for (let pc = 0; ; ) {
    if (pc === program.length / 8) return 'through';
    const [code, jt, jf, k] = [program.readUInt16LE(8 * pc), program[8 * pc + 2]!, program[8 * pc + 3]!, program.readUInt32LE(8 * pc + 4)];
    pc++;
    const jump = (condition: boolean): void => void (pc += condition ? jt : jf);
    if (code === 0x20) a = data.readUInt32LE(k);
    else if (code === 0x54) a = (a & k) >>> 0;
    else if (code === 0x05) pc += k;
    else if (code === 0x15) jump(a === k);
    else if (code === 0x25) jump(a > k);
    else if (code === 0x35) jump(a >= k);
    else if (code === 0x45) jump((a & k) !== 0);
    else if (code === 0x06) return k;
    else throw new Error(`code 0x${code.toString(16)}`);
  }
}

const ALLOW = 0x7fff_0000;
const KILL_THREAD = 0;
const KILL_PROCESS = 0x8000_0000;
const LOG = 0x7ffc_0000;
const NOTIFY = 0x7fc0_0000;
const errno = (number: number): number => 0x0005_0000 + number;
const [EPERM, EACCES, ENOSYS] = [1, 13, 38];
// x86-64 numbers: the test chooses the architecture, not the machine.
const [READ, GETPID, PERSONALITY, CLONE, SOCKET, MKDIR, MOUNT, CLONE3] = [0, 39, 135, 56, 41, 83, 165, 435];

const rule = (names: readonly string[], action: string, more: Partial<SeccompRule> = {}): SeccompRule => ({ names, action, ...more });
const profile = (syscalls: readonly SeccompRule[], more: Partial<Seccomp> = {}): Seccomp => ({ defaultAction: 'SCMP_ACT_ALLOW', syscalls, ...more });
const argument = (index: number, op: string, value: number | bigint, valueTwo?: number | bigint) => ({ index, op, value, ...(valueTwo === undefined ? {} : { valueTwo }) });
const when = (...args: NonNullable<SeccompRule['args']>): Uint8Array => compileSeccomp(profile([rule(['socket'], 'SCMP_ACT_ERRNO', { args })])).filter;
const isHit = (filter: Uint8Array, ...args: (number | bigint)[]): boolean => interpret(filter, { nr: SOCKET, args }) === errno(EPERM);

const only = process.arch === 'x64' ? test : test.skip;

only('a profile of 400 names: allowed, refused, by arguments, and newer than it', () => {
  const seccomp = bigProfile();
  const names = seccomp.syscalls!.flatMap((one) => one.names);
  assert.ok(new Set(names).size > 380, `only ${names.length} names`);
  const { filter, flags, newListener, unknown } = compileSeccomp(seccomp);
  assert.equal([flags, newListener, unknown], [4, false, []]);
  const allowed = new Set(seccomp.syscalls![0]!.names);
  const numbers = knownNames('x86_64');
  const highest = Math.max(...[...numbers].filter(([, name]) => names.includes(name)).map(([number]) => number));
  for (const [nr, name] of numbers) {
    const expected = allowed.has(name) ? ALLOW : refusedNames.includes(name) ? errno(nr > highest ? ENOSYS : EPERM) : undefined;
    if (expected !== undefined) assert.is(interpret(filter, { nr }), expected, name);
  }
  assert.is(interpret(filter, { nr: highest + 1 }), errno(ENOSYS));
  assert.is(interpret(filter, { nr: 5000 }), errno(ENOSYS));
  assert.is(interpret(filter, { nr: PERSONALITY, args: [8] }), ALLOW);
  assert.is(interpret(filter, { nr: PERSONALITY, args: [9] }), errno(EPERM));
  assert.is(interpret(filter, { nr: CLONE, args: [0x11] }), ALLOW);
  assert.is(interpret(filter, { nr: CLONE, args: [0x1000_0011] }), errno(EPERM), 'CLONE_NEWUSER');
  assert.is(interpret(filter, { nr: CLONE3 }), errno(ENOSYS));
  assert.is(interpret(filter, { nr: SOCKET, args: [1] }), ALLOW);
  assert.is(interpret(filter, { nr: SOCKET, args: [40] }), errno(EPERM));
  assert.is(interpret(filter, { nr: 3, arch: I386 }), ALLOW, 'i386 read');
  assert.is(interpret(filter, { nr: 21, arch: I386 }), errno(EPERM), 'i386 mount');
  assert.is(interpret(filter, { nr: 5000, arch: I386 }), errno(ENOSYS));
  assert.is(interpret(filter, { nr: READ + X32_BIT }), ALLOW, 'x32 read');
  assert.is(interpret(filter, { nr: 5000 + X32_BIT }), errno(ENOSYS));
  assert.is(interpret(filter, { nr: 63, arch: AARCH64 }), KILL_THREAD, 'an architecture that is not listed');
});

only('x32 and i386 calls die where the profile does not list them', () => {
  const { filter } = compileSeccomp(profile([rule(['read'], 'SCMP_ACT_ALLOW')], { defaultAction: 'SCMP_ACT_ERRNO' }));
  for (const nr of [READ + X32_BIT, 5000 + X32_BIT]) assert.is(interpret(filter, { nr }), KILL_THREAD);
  assert.is(interpret(filter, { nr: 3, arch: I386 }), KILL_THREAD);
});

only('every action, and errnoRet', () => {
  const actions: readonly (readonly [string, Partial<SeccompRule>, number])[] = [
    ['SCMP_ACT_KILL', {}, KILL_THREAD], ['SCMP_ACT_KILL_THREAD', {}, KILL_THREAD], ['SCMP_ACT_KILL_PROCESS', {}, KILL_PROCESS], ['SCMP_ACT_TRAP', {}, 0x0003_0000],
    ['SCMP_ACT_ERRNO', {}, errno(EPERM)], ['SCMP_ACT_ERRNO', { errnoRet: EACCES }, errno(EACCES)], ['SCMP_ACT_ERRNO', { errnoRet: 0 }, errno(0)],
    ['SCMP_ACT_TRACE', {}, 0x7ff0_0001], ['SCMP_ACT_TRACE', { errnoRet: 7 }, 0x7ff0_0007], ['SCMP_ACT_LOG', {}, LOG], ['SCMP_ACT_NOTIFY', {}, NOTIFY],
  ];
  for (const [action, more, word] of actions) {
    const { filter, newListener } = compileSeccomp(profile([rule(['mkdir'], action, more)]));
    assert.is(interpret(filter, { nr: MKDIR }), word, action);
    assert.is(interpret(filter, { nr: GETPID }), ALLOW, action);
    assert.is(newListener, action === 'SCMP_ACT_NOTIFY');
  }
  for (const [action, word] of [['SCMP_ACT_ERRNO', errno(EACCES)], ['SCMP_ACT_KILL_PROCESS', KILL_PROCESS], ['SCMP_ACT_LOG', LOG]] as const) {
    const { filter } = compileSeccomp(profile([rule(['read'], 'SCMP_ACT_ALLOW'), rule(['mount'], 'SCMP_ACT_TRAP')], { defaultAction: action, defaultErrnoRet: EACCES }));
    assert.is(interpret(filter, { nr: GETPID }), word);
    assert.is(interpret(filter, { nr: READ }), ALLOW);
  }
  assert.is(interpret(compileSeccomp(profile([rule(['mkdir'], 'SCMP_ACT_ALLOW')])).filter, { nr: MKDIR }), ALLOW, 'a rule that says what the default says');
});

only('every operator, on 64 bits', () => {
  const big = 0xffff_ffff_0000_0000n;
  for (const [op, hits] of [['NE', [false, true, true]], ['LT', [false, true, false]], ['LE', [true, true, false]], ['EQ', [true, false, false]], ['GE', [true, false, true]], ['GT', [false, false, true]]] as const) {
    const filter = when(argument(1, `SCMP_CMP_${op}`, big + 5n));
    assert.equal([big + 5n, big + 4n, big + 6n].map((value) => isHit(filter, 0, value)), [...hits], op);
    assert.equal([5n, 6n].map((value) => isHit(filter, 0, value)), op === 'NE' || op === 'LT' || op === 'LE' ? [true, true] : [false, false], `${op}: the upper half counts`);
  }
  const masked = when(argument(2, 'SCMP_CMP_MASKED_EQ', 0xf0, 0x30));
  assert.equal([0x30, 0x3f, 0x130, 0x40].map((value) => isHit(masked, 0, 0, value)), [true, true, true, false]);
});

only('conditions on different arguments must all hold, on the same one any of them', () => {
  const all = when(argument(0, 'SCMP_CMP_EQ', 1), argument(1, 'SCMP_CMP_EQ', 2));
  assert.equal([isHit(all, 1, 2), isHit(all, 1, 3), isHit(all, 0, 2)], [true, false, false]);
  const any = when(argument(0, 'SCMP_CMP_EQ', 1), argument(0, 'SCMP_CMP_EQ', 2), argument(1, 'SCMP_CMP_EQ', 9));
  assert.equal([isHit(any, 1, 0), isHit(any, 2, 0), isHit(any, 7, 9), isHit(any, 7, 0)], [true, true, true, false]);
});

test('flags', () => {
  const flags = (seccomp: Partial<Seccomp>, action = 'SCMP_ACT_ERRNO'): number => compileSeccomp(profile([rule(['mkdir'], action)], seccomp)).flags;
  assert.is(flags({}), 4, 'SPEC_ALLOW');
  assert.is(flags({ flags: [] }), 0);
  assert.is(flags({ flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_TSYNC'] }), 2);
  assert.is(flags({ flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] }), 0, 'EINVAL without a listener');
  assert.is(flags({ flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'] }, 'SCMP_ACT_NOTIFY'), 0x28);
  assert.is(flags({}, 'SCMP_ACT_NOTIFY'), 0xc);
  assert.throws(() => flags({ flags: ['SECCOMP_FILTER_FLAG_BANANA'] }), refused('/linux/seccomp/flags/0'));
});

const refused = (pointer: string) => (error: Error): boolean => error instanceof RuntimeError && error.details.pointer === pointer;

test('unknown names are skipped and told', () => {
  const { unknown, filter } = compileSeccomp(profile([rule(['frobnicate', 'mkdir', 'frobnicate'], 'SCMP_ACT_ERRNO'), rule(['twiddle'], 'SCMP_ACT_TRAP')]));
  assert.equal(unknown, ['frobnicate', 'twiddle']);
  if (process.arch === 'x64') assert.is(interpret(filter, { nr: MKDIR }), errno(EPERM));
});

test('what is refused is refused with its place', () => {
  assert.throws(() => compileSeccomp({ defaultAction: 'SCMP_ACT_NOTIFY' }), refused('/linux/seccomp/defaultAction'));
  for (const name of ['sendmsg', 'recvmsg', 'write']) {
    assert.throws(() => compileSeccomp(profile([rule(['mkdir'], 'SCMP_ACT_NOTIFY'), rule(['mkdirat', name], 'SCMP_ACT_NOTIFY')])), refused('/linux/seccomp/syscalls/1/names/1'), name);
  }
  assert.throws(() => compileSeccomp(profile([rule(['mkdir'], 'SCMP_ACT_BANANA')])), refused('/linux/seccomp/syscalls/0/action'));
  assert.throws(() => compileSeccomp(profile([], { architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_BANANA'] })), refused('/linux/seccomp/architectures/1'));
  const args = (...list: ReturnType<typeof argument>[]) => () => compileSeccomp(profile([rule(['mkdir'], 'SCMP_ACT_ERRNO', { args: list })]));
  assert.throws(args(argument(0, 'SCMP_CMP_EQ', 0), argument(1, 'SCMP_CMP_BANANA', 0)), refused('/linux/seccomp/syscalls/0/args/1/op'));
  assert.throws(args(argument(6, 'SCMP_CMP_EQ', 0)), refused('/linux/seccomp/syscalls/0'));
  const many = Array.from({ length: 1500 }, (_, value) => rule(['socket'], 'SCMP_ACT_ERRNO', { args: [argument(0, 'SCMP_CMP_EQ', value * 0x1_0000_0001)] }));
  assert.throws(() => compileSeccomp(profile(many)), /instructions/, 'longer than BPF_MAXINSNS');
});

only('ENOSYS only where the default stops calls, and not where that is ENOSYS already', () => {
  const newer = (defaultAction: string, defaultErrnoRet?: number): number | 'through' =>
    interpret(compileSeccomp(profile([rule(['read'], 'SCMP_ACT_ALLOW'), rule(['mount'], 'SCMP_ACT_TRAP')], { defaultAction, ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }) })).filter, { nr: MOUNT + 1 });
  for (const action of ['SCMP_ACT_ERRNO', 'SCMP_ACT_KILL', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP']) assert.is(newer(action), errno(ENOSYS), action);
  assert.is(newer('SCMP_ACT_ERRNO', ENOSYS), errno(ENOSYS));
  assert.equal([newer('SCMP_ACT_ALLOW'), newer('SCMP_ACT_LOG'), newer('SCMP_ACT_TRACE')], [ALLOW, LOG, 0x7ff0_0001]);
});

test('the stub by itself: each architecture up to its own highest number, the rest falls through', () => {
  const X32_TOKEN = 0x4000_003e;
  const stub = enosysStub([{ token: X86_64, highest: 100 }, { token: X32_TOKEN, highest: X32_BIT + 90 }, { token: I386, highest: 80 }, { token: AARCH64, highest: -1 }]);
  const cases: readonly (readonly [number, number, number | 'through'])[] = [
    [X86_64, 100, 'through'], [X86_64, 101, errno(ENOSYS)], [X86_64, X32_BIT - 1, errno(ENOSYS)], [X86_64, X32_BIT, 'through'], [X86_64, X32_BIT + 90, 'through'], [X86_64, X32_BIT + 91, errno(ENOSYS)],
    [X86_64, I386, 'through'], // x32 close: the number is i386's token
    [I386, 80, 'through'], [I386, 81, errno(ENOSYS)], [AARCH64, 5000, 'through'], [0x1234, 5000, 'through'],
  ];
  for (const [arch, nr, expected] of cases) assert.is(interpret(stub, { arch, nr }), expected, `${arch.toString(16)} ${nr}`);
  assert.is(interpret(enosysStub([{ token: X86_64, highest: 100 }]), { nr: X32_BIT + 5000 }), 'through');
  assert.is(enosysStub([{ token: X86_64, highest: -1 }]).length, 0);
});

test('the library tells its version', () => {
  assert.match(libseccompVersion(), /^2\.\d+\.\d+$/);
  assert.ok(Number(libseccomp('seccomp_api_get')()) >= 5, 'without API level 5 there is no SCMP_ACT_NOTIFY');
});

test.run();
