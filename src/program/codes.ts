// Numbers for what a step names: its operation, the errnos it tolerates.
import { errnoNumber } from '../../native/linux/errno.ts';
import { syscallNumber, type SyscallName } from '../../native/linux/syscall-numbers.ts';
import { NONE } from './layout.ts';
import { opNames, ops, syscallOps, type Legal, type OpName } from './ops.ts';

/** What a record says of its operation; filled in as operations are met, because start-up pays for each. */
export interface OpCode {
  readonly op: number;
  /** The system call's number, NONE for an operation that is not one. */
  readonly number: number;
  readonly argumentCount: number;
  readonly legal: Legal;
}

/** Of operations that were met; opCode makes the others. */
export const opCodes = new Map<OpName, OpCode>();

/** What is written of an operation. */
export function opCode(name: OpName): OpCode {
  let code = opCodes.get(name);
  if (code === undefined) {
    code = { op: opNames.indexOf(name), number: name in syscallOps ? syscallNumber(name as SyscallName) : NONE, argumentCount: ops[name].formats.length, legal: ops[name].legal };
    opCodes.set(name, code);
  }
  return code;
}

const knownErrnos = new WeakMap<readonly string[], readonly [number, number]>();

/** The field `tolerate` of a record as two words; steps share their lists. */
export function errnoWords(names: readonly string[]): readonly [number, number] {
  let words = knownErrnos.get(names);
  if (words !== undefined) return words;
  if (names.length > 4) throw new Error('a step tolerates four errnos at most');
  const [first = 0, second = 0, third = 0, fourth = 0] = names.map((name) => errnoNumber(name));
  knownErrnos.set(names, (words = [first | (second << 16), third | (fourth << 16)]));
  return words;
}
