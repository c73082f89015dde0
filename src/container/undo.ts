// A create or restore that failed: what it made is taken back, its record is kept for `trace`. Loaded only then.
import { rmdirSync } from 'node:fs';
import { abandon, StepFailure, type Execution } from '../execute/execute.ts';
import { describeFailure } from '../execute/failure.ts';
import { readRecords, readText, type Image } from '../program/decode.ts';
import { status } from '../program/layout.ts';
import { sleep } from '../sleep.ts';
import type { CreateOptions } from './options.ts';
import { keepFailedRecord } from './record.ts';
import { removeStateDirectory, type ContainerState } from './state.ts';
import { systemd } from './systemd.ts';

/** Ends what runs, removes cgroup and state; gives the error for the user. `execution` is undefined when none began. */
export function undo(options: Pick<CreateOptions, 'root' | 'id' | 'debugging'>, directory: string, state: ContainerState, execution: Execution | undefined, error: unknown, position: (pointer: string) => string | undefined): unknown {
  const described = error instanceof StepFailure && execution !== undefined ? describeFailure(execution.image, error, position) : error;
  if (execution !== undefined) {
    abandon(execution);
    removeMade(execution.image);
    if (state.cgroup?.unit !== undefined) stopMadeUnit(execution.image, state.cgroup.unit);
  }
  keepFailedRecord(options.root, options.id, directory, described);
  removeStateDirectory(directory);
  if (execution !== undefined) options.debugging?.ended?.(execution.image);
  return described;
}

/** Removes the cgroups this create made, as its recorder has them, innermost first; what another uses by now stays (EBUSY). */
function removeMade(image: Image): void {
  const made = readRecords(image).filter(({ op, side, status: outcome }) => op === 'mkdirat' && side === 'runtime' && outcome === status.done);
  for (const path of made.map(({ args }) => readText(image.bytes, Number(args[1]!.value) - image.base)).reverse()) {
    for (let attempt = 0; attempt < 50; attempt++) {
      try {
        rmdirSync(path);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EBUSY') break;
        sleep(2);
      }
    }
  }
}

/** Stops the unit that this create started. That it could not be is no news beside what went wrong. */
function stopMadeUnit(image: Image, unit: string): void {
  if (!readRecords(image).some(({ op, status: outcome }) => op === 'start_unit' && (outcome === status.done || outcome === status.failed))) return;
  try {
    systemd().stopUnit(unit);
  } catch {
    // `delete --force` has nothing to find either: the scope is empty, and systemd removes empty ones
  }
}
