// How cost grows: mounts, environment entries and the size of config.json, for runt beside crun and runc, one run, interleaved.
// `--write` puts the table into docs/benchmarks.md, section Scale.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { baseConfig, makeBundle, type Json } from '../harness.ts';

const repository = join(import.meta.dirname, '../..');
if (process.env['RUNT_BENCH_VIEW'] === undefined) {
  const env: NodeJS.ProcessEnv = { ...process.env, RUNT_BENCH_VIEW: '1' };
  delete env['NODE_EXTRA_CA_CERTS'];
  process.exit(spawnSync(join(repository, 'conformance/v2-view.sh'), [join(repository, 'node_modules/.bin/tsx'), process.argv[1]!, ...process.argv.slice(2)], { stdio: 'inherit', env }).status ?? 1);
}

const SAMPLES = Number(process.argv.find((word) => word.startsWith('--samples='))?.slice(10) ?? 31);
const work = mkdtempSync('/dev/shm/scale-');
const find = (name: string): string | undefined => ['/usr/bin', '/usr/sbin', '/usr/local/bin'].map((directory) => join(directory, name)).find((path) => existsSync(path));
const runtimes = [['runt', join(repository, 'dist/runt')], ['crun', find('crun')], ['runc', find('runc')]].filter((row): row is [string, string] => row[1] !== undefined);

type Config = ReturnType<typeof baseConfig>;
const source = join(work, 'source');
mkdirSync(source);

/** A bundle that only differs from the smallest one in what grows. As in main.ts without device rules. */
function bundle(grow: (config: Config & { annotations?: Json }) => void): string {
  const config = baseConfig('/bin/true');
  config.linux['resources'] = {};
  config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev'] });
  grow(config);
  return makeBundle(config);
}

const times = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const binds = (count: number) => (config: Config): void => void times(count).forEach((index) => config.mounts.push({ destination: `/tmp/m${index}`, type: 'bind', source, options: ['rbind', 'ro', 'nosuid'] }));
const tmpfs = (count: number) => (config: Config): void => void times(count).forEach((index) => config.mounts.push({ destination: `/tmp/m${index}`, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'size=64k'] }));
const env = (count: number) => (config: Config): void => void times(count).forEach((index) => (config.process['env'] as string[]).push(`VARIABLE_${index}=${'v'.repeat(40)}`));
const annotations = (count: number) => (config: Config & { annotations?: Json }): void => void (config.annotations = Object.fromEntries(times(count).map((index) => [`org.example.annotation.${index}`, 'a'.repeat(170)])));

/** What grows, the counts measured, the two of them the slope is taken between. */
const series: readonly (readonly [name: string, unit: string, sizes: readonly number[], grow: (count: number) => (config: Config) => void])[] = [
  ['bind mounts', 'mount', [0, 200, 500, 1000], binds],
  ['tmpfs mounts', 'mount', [0, 200, 1000], tmpfs],
  ['env entries', 'entry', [0, 200, 1000], env],
  ['annotations (10,000 are 2 MB)', 'annotation', [0, 2000, 10000], annotations],
];

/** Runs its words; prints the milliseconds of processor time that they and all they waited for took, the container among them, and those on the clock. */
const MEASURE = `
import resource, subprocess, sys, time
begin = time.monotonic()
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
end = time.monotonic()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print((used.ru_utime + used.ru_stime) * 1000, (end - begin) * 1000)
sys.exit(done.returncode)`;

const samples = new Map<string, { readonly wall: number; readonly cpu: number }[]>();
const bundles = new Map(series.flatMap(([name, , sizes, grow]) => sizes.map((size) => [`${name} ${size}`, bundle(grow(size))] as const)));
for (let round = 0; round < SAMPLES; round++) {
  for (const [key, path] of bundles) {
    for (const [name, runtime] of runtimes) {
      const done = spawnSync('/usr/bin/python3', ['-c', MEASURE, runtime, '--root', join(work, name), 'run', '--bundle', path, `${name}${round}`], { encoding: 'utf8', timeout: 120_000, env: { PATH: process.env['PATH'] } });
      const [cpu, wall] = done.stdout.split(' ').map(Number);
      if (done.status !== 0 || cpu === undefined || wall === undefined) throw new Error(`${name} ${key}: status ${String(done.status)} ${done.stderr}`);
      const place = `${name} ${key}`;
      samples.set(place, [...(samples.get(place) ?? []), { wall, cpu }]);
    }
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const of = (kind: 'wall' | 'cpu', runtime: string, name: string, size: number): number => median(samples.get(`${runtime} ${name} ${size}`)!.map((sample) => sample[kind]));
const lines = [
  `| \`run\`: ms of processor time (ms on the clock) | ${runtimes.map(([name]) => name).join(' | ')} |`, `|---|${runtimes.map(() => '---:|').join('')}`,
  ...series.flatMap(([name, unit, sizes]) => {
    const slope = (runtime: string, from: number, to: number): string => ((of('cpu', runtime, name, to) - of('cpu', runtime, name, from)) * 1000 / (to - from)).toFixed(1);
    return [
      ...sizes.map((size) => `| ${size.toLocaleString('en')} ${name} | ${runtimes.map(([runtime]) => `${of('cpu', runtime, name, size).toFixed(0)} (${of('wall', runtime, name, size).toFixed(0)})`).join(' | ')} |`),
      ...sizes.slice(1).map((size, index) => `| µs of processor time each ${unit}, ${sizes[index]} to ${size} | ${runtimes.map(([runtime]) => slope(runtime, sizes[index]!, size)).join(' | ')} |`),
    ];
  }),
];
console.log(lines.join('\n'));
if (process.argv.includes('--write')) {
  const path = join(repository, 'docs/benchmarks.md');
  const old = readFileSync(path, 'utf8');
  const [begin, end] = ['<!-- scale -->\n', '<!-- end of scale -->'];
  if (!old.includes(begin)) throw new Error(`docs/benchmarks.md has no ${begin}`);
  const head = `Median of ${SAMPLES}, ${new Date().toISOString().slice(0, 10)}.\n\n`;
  writeFileSync(path, `${old.slice(0, old.indexOf(begin) + begin.length)}${head}${lines.join('\n')}\n${old.slice(old.indexOf(end))}`);
}
rmSync(work, { recursive: true, force: true });
