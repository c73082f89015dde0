// Derives what nobody writes by hand: the hand-overs between the sides of a program and the descriptors that travel with them.
import type { Arg, Copies, Slot, Step } from './step.ts';
import { expand, isCopies, sets } from './template.ts';

/** Steps with a hand_over step wherever the container side must wait for the runtime side. */
export function withHandOvers<Item extends Step | Copies>(steps: readonly Item[]): readonly (Item | Step)[] {
  const entry = steps.findIndex((step) => !isRuntime(step));
  if (entry < 0) return steps;
  const travel = new Travel(steps, entry);
  const parts: (readonly (Item | Step)[])[] = [];
  let done = 0;
  for (let i = entry; i < steps.length; i++) {
    const step: Step | Copies = steps[i]!;
    if (!isRuntime(step)) continue;
    const turn = travel.turn(i);
    parts.push(steps.slice(done, i), [handOver(step.at, turn)], steps.slice(i, turn.end));
    done = turn.end;
    i = turn.end - 1;
  }
  return ([] as (Item | Step)[]).concat(...parts, steps.slice(done));
}

/** Copies are the container's. */
const isRuntime = (step: Step | Copies | undefined): step is Step => (step as Partial<Step> | undefined)?.side === 'runtime';

/** What one hand-over record has room for, each way. */
const MOST_DESCRIPTORS = 3;

/** Neighbouring steps of the runtime, up to `end`: descriptors of the container that they use, and those they make for it. */
interface Turn {
  readonly end: number;
  readonly given: ReadonlySet<string>;
  readonly back: ReadonlySet<string>;
}

/** Which slots cross from one side to the other. A long program has thousands of slots, of which the runtime sees a few: only those are looked at. */
class Travel {
  readonly #steps: readonly (Step | Copies)[];
  /** Slots that the runtime's steps use, by the index of the first container-side step that sets them. */
  readonly #given = new Map<string, number>();
  /** Slots that the runtime's steps set, by the index of the last container-side step that uses them. */
  readonly #wanted = new Map<string, number>();

  constructor(steps: readonly (Step | Copies)[], entry: number) {
    this.#steps = steps;
    for (let i = entry; i < steps.length; i++) {
      const step = steps[i]!;
      if (!isRuntime(step)) continue;
      for (const name of slotsOf(step)) this.#given.set(name, Infinity);
      if (step.result !== undefined) this.#wanted.set(step.result, -1);
    }
    const unborn = new Set(this.#given.keys());
    let made = false;
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i]!;
      if (isCopies(step)) {
        for (const name of unborn) if (sets(step, name) && unborn.delete(name)) this.#given.set(name, i);
        if (made) for (const one of expand(step)) this.#want(one, i);
        continue;
      }
      if (step.result !== undefined && unborn.size > 0 && unborn.delete(step.result) && step.side === 'container') this.#given.set(step.result, i);
      if (step.side === 'runtime') made ||= step.result !== undefined && i > entry;
      else if (made) this.#want(step, i);
    }
  }

  #want(step: Step, at: number): void {
    for (const name of slotsOf(step)) if (this.#wanted.has(name)) this.#wanted.set(name, at);
  }

  /** The turn that begins at `from`: it ends at a step of the container, or where one message holds no more descriptors. */
  turn(from: number): Turn {
    const given = new Set<string>();
    const back = new Set<string>();
    let end = from;
    for (let step = this.#steps[end]; isRuntime(step); step = this.#steps[++end]) {
      const more = slotsOf(step).filter((name) => name !== 'init' && this.#given.get(name)! < end && !given.has(name));
      const made = step.result !== undefined && this.#wanted.get(step.result)! > end && !back.has(step.result) ? [step.result] : [];
      if (given.size + more.length > MOST_DESCRIPTORS || back.size + made.length > MOST_DESCRIPTORS) break;
      for (const name of more) given.add(name);
      for (const name of made) back.add(name);
    }
    if (end === from) throw new Error(`more than ${MOST_DESCRIPTORS} descriptors in one hand-over`);
    return { end, given, back };
  }
}

/** Descriptors that travel: born in the container before, used by the runtime now (args 0 to 2); and the way back (3 to 5). */
function handOver(at: string, { given, back }: Turn): Step {
  const row = (names: readonly string[]): Arg[] => [0, 1, 2].map((n) => (names[n] === undefined ? null : { slot: names[n]! }));
  return { side: 'container', op: 'hand_over', args: [...row([...given]), ...row([...back])], at, why: 'the next step is the runtime’s' };
}

function slotsOf(step: Step): string[] {
  const names: string[] = [];
  for (const arg of step.args) {
    if (arg === null || typeof arg !== 'object') continue;
    if ('slot' in arg) names.push(arg.slot);
    else if ('struct' in arg) for (const member of Object.values(arg.members)) if (isSlot(member)) names.push(member.slot);
  }
  return names;
}

/** Whether an argument or a member of a structure is a slot. */
export const isSlot = (value: unknown): value is Slot => typeof value === 'object' && value !== null && 'slot' in value;
