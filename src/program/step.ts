// What a program is made of. A step is one call with its place in config.json and the reason for its place.
import type { OpName, StructName } from './ops.ts';
import type { Rows } from './rows.ts';

/** The runtime-spec's two words (glossary.md): the runtime's own process, or the process that becomes the container. */
export type Side = 'runtime' | 'container';

/** A value born at run time: a descriptor or a pid, set by the step that names it as its result. */
export interface Slot {
  readonly slot: string;
}

/** Bytes in the data area; `label` is shown instead of them when they are not text. */
export interface Bytes {
  readonly bytes: Uint8Array;
}

/** A kernel structure; members not named are zero. */
export interface Struct {
  readonly struct: StructName;
  readonly members: Readonly<Record<string, number | bigint | string | Slot | Bytes>>;
}

/** Memory of this many bytes which the kernel fills; the same name is the same memory. */
export interface Out {
  readonly out: string;
  readonly size: number;
  /** Where in that memory the argument points. */
  readonly offset?: number;
}

/** A NULL-ended array of strings. */
export interface Words {
  readonly words: readonly string[];
}

export type Arg = number | bigint | string | null | Slot | Bytes | Struct | Out | Words;

export interface Step {
  readonly side: Side;
  readonly op: OpName;
  readonly args: readonly Arg[];
  /** JSON pointer into config.json of what asked for this step; empty when nothing did: a default. */
  readonly at: string;
  /** Why it is done, or why here. */
  readonly why: string;
  /** The slot that receives the result. */
  readonly result?: string;
  /** Errnos that count as done; the result slot then stays unset. */
  readonly tolerate?: readonly string[];
  /** Skipped when this slot is set: the first success wins. */
  readonly unless?: string;
  /** Skipped when this slot is unset. A slot among the arguments is needed of itself. */
  readonly needs?: string;
}

/** Steps that are wanted again and again, with holes (template.ts) in their texts and in the names of their slots. */
export interface Template {
  readonly steps: readonly Step[];
  /** The same for the first row of its copies, where the compiler has them: to fill the holes takes longer. */
  readonly first?: readonly Step[];
}

/** Neighbouring copies of a template, all of the container side: its steps once for each of these rows, from the first one on, up to `to`. */
export interface Copies {
  readonly template: Template;
  /** Of all that is of one kind. Its templates share it: a slot that one of them sets for a row the others may use for that row. */
  readonly rows: Rows;
  readonly from: number;
  readonly to: number;
}

/** What a part may say of a step beyond the call. */
export type StepOptions = Partial<Pick<Step, 'result' | 'tolerate' | 'unless' | 'needs'>>;

/** A compiled bundle: steps in order, some of them as copies of a template, and the descriptors the interpreter starts with, at fixed numbers. */
export interface Program {
  readonly steps: readonly (Step | Copies)[];
  /** Slots handed to the interpreter when it is spawned: descriptor numbers on the container side. */
  readonly inherited: Readonly<Record<string, number>>;
}

export const slot = (name: string): Slot => ({ slot: name });

/** The steps that each item of a list asks for, in order. A loop: flatMap is compiled at its first use, 0.15 ms of start-up. */
export function stepsFor<Item>(items: readonly Item[], steps: (item: Item, index: number) => readonly Step[]): Step[] {
  const all: Step[] = [];
  for (let i = 0; i < items.length; i++) for (const step of steps(items[i]!, i)) all.push(step);
  return all;
}

/** Steps that share a place in config.json: `const dev = part('container', '/mounts/1')`. */
export function part(side: Side, at: string): (op: OpName, args: readonly Arg[], why: string, options?: StepOptions) => Step {
  return (op, args, why, options) => (options === undefined ? { side, op, args, at, why } : { side, op, args, at, why, ...options });
}
