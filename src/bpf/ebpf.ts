// A small eBPF assembler and printer (kernel doc bpf/standardization/instruction-set): what a device filter needs, no more.

const BPF_LDX = 0x01;
const BPF_ALU64 = 0x07;
const BPF_JMP = 0x05;
const BPF_JMP32 = 0x06;
const BPF_MEM = 0x60;
const BPF_W = 0x00;
const BPF_K = 0x00;
const BPF_X = 0x08;
const BPF_AND = 0x50;
const BPF_RSH = 0x70;
const BPF_MOV = 0xb0;
const BPF_JEQ = 0x10;
const BPF_JNE = 0x50;
const BPF_EXIT = 0x90;

export const R0 = 0;
export const R1 = 1;
export const R2 = 2;
export const R3 = 3;
export const R4 = 4;
export const R5 = 5;
export const R6 = 6;

/** The bytes of one instruction: struct bpf_insn. */
export const INSTRUCTION_SIZE = 8;

/** One instruction; a jump names the label it goes to when its condition holds. */
export interface Instruction {
  readonly opcode: number;
  readonly destination: number;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
  readonly target?: string;
}

/** A place that jumps can name; it takes no room. */
export interface Label {
  readonly label: string;
}

const instruction = (opcode: number, destination = 0, source = 0, offset = 0, immediate = 0): Instruction => ({ opcode, destination, source, offset, immediate });

/** destination = *(u32 *)(source + offset) */
export const loadWord = (destination: number, source: number, offset: number): Instruction => instruction(BPF_LDX | BPF_MEM | BPF_W, destination, source, offset);
/** destination = source */
export const moveRegister = (destination: number, source: number): Instruction => instruction(BPF_ALU64 | BPF_MOV | BPF_X, destination, source);
/** destination = immediate */
export const move = (destination: number, immediate: number): Instruction => instruction(BPF_ALU64 | BPF_MOV | BPF_K, destination, 0, 0, immediate);
/** destination &= immediate */
export const and = (destination: number, immediate: number): Instruction => instruction(BPF_ALU64 | BPF_AND | BPF_K, destination, 0, 0, immediate);
/** destination >>= immediate */
export const shiftRight = (destination: number, immediate: number): Instruction => instruction(BPF_ALU64 | BPF_RSH | BPF_K, destination, 0, 0, immediate);
/** Jumps on the lower 32 bits: a 64-bit comparison would extend the immediate's sign, and device numbers are unsigned. */
export const jumpEqual = (register: number, immediate: number, target: string): Instruction => ({ ...instruction(BPF_JMP32 | BPF_JEQ | BPF_K, register, 0, 0, immediate), target });
export const jumpNotEqual = (register: number, immediate: number, target: string): Instruction => ({ ...instruction(BPF_JMP32 | BPF_JNE | BPF_K, register, 0, 0, immediate), target });
/** The program ends; its result is R0. */
export const exit: Instruction = instruction(BPF_JMP | BPF_EXIT);
export const label = (name: string): Label => ({ label: name });

/** The program as struct bpf_insn[], little endian. Throws when a label is missing or lies behind its jump. */
export function assemble(lines: readonly (Instruction | Label)[]): Uint8Array {
  const places = new Map<string, number>();
  const instructions: Instruction[] = [];
  for (const line of lines) {
    if ('label' in line) places.set(line.label, instructions.length);
    else instructions.push(line);
  }
  const bytes = Buffer.alloc(instructions.length * INSTRUCTION_SIZE);
  instructions.forEach(({ opcode, destination, source, offset, immediate, target }, index) => {
    const at = index * INSTRUCTION_SIZE;
    bytes[at] = opcode;
    bytes[at + 1] = destination | (source << 4);
    bytes.writeInt16LE(target === undefined ? offset : distance(places, target, index), at + 2);
    bytes.writeInt32LE(immediate | 0, at + 4);
  });
  return bytes;
}

function distance(places: ReadonlyMap<string, number>, target: string, index: number): number {
  const place = places.get(target);
  if (place === undefined || place <= index) throw new Error(`eBPF: no label ${target} ahead of instruction ${index}`);
  return place - index - 1;
}

const printers: Readonly<Record<number, (destination: number, source: number, offset: number, immediate: number, next: number) => string>> = {
  [BPF_LDX | BPF_MEM | BPF_W]: (d, s, offset) => `r${d} = *(u32 *)(r${s} + ${offset})`,
  [BPF_ALU64 | BPF_MOV | BPF_X]: (d, s) => `r${d} = r${s}`,
  [BPF_ALU64 | BPF_MOV | BPF_K]: (d, _s, _offset, immediate) => `r${d} = ${immediate}`,
  [BPF_ALU64 | BPF_AND | BPF_K]: (d, _s, _offset, immediate) => `r${d} &= 0x${(immediate >>> 0).toString(16)}`,
  [BPF_ALU64 | BPF_RSH | BPF_K]: (d, _s, _offset, immediate) => `r${d} >>= ${immediate}`,
  [BPF_JMP32 | BPF_JEQ | BPF_K]: (d, _s, offset, immediate, next) => `if w${d} == ${immediate >>> 0} goto ${next + offset}`,
  [BPF_JMP32 | BPF_JNE | BPF_K]: (d, _s, offset, immediate, next) => `if w${d} != ${immediate >>> 0} goto ${next + offset}`,
  [BPF_JMP | BPF_EXIT]: () => 'exit',
};

/** One line per instruction in the verifier's own notation, jumps by the number of the line they go to; unknown ones in hex. */
export function disassemble(program: Uint8Array): readonly string[] {
  const bytes = Buffer.from(program.buffer, program.byteOffset, program.byteLength);
  const lines: string[] = [];
  for (let at = 0; at + INSTRUCTION_SIZE <= bytes.length; at += INSTRUCTION_SIZE) {
    const registers = bytes.readUInt8(at + 1);
    const print = printers[bytes.readUInt8(at)];
    const number = at / INSTRUCTION_SIZE;
    const line = print?.(registers & 15, registers >> 4, bytes.readInt16LE(at + 2), bytes.readInt32LE(at + 4), number + 1) ?? `0x${bytes.toString('hex', at, at + INSTRUCTION_SIZE)}`;
    lines.push(`${String(number).padStart(3)}: ${line}`);
  }
  return lines;
}
