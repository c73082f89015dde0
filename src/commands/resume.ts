// `runt resume`.
import { resumeContainer } from '../container/pause.ts';
import type { Command } from './command.ts';

export const command: Command = {
  name: 'resume', summary: 'let a paused container go on', words: 'CONTAINER', least: 1, most: 1, flags: [],
  examples: ['runt resume web'],
  run: (call) => {
    resumeContainer(call.globals.root, call.words[0]!);
    return 0;
  },
};
