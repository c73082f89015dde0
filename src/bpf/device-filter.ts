// linux.resources.devices → an eBPF program (BPF_PROG_TYPE_CGROUP_DEVICE, kernel doc cgroup-v2 "Device controller").
import type { DeviceRule } from '../../spec/config.ts';
import { and, assemble, exit, jumpEqual, jumpNotEqual, loadWord, move, moveRegister, R0, R1, R2, R3, R4, R5, R6, shiftRight, type Instruction } from './ebpf.ts';

/** Bits of access_type in struct bpf_cgroup_dev_ctx: the type in the lower half, the access in the upper. */
const BPF_DEVCG_DEV_BLOCK = 1;
const BPF_DEVCG_DEV_CHAR = 2;
const BPF_DEVCG_ACC_MKNOD = 1;
const BPF_DEVCG_ACC_READ = 2;
const BPF_DEVCG_ACC_WRITE = 4;
const EVERY_ACCESS = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;
const ANY = -1;
const LARGEST_NUMBER = 0xffff_ffff;

/** A rule as the kernel compares it. */
interface Match {
  readonly allow: boolean;
  /** BPF_DEVCG_DEV_* or ANY; so are the numbers. */
  readonly type: number;
  readonly major: number;
  readonly minor: number;
  readonly access: number;
}

const allowed = (type: number, major: number, minor: number, access: number): Match => ({ allow: true, type, major, minor, access });

/** What every container may use, after its own rules, as runc has it: nodes can be made, the standard ones, ptys and tun used. */
const defaults = (): readonly Match[] => [
  allowed(BPF_DEVCG_DEV_CHAR, ANY, ANY, BPF_DEVCG_ACC_MKNOD),
  allowed(BPF_DEVCG_DEV_BLOCK, ANY, ANY, BPF_DEVCG_ACC_MKNOD),
  allowed(BPF_DEVCG_DEV_CHAR, 1, 3, EVERY_ACCESS), // null
  allowed(BPF_DEVCG_DEV_CHAR, 1, 5, EVERY_ACCESS), // zero
  allowed(BPF_DEVCG_DEV_CHAR, 1, 7, EVERY_ACCESS), // full
  allowed(BPF_DEVCG_DEV_CHAR, 1, 8, EVERY_ACCESS), // random
  allowed(BPF_DEVCG_DEV_CHAR, 1, 9, EVERY_ACCESS), // urandom
  allowed(BPF_DEVCG_DEV_CHAR, 5, 0, EVERY_ACCESS), // tty
  allowed(BPF_DEVCG_DEV_CHAR, 5, 2, EVERY_ACCESS), // ptmx
  allowed(BPF_DEVCG_DEV_CHAR, 136, ANY, EVERY_ACCESS), // pts/*
  allowed(BPF_DEVCG_DEV_CHAR, 10, 200, EVERY_ACCESS), // net/tun
];

function matchOf({ allow, type, major, minor, access }: DeviceRule): Match {
  return { allow, type: typeOf(type), major: numberOf(major), minor: numberOf(minor), access: accessOf(access) };
}

function typeOf(type: string | undefined): number {
  if (type === 'c') return BPF_DEVCG_DEV_CHAR;
  return type === 'b' ? BPF_DEVCG_DEV_BLOCK : ANY;
}

const numberOf = (value: number | undefined): number => (value === undefined || value < 0 ? ANY : value);

function accessOf(letters: string | undefined): number {
  if (!letters || letters === 'rwm') return EVERY_ACCESS;
  return (letters.includes('r') ? BPF_DEVCG_ACC_READ : 0) | (letters.includes('w') ? BPF_DEVCG_ACC_WRITE : 0) | (letters.includes('m') ? BPF_DEVCG_ACC_MKNOD : 0);
}

/** An instruction holds 32 bits: a larger number would be cut and match another device. */
const canMatch = ({ major, minor }: Match): boolean => major <= LARGEST_NUMBER && minor <= LARGEST_NUMBER;
const isReset = ({ type, major, minor, access }: Match): boolean => type === ANY && major === ANY && minor === ANY && access === EVERY_ACCESS;
const isOneDevice = ({ type, major, minor }: Match): boolean => type !== ANY && major !== ANY && minor !== ANY;

const TYPE = R2;
const ASKED = R3;
const MAJOR = R4;
const MINOR = R5;
const SCRATCH = R6;

/**
 * The program as struct bpf_insn[]. Each access bit that is asked for is decided by the last rule that names it for this
 * device, and all must be allowed. A rule of type `a` for every device and access resets the list, as it does in cgroup
 * v1; what no rule names is denied, also without any rules: runc ≥ 1.1 does the same. An `a` rule that names numbers or
 * some accesses means just these: runc and v1 would take it as a reset and allow everything.
 */
export function compileDeviceFilter(rules: readonly DeviceRule[] | undefined): Uint8Array {
  const matches = [...(rules ?? []).map(matchOf).filter(canMatch), ...defaults()];
  let first = matches.length;
  while (first > 0 && !isReset(matches[first - 1]!)) first--;
  const fallback = matches[first - 1]?.allow ?? false;
  while (first < matches.length && matches[first]!.allow === fallback) first++; // these say what holds anyway
  const telling = matches.slice(first);
  const program = [loadWord(TYPE, R1, 0), moveRegister(ASKED, TYPE), and(TYPE, 0xffff), shiftRight(ASKED, 16), loadWord(MAJOR, R1, 4), loadWord(MINOR, R1, 8)];
  const answered = new Set<string>();
  for (const match of telling) {
    const device = `${match.type} ${match.major}:${match.minor}`;
    if (!isOneDevice(match) || answered.has(device)) continue;
    answered.add(device);
    addDevice(program, match, allowedAccess(match, telling, fallback));
  }
  for (let i = telling.length - 1; i >= 0; i--) if (!isOneDevice(telling[i]!)) addRule(program, telling[i]!);
  program.push(move(R0, fallback ? 1 : 0), exit);
  return assemble(program);
}

/** What all rules together allow for one device. */
function allowedAccess(device: Match, matches: readonly Match[], fallback: boolean): number {
  let access = fallback ? EVERY_ACCESS : 0;
  for (const match of matches) {
    const isNamed = (match.type === ANY || match.type === device.type) && (match.major === ANY || match.major === device.major) && (match.minor === ANY || match.minor === device.minor);
    if (isNamed) access = match.allow ? access | match.access : access & ~match.access;
  }
  return access;
}

/**
 * A device that rules name one by one is answered here and now, from all of them: hundreds of such rules in a row, each
 * going on to the next, are more paths than the verifier follows (it gives up after a million instructions).
 */
function addDevice(program: Instruction[], device: Match, access: number): void {
  if (access === EVERY_ACCESS || access === 0) addBlock(program, device, [move(R0, access === 0 ? 0 : 1), exit]);
  else addBlock(program, device, [and(ASKED, EVERY_ACCESS & ~access), move(R0, 1), jumpEqual(ASKED, 0, 1), move(R0, 0), exit]);
}

/** A rule for many devices: an allowed bit needs no further answer and is taken out of ASKED; one denied bit is the end. */
function addRule(program: Instruction[], match: Match): void {
  const { allow, access } = match;
  const verdict = [move(R0, allow ? 1 : 0), exit];
  if (access === EVERY_ACCESS) addBlock(program, match, verdict);
  else if (allow) addBlock(program, match, [and(ASKED, EVERY_ACCESS & ~access), jumpNotEqual(ASKED, 0, verdict.length), ...verdict]);
  else addBlock(program, match, [moveRegister(SCRATCH, ASKED), and(SCRATCH, access), jumpEqual(SCRATCH, 0, verdict.length), ...verdict]);
}

/** Instructions for the devices that match; others jump over them. */
function addBlock(program: Instruction[], { type, major, minor }: Match, body: readonly Instruction[]): void {
  const end = program.length + (type === ANY ? 0 : 1) + (major === ANY ? 0 : 1) + (minor === ANY ? 0 : 1) + body.length;
  const check = (register: number, value: number): void => void (value !== ANY && program.push(jumpNotEqual(register, value, end - program.length - 1)));
  check(TYPE, type);
  check(MAJOR, major);
  check(MINOR, minor);
  program.push(...body);
}
