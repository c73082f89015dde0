// linux.seccomp → a classic BPF filter (seccomp(2)), through libseccomp, which knows every architecture's numbers.
import { closeSync, readFileSync } from 'node:fs';
import type { Seccomp, SeccompRule } from '../../spec/config.ts';
import {
  MFD_CLOEXEC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
} from '../../native/linux/constants.ts';
import { libseccomp, type Libseccomp } from '../../native/linux/libseccomp.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';

export interface CompiledFilter {
  /** struct sock_filter, 8 bytes each. */
  readonly filter: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* for seccomp(2). */
  readonly flags: number;
  readonly newListener: boolean;
  /** Names of system calls that libseccomp does not know: skipped. */
  readonly unknown: readonly string[];
}

const actions: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0, SCMP_ACT_KILL_THREAD: 0, SCMP_ACT_KILL_PROCESS: 0x8000_0000, SCMP_ACT_TRAP: 0x0003_0000, SCMP_ACT_ERRNO: 0x0005_0000, SCMP_ACT_TRACE: 0x7ff0_0000,
  SCMP_ACT_ALLOW: 0x7fff_0000, SCMP_ACT_LOG: 0x7ffc_0000, SCMP_ACT_NOTIFY: 0x7fc0_0000,
};
const operators: Readonly<Record<string, number>> = { SCMP_CMP_NE: 1, SCMP_CMP_LT: 2, SCMP_CMP_LE: 3, SCMP_CMP_EQ: 4, SCMP_CMP_GE: 5, SCMP_CMP_GT: 6, SCMP_CMP_MASKED_EQ: 7 };
const flagBits: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 0, // one thread: there is nothing to synchronise
  SECCOMP_FILTER_FLAG_LOG,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
};
const EPERM = 1;
const ENOSYS = 38;
const X32_BIT = 0x4000_0000;
const UNKNOWN_SYSCALL = -1;
const EEXIST = -17;

/** The seccomp action word: ERRNO and TRACE carry a number, EPERM unless one is given. */
function actionWord(action: string, errno: number | undefined): number {
  const word = actions[action] ?? 0;
  return action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE' ? word + (errno ?? EPERM) : word;
}

/** Compiles a profile. Throws RuntimeError when libseccomp is missing or refuses a rule, with its place. */
export function compileSeccomp(seccomp: Seccomp): CompiledFilter {
  const library = load();
  const fallback = actionWord(seccomp.defaultAction ?? 'SCMP_ACT_ALLOW', seccomp.defaultErrnoRet);
  const context = library.init(fallback) as bigint;
  try {
    const architectures = addArchitectures(library, context, seccomp.architectures ?? []);
    const unknown: string[] = [];
    (seccomp.syscalls ?? []).forEach((rule, index) => addRule(library, context, rule, index, fallback, unknown));
    const compiled = exportFilter(library, context);
    const stub = answersUnknown(seccomp) ? enosysStub(library, seccomp.syscalls ?? [], architectures) : Buffer.alloc(0);
    const newListener = (seccomp.syscalls ?? []).some(({ action }) => action === 'SCMP_ACT_NOTIFY');
    const asked = seccomp.flags ?? ['SECCOMP_FILTER_FLAG_SPEC_ALLOW'];
    const flags = asked.reduce((sum, name) => sum | (flagBits[name] ?? 0), newListener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
    return { filter: Buffer.concat([stub, compiled]), flags, newListener, unknown };
  } finally {
    library.release(context);
  }
}

function load(): Libseccomp {
  try {
    return libseccomp();
  } catch (error) {
    throw new RuntimeError('libseccomp.so.2 is not installed', { pointer: '/linux/seccomp', hint: 'apt-get install libseccomp2', cause: error });
  }
}

/** Adds the listed architectures to the native one; returns all their tokens, which are the kernel's AUDIT_ARCH values but for x32. */
function addArchitectures(library: Libseccomp, context: bigint, names: readonly string[]): readonly number[] {
  const tokens = [process.arch === 'arm64' ? 0xc000_00b7 : 0xc000_003e];
  names.forEach((name, index) => {
    const token = Number(library.archResolveName(text(name.replace(/^SCMP_ARCH_/, '').toLowerCase())));
    if (token === 0) throw new RuntimeError(`unknown architecture ${JSON.stringify(name)}`, { pointer: `/linux/seccomp/architectures/${index}` });
    const result = Number(library.archAdd(context, token));
    if (result !== 0 && result !== EEXIST) throw new RuntimeError(`architecture ${name} cannot be added`, { pointer: `/linux/seccomp/architectures/${index}` });
    if (!tokens.includes(token)) tokens.push(token);
  });
  return tokens;
}

function addRule(library: Libseccomp, context: bigint, rule: SeccompRule, index: number, fallback: number, unknown: string[]): void {
  const action = actionWord(rule.action, rule.errnoRet);
  if (action === fallback) return; // it says nothing new, and libseccomp refuses it
  const args = rule.args ?? [];
  // libseccomp takes one condition an argument: several on the same one become rules of their own, as runc does.
  const isRepeated = new Set(args.map((arg) => arg.index)).size < args.length;
  const alternatives = isRepeated ? args.map((arg) => [arg]) : [args];
  for (const name of rule.names) {
    const number = Number(library.resolveName(text(name)));
    if (number === UNKNOWN_SYSCALL) {
      unknown.push(name);
      continue;
    }
    for (const conditions of alternatives) {
      const memory = Buffer.alloc(24 * Math.max(1, conditions.length)); // struct scmp_arg_cmp
      conditions.forEach(({ index: argument, op, value, valueTwo }, i) => {
        memory.writeUInt32LE(argument, 24 * i);
        memory.writeUInt32LE(operators[op] ?? 0, 24 * i + 4);
        memory.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 24 * i + 8);
        memory.writeBigUInt64LE(BigInt.asUintN(64, BigInt(valueTwo ?? 0)), 24 * i + 16);
      });
      const result = Number(library.ruleAddArray(context, action, number, conditions.length, memory));
      if (result < 0 && result !== EEXIST) throw new RuntimeError(`libseccomp refuses the rule for ${name} (${result})`, { pointer: `/linux/seccomp/syscalls/${index}` });
    }
  }
}

function exportFilter(library: Libseccomp, context: bigint): Buffer {
  const fd = call('memfd_create', text('seccomp'), MFD_CLOEXEC);
  try {
    if (fd < 0 || Number(library.exportBpf(context, fd)) < 0) throw new RuntimeError('libseccomp cannot export the filter', { pointer: '/linux/seccomp' });
    return readFileSync(`/proc/self/fd/${fd}`);
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

/** Programs probe for new system calls and expect ENOSYS: EPERM or death would stop them (as runc since 1.0.0-rc93). */
function answersUnknown({ defaultAction, defaultErrnoRet }: Seccomp): boolean {
  if (defaultAction === 'SCMP_ACT_ERRNO') return defaultErrnoRet !== ENOSYS;
  return defaultAction?.startsWith('SCMP_ACT_KILL') === true || defaultAction === 'SCMP_ACT_TRAP' || defaultAction === 'SCMP_ACT_TRACE';
}

const LOAD_ABSOLUTE = 0x20;
const JUMP_EQ = 0x15;
const JUMP_GT = 0x25;
const JUMP_GE = 0x35;
const RETURN = 0x06;

/** In front of the filter: for each architecture, numbers above the highest the profile names answer ENOSYS. */
function enosysStub(library: Libseccomp, rules: readonly SeccompRule[], architectures: readonly number[]): Buffer {
  const names = [...new Set(rules.flatMap((rule) => rule.names))].map(text);
  const blocks = architectures.filter((token) => token !== 0x4000_003e).map((token) => {
    const highest = names.reduce((most, name) => Math.max(most, Number(library.resolveNameArch(token, name))), -1);
    if (highest < 0) return Buffer.alloc(0);
    return instructions([
      [LOAD_ABSOLUTE, 0, 0, 4], [JUMP_EQ, 0, 4, token], [LOAD_ABSOLUTE, 0, 0, 0],
      [JUMP_GE, 2, 0, X32_BIT], [JUMP_GT, 0, 1, highest], [RETURN, 0, 0, 0x0005_0000 + ENOSYS],
    ]);
  });
  return Buffer.concat(blocks);
}

function instructions(rows: readonly (readonly [code: number, jt: number, jf: number, k: number])[]): Buffer {
  const bytes = Buffer.alloc(8 * rows.length);
  rows.forEach(([code, jt, jf, k], i) => {
    bytes.writeUInt16LE(code, 8 * i);
    bytes[8 * i + 2] = jt;
    bytes[8 * i + 3] = jf;
    bytes.writeUInt32LE(k >>> 0, 8 * i + 4);
  });
  return bytes;
}
