// A case: what one test of a requirement is, and the list all files of cases/ add to.
import type { Box } from './box.ts';
import { requirement, requirements } from './requirements/index.ts';
import type { Requirement } from './requirement.ts';

export interface Case {
  /** group/word of the requirement: title; unique. */
  readonly id: string;
  readonly group: string;
  readonly requirement: Requirement;
  readonly seconds: number;
  /** Not beside others: it measures, or looks at what the whole host has. */
  readonly alone: boolean;
  readonly run: (box: Box) => Promise<void>;
}

export interface Options {
  /** What the case may take on a machine that is not slow; 20 unless told. */
  readonly seconds?: number;
  readonly alone?: boolean;
}

export const cases: Case[] = [];

/** A function that adds cases to a group: requirement, name, what to do. Throws for an unknown requirement or a name taken twice. */
export function group(name: string): (id: string, title: string, run: (box: Box) => Promise<void>, options?: Options) => void {
  return (id, title, run, options = {}) => {
    const whole = `${name}/${id.slice(id.lastIndexOf('/') + 1)}: ${title}`;
    if (cases.some((one) => one.id === whole)) throw new Error(`two cases are called ${whole}`);
    cases.push({ id: whole, group: name, requirement: requirement(id), seconds: options.seconds ?? 20, alone: options.alone ?? false, run });
  };
}

/** Requirements that have neither a case nor a reason, and those that have both. */
export function coverage(): { readonly uncovered: readonly string[]; readonly both: readonly string[] } {
  const covered = new Set(cases.map((one) => one.requirement.id));
  return {
    uncovered: requirements.filter((one) => one.untested === undefined && !covered.has(one.id)).map((one) => one.id),
    both: requirements.filter((one) => one.untested !== undefined && covered.has(one.id)).map((one) => one.id),
  };
}
