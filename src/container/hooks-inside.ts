// Runs hooks in the container's namespaces, by a program of their own (config.md#createcontainer-hooks, #startcontainer-hooks).
import type { Hook } from '../../spec/config.ts';
import { errnoName } from '../../native/linux/errno.ts';
import type { Context } from '../compile/context.ts';
import { compileHook, type HookPlace } from '../compile/hook-program.ts';
import { runShortProgram } from '../execute/short-program.ts';
import { listenerHandlers } from './giving.ts';
import { awaitHook, hookFailure, withFiles } from './hooks.ts';
import type { HookState } from './state.ts';

/** Runs one hook in the container's namespaces, entered through the pid of init. Throws RuntimeError as runHook does. */
export function runHookInside(context: Context, place: HookPlace, index: number, hook: Hook, state: HookState): void {
  const { kind } = place;
  withFiles(state, (input, output) => runShortProgram({
    program: compileHook(context, place, hook),
    path: `${context.request.stateDirectory}/${kind}-${index}.program`,
    header: { id: context.request.id, command: `hook ${kind}` },
    options: { handlers: listenerHandlers(() => state), firstDescriptor: 3, inherited: [], stdio: [input, output, output] },
    failed: ({ errno }) => {
      throw hookFailure(kind, index, hook, `cannot be executed: ${errnoName(errno)}`, '');
    },
    done: (pid) => awaitHook(pid, kind, index, hook, output),
  }));
}
