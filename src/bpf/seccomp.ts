// linux.seccomp → a classic BPF filter for seccomp(2), through libseccomp, which knows every architecture's numbers.
import { closeSync, readFileSync } from 'node:fs';
import type { Seccomp, SeccompRule } from '../../spec/config.ts';
import { initCalls } from '../../spec/semantic.ts';
import {
  MFD_CLOEXEC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
} from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { libseccomp } from '../../native/linux/libseccomp.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import { BPF_MAXINSNS, SOCK_FILTER_SIZE } from './classic-bpf.ts';
import { enosysStub, type NamedUpTo } from './enosys-stub.ts';

export interface CompiledFilter {
  /** struct sock_filter[], 8 bytes each. */
  readonly filter: Uint8Array;
  /** SECCOMP_FILTER_FLAG_* for seccomp(2); SECCOMP_FILTER_FLAG_NEW_LISTENER is among them when `newListener`. */
  readonly flags: number;
  /** A rule notifies: seccomp(2) answers with the listener's descriptor. */
  readonly newListener: boolean;
  /** Names of system calls that this libseccomp does not know, each once: their rules are skipped. */
  readonly unknown: readonly string[];
}

/** Action words of seccomp(2); ERRNO and TRACE take a number in the lower half. SCMP_ACT_KILL is one thread's death, as in libseccomp. */
const actions: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: 0, SCMP_ACT_KILL_THREAD: 0, SCMP_ACT_KILL_PROCESS: 0x8000_0000, SCMP_ACT_TRAP: 0x0003_0000, SCMP_ACT_ERRNO: 0x0005_0000,
  SCMP_ACT_NOTIFY: 0x7fc0_0000, SCMP_ACT_TRACE: 0x7ff0_0000, SCMP_ACT_LOG: 0x7ffc_0000, SCMP_ACT_ALLOW: 0x7fff_0000,
};
/** enum scmp_compare. */
const operators: Readonly<Record<string, number>> = { SCMP_CMP_NE: 1, SCMP_CMP_LT: 2, SCMP_CMP_LE: 3, SCMP_CMP_EQ: 4, SCMP_CMP_GE: 5, SCMP_CMP_GT: 6, SCMP_CMP_MASKED_EQ: 7 };
const flagBits: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC: 0, // init has one thread: there is nothing to synchronise
  SECCOMP_FILTER_FLAG_LOG,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
};

const [EPERM, EEXIST, ENOSYS] = [1, 17, 38];
const NR_SCMP_ERROR = -1;
const ARGUMENT_SIZE = 24; // struct scmp_arg_cmp

/** Compiles a profile. Throws RuntimeError, with the place in config.json, for what is refused and when libseccomp is missing. */
export function compileSeccomp(seccomp: Seccomp): CompiledFilter {
  const rules = seccomp.syscalls ?? [];
  const flags = filterFlags(seccomp);
  const newListener = notifies(seccomp);
  const fallback = actionWord(seccomp.defaultAction ?? 'SCMP_ACT_ALLOW', seccomp.defaultErrnoRet, '/linux/seccomp/defaultAction');
  const context = createFilter(fallback);
  try {
    const tokens = addArchitectures(context, seccomp.architectures ?? []);
    const unknown = new Set<string>();
    rules.forEach((rule, index) => addRule(context, rule, index, fallback, unknown));
    const compiled = exportFilter(context);
    const filter = answersUnknown(seccomp) ? Buffer.concat([enosysStub(tokens.map((token) => namedUpTo(token, rules))), compiled]) : compiled;
    const length = filter.length / SOCK_FILTER_SIZE;
    if (length > BPF_MAXINSNS) {
      throw new RuntimeError(`the filter needs ${length} instructions, the kernel takes ${BPF_MAXINSNS}`, { pointer: '/linux/seccomp', hint: 'fewer rules with args, or fewer architectures' });
    }
    return { filter, flags, newListener, unknown: [...unknown] };
  } finally {
    libseccomp('seccomp_release')(context);
  }
}

/** SPEC_ALLOW where nothing is said, as runc and crun do; an empty list is none. WAIT_KILLABLE_RECV is EINVAL without a listener. */
function filterFlags(seccomp: Seccomp): number {
  const given = seccomp.flags ?? ['SECCOMP_FILTER_FLAG_SPEC_ALLOW'];
  const flags = given.reduce((sum, name, index) => {
    const bit = flagBits[name];
    if (bit === undefined) throw new RuntimeError(`unknown flag ${JSON.stringify(name)}`, { pointer: `/linux/seccomp/flags/${index}` });
    return sum | bit;
  }, 0);
  return notifies(seccomp) ? flags | SECCOMP_FILTER_FLAG_NEW_LISTENER : flags & ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
}

/** True when a rule notifies. Throws for those that would stop the container before its agent is there. */
function notifies({ defaultAction, syscalls }: Seccomp): boolean {
  if (defaultAction === 'SCMP_ACT_NOTIFY') throw new RuntimeError('SCMP_ACT_NOTIFY cannot be used as default action', { pointer: '/linux/seccomp/defaultAction' });
  let isFound = false;
  (syscalls ?? []).forEach(({ action, names }, index) => {
    if (action !== 'SCMP_ACT_NOTIFY') return;
    isFound = true;
    const own = names.findIndex((name) => initCalls.includes(name));
    if (own < 0) return;
    throw new RuntimeError(`SCMP_ACT_NOTIFY cannot be used for ${names[own]}: init needs it before anyone listens`, { pointer: `/linux/seccomp/syscalls/${index}/names/${own}` });
  });
  return isFound;
}

function actionWord(action: string, errno: number | undefined, pointer: string): number {
  const word = actions[action];
  if (word === undefined) throw new RuntimeError(`unknown action ${JSON.stringify(action)}`, { pointer });
  return action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE' ? word + (errno ?? EPERM) : word;
}

function createFilter(fallback: number): bigint {
  let context: number | bigint | null;
  try {
    context = libseccomp('seccomp_init')(fallback);
  } catch (error) {
    if (!String(error).includes('libseccomp')) throw error; // koffi itself
    throw new RuntimeError('libseccomp.so.2 is not installed', { pointer: '/linux/seccomp', hint: 'apt-get install libseccomp2', cause: error });
  }
  if (!context) throw new RuntimeError('libseccomp refuses the default action', { pointer: '/linux/seccomp/defaultAction' });
  return BigInt(context);
}

/** Adds the listed architectures to the native one, which is always in; returns all tokens. */
function addArchitectures(context: bigint, names: readonly string[]): readonly number[] {
  const tokens = [Number(libseccomp('seccomp_arch_native')())];
  names.forEach((name, index) => {
    const pointer = `/linux/seccomp/architectures/${index}`;
    const token = Number(libseccomp('seccomp_arch_resolve_name')(text(name.replace(/^SCMP_ARCH_/, '').toLowerCase())));
    if (token === 0) throw new RuntimeError(`unknown architecture ${JSON.stringify(name)}`, { pointer });
    const error = -Number(libseccomp('seccomp_arch_add')(context, token));
    if (error !== 0 && error !== EEXIST) throw new RuntimeError(`libseccomp cannot add architecture ${name}: ${errnoName(error)}`, { pointer, errno: errnoName(error) });
    if (!tokens.includes(token)) tokens.push(token);
  });
  return tokens;
}

function addRule(context: bigint, rule: SeccompRule, index: number, fallback: number, unknown: Set<string>): void {
  const pointer = `/linux/seccomp/syscalls/${index}`;
  const action = actionWord(rule.action, rule.errnoRet, `${pointer}/action`);
  if (action === fallback) return; // it says nothing new, and libseccomp refuses it
  const alternatives = conditionsOf(rule, pointer);
  for (const name of rule.names) {
    const number = Number(libseccomp('seccomp_syscall_resolve_name')(text(name)));
    if (number === NR_SCMP_ERROR) {
      unknown.add(name);
      continue;
    }
    for (const { count, memory } of alternatives) {
      const error = -Number(libseccomp('seccomp_rule_add_array')(context, action, number, count, memory));
      if (error > 0 && error !== EEXIST) throw new RuntimeError(`libseccomp refuses the rule for ${name}: ${errnoName(error)}`, { pointer, errno: errnoName(error) });
    }
  }
}

interface Conditions {
  readonly count: number;
  /** struct scmp_arg_cmp[]. */
  readonly memory: Buffer;
}

/** libseccomp takes one condition an argument and all must hold: several on the same one become rules of their own, any of which may hold, as in runc. */
function conditionsOf({ args = [] }: SeccompRule, pointer: string): readonly Conditions[] {
  const isRepeated = new Set(args.map((arg) => arg.index)).size < args.length;
  const alternatives = isRepeated ? args.map((arg) => [arg]) : [args];
  return alternatives.map((conditions) => {
    const memory = Buffer.alloc(ARGUMENT_SIZE * Math.max(1, conditions.length));
    conditions.forEach(({ index, op, value, valueTwo }, i) => {
      const operator = operators[op];
      if (operator === undefined) throw new RuntimeError(`unknown operator ${JSON.stringify(op)}`, { pointer: `${pointer}/args/${args.indexOf(conditions[i]!)}/op` });
      const at = ARGUMENT_SIZE * i;
      memory.writeUInt32LE(index, at);
      memory.writeUInt32LE(operator, at + 4);
      memory.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at + 8); // the mask of SCMP_CMP_MASKED_EQ
      memory.writeBigUInt64LE(BigInt.asUintN(64, BigInt(valueTwo ?? 0)), at + 16);
    });
    return { count: conditions.length, memory };
  });
}

/** Through a memory file: seccomp_export_bpf_mem(3) is newer than the library of Debian 12. */
function exportFilter(context: bigint): Buffer {
  const fd = call('memfd_create', text('seccomp'), MFD_CLOEXEC);
  const error = fd < 0 ? -fd : -Number(libseccomp('seccomp_export_bpf')(context, fd));
  try {
    if (error > 0) throw new RuntimeError(`libseccomp cannot export the filter: ${errnoName(error)}`, { pointer: '/linux/seccomp', errno: errnoName(error) });
    return readFileSync(`/proc/self/fd/${fd}`);
  } finally {
    if (fd >= 0) closeSync(fd);
  }
}

/**
 * Programs probe for new system calls and go on after ENOSYS; EPERM or death would stop them, so what the profile's
 * author could not know answers ENOSYS (runc ≥ 1.0.0-rc93). Not where the default lets a call pass or asks a tracer.
 */
function answersUnknown({ defaultAction, defaultErrnoRet }: Seccomp): boolean {
  if (defaultAction === 'SCMP_ACT_ERRNO') return defaultErrnoRet !== ENOSYS;
  return defaultAction?.startsWith('SCMP_ACT_KILL') === true || defaultAction === 'SCMP_ACT_TRAP';
}

/** What the profile names, whatever the rule says of it, its author knew. */
function namedUpTo(token: number, rules: readonly SeccompRule[]): NamedUpTo {
  const names = new Set(rules.flatMap((rule) => rule.names));
  let highest = -1;
  for (const name of names) highest = Math.max(highest, Number(libseccomp('seccomp_syscall_resolve_name_arch')(token, text(name))));
  return { token, highest };
}
