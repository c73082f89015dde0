// `runt ps`: the host's ps(1), and of its lines those of the container.
import { spawnSync } from 'node:child_process';
import { processesOf } from '../container/processes.ts';
import { readState } from '../container/state.ts';
import { RuntimeError } from '../errors.ts';
import { formatOf, type Command } from './command.ts';

export const command: Command = {
  name: 'ps', summary: 'list the processes of a container', words: 'CONTAINER [PS OPTIONS]', least: 1, most: Infinity,
  flags: [{ name: 'format', short: 'f', value: 'table|json', help: 'default: table; json is a list of pids' }],
  examples: ['runt ps web', 'runt ps web -o pid,stat,args', 'runt ps --format json web'],
  run: (call) => {
    const [id, ...options] = call.words;
    const format = formatOf(call);
    const pids = processesOf(readState(call.globals.root, id!));
    call.stdout(format === 'json' ? `${JSON.stringify(pids)}\n` : linesOf(pids, options.length === 0 ? ['-ef'] : options));
    return 0;
  },
};

function linesOf(pids: readonly number[], options: readonly string[]): string {
  const done = spawnSync('ps', [...options], { encoding: 'utf8' });
  if (done.error !== undefined) throw new RuntimeError('ps is not installed on this host', { hint: 'apt-get install procps, or --format json' });
  if (done.status !== 0) throw new RuntimeError(`ps ${options.join(' ')}: ${done.stderr.trim().split('\n')[0]}`);
  const [heading, ...lines] = done.stdout.split('\n');
  const column = heading!.trim().split(/\s+/).indexOf('PID');
  if (column < 0) throw new RuntimeError("couldn't find PID field in ps output", { hint: 'the options must leave the PID column' });
  const mine = lines.filter((line) => pids.includes(Number(line.trim().split(/\s+/)[column])));
  return `${[heading, ...mine].join('\n')}\n`;
}
