// Runs cases against runtimes: several at once, each with its own time, those that must be alone afterwards one by one.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Box, type Settings } from './box.ts';
import type { Case } from './case.ts';
import { Failure, Skip } from './check.ts';

export interface Outcome {
  readonly case: Case;
  readonly result: 'pass' | 'fail' | 'skip';
  /** Why it failed or was skipped. */
  readonly reason: string;
  readonly notes: readonly string[];
  readonly milliseconds: number;
  /** Where the reproduction of a failure is. */
  readonly kept?: string;
}

export interface RuntimeResults {
  readonly name: string;
  readonly path: string;
  readonly version: string;
  readonly outcomes: readonly Outcome[];
}

export interface RunOptions {
  readonly jobs: number;
  /** Where reproductions of failures go; none are kept without. */
  readonly keep?: string;
  readonly progress: (outcome: Outcome, done: number, all: number) => void;
}

class Late extends Failure {}

async function runCase(one: Case, settings: Settings, keep: string | undefined): Promise<Outcome> {
  const box = new Box(settings), begin = performance.now();
  let result: Outcome['result'] = 'pass', reason = '';
  const seconds = one.seconds * settings.slow;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`the case took more than ${seconds} s`)), seconds * 1000);
  });
  try {
    await Promise.race([one.run(box), late]);
  } catch (error) {
    result = error instanceof Skip ? 'skip' : 'fail';
    // An exception that is no Failure is a runtime's answer in a shape nobody expected: a failure, with the place in our code.
    reason = error instanceof Failure || error instanceof Skip ? error.message : String((error as Error).stack ?? error).split('\n').slice(0, 2).join(' ');
  }
  clearTimeout(timer);
  const kept = result === 'fail' && keep !== undefined ? join(keep, one.id.replace(/[^\w.-]+/g, '-')) : undefined;
  try {
    await box.close(kept);
  } catch (error) {
    if (result !== 'fail') [result, reason] = ['fail', `the host could not be cleaned up: ${(error as Error).message}`];
  }
  return { case: one, result, reason, notes: box.notes, milliseconds: performance.now() - begin, ...(kept === undefined ? {} : { kept }) };
}

/** Runs cases against one runtime; outcomes are in the order of the cases. */
export async function runCases(list: readonly Case[], settings: Settings, options: RunOptions): Promise<readonly Outcome[]> {
  const outcomes = new Map<Case, Outcome>();
  if (options.keep !== undefined) rmSync(options.keep, { recursive: true, force: true });
  const work = async (queue: Case[]): Promise<void> => {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
      const outcome = await runCase(one, settings, options.keep);
      outcomes.set(one, outcome);
      options.progress(outcome, outcomes.size, list.length);
    }
  };
  const together = list.filter((one) => !one.alone);
  await Promise.all(Array.from({ length: options.jobs }, () => work(together)));
  await work(list.filter((one) => one.alone));
  return list.map((one) => outcomes.get(one)!);
}
