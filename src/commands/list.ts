// `runt list`.
import { existsSync, readFileSync } from 'node:fs';
import { containerIds, readState } from '../container/state.ts';
import { storedAnnotations } from '../container/stored-annotations.ts';
import { stateObject } from '../container/state-report.ts';
import { currentStatus } from '../container/status.ts';
import { formatOf, isOn, type Command } from './command.ts';

const names = new Map<number, string>();

/** Looked up once each: a host may have a thousand containers, and most have one owner. */
function userName(uid: number): string {
  let name = names.get(uid);
  if (name === undefined) {
    const line = existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8').split('\n').find((row) => row.split(':')[2] === String(uid)) : undefined;
    names.set(uid, (name = line?.split(':')[0] ?? `#${uid}`));
  }
  return name;
}

/** Columns as wide as their widest cell and three spaces, as Go's tabwriter would. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)) + 3);
  return rows.map((row) => `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!))).join('')}\n`).join('');
}

export const command: Command = {
  name: 'list', summary: 'list containers of this root', words: '', least: 0, most: 0,
  flags: [
    { name: 'format', short: 'f', value: 'table|json', help: 'default: table' },
    { name: 'quiet', short: 'q', help: 'ids only' },
  ],
  examples: ['runt list', 'runt list --format json'],
  run: (call) => {
    const { root } = call.globals;
    const format = formatOf(call);
    const found = containerIds(root).flatMap((id) => {
      try {
        const state = readState(root, id);
        return [{ ...stateObject(state, format === 'json' ? storedAnnotations(root, id) : undefined, currentStatus(state, `${root}/${id}`)), owner: userName(state.owner) } as Record<string, unknown>];
      } catch (error) {
        if (existsSync(`${root}/${id}`)) call.warn(`${id}: ${(error as Error).message}`);
        return [];
      }
    });
    if (isOn(call, 'quiet')) call.stdout(found.map(({ id }) => `${String(id)}\n`).join(''));
    else if (format === 'json') call.stdout(`${found.length === 0 ? 'null' : JSON.stringify(found)}\n`);
    else call.stdout(tableText([['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'], ...found.map((one) => ['id', 'pid', 'status', 'bundle', 'created', 'owner'].map((key) => String(one[key])))]));
    return 0;
  },
};
