// `runt delete`.
import { deleteContainer } from '../container/delete.ts';
import { isOn, type Command } from './command.ts';

export const command: Command = {
  name: 'delete', summary: 'remove a stopped or created container and what it held', words: 'CONTAINER', least: 1, most: 1,
  flags: [{ name: 'force', short: 'f', help: 'kill it first; a missing container is no error' }],
  examples: ['runt delete web', 'runt delete --force web'],
  run: async (call) => {
    await deleteContainer(call.globals.root, call.words[0]!, isOn(call, 'force'), call.warn);
    return 0;
  },
};
