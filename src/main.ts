// argv → verb → exit status. The only place that prints an error.
import { CLOSE_RANGE_CLOEXEC } from '../native/linux/constants.ts';
import { koffi } from '../native/linux/koffi.ts';
import { call } from '../native/linux/syscalls.ts';
import { parseArguments, type Parsed } from './commands/arguments.ts';
import type { Call, Command, Globals } from './commands/command.ts';
import { commandHelp, globalFlags, globalHelp } from './commands/help.ts';
import { table } from './commands/table.ts';
import { isInitialUserNamespace } from './container/user-namespace.ts';
import { RuntimeError } from './errors.ts';
import { appendLog, errorSentence, formatError, logLine, write } from './log.ts';

/** Beyond the standard streams. */
const FIRST_INHERITED = 3;

interface Log {
  readonly path: string | undefined;
  readonly format: 'text' | 'json';
  readonly debug: boolean;
}

/** Runs one command line (without the program's own name). Resolves to the exit status; throws nothing. */
export async function main(argv: readonly string[]): Promise<number> {
  let subject = '';
  let log: Log = { path: undefined, format: 'text', debug: false };
  try {
    const parsed = parseArguments(argv, globalFlags);
    log = { path: flagText(parsed, 'log'), format: parsed.flags['log-format'] === 'json' ? 'json' : 'text', debug: parsed.flags['debug'] === true };
    const [name, ...rest] = parsed.words;
    if (parsed.flags['version'] === true) return await print((await import('./commands/version.ts')).versionText());
    if (name === undefined || name === 'help' || parsed.flags['help'] === true) return await print(globalHelp());
    subject = `${name}: `;
    const command = await loadCommand(name);
    if (rest.includes('--help') || rest[0] === '-h') {
      const before = rest.slice(0, rest.findIndex((word) => word === '--help' || word === '-h'));
      if (before.every((word) => word.startsWith('-'))) return await print(commandHelp(command));
    }
    const { flags, words } = parseCommand(command, rest);
    subject = words[0] === undefined || command.least === 0 ? subject : `${name} ${words[0]}: `;
    const call: Call = { words, flags, globals: globalsOf(parsed, argv.length - parsed.words.length), stdout: (text) => write(1, text), warn: (text) => warn(text, subject, log) };
    return await command.run(call);
  } catch (error) {
    return report(error, subject, log);
  }
}

async function loadCommand(name: string): Promise<Command> {
  const row = table[name];
  if (row?.calls === true) {
    koffi();
    call('close_range', FIRST_INHERITED, 0xffff_ffff, CLOSE_RANGE_CLOEXEC); // the caller's are for the container where it asks for them, and for no hook
  }
  if (row !== undefined) return (await row.load()).command;
  throw new RuntimeError(`no such command: ${name}`, { usage: true, hint: 'runt --help lists the commands' });
}

function parseCommand(command: Command, argv: readonly string[]): Parsed {
  const parsed = parseArguments(argv, command.flags);
  const { length } = parsed.words;
  if (length < command.least || length > command.most) {
    const wanted = command.least === command.most ? `exactly ${command.least}` : command.most === Infinity ? `a minimum of ${command.least}` : `${command.least} to ${command.most}`;
    throw new RuntimeError(`"${command.name}" requires ${wanted} argument(s): ${command.words}, got ${length}`, { usage: true });
  }
  return parsed;
}

const flagText = ({ flags }: Parsed, name: string): string | undefined => (typeof flags[name] === 'string' ? (flags[name] as string) : undefined);

function globalsOf(parsed: Parsed, count: number): Globals {
  const format = flagText(parsed, 'log-format') ?? 'text';
  if (format !== 'text' && format !== 'json') throw new RuntimeError(`invalid log-format: ${format}`, { hint: 'text or json' });
  const manager = parsed.flags['systemd-cgroup'] === true ? 'systemd' : (flagText(parsed, 'cgroup-manager') ?? 'cgroupfs');
  if (manager !== 'cgroupfs' && manager !== 'systemd' && manager !== 'disabled') throw new RuntimeError(`unknown cgroup manager ${manager}`, { hint: 'cgroupfs, systemd or disabled' });
  const rootless = flagText(parsed, 'rootless') ?? 'auto';
  if (!['true', 'false', 'auto'].includes(rootless)) throw new RuntimeError(`invalid value "${rootless}" for -rootless`, { hint: 'true, false or auto' });
  return { root: rootOf(flagText(parsed, 'root')), log: flagText(parsed, 'log'), logFormat: format, debug: parsed.flags['debug'] === true, cgroupManager: manager, count };
}

/** The state root, absolute. Neither empty nor `/`: state directories would lie among the host's. */
function rootOf(given: string | undefined): string {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  const root = given ?? (runtime && !isHostsRoot() ? `${runtime}/runt` : '/run/runt');
  const absolute = root.startsWith('/') ? root : `${process.cwd()}/${root}`;
  const clean = `/${absolute.split('/').filter((word) => word !== '').join('/')}`;
  if (root === '' || clean === '/') throw new RuntimeError(`invalid value for --root: ${JSON.stringify(root)}`, { hint: 'a directory of its own' });
  return clean;
}

/** As runc: root of a user namespace has a runtime directory of its own, unless it says that it is `root` (rootless Podman keeps USER). */
function isHostsRoot(): boolean {
  return process.geteuid!() === 0 && (isInitialUserNamespace() || process.env['USER'] === 'root');
}

async function print(text: string): Promise<number> {
  write(1, text);
  return 0;
}

/** What the engine's own file functions throw: their call, path and errno say enough. Anything else should not have happened. */
function understood(error: unknown): RuntimeError {
  const { code, syscall, path, message } = error as NodeJS.ErrnoException;
  if (code !== undefined && syscall !== undefined) return new RuntimeError(`${syscall}${path === undefined ? '' : ` ${path}`}: ${code}`, { errno: code });
  return new RuntimeError(`internal error: ${String(message ?? error).split('\n')[0]}`);
}

/** To the log where there is one, as runc: standard error of a create is the container's own. */
function warn(text: string, subject: string, log: Log): void {
  if (log.path === undefined) write(2, `runt: ${subject}warning: ${text}\n`);
  else toLog(log, log.path, `${subject}${text}`, 'warning');
}

function toLog(log: Log, path: string, message: string, level: 'error' | 'warning'): void {
  const problem = appendLog(path, logLine(log.format, message, new Date().toISOString().replace(/\.\d+Z$/, 'Z'), level));
  if (problem !== undefined) write(2, `runt: ${problem}\n`);
}

function report(error: unknown, subject: string, log: Log): number {
  const known = error instanceof RuntimeError ? error : understood(error);
  write(2, formatError(known, subject));
  if (log.debug && !(error instanceof RuntimeError)) write(2, `${(error as Error).stack}\n`);
  if (known.details.usage === true) write(1, globalHelp());
  if (log.path !== undefined) toLog(log, log.path, `${subject}${errorSentence(known)}`, 'error');
  return known.details.exitCode ?? 1;
}
