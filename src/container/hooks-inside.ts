// Runs hooks in the container's namespaces, by a program of their own (config.md#createcontainer-hooks, #startcontainer-hooks).
import { closeSync } from 'node:fs';
import type { Hook } from '../../spec/config.ts';
import { errnoName } from '../../native/linux/errno.ts';
import type { Context } from '../compile/context.ts';
import { compileHook, type HookPlace } from '../compile/hook-program.ts';
import { RuntimeError } from '../errors.ts';
import { abandon, beginExecution, executeProgram, type Execution } from '../execute/execute.ts';
import { writeProgram, type MappedProgram } from '../execute/program-file.ts';
import { listenerHandlers } from './giving.ts';
import { awaitHook, hookFailure, withFiles, type HookKind } from './hooks.ts';
import type { HookState } from './state.ts';

/** Runs one hook in the container's namespaces, entered through the pid of init. Throws RuntimeError as runHook does. */
export function runHookInside(context: Context, place: HookPlace, index: number, hook: Hook, state: HookState): void {
  const program = compileHook(context, place, hook);
  withFiles(state, (input, output) => {
    const file = writeProgram(`${context.request.stateDirectory}/${place.kind}-${index}.program`, program, { id: context.request.id, command: `hook ${place.kind}` });
    const execution = beginExecution(file);
    try {
      const pid = enterAndExecute(execution, file, place.kind, index, hook, [input, output, output], listenerHandlers(() => state));
      awaitHook(pid, place.kind, index, hook, output);
    } finally {
      closeSync(file.fd);
      if (execution.channel >= 0) closeSync(execution.channel);
    }
  });
}

function enterAndExecute(execution: Execution, file: MappedProgram, kind: HookKind, index: number, hook: Hook, stdio: readonly [number, number, number], handlers: ReturnType<typeof listenerHandlers>): number {
  try {
    return executeProgram(execution, file, { handlers, firstDescriptor: 3, inherited: [], stdio });
  } catch (error) {
    // Waited for here: init of a pid namespace cannot end while a child of ours in it is a zombie.
    abandon(execution);
    if (error instanceof RuntimeError) throw error;
    const { errno } = error as { errno?: number };
    throw hookFailure(kind, index, hook, `cannot be executed: ${errno === undefined ? String(error) : errnoName(errno)}`, '');
  }
}
