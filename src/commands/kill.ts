// `runt kill`.
import { killContainer } from '../container/kill.ts';
import { isOn, type Command } from './command.ts';

export const command: Command = {
  name: 'kill', summary: 'send a signal to the init process of a container', words: 'CONTAINER [SIGNAL]', least: 1, most: 2,
  flags: [{ name: 'all', short: 'a', help: 'to every process of its cgroup; a stopped container is no error' }],
  examples: ['runt kill web', 'runt kill web KILL', 'runt kill --all web 9'],
  run: async (call) => {
    await killContainer(call.globals.root, call.words[0]!, call.words[1] ?? 'TERM', isOn(call, 'all'));
    return 0;
  },
};
