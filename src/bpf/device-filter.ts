// linux.resources.devices → an eBPF program (BPF_PROG_TYPE_CGROUP_DEVICE, kernel doc cgroup-v2 "Device controller").
import type { DeviceRule } from '../../spec/config.ts';
import { and, assemble, exit, jumpEqual, jumpNotEqual, label, loadWord, move, moveRegister, R0, R1, R2, R3, R4, R5, R6, shiftRight, type Instruction, type Label } from './ebpf.ts';

/** Access bits of struct bpf_cgroup_dev_ctx: the upper half of access_type. */
const BPF_DEVCG_ACC: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const EVERY_ACCESS = 7;
/** Device types of the lower half. */
const BPF_DEVCG_DEV: Readonly<Record<string, number>> = { b: 1, c: 2 };
const LARGEST_NUMBER = 0xffff_ffff;

const allow = (type: string, major: number | undefined, minor: number | undefined, access: string): DeviceRule => ({
  allow: true, type, access, ...(major === undefined ? {} : { major }), ...(minor === undefined ? {} : { minor }),
});

/** What every container may use, after its own rules, as runc has it: nodes can be made, the standard ones, ptys and tun used. */
export const defaultRules: readonly DeviceRule[] = [
  allow('c', undefined, undefined, 'm'), allow('b', undefined, undefined, 'm'),
  ...[3, 5, 7, 8, 9].map((minor) => allow('c', 1, minor, 'rwm')), // null, zero, full, random, urandom
  allow('c', 5, 0, 'rwm'), allow('c', 5, 2, 'rwm'), allow('c', 136, undefined, 'rwm'), allow('c', 10, 200, 'rwm'),
];

/** A rule as the kernel compares it: undefined matches everything. */
interface Match {
  readonly allow: boolean;
  readonly type: number | undefined;
  readonly major: number | undefined;
  readonly minor: number | undefined;
  readonly access: number;
}

const number = (value: number | undefined): number | undefined => (value === undefined || value < 0 ? undefined : value);

function matchOf({ allow, type, major, minor, access }: DeviceRule): Match {
  const mask = access ? [...access].reduce((sum, letter) => sum | (BPF_DEVCG_ACC[letter] ?? 0), 0) : EVERY_ACCESS;
  const isAny = !type || type === 'a';
  return { allow, type: isAny ? undefined : (BPF_DEVCG_DEV[type] ?? 0), major: number(major), minor: number(minor), access: mask };
}

/** An instruction holds 32 bits: a larger number would be cut and match another device. */
const canMatch = ({ major, minor }: Match): boolean => (major ?? 0) <= LARGEST_NUMBER && (minor ?? 0) <= LARGEST_NUMBER;

const isReset = ({ type, major, minor, access }: Match): boolean => type === undefined && major === undefined && minor === undefined && access === EVERY_ACCESS;

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
  const matches = [...(rules ?? []), ...defaultRules].map(matchOf).filter(canMatch);
  const reset = matches.findLastIndex(isReset);
  const fallback = matches[reset]?.allow ?? false;
  const after = matches.slice(reset + 1);
  const first = after.findIndex(({ allow }) => allow !== fallback); // what comes before says what holds anyway
  const telling = first < 0 ? [] : after.slice(first);
  const devices = new Map(telling.filter(isOneDevice).map((device) => [`${device.type} ${device.major}:${device.minor}`, device]));
  return assemble([
    loadWord(TYPE, R1, 0), moveRegister(ASKED, TYPE), and(TYPE, 0xffff), shiftRight(ASKED, 16),
    loadWord(MAJOR, R1, 4), loadWord(MINOR, R1, 8),
    ...[...devices.values()].flatMap((device, index) => deviceBlock(device, allowedAccess(device, telling, fallback), `device ${index}`)),
    ...telling.filter((match) => !isOneDevice(match)).reverse().flatMap((match, index) => ruleBlock(match, `rule ${index}`)),
    ...verdict(fallback),
  ]);
}

const isOneDevice = ({ type, major, minor }: Match): boolean => type !== undefined && major !== undefined && minor !== undefined;

/** What all rules together allow for one device. */
function allowedAccess(device: Match, matches: readonly Match[], fallback: boolean): number {
  let allowed = fallback ? EVERY_ACCESS : 0;
  for (const { allow, type, major, minor, access } of matches) {
    if ((type ?? device.type) !== device.type || (major ?? device.major) !== device.major || (minor ?? device.minor) !== device.minor) continue;
    allowed = allow ? allowed | access : allowed & ~access;
  }
  return allowed;
}

const verdict = (isAllowed: boolean): readonly Instruction[] => [move(R0, isAllowed ? 1 : 0), exit];

const checks = ({ type, major, minor }: Match, otherwise: string): readonly Instruction[] =>
  ([[TYPE, type], [MAJOR, major], [MINOR, minor]] as const).flatMap(([register, value]) => (value === undefined ? [] : [jumpNotEqual(register, value, otherwise)]));

/**
 * A device that rules name one by one is answered here and now, from all of them: hundreds of such rules in a row, each
 * going on to the next, are more paths than the verifier follows (it gives up after a million instructions).
 */
function deviceBlock(device: Match, allowed: number, name: string): readonly (Instruction | Label)[] {
  const next = `after ${name}`;
  const whole = allowed === EVERY_ACCESS || allowed === 0;
  const answer = whole ? verdict(allowed !== 0) : [and(ASKED, EVERY_ACCESS & ~allowed), move(R0, 1), jumpEqual(ASKED, 0, name), move(R0, 0), label(name), exit];
  return [...checks(device, next), ...answer, label(next)];
}

/** A rule for many devices: an allowed bit needs no further answer and is taken out of ASKED; one denied bit is the end. */
function ruleBlock(match: Match, name: string): readonly (Instruction | Label)[] {
  const { allow, access } = match;
  const next = `after ${name}`;
  const bits = access === EVERY_ACCESS ? [] : allow
    ? [and(ASKED, EVERY_ACCESS & ~access), jumpNotEqual(ASKED, 0, next)]
    : [moveRegister(SCRATCH, ASKED), and(SCRATCH, access), jumpEqual(SCRATCH, 0, next)];
  return [...checks(match, next), ...bits, ...verdict(allow), label(next)];
}
