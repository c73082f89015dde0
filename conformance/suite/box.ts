// What one case works in: a directory, a state root, ids of its own, and a way back to a clean host whatever the runtime did.
import { chmodSync, copyFileSync, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from './check.ts';
import { endCgroups, endProcesses, unmountAll } from './cleanup.ts';
import { sleep, start, type CommandOptions, type Result, type Running } from './command.ts';
import { probeConfig, type Change, type Config } from './config.ts';
import { parseLines, type Facts, type Line } from './facts.ts';
import { isAlive } from './host.ts';

export interface Settings {
  readonly runtime: string;
  readonly probe: string;
  /** Multiplies every time limit. */
  readonly slow: number;
}

type CallOptions = Partial<CommandOptions>;
const quote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

export class Box {
  readonly settings: Settings;
  readonly token: string;
  readonly directory: string;
  readonly root: string;
  /** Lines of a script that does what the case did. */
  readonly script: string[] = [];
  /** Figures and remarks for the report. */
  readonly notes: string[] = [];
  readonly #ids: string[] = [];
  readonly #running = new Set<Running>();
  #count = 0;
  #ended = false;

  constructor(settings: Settings) {
    this.settings = settings;
    this.directory = mkdtempSync(join(tmpdir(), 'conformance-'));
    chmodSync(this.directory, 0o755);
    this.token = `oci${this.directory.slice(-6).replace(/\W/g, 'x')}`;
    this.root = join(this.directory, 'state');
  }

  note(text: string): void {
    this.notes.push(text);
  }

  /** An id that no other container has. */
  id(): string {
    const id = `${this.token}-${this.#count++}`;
    this.#ids.push(id);
    return id;
  }

  /** A path in the directory of the case. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /** A directory for hosts' files that the container sees. */
  folder(name: string): string {
    mkdirSync(this.path(name), { recursive: true });
    chmodSync(this.path(name), 0o755);
    return this.path(name);
  }

  /** A bundle with a rootfs that holds the probe, and its path. `words` are the probe's. */
  bundle(words: readonly string[], change: Change = () => {}): string {
    const config = probeConfig(this.token, words);
    const bundle = this.path(`bundle${this.#count++}`);
    const rootfs = join(bundle, 'rootfs');
    for (const name of ['proc', 'dev', 'sys', 'tmp', 'etc', 'bin', 'root', 'data']) mkdirSync(join(rootfs, name), { recursive: true });
    for (const path of [bundle, rootfs]) chmodSync(path, 0o755);
    copyFileSync(this.settings.probe, join(rootfs, 'probe'));
    chmodSync(join(rootfs, 'probe'), 0o755);
    writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/probe\nuser:x:1000:1000:user:/home/user:/probe\n');
    writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\nuser:x:1000:\n');
    change(config);
    return this.write(bundle, config);
  }

  /** Writes config.json of a bundle. */
  write(bundle: string, config: Config | object): string {
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config, null, 2));
    return bundle;
  }

  /** Starts any command, known to the script and to the end of the case. */
  spawn(path: string, args: readonly string[], options: CallOptions = {}): Running {
    if (this.#ended) throw new Failure('the case is over');
    const env = options.env ?? { PATH: process.env['PATH'], CONFORMANCE: this.token };
    const before = [options.cwd === undefined ? '' : `cd ${quote(options.cwd)} && `, options.env === undefined ? '' : `env -i ${Object.entries(env).map(([name, value]) => quote(`${name}=${value}`)).join(' ')} `].join('');
    const after = [options.input === undefined ? '</dev/null' : `<<<${quote(options.input)}`, ...(options.files ?? []).map((file, index) => `${index + 3}<${quote(file)}`)].join(' ');
    this.script.push(`(${before}${[path, ...args].map(quote).join(' ')} ${after})`);
    const running = start(this.path(`.command${this.#count++}`), path, args, { ...options, env, seconds: (options.seconds ?? 30) * this.settings.slow });
    this.#running.add(running);
    void running.done.then(() => this.#running.delete(running));
    return running;
  }

  /** Starts the runtime with its state root. */
  launch(args: readonly string[], options: CallOptions = {}): Running {
    return this.spawn(this.settings.runtime, ['--root', this.root, ...args], options);
  }

  /** Calls the runtime and waits. */
  call(args: readonly string[], options: CallOptions = {}): Promise<Result> {
    return this.launch(args, options).done;
  }

  /** As call, and a failure is the case's. */
  async must(args: readonly string[], options: CallOptions = {}): Promise<Result> {
    const result = await this.call(args, options);
    if (result.code !== 0) throw new Failure(`${args[0]} ended with ${result.code}: ${result.stderr.trim() || result.stdout.trim()}`);
    return result;
  }

  /** Runs the probe in a container to its end: what it printed, a line for each command. */
  async probe(words: readonly string[], change: Change = () => {}, options: CallOptions & { readonly flags?: readonly string[]; readonly least?: number } = {}): Promise<readonly Line[]> {
    const result = await this.call(['run', ...(options.flags ?? []), '--bundle', this.bundle(words, change), this.id()], options);
    if (result.code !== 0) throw new Failure(`run ended with ${result.code}: ${result.stderr.trim() || result.stdout.slice(-300)}`);
    const lines = parseLines(result.stdout);
    if (lines.length < (options.least ?? 1)) throw new Failure(`the process printed nothing: ${result.stdout}${result.stderr}`);
    return lines;
  }

  async facts(change: Change = () => {}, options: CallOptions & { readonly flags?: readonly string[] } = {}): Promise<Facts> {
    const [line] = await this.probe(['facts'], change, options);
    if (line?.facts === undefined) throw new Failure('the process printed no facts');
    return line.facts;
  }

  /** Creates a container; what it and the runtime print is in the result of output(). */
  async create(words: readonly string[] = ['sleep'], change: Change = () => {}, ...flags: readonly string[]): Promise<Created> {
    const bundle = this.bundle(words, change), id = this.id();
    const running = this.launch(['create', ...flags, '--bundle', bundle, id]);
    const result = await running.done;
    if (result.code !== 0) throw new Failure(`create ended with ${result.code}: ${result.stderr.trim()}`);
    return { id, bundle, output: running.output, lines: () => parseLines(running.output()) };
  }

  /** A container that runs. */
  async started(words: readonly string[] = ['sleep'], change: Change = () => {}, ...flags: readonly string[]): Promise<Created> {
    const made = await this.create(words, change, ...flags);
    await this.must(['start', made.id]);
    return made;
  }

  /** Creating must be refused, and leave nothing. The message. */
  async refused(change: Change, words: readonly string[] = ['facts']): Promise<string> {
    const bundle = this.bundle(words, change), id = this.id();
    const result = await this.call(['create', '--bundle', bundle, id]);
    if (result.code === 0) throw new Failure('create succeeded');
    if (result.code === 124) throw new Failure('create gave no answer');
    if ((await this.call(['state', id])).code === 0) throw new Failure(`create failed (${result.stderr.trim()}) and left a container`);
    return result.stderr;
  }

  async state(id: string): Promise<Record<string, unknown>> {
    const { stdout } = await this.must(['state', id]);
    try {
      return JSON.parse(stdout) as Record<string, unknown>;
    } catch {
      throw new Failure(`state is not JSON: ${stdout}`);
    }
  }

  async pid(id: string): Promise<number> {
    return Number((await this.state(id))['pid']);
  }

  async status(id: string): Promise<unknown> {
    return (await this.state(id))['status'];
  }

  /** Waits until something holds; the case fails with its name after ten seconds. */
  async until(what: string, condition: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
    const end = Date.now() + seconds * 1000 * this.settings.slow;
    while (!(await condition())) {
      if (Date.now() > end || this.#ended) throw new Failure(`it did not happen: ${what}`);
      await sleep(5);
    }
  }

  /** Ends a container's process and waits until the runtime says stopped. */
  async stop(id: string): Promise<void> {
    await this.call(['kill', id, 'KILL']);
    await this.until(`${id} is stopped`, async () => (await this.status(id)) === 'stopped');
  }

  /** Waits for the end of a process. */
  gone(pid: number): Promise<void> {
    return this.until(`process ${pid} ends`, () => !isAlive(pid));
  }

  /** Ends everything, asked or not, and keeps bundles, streams and script in `keep` when one is given. */
  async close(keep?: string): Promise<void> {
    for (const running of this.#running) running.kill();
    // A state root without anything in it has no container, whatever the runtime keeps there.
    const isEmpty = !existsSync(this.root) || readdirSync(this.root).every((name) => name.startsWith('.'));
    for (const id of isEmpty ? [] : this.#ids) {
      await this.call(['delete', '--force', id], { seconds: 10 }).catch(() => undefined);
    }
    this.#ended = true;
    for (const running of this.#running) running.kill();
    await endProcesses(`CONFORMANCE=${this.token}`);
    await endCgroups(this.token);
    await unmountAll(this.directory);
    if (keep !== undefined) this.#keep(keep);
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 3 });
  }

  #keep(keep: string): void {
    rmSync(keep, { recursive: true, force: true });
    mkdirSync(keep, { recursive: true });
    rmSync(this.root, { recursive: true, force: true });
    cpSync(this.directory, keep, { recursive: true, verbatimSymlinks: true, filter: isPlain });
    const lines = this.script.map((line) => line.replaceAll(this.directory, '$PWD'));
    writeFileSync(join(keep, 'reproduce.sh'), `#!/bin/bash\n# What the case did, in order, up to its clean-up. Streams of the run itself are .commandN.{in,out,err}.\ncd "$(dirname "$0")" || exit 1\n${lines.join('\n')}\n`, { mode: 0o755 });
  }
}

/** Sockets, pipes and devices cannot be kept, and need not. */
function isPlain(path: string): boolean {
  const found = lstatSync(path);
  return found.isFile() || found.isDirectory() || found.isSymbolicLink();
}

export interface Created {
  readonly id: string;
  readonly bundle: string;
  readonly output: () => string;
  readonly lines: () => readonly Line[];
}

export const readJson = (path: string): Record<string, any> => JSON.parse(readFileSync(path, 'utf8')) as Record<string, any>;
