// `runt create` and the flags it shares with run.
import { createContainer } from '../container/create.ts';
import type { CreateOptions, Debugging } from '../container/options.ts';
import { loadSystemd } from '../container/systemd.ts';
import { validateContainerId } from '../container/state.ts';
import { isOn, preserveFdsOf, valueOf, valuesOf, type Call, type Command, type Flag } from './command.ts';

export const createFlags: readonly Flag[] = [
  { name: 'bundle', short: 'b', value: 'DIR', help: 'directory of config.json (default: the working directory)' },
  { name: 'console-socket', value: 'PATH', help: 'unix socket that receives the master of the pty' },
  { name: 'pid-file', value: 'FILE', help: 'write the pid of init to FILE' },
  { name: 'no-pivot', help: 'move the root mount instead of pivot_root (initramfs)' },
  { name: 'no-new-keyring', help: 'keep the session keyring of the caller' },
  { name: 'preserve-fds', value: 'N', help: 'pass N further descriptors, from 3 on' },
  { name: 'pidfd-socket', value: 'PATH', help: 'unix socket that receives a pidfd of init' },
  { name: 'break', value: 'STEP', many: true, help: 'stop before a step, or on-error: commands are read from standard input' },
  { name: 'inject', value: 'STEP=ERRNO', many: true, help: 'let a step fail as if the kernel had returned ERRNO' },
  { name: 'trace', value: 'FILE', help: 'write what each step did: .json for Perfetto, .html, .svg, text otherwise; - is standard error' },
];

/** The debugger that these flags ask for, loaded only then. */
export async function debuggingOf(call: Call): Promise<Debugging | undefined> {
  const [breaks, inject, trace] = [valuesOf(call, 'break'), valuesOf(call, 'inject'), valueOf(call, 'trace')];
  const ended = trace === undefined ? undefined : (await import('../render/file.ts')).traceInto(trace, call.warn);
  if (breaks.length > 0) {
    const { bundle, id } = createOptions(call);
    return { ...(await import('../debugger/session.ts')).debugSession({ breaks, inject, id, bundle }), ended };
  }
  if (inject.length > 0) return { prepare: (await import('../debugger/inject.ts')).injecting(inject), ended };
  return ended === undefined ? undefined : { prepare: () => {}, ended };
}

export function createOptions(call: Call): CreateOptions {
  const id = call.words[0]!;
  validateContainerId(id);
  return {
    root: call.globals.root,
    id,
    bundle: valueOf(call, 'bundle') || process.cwd(),
    consoleSocket: valueOf(call, 'console-socket') || undefined,
    pidFile: valueOf(call, 'pid-file') || undefined,
    pidfdSocket: valueOf(call, 'pidfd-socket') || undefined,
    noPivot: isOn(call, 'no-pivot'),
    noNewKeyring: isOn(call, 'no-new-keyring'),
    preserveFds: preserveFdsOf(call),
    cgroupManager: call.globals.cgroupManager,
    warn: call.warn,
    ...(call.globals.debug ? { debug: call.warn } : {}),
  };
}

export const command: Command = {
  name: 'create',
  summary: 'make a container from a bundle; it waits for start',
  words: 'CONTAINER',
  least: 1,
  most: 1,
  flags: createFlags,
  examples: ['runt create --bundle /tmp/web web', 'runt create --pid-file /run/web.pid --console-socket /run/console.sock web'],
  run: async (call) => {
    if (call.globals.cgroupManager === 'systemd') await loadSystemd();
    const debugging = await debuggingOf(call);
    const { image } = await createContainer({ ...createOptions(call), debugging });
    debugging?.ended?.(image);
    return 0;
  },
};
