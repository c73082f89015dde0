// `runt pause`.
import { pauseContainer } from '../container/pause.ts';
import type { Command } from './command.ts';

export const command: Command = {
  name: 'pause', summary: 'freeze every process of a container', words: 'CONTAINER', least: 1, most: 1, flags: [],
  examples: ['runt pause web'],
  run: (call) => {
    pauseContainer(call.globals.root, call.words[0]!);
    return 0;
  },
};
