// npm run bench: any runtimes through the same scenarios, interleaved. Tables on standard output; --write puts them, and the plot, into docs/.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { enginePrograms } from './engines.ts';
import { Bench, chosen, type Runtime } from './measure.ts';
import { svg } from './plot.ts';
import { json, markdown } from './report.ts';
import { scenarios } from './scenarios.ts';

const usage = `npm run bench -- [--runtime [NAME=]PATH]... [--rounds N] [--only WORDS] [--json FILE] [--svg FILE] [--markdown FILE] [--write]

without --runtime: runt on both engines, and runc and crun where they are; a round is 5 runs of each scenario (8 rounds by default)
`;
const repository = join(import.meta.dirname, '../..');
const words = process.argv.slice(2);
const values = (name: string): string[] => words.flatMap((word, index) => (word === `--${name}` ? [words[index + 1] ?? ''] : []));
const unknown = words.find((word, index) => word.startsWith('--') ? !['--runtime', '--rounds', '--only', '--json', '--svg', '--markdown', '--write'].includes(word) : !/^--(runtime|rounds|only|json|svg|markdown)$/.test(words[index - 1] ?? ''));
const rounds = Number(values('rounds').at(-1) ?? 8);
if (unknown !== undefined || !(rounds >= 1)) {
  writeSync(2, usage);
  process.exit(words.includes('--help') ? 0 : 2);
}
if (process.env['RUNT_BENCH_VIEW'] === undefined) {
  const env: NodeJS.ProcessEnv = { ...process.env, RUNT_BENCH_VIEW: '1' };
  delete env['NODE_EXTRA_CA_CERTS'];
  process.exit(spawnSync(join(repository, 'conformance/v2-view.sh'), [join(repository, 'node_modules/.bin/tsx'), process.argv[1]!, ...words], { stdio: 'inherit', env }).status ?? 1);
}

const cache = join(repository, '.cache');
mkdirSync(cache, { recursive: true });
const compiled = (name: string): string => {
  execFileSync('cc', ['-O2', '-static', '-o', join(cache, name), join(import.meta.dirname, `${name}.c`)]);
  return join(cache, name);
};
const find = (name: string): string | undefined => ['/usr/bin', '/usr/sbin', '/usr/local/bin'].map((directory) => join(directory, name)).find((path) => existsSync(path));
const given = values('runtime').map((text): readonly [string, string] => {
  const at = text.indexOf('=');
  return at > 0 ? [text.slice(0, at), resolve(text.slice(at + 1))] : [basename(text), resolve(text)];
});
const usual = [['runt (Bun)', join(repository, 'dist/runt')], ['runt (Node)', join(repository, 'bin/runt')], ['runc', find('runc')], ['crun', find('crun')]].filter((row): row is [string, string] => row[1] !== undefined);
const programs = enginePrograms(repository, cache);
const engines = new Map([[join(repository, 'dist/runt'), programs.executable], [join(repository, 'bin/runt'), programs.node]]);
const runtimes: readonly Runtime[] = [...(given.length > 0 ? given : usual).map(([name, path]): Runtime => ({ name, path, ...(engines.has(path) ? { programs: engines.get(path)! } : {}) })), { name: 'floor', path: compiled('floor'), isFloor: true }];

const work = mkdtempSync('/dev/shm/bench-');
const bench = new Bench(work, compiled('timer'));
const list = chosen(scenarios(), values('only').at(-1));
try {
  for (let round = 0; round < rounds; round++) {
    bench.round(round, runtimes, list, (text) => process.stderr.isTTY === true && writeSync(2, `\r\x1b[K${round + 1}/${rounds} ${text}`));
  }
} finally {
  if (process.stderr.isTTY === true) writeSync(2, '\r\x1b[K');
  rmSync(work, { recursive: true, force: true });
}
const versions = runtimes.filter(({ isFloor, name }) => isFloor !== true && !name.startsWith('runt')).map(({ path }) => execFileSync(path, ['--version'], { encoding: 'utf8' }).split('\n')[0]);
const machine = `${[`${cpus()[0]!.model}, ${cpus().length} cores, Linux ${execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim()}`, ...versions].join('; ')}; ${new Date().toISOString().slice(0, 10)}.`;
const text = markdown(bench, runtimes, list);
writeSync(1, `${machine}\n\n${text}\n`);
for (const file of values('markdown')) writeFileSync(file, `${machine}\n\n${text}\n`);
for (const file of values('json')) writeFileSync(file, json(bench, machine));
for (const file of values('svg')) writeFileSync(file, svg(bench, runtimes, list, machine));
if (words.includes('--write')) {
  const path = join(repository, 'docs/benchmarks.md'), end = '<!-- end of table -->';
  const old = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const rest = old.includes(end) ? old.slice(old.indexOf(end)) : `${end}\n`;
  writeFileSync(path, `# Benchmarks\n\n\`npm run bench -- --write\` makes these tables and the plot. ${machine}\n\n![p50 and p95 of each scenario](benchmarks.svg)\n\n${text}\n${rest}`);
  writeFileSync(join(repository, 'docs/benchmarks.svg'), svg(bench, runtimes, list, machine));
}
process.exit(bench.samples.size > 0 ? 0 : 1);
