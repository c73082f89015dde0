// Results of several runtimes, case by case and group by group: what the tables of Markdown and HTML are made of.
import type { Case } from '../case.ts';
import type { Outcome, RuntimeResults } from '../run.ts';

export interface Row {
  readonly case: Case;
  /** In the order of the runtimes. */
  readonly outcomes: readonly Outcome[];
}

export function rows(results: readonly RuntimeResults[]): readonly Row[] {
  return (results[0]?.outcomes ?? []).map(({ case: one }, index) => ({ case: one, outcomes: results.map(({ outcomes }) => outcomes[index]!) }));
}

export const groups = (all: readonly Row[]): readonly string[] => [...new Set(all.map((row) => row.case.group))];

export const count = (outcomes: readonly Outcome[], result: Outcome['result']): number => outcomes.filter((one) => one.result === result).length;

/** Rows in which a runtime failed, or was skipped while another one passed. */
export function differences(all: readonly Row[]): readonly Row[] {
  return all.filter(({ outcomes }) => count(outcomes, 'fail') > 0 || new Set(outcomes.map((one) => one.result)).size > 1);
}
