// `runt state` (runtime.md#query-state). Loads neither koffi nor the compiler: managers poll it.
import { readState } from '../container/state.ts';
import { storedAnnotations } from '../container/stored-annotations.ts';
import { stateReport } from '../container/state-report.ts';
import { currentStatus } from '../container/status.ts';
import type { Command } from './command.ts';

export const command: Command = {
  name: 'state', summary: 'print the state of a container as JSON', words: 'CONTAINER', least: 1, most: 1, flags: [],
  examples: ['runt state web'],
  run: (call) => {
    const { root } = call.globals;
    const id = call.words[0]!;
    const state = readState(root, id);
    call.stdout(stateReport(state, storedAnnotations(root, id), currentStatus(state, `${root}/${id}`)));
    return 0;
  },
};
