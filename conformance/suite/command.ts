// Starts commands with their streams in files, because a created container keeps the pipes of its creator; ends them in time.
import { spawn, type StdioOptions } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';

export interface Result {
  /** Exit status; 128 + signal; 124 where time ran out. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly cwd?: string;
  readonly seconds: number;
  /** Descriptors beyond the standard ones, from 3 on: files to open. */
  readonly files?: readonly string[];
}

export interface Running {
  readonly pid: number;
  readonly done: Promise<Result>;
  readonly output: () => string;
  readonly kill: (signal?: NodeJS.Signals) => void;
}

// The end of a killed command may come after its case was cleaned up.
const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Starts a command in a session of its own; `name` is where its streams go: name.in, name.out, name.err. */
export function start(name: string, path: string, args: readonly string[], options: CommandOptions): Running {
  writeFileSync(`${name}.in`, options.input ?? '');
  const streams = [openSync(`${name}.in`, 'r'), openSync(`${name}.out`, 'w'), openSync(`${name}.err`, 'w'), ...(options.files ?? []).map((file) => openSync(file, 'r'))];
  const child = spawn(path, args, { stdio: streams as StdioOptions, env: options.env ?? {}, detached: true, ...(options.cwd === undefined ? {} : { cwd: options.cwd }) });
  for (const one of streams) closeSync(one);
  const kill = (signal: NodeJS.Signals = 'SIGKILL'): void => {
    try {
      process.kill(signal === 'SIGKILL' ? -child.pid! : child.pid!, signal);
    } catch {
      // Already gone.
    }
  };
  const done = new Promise<Result>((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      kill();
    }, options.seconds * 1000);
    const end = (code: number, problem = ''): void => {
      clearTimeout(timer);
      resolve({ code, stdout: read(`${name}.out`), stderr: read(`${name}.err`) + problem });
    };
    child.on('error', (error) => end(127, `${path}: ${error.message}\n`));
    child.on('exit', (status, signal) => end(late ? 124 : (status ?? 128 + signals[signal!]!), late ? `no answer after ${options.seconds} s\n` : ''));
  });
  return { pid: child.pid ?? 0, done, output: () => read(`${name}.out`), kill };
}

const signals: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGSYS: 31 };

export const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));
