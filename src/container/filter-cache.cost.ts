// What a hit of the filter cache costs in a fresh process, both engines, with the profile of Docker as captured: `tsx src/container/filter-cache.cost.ts`.
import { spawnSync } from 'node:child_process';
import { copyFileSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../spec/config.ts';
import { parseConfig, readConfigFile } from './bundle.ts';
import { cachedFilter } from './filter-cache.ts';

const RUNS = 60;

/** One process: milliseconds of one call, after what create has done by then. */
function measure(bundle: string, directory: string): void {
  lstatSync(bundle);
  const { document } = parseConfig(readConfigFile(bundle));
  const { seccomp } = (document as Config).linux!;
  const start = performance.now();
  const { filter } = cachedFilter(seccomp!, directory);
  console.log(`${(performance.now() - start).toFixed(3)} ${filter.length}`);
}

/** A build of this file as native/build/build.sh builds runt; the words that start it, with the launcher's one variable. */
function build(dist: string, engine: 'node' | 'executable'): readonly string[] {
  const run = (command: string, ...args: string[]): void => {
    const done = spawnSync(command, args, { encoding: 'utf8' });
    if (done.status !== 0) throw new Error(done.stderr);
  };
  const bundled = join(dist, 'node/cost.mjs');
  const common = [import.meta.filename, '--bundle', '--minify', '--platform=node', '--format=esm', '--log-level=warning', `--outfile=${bundled}`, `--define:RUNT_EXECUTABLE=${engine === 'executable'}`];
  if (engine === 'node') {
    run('node_modules/.bin/esbuild', ...common, '--target=node20', "--banner:js=import { createRequire as own } from 'node:module'; const require = own(import.meta.url);");
    return ['node', bundled];
  }
  run('node_modules/.bin/esbuild', ...common, '--target=esnext', '--alias:node:fs=./native/engine/fs.ts', '--alias:node:path=./native/engine/path.ts');
  run('node_modules/.bin/bun', 'build', '--compile', '--minify', '--bytecode', '--format=esm', bundled, '--outfile', join(dist, 'engine/cost'));
  return [join(dist, 'engine/cost')];
}

const given = process.argv.indexOf('--measure');
if (given >= 0) {
  measure(process.argv[given + 1]!, process.argv[given + 2]!);
} else {
  for (const engine of ['executable', 'node'] as const) {
    const work = mkdtempSync(join(tmpdir(), 'cost-'));
    const dist = join(work, 'dist');
    mkdirSync(dist);
    for (const name of readdirSync('dist')) if (/\.(node|so)$/.test(name)) copyFileSync(join('dist', name), join(dist, name)); // what the executable finds beside itself
    const [command, ...words] = build(dist, engine);
    const once = (): readonly number[] => {
      const done = spawnSync(command!, [...words, '--measure', 'conformance/bundles/docker', join(work, 'filters')], { encoding: 'utf8', env: { PATH: process.env['PATH'], BUN_JSC_useJIT: '0' } });
      if (done.status !== 0) throw new Error(done.stderr);
      return done.stdout.trim().split(' ').map(Number);
    };
    const [miss, bytes] = once();
    const times = Array.from({ length: RUNS }, () => once()[0]!).sort((a, b) => a - b);
    console.log(`${engine}: compiled and stored ${miss} ms (${bytes} bytes), a hit ${times[0]} ms at best, ${times[RUNS / 2]} in the middle, ${times[Math.floor(RUNS * 0.9)]} nine times of ten`);
    rmSync(work, { recursive: true });
  }
}
