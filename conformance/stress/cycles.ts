// Many containers: N full cycles one after another, then 50 at once. Fails on any error, hang or trace left behind.
// Usage: tsx cycles.ts RUNTIME [CYCLES]
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { baseConfig, makeBundle, Runtime, traces } from '../harness.ts';

const [path = 'dist/runt', cycles = '2000'] = process.argv.slice(2);
const runtime = new Runtime(path.startsWith('/') ? path : `${process.cwd()}/${path}`);
const bundle = makeBundle(baseConfig('/bin/sleep', '1000'));
const before = traces(runtime);
/** Ours alone, by their cgroup: others may be testing beside us. Zombies wait for the machine's own init. */
const processes = (): number => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((name) => {
  try {
    return new RegExp(`/(cycle|parallel)${process.pid}-`).test(readFileSync(`/proc/${name}/cgroup`, 'latin1')) && readFileSync(`/proc/${name}/cmdline`, 'latin1') !== '';
  } catch {
    return false;
  }
}).length;
const processesBefore = processes();

function must(result: { code: number; stderr: string }, what: string): void {
  if (result.code !== 0) throw new Error(`${what}: exit ${result.code}: ${result.stderr}`);
}

for (let i = 0; i < Number(cycles); i++) {
  const id = `cycle${process.pid}-${i}`;
  must(runtime.create(id, bundle), 'create');
  must(runtime.run(['start', id]), 'start');
  must(runtime.run(['kill', id, 'KILL']), 'kill');
  for (let n = 0; runtime.state(id)['status'] !== 'stopped'; n++) if (n > 1000) throw new Error('never stopped');
  must(runtime.run(['delete', id]), 'delete');
}

const call = (...args: string[]): Promise<void> => new Promise((resolve, reject) => {
  const child = spawn(runtime.path, ['--root', runtime.root, ...args], { stdio: ['ignore', 'ignore', args[0] === 'create' ? 'ignore' : 'pipe'] });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${args.join(' ')}: exit ${code}: ${said}`))));
});
const PARALLEL = 50;
await Promise.all(Array.from({ length: PARALLEL }, async (_, i) => {
  const id = `parallel${process.pid}-${i}`;
  await call('create', '--bundle', bundle, id);
  await call('start', id);
  await call('delete', '--force', id);
}));

const after = traces(runtime);
if (JSON.stringify(before) !== JSON.stringify(after)) throw new Error(`left behind: ${JSON.stringify(before)} became ${JSON.stringify(after)}`);
const extra = processes() - processesBefore;
if (extra > 0) throw new Error(`${extra} processes more than before`);
console.log(`${cycles} cycles and ${PARALLEL} at once: nothing failed, nothing left behind`);
runtime.close();
