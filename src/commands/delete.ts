// `runt delete`.
import { deleteContainer } from '../container/delete.ts';
import { RuntimeError } from '../errors.ts';
import { isOn, valueOf, type Command } from './command.ts';

export const command: Command = {
  name: 'delete', summary: 'remove a stopped or created container and what it held', words: 'CONTAINER', least: 1, most: 1,
  flags: [
    { name: 'force', short: 'f', help: 'kill it first; a missing container is no error' },
    { name: 'pid', value: 'PID', help: 'only the container whose init has this pid; another that has the id by now stays' },
  ],
  examples: ['runt delete web', 'runt delete --force web'],
  run: async (call) => {
    const pid = valueOf(call, 'pid');
    if (pid !== undefined && !/^[1-9]\d{0,8}$/.test(pid)) throw new RuntimeError(`invalid value "${pid}" for -pid`, { hint: 'a process id' });
    await deleteContainer(call.globals.root, call.words[0]!, { force: isOn(call, 'force'), pid: pid === undefined ? undefined : Number(pid) }, call.warn);
    return 0;
  },
};
