// Runs scenarios of runtimes, interleaved, through the timer program; memory of containers by /proc.
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sharedRootfs, until } from '../harness.ts';
import type { Programs } from './engines.ts';
import { lifecycle, type Scenario } from './scenarios.ts';

export interface Runtime {
  readonly name: string;
  readonly path: string;
  /** The C program: it runs /bin/true in a root and has no other commands. */
  readonly isFloor?: boolean;
  /** Programs that stand for its engine in the scenarios of these names. */
  readonly programs?: Programs;
}

/** Milliseconds of each run, of each batch for a parallel scenario, and the largest ru_maxrss in KB. */
export interface Samples {
  readonly milliseconds: number[];
  memory: number;
}

export interface Memory {
  /** PSS in KB of init while it waits for start, and of all processes of the container. */
  readonly before: number;
  readonly after: number;
}

const BATCH = 5;
const PARALLEL_RUNS = 50;

export class Bench {
  readonly work: string;
  readonly timer: string;
  readonly samples = new Map<string, Samples>();
  readonly memory = new Map<string, Memory>();
  readonly failed = new Map<string, string>();

  constructor(work: string, timer: string) {
    this.work = work;
    this.timer = timer;
  }

  of(runtime: string, scenario: string): Samples | undefined {
    return this.samples.get(`${runtime}\0${scenario}`);
  }

  /** One round: BATCH runs of each scenario of each runtime. A scenario that fails is left out of later rounds, with the reason. */
  round(number: number, runtimes: readonly Runtime[], list: readonly Scenario[], progress: (text: string) => void): void {
    for (const runtime of runtimes) {
      for (const scenario of list) {
        const key = `${runtime.name}\0${scenario.name}`;
        if (this.failed.has(key) || (runtime.isFloor === true && scenario.floor !== true) || (scenario.isEngine === true && runtime.programs?.[scenario.name] === undefined)) continue;
        // Fifty runs at once say enough in a few rounds.
        if (scenario.parallel !== undefined && number % 4 !== 0) continue;
        progress(`${runtime.name}: ${scenario.name}`);
        try {
          this.#measure(runtime, scenario, number * BATCH);
        } catch (error) {
          this.failed.set(key, (error as Error).message);
          this.samples.delete(key);
        }
        if (scenario.name === 'create' && !runtime.isFloor && !this.memory.has(runtime.name)) this.#measureMemory(runtime, list);
      }
    }
  }

  #words(runtime: Runtime, words: readonly string[], bare = false): readonly string[] {
    if (runtime.isFloor === true) return [runtime.path, sharedRootfs(), '/bin/true'];
    const own = runtime.name.replace(/\W/g, '');
    return [runtime.path, ...(bare ? [] : ['--root', join(this.work, own)]), ...words.map((word) => word.replace('%i', own))];
  }

  #call(runtime: Runtime, words: readonly string[]): void {
    const [path, ...args] = this.#words(runtime, words);
    const done = spawnSync(path!, args, { stdio: 'ignore', timeout: 60_000 });
    if (done.status !== 0) throw new Error(`${words.join(' ')}: status ${String(done.status)}`);
  }

  #measure(runtime: Runtime, scenario: Scenario, offset: number): void {
    for (const words of scenario.before ?? []) this.#call(runtime, words);
    const file = join(this.work, 'times'), isParallel = scenario.parallel !== undefined;
    const args = [String(isParallel ? PARALLEL_RUNS : BATCH), String(scenario.parallel ?? 1), file, ...(runtime.programs?.[scenario.name] ?? this.#words(runtime, scenario.words, scenario.bare))];
    try {
      // A file, because created containers hold on to the streams of their creator.
      const errors = openSync(`${file}.err`, 'w');
      const done = spawnSync(this.timer, args, { stdio: ['ignore', 'ignore', errors], timeout: 300_000, env: { PATH: process.env['PATH'], TIMER_OFFSET: String(offset) } });
      closeSync(errors);
      if (done.status !== 0) throw new Error(`status ${String(done.status)}: ${readFileSync(`${file}.err`, 'utf8').trim().split('\n').at(-1) ?? ''}`);
    } finally {
      for (const words of scenario.after ?? []) this.#call(runtime, words);
    }
    const lines = readFileSync(file, 'utf8').trim().split('\n'), single = lines.filter((line) => !line.startsWith('all')).map((line) => line.split(' ').map(Number));
    const key = `${runtime.name}\0${scenario.name}`, samples = this.samples.get(key) ?? { milliseconds: [], memory: 0 };
    samples.milliseconds.push(...(isParallel ? [Number(lines.at(-1)!.slice(4)) / 1e6] : single.map(([time]) => time! / 1e6)));
    samples.memory = Math.max(samples.memory, ...single.map(([, kilobytes]) => kilobytes!));
    this.samples.set(key, samples);
  }

  #measureMemory(runtime: Runtime, list: readonly Scenario[]): void {
    const create = list.find(({ name }) => name === 'create')!;
    const id = `${runtime.name.replace(/\W/g, '')}m`;
    this.#call(runtime, [...create.words.slice(0, -1), id]);
    try {
      const [path, ...args] = this.#words(runtime, ['state', id]);
      const { pid } = JSON.parse(execFileSync(path!, args, { encoding: 'utf8' })) as { pid: number };
      const before = pss(pid);
      this.#call(runtime, ['start', id]);
      until('the program runs', () => existsSync(`/proc/${pid}/comm`) && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'sleep');
      // Some start commands return before execve: a program that has only begun has touched little of itself.
      let after = 0;
      until('the program has settled', () => after === (after = pss(pid)));
      this.memory.set(runtime.name, { before, after });
    } finally {
      this.#call(runtime, ['delete', '--force', id]);
    }
  }
}

function pss(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}

/** A series must be complete for its successor to make sense: start needs the containers of create. */
export function chosen(list: readonly Scenario[], filter: string | undefined): readonly Scenario[] {
  if (filter === undefined) return list;
  const wanted = new Set(list.filter(({ name }) => name.includes(filter)).map(({ name }) => name));
  return list.filter(({ name }) => wanted.has(name) || (lifecycle.includes(name) && lifecycle.some((one) => wanted.has(one))));
}
