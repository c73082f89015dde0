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

/** One instruction as the two 32-bit words of struct bpf_insn on a little-endian machine: plain numbers, since this is start-up time. */
export type Instruction = readonly [word: number, immediate: number];

const instruction = (opcode: number, destination: number, source: number, offset: number, immediate: number): Instruction => [opcode | (destination << 8) | (source << 12) | (offset << 16), immediate];

/** destination = *(u32 *)(source + offset) */
export const loadWord = (destination: number, source: number, offset: number): Instruction => instruction(BPF_LDX | BPF_MEM | BPF_W, destination, source, offset, 0);
/** destination = source */
export const moveRegister = (destination: number, source: number): Instruction => instruction(BPF_ALU64 | BPF_MOV | BPF_X, destination, source, 0, 0);
/** destination = immediate */
export const move = (destination: number, immediate: number): Instruction => instruction(BPF_ALU64 | BPF_MOV | BPF_K, destination, 0, 0, immediate);
/** destination &= immediate */
export const and = (destination: number, immediate: number): Instruction => instruction(BPF_ALU64 | BPF_AND | BPF_K, destination, 0, 0, immediate);
/** destination >>= immediate */
export const shiftRight = (destination: number, immediate: number): Instruction => instruction(BPF_ALU64 | BPF_RSH | BPF_K, destination, 0, 0, immediate);
/** Jumps over `skip` instructions, compares 32 bits: a 64-bit comparison would extend the immediate's sign, and device numbers have none. */
export const jumpEqual = (register: number, immediate: number, skip: number): Instruction => instruction(BPF_JMP32 | BPF_JEQ | BPF_K, register, 0, skip, immediate);
export const jumpNotEqual = (register: number, immediate: number, skip: number): Instruction => instruction(BPF_JMP32 | BPF_JNE | BPF_K, register, 0, skip, immediate);
/** The program ends; its result is R0. */
export const exit: Instruction = [BPF_JMP | BPF_EXIT, 0];

/** The program as struct bpf_insn[]. */
export function assemble(instructions: readonly Instruction[]): Uint8Array {
  const words = new Int32Array(2 * instructions.length);
  for (let i = 0; i < instructions.length; i++) {
    words[2 * i] = instructions[i]![0];
    words[2 * i + 1] = instructions[i]![1];
  }
  return new Uint8Array(words.buffer);
}

/** By opcode; `next` is the number of the following line. */
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
