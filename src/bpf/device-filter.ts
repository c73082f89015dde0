// linux.resources.devices → an eBPF program (BPF_PROG_TYPE_CGROUP_DEVICE, kernel doc cgroup-v2 "Device controller").
import type { DeviceRule } from '../../spec/config.ts';

/** Access bits of struct bpf_cgroup_dev_ctx: the upper half of access_type. */
const bits: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };
const types: Readonly<Record<string, number>> = { b: 1, c: 2 };

const rule = (type: string, major: number | undefined, minor: number | undefined, access: string): DeviceRule => ({
  allow: true, type, access, ...(major === undefined ? {} : { major }), ...(minor === undefined ? {} : { minor }),
});

/** What every container may use, after its own rules, as runc has it: nodes can be made, the standard ones and ptys used. */
export const defaultRules: readonly DeviceRule[] = [
  rule('c', undefined, undefined, 'm'), rule('b', undefined, undefined, 'm'),
  ...[3, 5, 7, 8, 9].map((minor) => rule('c', 1, minor, 'rwm')),
  rule('c', 5, 0, 'rwm'), rule('c', 5, 2, 'rwm'), rule('c', 136, undefined, 'rwm'), rule('c', 10, 200, 'rwm'),
];

const R0 = 0;
const R1 = 1;
const TYPE = 2;
const ASKED = 3;
const MAJOR = 4;
const MINOR = 5;
const SCRATCH = 6;

const LOAD_W = 0x61;
const MOVE_K = 0xb7;
const MOVE_X = 0xbf;
const AND_K = 0x57;
const RIGHT_K = 0x77;
const JUMP_NE_K = 0x55;
const JUMP_EQ_K = 0x15;
const EXIT = 0x95;

type Instruction = readonly [code: number, destination: number, source: number, offset: number, immediate: number];

const leave = (verdict: 0 | 1): readonly Instruction[] => [[MOVE_K, R0, 0, 0, verdict], [EXIT, 0, 0, 0, 0]];

/**
 * The program as struct bpf_insn, 8 bytes each; undefined when config.json has no rules. Each access bit that is asked
 * for is decided by the last rule that names it, as cgroup v1 decided; what no rule names is allowed.
 */
export function compileDeviceFilter(rules: readonly DeviceRule[] | undefined): Uint8Array | undefined {
  if (rules === undefined || rules.length === 0) return undefined;
  const program: Instruction[] = [
    [LOAD_W, TYPE, R1, 0, 0], [MOVE_X, ASKED, TYPE, 0, 0], [AND_K, TYPE, 0, 0, 0xffff], [RIGHT_K, ASKED, 0, 0, 16],
    [LOAD_W, MAJOR, R1, 4, 0], [LOAD_W, MINOR, R1, 8, 0],
  ];
  for (const one of [...rules, ...defaultRules].reverse()) program.push(...ruleInstructions(one));
  program.push(...leave(1));
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(([code, destination, source, offset, immediate], i) => {
    bytes[8 * i] = code;
    bytes[8 * i + 1] = destination | (source << 4);
    bytes.writeInt16LE(offset, 8 * i + 2);
    bytes.writeInt32LE(immediate | 0, 8 * i + 4);
  });
  return bytes;
}

function ruleInstructions({ allow, type, major, minor, access }: DeviceRule): readonly Instruction[] {
  const mask = [...(access || 'rwm')].reduce((sum, letter) => sum | (bits[letter] ?? 0), 0);
  const verdict: Instruction[] = allow
    ? [[AND_K, ASKED, 0, 0, ~mask & 7], [JUMP_NE_K, ASKED, 0, 2, 0], ...leave(1)]
    : [[MOVE_X, SCRATCH, ASKED, 0, 0], [AND_K, SCRATCH, 0, 0, mask], [JUMP_EQ_K, SCRATCH, 0, 2, 0], ...leave(0)];
  const checks: [register: number, value: number][] = [];
  if (type !== undefined && type !== 'a') checks.push([TYPE, types[type] ?? 0]);
  if (major !== undefined && major >= 0) checks.push([MAJOR, major]);
  if (minor !== undefined && minor >= 0) checks.push([MINOR, minor]);
  return [...checks.map(([register, value], i): Instruction => [JUMP_NE_K, register, 0, checks.length - i - 1 + verdict.length, value]), ...verdict];
}
