// The benchmark: runt on both engines beside runc and crun, one run, interleaved, medians. `--write` puts it into docs/benchmarks.md.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { baseConfig, makeBundle } from '../harness.ts';

const repository = join(import.meta.dirname, '../..');
if (process.env['RUNT_BENCH_VIEW'] === undefined) {
  const env: NodeJS.ProcessEnv = { ...process.env, RUNT_BENCH_VIEW: '1' };
  delete env['NODE_EXTRA_CA_CERTS'];
  process.exit(spawnSync(join(repository, 'conformance/v2-view.sh'), [join(repository, 'node_modules/.bin/tsx'), process.argv[1]!, ...process.argv.slice(2)], { stdio: 'inherit', env }).status ?? 1);
}

const SAMPLES = 40;
const BATCH = 5;
const work = mkdtempSync('/dev/shm/bench-');
mkdirSync(join(repository, '.cache'), { recursive: true });
const timer = join(repository, '.cache/timer');
execFileSync('cc', ['-O2', '-o', timer, join(repository, 'conformance/bench/timer.c')]);

const find = (name: string): string | undefined => ['/usr/bin', '/usr/sbin', '/usr/local/bin'].map((directory) => join(directory, name)).find((path) => existsSync(path));
const runtimes = [
  ['runt (Bun)', join(repository, 'dist/runt')], ['runt (Node)', join(repository, 'bin/runt')], ['runc', find('runc')], ['crun', find('crun')],
].filter((row): row is [string, string] => row[1] !== undefined);

/** Without device rules: Debian 12's crun cannot load a device filter on a machine whose root lacks CAP_SYS_RESOURCE. */
function benchBundle(...args: string[]): string {
  const config = baseConfig(...args);
  config.linux['resources'] = {};
  return makeBundle(config);
}

const quick = benchBundle('/bin/true');
const sleeper = benchBundle('/bin/sleep', '1000');
const samples = new Map<string, number[]>();

function time(name: string, scenario: string, args: readonly string[], offset: number): void {
  const file = join(work, 'times');
  rmSync(file, { force: true });
  const done = spawnSync(timer, [String(BATCH), file, ...args], { stdio: 'ignore', timeout: 60_000, env: { PATH: process.env['PATH'], TIMER_OFFSET: String(offset) } });
  if (done.status !== 0) throw new Error(`${name} ${scenario}: status ${String(done.status)}`);
  const key = `${name}\0${scenario}`;
  samples.set(key, [...(samples.get(key) ?? []), ...readFileSync(file, 'utf8').trim().split('\n').map((line) => Number(line) / 1e6)]);
}

const scenarios = ['version', 'run', 'create', 'start', 'state', 'kill', 'delete'];
const memory = new Map<string, number>();
for (let round = 0; round * BATCH < SAMPLES; round++) {
  for (const [name, path] of runtimes) {
    const root = join(work, name.replace(/\W/g, ''));
    const call = (...args: string[]): string[] => [path, '--root', root, ...args];
    const offset = round * BATCH;
    time(name, 'version', [path, '--version'], offset);
    time(name, 'run', call('run', '--bundle', quick, `${name.replace(/\W/g, '')}r%d`), offset);
    const id = `${name.replace(/\W/g, '')}c%d`;
    time(name, 'create', call('create', '--bundle', sleeper, id), offset);
    const first = id.replace('%d', String(offset));
    const state = JSON.parse(execFileSync(path, ['--root', root, 'state', first], { encoding: 'utf8' })) as { pid: number };
    memory.set(name, Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${state.pid}/smaps_rollup`, 'utf8'))?.[1]));
    time(name, 'start', call('start', id), offset);
    time(name, 'state', call('state', id), offset);
    time(name, 'kill', call('kill', id, 'KILL'), offset);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    time(name, 'delete', call('delete', id), offset);
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const of = (name: string, scenario: string): number => median(samples.get(`${name}\0${scenario}`)!);
const lifecycle = ['create', 'start', 'state', 'kill', 'delete'];
const sum = (name: string): number => lifecycle.reduce((total, scenario) => total + of(name, scenario), 0);
const names = runtimes.map(([name]) => name);
const has = (name: string): boolean => names.includes(name);
const rows = [
  ...scenarios.map((scenario) => [scenario === 'version' ? '`--version`' : scenario === 'run' ? '`run /bin/true`' : `\`${scenario}\``, ...names.map((name) => of(name, scenario))] as const),
  ['create … delete, sum', ...names.map(sum)] as const,
];
const ratio = (name: string, peer: string, value: (one: string) => number): string => (has(peer) ? (value(name) / value(peer)).toFixed(2) : '-');
const text = [
  `Median of ${SAMPLES} in milliseconds, one run, interleaved; state on tmpfs, a private cgroup v2 view.`, '',
  `| | ${names.join(' | ')} |`, `|---|${names.map(() => '---:|').join('')}`,
  ...rows.map(([label, ...values]) => `| ${label} | ${values.map((value) => value.toFixed(1)).join(' | ')} |`),
  `| PSS of init before start, KB | ${names.map((name) => memory.get(name)).join(' | ')} |`, '',
  '| ratio | to runc | to crun |', '|---|---:|---:|',
  ...names.filter((name) => name.startsWith('runt')).flatMap((name) => [
    `| ${name}, run | ${ratio(name, 'runc', (one) => of(one, 'run'))} | ${ratio(name, 'crun', (one) => of(one, 'run'))} |`, `| ${name}, lifecycle sum | ${ratio(name, 'runc', sum)} | ${ratio(name, 'crun', sum)} |`,
  ]), '',
].join('\n');
const machine = `${cpus()[0]!.model}, ${cpus().length} cores, Linux ${execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim()}; ${runtimes.slice(2).map(([, path]) => execFileSync(path, ['--version'], { encoding: 'utf8' }).split('\n')[0]).join(', ')}; ${new Date().toISOString().slice(0, 10)}.`;
console.log(`${machine}\n\n${text}`);
if (process.argv.includes('--write')) {
  const path = join(repository, 'docs/benchmarks.md');
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const rest = old.includes('<!-- end of table -->') ? old.slice(old.indexOf('<!-- end of table -->')) : '<!-- end of table -->\n';
  writeFileSync(path, `# Benchmarks\n\n\`npm run bench -- --write\` makes this table. ${machine}\n\n${text}\n${rest}`);
}
if (process.argv.includes('--json')) console.log(JSON.stringify(Object.fromEntries([...samples].map(([key, values]) => [key.replace('\0', ' '), values]))));
rmSync(work, { recursive: true, force: true });
