// Many containers alive at once: `list` is right at every size, and a table says what it takes. Fails on any error or trace left behind.
// Usage: tsx many.ts RUNTIME [SIZES as 10,100,1000]; in a private view (v2-view.sh).
import { readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, traces, until } from '../harness.ts';

const [path = 'dist/runt', sizes = '10,100,1000'] = process.argv.slice(2);
const runtime = new Runtime(path.startsWith('/') ? path : `${process.cwd()}/${path}`);
const bundle = makeBundle(baseConfig('/bin/sleep', '100000'));
const ROUNDS = 15;
const before = traces(runtime);
const wanted = new Map<string, string>();

function must(result: { code: number; stderr: string }, what: string): void {
  if (result.code !== 0) throw new Error(`${what}: exit ${result.code}: ${result.stderr}`);
}

/** The next container: most wait for start, some run, some have ended. */
function add(index: number): void {
  const id = `many${process.pid}-${index}`;
  must(runtime.create(id, bundle), 'create');
  wanted.set(id, 'created');
  if (index % 5 !== 0) return;
  must(runtime.run(['start', id]), 'start');
  wanted.set(id, 'running');
  if (index % 25 !== 0) return;
  must(runtime.run(['kill', id, 'KILL']), 'kill');
  until('stopped', () => runtime.state(id)['status'] === 'stopped');
  wanted.set(id, 'stopped');
}

/** That list names every container once, with the status it has, and pids that are different processes. */
function check(): void {
  const { stdout } = runtime.run(['list', '--format', 'json']);
  const listed = JSON.parse(stdout) as { id: string; status: string; pid: number }[];
  assert.equal(new Map(listed.map(({ id, status }) => [id, status])), new Map([...wanted].sort()));
  const pids = listed.filter(({ status }) => status !== 'stopped').map(({ pid }) => pid);
  assert.is(new Set(pids).size, pids.length, 'a pid twice');
  assert.equal(runtime.run(['list', '--quiet']).stdout.trim().split('\n').sort(), [...wanted.keys()].sort());
}

/** Milliseconds of `list`, from start to end: the least and the middle. */
function times(): readonly [number, number] {
  const all = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    must(runtime.run(['list']), 'list');
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return [all[0]!, all[ROUNDS >> 1]!];
}

/** Memory of the inits that wait, in KB each (PSS of smaps_rollup). */
function memory(): number {
  const pids = (JSON.parse(runtime.run(['list', '--format', 'json']).stdout) as { pid: number; status: string }[]).filter(({ status }) => status === 'created').map(({ pid }) => pid);
  return pids.reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1]), 0) / pids.length;
}

console.log('| containers alive | list, best | list, middle | µs each more | KB of an init that waits |\n|---|---|---|---|---|');
let last: readonly [count: number, best: number] | undefined;
for (const size of sizes.split(',').map(Number)) {
  while (wanted.size < size) add(wanted.size);
  check();
  const [best, middle] = times();
  const slope = last === undefined ? '' : ((best - last[1]) / (size - last[0]) * 1000).toFixed(0);
  console.log(`| ${size} | ${best.toFixed(1)} ms | ${middle.toFixed(1)} ms | ${slope} | ${memory().toFixed(0)} |`);
  last = [size, best];
}
for (const id of wanted.keys()) must(runtime.run(['delete', '--force', id]), 'delete');
assert.equal(traces(runtime), before);
assert.equal(readdirSync(runtime.root).filter((name) => !name.startsWith('.')), []);
runtime.close();
