// `runt start`.
import { startAndTell } from '../container/start.ts';
import type { Command } from './command.ts';

export const command: Command = {
  name: 'start', summary: 'run the process of a created container', words: 'CONTAINER', least: 1, most: 1, flags: [],
  examples: ['runt start web'],
  run: async (call) => {
    await startAndTell(call.globals.root, call.words[0]!, true);
    return 0;
  },
};
