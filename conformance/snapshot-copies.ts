// Copies of the executable with a snapshot of its engine beside it, with another one, or with none: which way a call goes, and what it says.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Result } from './harness.ts';

/** Why a runtime has no snapshot to be tested; undefined where it has. */
export const whyNoSnapshot = (): string | undefined => (process.arch === 'x64' ? undefined : 'snapshots are for x86-64');

const copy = (...words: string[]): boolean => spawnSync('cp', words).status === 0;

interface Places {
  /** Below the directory that holds all of it: the runtime, what it needs (of a directory its files), its snapshot, and what is executed with it and without. */
  readonly runtime: string;
  readonly files: readonly string[];
  readonly snapshot: string;
  readonly resumed: string;
  readonly started: string;
}

const executable: Places = { runtime: 'runt', files: ['runt', 'runt-init', 'runt-copies.so', 'koffi-c.so', 'librtstdc++.so', 'engine/snapshot'], snapshot: 'engine/snapshot', resumed: 'runt', started: 'engine/runt' };
const node: Places = {
  runtime: 'bin/runt', files: ['bin/runt', 'dist', 'dist/node'],
  snapshot: 'dist/node/snapshot', resumed: 'dist/node/launcher', started: realpathSync(process.execPath),
};
const placesOf = (path: string): Places => (path.endsWith('bin/runt') ? node : executable);
const directoryOf = (path: string): string => path.slice(0, -placesOf(path).runtime.length - 1);

/** Where the snapshot of a runtime's engine lies, and the engine that is its own (Node is everybody's). */
export const snapshotOf = (path: string): string => join(directoryOf(path), placesOf(path).snapshot);

/** What is installed, in a directory of its own: the path of the runtime there. Times are kept, by which a snapshot knows its engine; the executable's engine is a link. */
export function copyOf(path: string, directory: string, snapshot: 'with' | 'without'): string {
  const from = directoryOf(path), places = placesOf(path);
  for (const name of places.files) {
    if (name === places.snapshot && !existsSync(join(from, name))) continue;
    const files = statSync(join(from, name)).isDirectory() ? readdirSync(join(from, name), { withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(name, entry.name)) : [name];
    mkdirSync(dirname(join(directory, files[0]!)), { recursive: true });
    for (const file of files) if (!copy('-p', join(from, file), join(directory, file))) throw new Error(`${file} is missing in ${from}`);
  }
  if (places === executable && !copy('-pl', join(from, 'engine/runt'), join(directory, 'engine/runt')) && !copy('-p', join(from, 'engine/runt'), join(directory, 'engine/runt'))) throw new Error('the engine cannot be copied');
  if (snapshot === 'without') rmSync(join(directory, places.snapshot));
  return join(directory, places.runtime);
}

export interface Way {
  readonly way: 'snapshot' | 'engine';
  readonly code: number | null;
  readonly stderr: string;
  readonly log: string;
}

/** A call that says what is wrong and then cannot write its log, a FIFO: it is looked at meanwhile. `before` executes what follows it. */
async function look(path: string, before: readonly string[]): Promise<Way> {
  const fifo = join(dirname(path), `.fifo${process.pid}`);
  rmSync(fifo, { force: true });
  spawnSync('mkfifo', ['-m', '666', fifo]);
  const [program, ...words] = [...before, path, '--log', fifo, 'nothing'];
  const child = spawn(program!, words, { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'] } });
  let stderr = '';
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const spoke = new Promise<void>((resolve) => child.stderr.on('data', (text: Buffer) => (stderr += text.toString()).includes('lists the commands') && resolve()));
  await Promise.race([spoke, ended]);
  if (child.exitCode !== null || child.signalCode !== null) return { way: 'engine', code: child.exitCode, stderr, log: '' };
  const executed = readlinkSync(`/proc/${child.pid}/exe`);
  const isMapped = readFileSync(`/proc/${child.pid}/maps`, 'utf8').includes(snapshotOf(path));
  const log = spawn('timeout', ['20', 'cat', fifo], { stdio: ['ignore', 'pipe', 'ignore'] });
  let logged = '';
  log.stdout.on('data', (text: Buffer) => void (logged += text.toString()));
  await new Promise((resolve) => log.on('close', resolve));
  rmSync(fifo);
  if (executed !== resolve(directoryOf(path), isMapped ? placesOf(path).resumed : placesOf(path).started)) throw new Error(`${executed} runs, ${isMapped ? 'with' : 'without'} the snapshot`);
  return { way: isMapped ? 'snapshot' : 'engine', code: await ended, stderr, log: logged };
}

/** Some times over where a snapshot is expected: now and then the new process has something of its own where the engine had. */
export async function wayOf(path: string, expected: Way['way'], before: readonly string[] = []): Promise<Way> {
  for (let tries = expected === 'snapshot' ? 6 : 1; ; tries--) {
    const found = await look(path, before);
    if (found.way === expected || tries === 1) return found;
  }
}

/** One call, with nothing of ours in its environment but PATH. */
export function called(path: string, words: readonly string[], options: { readonly before?: readonly string[]; readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}): Result {
  const [program, ...all] = [...(options.before ?? []), path, ...words];
  const done = spawnSync(program!, all, { encoding: 'utf8', timeout: 60_000, env: options.env ?? { PATH: process.env['PATH'] }, cwd: options.cwd ?? '/', maxBuffer: 1 << 26, input: '' });
  if (done.error !== undefined) throw done.error;
  return { code: done.status ?? 1000, stdout: done.stdout.replaceAll(directoryOf(path), 'HERE'), stderr: done.stderr.replaceAll(directoryOf(path), 'HERE') };
}
