// The tables of docs/benchmarks.md.
import type { Bench, Runtime } from './measure.ts';
import { engineScenarios } from './engines.ts';
import { lifecycle, type Scenario } from './scenarios.ts';
import { median, percentile } from './statistics.ts';

type Cell = (runtime: Runtime) => string;

const figure = (value: number | undefined, digits = 1): string => (value === undefined || Number.isNaN(value) ? '-' : value.toFixed(digits));

export function markdown(bench: Bench, runtimes: readonly Runtime[], list: readonly Scenario[]): string {
  const head = (first: string): string[] => [`| ${first} | ${runtimes.map(({ name }) => name).join(' | ')} |`, `|---|${runtimes.map(() => '---:|').join('')}`];
  const row = (label: string, cell: Cell): string => `| ${label} | ${runtimes.map(cell).join(' | ')} |`;
  const middle = (runtime: Runtime, name: string): number | undefined => {
    const samples = bench.of(runtime.name, name);
    return samples === undefined ? undefined : median(samples.milliseconds);
  };
  const sum = (runtime: Runtime): number | undefined => {
    const parts = lifecycle.map((name) => middle(runtime, name));
    return parts.includes(undefined) ? undefined : parts.reduce((total: number, part) => total + part!, 0);
  };
  const single = list.filter(({ parallel }) => parallel === undefined), parallel = list.filter((one) => one.parallel !== undefined);
  const spread: Cell[] = [50, 95, 99].map((share) => (runtime) => {
    const samples = bench.of(runtime.name, 'run');
    return figure(samples === undefined ? undefined : percentile(samples.milliseconds, share));
  });
  const peers = runtimes.filter(({ name, isFloor }) => !name.startsWith('runt') && isFloor !== true);
  const ratio = (of: number | undefined, to: number | undefined): string => (of === undefined || to === undefined ? '-' : (of / to).toFixed(2));
  const count = Math.max(0, ...[...bench.samples.values()].map(({ milliseconds }) => milliseconds.length));
  return [
    `Milliseconds, median of ${count}, runtimes interleaved in one run; state on tmpfs, a private cgroup v2 view. "floor" is a C program that makes the calls of the default bundle and nothing else.`, '',
    ...head(''), ...single.map(({ name }) => row(name, (runtime) => figure(middle(runtime, name)))), row('create … delete, sum', (runtime) => figure(sum(runtime))), '',
    ...head('run, spread'), ...[50, 95, 99].map((share, index) => row(`p${share}`, spread[index]!)), '',
    ...head('50 runs: containers a second'), ...parallel.map((one) => row(`${one.parallel} at once`, (runtime) => {
      const time = middle(runtime, one.name);
      return time === undefined ? '-' : (50_000 / time).toFixed(0);
    })), '',
    ...head('memory, KB'), row('PSS of init before start', ({ name }) => String(bench.memory.get(name)?.before ?? '-')), row('PSS of init after start (busybox sleep)', ({ name }) => String(bench.memory.get(name)?.after ?? '-')),
    ...['run', ...lifecycle, 'exec'].map((name) => row(`peak of ${name} (ru_maxrss)`, (runtime) => String(bench.of(runtime.name, name)?.memory ?? '-'))), '',
    `| ratio | ${peers.map(({ name }) => `to ${name}`).join(' | ')} |`, `|---|${peers.map(() => '---:|').join('')}`,
    ...runtimes.filter(({ name }) => name.startsWith('runt')).flatMap((own) => [
      ...['run', 'exec', "run, a manager's seccomp profile", '50 runs, 50 at once'].map((name) => `| ${own.name}: ${name} | ${peers.map((peer) => ratio(middle(own, name), middle(peer, name))).join(' | ')} |`),
      `| ${own.name}: create … delete, sum | ${peers.map((peer) => ratio(sum(own), sum(peer))).join(' | ')} |`,
    ]), '',
    ...leastPossible(middle, runtimes), '',
    ...[...bench.failed].map(([key, reason]) => `- ${key.replace('\0', ', ')} could not be measured: ${reason}`),
  ].join('\n');
}

/** What `run` would take if engines were started, and runt itself took nothing: engine, koffi, and what the kernel does for a container. */
function leastPossible(middle: (runtime: Runtime, name: string) => number | undefined, runtimes: readonly Runtime[]): readonly string[] {
  const floor = runtimes.find(({ isFloor }) => isFloor === true);
  const container = floor === undefined ? undefined : middle(floor, 'run');
  const peers = runtimes.filter(({ name, isFloor }) => !name.startsWith('runt') && isFloor !== true);
  return runtimes.filter(({ programs }) => programs !== undefined).flatMap((own) => {
    const engine = middle(own, engineScenarios[1]), run = middle(own, 'run');
    if (engine === undefined || container === undefined || run === undefined) return [];
    const beside = peers.map((peer) => `${((engine + container) / (middle(peer, 'run') ?? Number.NaN)).toFixed(2)} × ${peer.name}`).join(', ');
    const most = `${own.name}: to start the engine with koffi takes ${engine.toFixed(1)} ms, the container ${container.toFixed(1)} (floor): ${(engine + container).toFixed(1)} together (${beside}).`;
    return [`${most} ${run < engine + container ? '`run` takes less, because the engine goes on from its snapshot.' : `${(run - engine - container).toFixed(1)} ms of \`run\` are more than that.`}`, ''];
  });
}

export function json(bench: Bench, machine: string): string {
  const samples = [...bench.samples].map(([key, { milliseconds, memory }]) => {
    const [runtime, scenario] = key.split('\0');
    return { runtime, scenario, p50: median(milliseconds), p95: percentile(milliseconds, 95), p99: percentile(milliseconds, 99), peakKilobytes: memory, milliseconds };
  });
  return `${JSON.stringify({ machine, samples, memory: Object.fromEntries(bench.memory), failed: Object.fromEntries(bench.failed) }, null, 1)}\n`;
}
