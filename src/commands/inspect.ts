// `runt inspect`: what was asked beside what is.
import { inspectRows, type InspectRow } from '../check/inspect.ts';
import { paintFor, type Paint } from '../color.ts';
import { currentConfig } from '../container/limits.ts';
import { readState } from '../container/state.ts';
import { currentStatus } from '../container/status.ts';
import { RuntimeError } from '../errors.ts';
import { isOn, valueOf, type Command } from './command.ts';

export const command: Command = {
  name: 'inspect', summary: 'compare what config.json asked with what the kernel has now', words: 'CONTAINER', least: 1, most: 1,
  flags: [
    { name: 'format', short: 'f', value: 'text|json', help: 'default: text; a difference is marked with !' },
    { name: 'differences', short: 'd', help: 'only what differs' },
  ],
  examples: ['runt inspect web', 'runt inspect --differences web', 'runt inspect --format json web'],
  notes: 'A process may have changed itself since: its ids, limits, working directory and words.',
  run: (call) => {
    const { root } = call.globals;
    const id = call.words[0]!;
    const format = valueOf(call, 'format') ?? 'text';
    if (format !== 'text' && format !== 'json') throw new RuntimeError(`invalid format option: ${format}`, { hint: 'text or json' });
    const state = readState(root, id);
    const status = currentStatus(state, `${root}/${id}`);
    if (status === 'stopped' || status === 'creating') throw new RuntimeError(`container ${id} is ${status}: there is no process to look at`, { hint: `runt trace ${id} shows how it was made` });
    const rows = inspectRows(state, currentConfig(`${root}/${id}`)).filter(({ differs }) => differs || !isOn(call, 'differences'));
    call.stdout(format === 'json' ? `${JSON.stringify({ id, pid: state.pid, status, rows }, null, 2)}\n` : inspectText(rows, `${id}: ${status}, pid ${state.pid}`, paintFor(1)));
    return 0;
  },
};

function inspectText(rows: readonly InspectRow[], title: string, paint: Paint): string {
  const width = Math.min(34, Math.max(0, ...rows.map(({ what }) => what.length)));
  let text = `${paint('bold', title)}\n`;
  let section = '';
  for (const row of rows) {
    if (row.section !== section) text += `${paint('bold', (section = row.section))}\n`;
    const line = `${row.what.padEnd(width)}  ${row.actual || '(none)'}`;
    if (!row.differs) text += `  ${line}\n`;
    else text += `${paint('red', `! ${line}`)}\n  ${' '.repeat(width)}  asked: ${row.asked} (${row.at})\n`;
  }
  const differing = rows.filter(({ differs }) => differs).length;
  return `${text}${differing === 0 ? paint('green', 'all is as config.json asked\n') : paint('red', `${differing} differ from config.json\n`)}`;
}
