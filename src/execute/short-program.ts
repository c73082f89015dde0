// Programs beside the container's own, each with a process that begins here: hooks inside, copies, id maps, a debugger's shell.
import { closeSync } from 'node:fs';
import type { Image } from '../program/decode.ts';
import type { EncodeOptions } from '../program/encode.ts';
import type { Program } from '../program/step.ts';
import { abandon, beginExecution, executeProgram, StepFailure, type ExecuteOptions, type Execution } from './execute.ts';
import { writeProgram } from './program-file.ts';

export interface ShortProgram<T> {
  readonly program: Program;
  /** The file it is written to; without, it is in memory alone. */
  readonly path?: string;
  readonly header?: EncodeOptions;
  readonly options: ExecuteOptions;
  /** What to make of a step that failed, when nothing of the program runs any more. Without it that is thrown on. */
  readonly failed?: (failure: StepFailure, image: Image) => T;
  /** Its last step is made: the process it left is the caller's to wait for, or to end. */
  readonly done: (pid: number, execution: Execution) => T;
}

/** Runs one, and closes its descriptors when `done` has returned. Throws what these functions throw, and RuntimeError when a side vanished. */
export function runShortProgram<T>({ program, path, header = {}, options, failed, done }: ShortProgram<T>): T {
  const file = writeProgram(path, program, header);
  const execution = beginExecution(file);
  try {
    let pid: number;
    try {
      pid = executeProgram(execution, file, options);
    } catch (error) {
      // Waited for here: init of a pid namespace cannot end while a child of ours in it is a zombie.
      abandon(execution);
      if (failed === undefined || !(error instanceof StepFailure)) throw error;
      return failed(error, file.image);
    }
    return done(pid, execution);
  } finally {
    closeSync(file.fd);
    if (execution.channel >= 0) closeSync(execution.channel);
  }
}
