// Derives what nobody writes by hand: the hand-overs between the sides of a program and the descriptors that travel with them.
import type { Arg, Slot, Step } from './step.ts';

/** Steps with a hand_over step wherever the container side must wait for the runtime side. */
export function withHandOvers(steps: readonly Step[]): readonly Step[] {
  const born = new Map<string, Step['side']>();
  const out: Step[] = [];
  const lastUse = lastContainerUse(steps);
  let spawned = false;
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i]!;
    if (spawned && step.side === 'runtime') {
      const end = endOfTurn(steps, i, born, lastUse);
      out.push(handOver(steps, i, end, born, lastUse));
      for (; i < end; i++) {
        const { result } = steps[i]!;
        if (result !== undefined && !born.has(result)) born.set(result, 'runtime');
        out.push(steps[i]!);
      }
      i--;
      continue;
    }
    if (step.side === 'container') spawned = true;
    if (step.result !== undefined && !born.has(step.result)) born.set(step.result, step.side);
    out.push(step);
  }
  return out;
}

/** What one hand-over record has room for, each way. */
const MOST_DESCRIPTORS = 3;

type LastUse = (name: string) => number;

/** Which step of the container side is the last to use a slot, -1 for none. Looked up only for what the runtime makes: a long program has thousands of slots. */
function lastContainerUse(steps: readonly Step[]): LastUse {
  let last: Map<string, number> | undefined;
  return (name) => {
    if (last === undefined) {
      last = new Map();
      for (let i = 0; i < steps.length; i++) if (steps[i]!.side === 'container') for (const used of slotsOf(steps[i]!)) last.set(used, i);
    }
    return last.get(name) ?? -1;
  };
}

/** Descriptors a runtime-side step needs from the container, and the one it makes for it. */
function travellersOf(step: Step, at: number, born: ReadonlyMap<string, Step['side']>, lastUse: LastUse): { readonly given: readonly string[]; readonly back: string | undefined } {
  const given = slotsOf(step).filter((name) => born.get(name) === 'container' && name !== 'init');
  return { given, back: step.result !== undefined && lastUse(step.result) > at ? step.result : undefined };
}

/** Where the runtime's turn that begins at `from` ends: at a step of the container, or where one message holds no more descriptors. */
function endOfTurn(steps: readonly Step[], from: number, born: ReadonlyMap<string, Step['side']>, lastUse: LastUse): number {
  const given = new Set<string>();
  const back = new Set<string>();
  let i = from;
  for (; steps[i]?.side === 'runtime'; i++) {
    const travellers = travellersOf(steps[i]!, i, born, lastUse);
    for (const name of travellers.given) given.add(name);
    if (travellers.back !== undefined) back.add(travellers.back);
    if (given.size > MOST_DESCRIPTORS || back.size > MOST_DESCRIPTORS) break;
  }
  if (i === from) throw new Error(`more than ${MOST_DESCRIPTORS} descriptors in one hand-over`);
  return i;
}

/** Descriptors that travel: born in the container before, used by the runtime now (args 0 to 2); and the way back (3 to 5). */
function handOver(steps: readonly Step[], from: number, end: number, born: ReadonlyMap<string, Step['side']>, lastUse: LastUse): Step {
  const given = new Set<string>();
  const back = new Set<string>();
  for (let i = from; i < end; i++) {
    const travellers = travellersOf(steps[i]!, i, born, lastUse);
    for (const name of travellers.given) given.add(name);
    if (travellers.back !== undefined) back.add(travellers.back);
  }
  const row = (names: readonly string[]): Arg[] => [0, 1, 2].map((n) => (names[n] === undefined ? null : { slot: names[n]! }));
  return { side: 'container', op: 'hand_over', args: [...row([...given]), ...row([...back])], at: steps[from]!.at, why: 'the next step is the runtime’s' };
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
