// Help texts, made from the tables.
import type { Command, Flag } from './command.ts';
import { table } from './table.ts';

const COLUMN = 30;

export const globalFlags: readonly Flag[] = [
  { name: 'root', value: 'DIR', help: 'directory of container state (default: /run/runt, or $XDG_RUNTIME_DIR/runt)' },
  { name: 'log', value: 'FILE', help: 'append the error to FILE as well, one line' },
  { name: 'log-format', value: 'text|json', help: 'format of that line (default: text)' },
  { name: 'log-level', value: 'LEVEL', help: 'accepted for callers of crun', hidden: true },
  { name: 'debug', help: 'show the stack of an internal error' },
  { name: 'systemd-cgroup', help: 'use the systemd cgroup driver' },
  { name: 'cgroup-manager', value: 'MANAGER', help: 'cgroupfs, systemd or disabled (default: cgroupfs)' },
  { name: 'rootless', value: 'true|false|auto', help: 'accepted for callers of runc; what the user may do is found out' },
  { name: 'help', short: 'h', help: 'show help' },
  { name: 'version', short: 'v', help: 'show the version' },
];

export function flagLines(flags: readonly Flag[]): string {
  return flags.filter((flag) => flag.hidden !== true).map((flag) => {
    const names = `${flag.short === undefined ? '' : `-${flag.short}, `}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
    return `  ${names.padEnd(COLUMN)} ${flag.help}\n`;
  }).join('');
}

export function globalHelp(): string {
  const commands = Object.entries(table).map(([name, { summary }]) => `  ${name.padEnd(COLUMN)} ${summary}\n`).join('');
  return `runt - OCI container runtime: a bundle compiles to a program of system calls, and the program runs\n\nusage: runt [flags] command [flags] [words]\n\ncommands:\n${commands}\nflags:\n${flagLines(globalFlags)}\nrunt COMMAND --help tells more.\n`;
}

export function commandHelp(command: Command): string {
  const examples = command.examples.map((example) => `  ${example}\n`).join('');
  const flags = [...command.flags, { name: 'help', short: 'h', help: 'show this help' }];
  return `runt ${command.name} - ${command.summary}\n\nusage: runt ${command.name} [flags] ${command.words}\n\nflags:\n${flagLines(flags)}${command.notes === undefined ? '' : `\n${command.notes}\n`}\nexamples:\n${examples}`;
}
