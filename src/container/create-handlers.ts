// The runtime-side operations of `create` that are not one system call.
import { O_CLOEXEC } from '../../native/linux/constants.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import { attachDeviceFilter } from '../cgroup/device-program.ts';
import { has, type Context } from '../compile/context.ts';
import type { Execution } from '../execute/execute.ts';
import { getSlot, type Handler } from '../execute/records.ts';
import type { Image } from '../program/decode.ts';
import { kind } from '../program/layout.ts';
import type { Bundle } from './bundle.ts';
import { copyTree } from './copy-tree.ts';
import { writeFacts } from './facts.ts';
import { givingHandlers, textOf, wordsOf } from './giving.ts';
import { runHook, type HookKind } from './hooks.ts';
import { runHookInside } from './hooks-inside.ts';
import { mapUserNamespace, writeIdMap } from './id-maps.ts';
import { moveNetDevice } from './net-device.ts';
import { writePidFile } from './pid-file.ts';
import { closeSystemd, systemd } from './systemd.ts';
import { hookState, processStartTime, writeState, type ContainerState } from './state.ts';
import { writeOnce, writePid } from './kernel-file.ts';

/** What the handlers found out on the way. */
export interface CreateResult {
  state: ContainerState;
  /** The master of the container's pty when the runtime keeps it, or -1. */
  readonly terminal: () => number;
}

/** Handlers for a create; `result` is filled as they run. */
export function createHandlers(context: Context, state: ContainerState, bundle: Bundle, execution: Execution): { readonly handlers: Readonly<Record<string, Handler>>; readonly result: CreateResult } {
  const given = givingHandlers(state, context.config.annotations, 'creating');
  const result: CreateResult = { state, terminal: given.terminal };
  const init = (image: Image): number => getSlot(image, 'init') ?? 0;
  const handlers: Record<string, Handler> = {
    ...given.handlers,
    write_file: (args, _view, image) => writeOnce(expand(textOf(image, args[0]!), image), args[1]!, args[2]!),
    write_id_map: (args, view, image) => writeIdMap(init(image), expand(textOf(image, args[0]!), image), args[1]!, args[2]!, view.args[3]!.kind === kind.null ? undefined : { name: textOf(image, args[3]!), map: textOf(image, args[1]!), pointer: view.pointer }),
    map_user_namespace: (args, _view, image) => mapUserNamespace(context.request.stateDirectory, textOf(image, args[0]!), textOf(image, args[2]!)),
    open_in_proc: (args, _view, image) => call('openat', -100, text(expand(textOf(image, args[0]!), image)), O_CLOEXEC, 0),
    attach_device_filter: (args) => attachDeviceFilter(args[0]!, args[1]!, args[2]!),
    start_unit: (args, _view, image) => {
      systemd().startUnit(textOf(image, args[0]!), wordsOf(image, args[1]!), execution.interpreter);
      closeSystemd();
      return 0;
    },
    write_pid: (args, _view, image) => writePid(textOf(image, args[0]!), init(image)),
    move_net_device: (args, _view, image) => moveNetDevice(args[0]!, textOf(image, args[1]!), textOf(image, args[2]!), init(image)),
    copy_tree: (args, _view, image) => copyTree(args[0]!, args[1]!, has(context.config, 'user') ? init(image) : undefined),
    hook: (args, _view, image) => {
      const hookKind = textOf(image, args[0]!) as HookKind;
      const index = args[1]!;
      const hook = bundle.config.hooks![hookKind]![index]!;
      const report = hookState(state, context.config.annotations, 'creating', init(image));
      if (hookKind === 'createContainer') runHookInside(context, { kind: hookKind, init: init(image), index }, index, hook, report);
      else runHook(hookKind, index, hook, report, bundle.path);
      return 0;
    },
    publish: (args, view, image) => {
      const pid = init(image);
      result.state = { ...state, pid, startTime: processStartTime(pid) ?? '', status: 'created' };
      writeState(context.request.stateDirectory, result.state);
      writeFacts(context.request.stateDirectory, result.state, image, bundle.config);
      if (view.args[1]!.kind !== kind.null) writePidFile(textOf(image, args[1]!), pid);
      return 0;
    },
  };
  return { handlers, result };
}

/** `/proc/$init/uid_map`: the pid is known only at run time. */
function expand(path: string, image: Image): string {
  return path.replace('$init', String(getSlot(image, 'init') ?? 0));
}
