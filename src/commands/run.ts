// `runt run`.
import type { RunOptions } from '../container/options.ts';
import { runContainer } from '../container/run.ts';
import { isOn, type Call, type Command, type Flag } from './command.ts';
import { createFlags, createOptions, debuggingOf } from './create.ts';

export const stayFlags: readonly Flag[] = [
  { name: 'detach', short: 'd', help: 'return as soon as the process runs' },
  { name: 'keep', help: 'leave cgroup and state to a later delete' },
  { name: 'no-subreaper', help: 'do not adopt the orphans of the container' },
];

export function stayOptions(call: Call): Pick<RunOptions, 'detach' | 'keep' | 'noSubreaper' | 'globalWords'> {
  return { detach: isOn(call, 'detach'), keep: isOn(call, 'keep'), noSubreaper: isOn(call, 'no-subreaper'), globalWords: call.globals.count };
}

export const command: Command = {
  name: 'run',
  summary: 'create and start a container; in the foreground unless --detach',
  words: 'CONTAINER',
  least: 1,
  most: 1,
  flags: [
    ...createFlags,
    ...stayFlags,
  ],
  examples: ['runt run --bundle /tmp/web web', 'runt run --detach --pid-file /run/web.pid web'],
  run: async (call) => {
    const debugging = await debuggingOf(call);
    return runContainer({ ...createOptions(call), ...stayOptions(call), debugging }, call.warn);
  },
};
