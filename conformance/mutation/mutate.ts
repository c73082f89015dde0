// Drops each step of the default program in turn and looks whether a test notices: `tsx conformance/mutation/mutate.ts`.
// The product has no way to drop a step: a copy of its sources is built whose compiler is wrapped (mutant.sh). What notices
// first is the report that conformance/bundles.test.ts compares with runc's, then the test files named below, in order.
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { argued } from './argued.ts';
import { differences, normal, observe, type Needs } from '../bundles/compare.ts';

const repository = join(import.meta.dirname, '../..');
if (process.env['RUNT_MUTATION_VIEW'] === undefined) {
  const env = { ...process.env, RUNT_MUTATION_VIEW: '1' };
  process.exit(spawnSync(join(repository, 'conformance/v2-view.sh'), [join(repository, 'node_modules/.bin/tsx'), process.argv[1]!, ...process.argv.slice(2)], { stdio: 'inherit', env }).status ?? 1);
}

const work = join(repository, '.cache/mutant');
const mutant = join(work, 'dist/runt');
const control = join(work, 'dist/engine/mutation.json');
const option = (name: string): string | undefined => process.argv.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
/** Every so many steps only: a sample. */
const every = Number(option('every') ?? 1);
const files = option('tests')?.split(',').filter((file) => file !== '') ?? ['steps', 'lifecycle', 'inside'];
const log = option('log') ?? join(work, 'results.jsonl');

interface Step {
  /** What tells it from all others of any bundle: operation, place in config.json, number among equal ones. */
  readonly name: string;
  readonly printed: string;
  readonly why: string;
}

const bundle = join(repository, 'conformance/bundles/runc-spec/config.json');
/** The same bundle on a whole rootfs, and on one where mount points have to be made. */
const probes: readonly (readonly [name: string, needs: Needs])[] = [
  ['the report of bundles.test.ts', { seconds: 20 }],
  ['the report on an empty rootfs', { seconds: 20, without: ['/proc', '/dev', '/sys'] }],
];

function instruct(instruction: { readonly drop?: string; readonly list?: string }): void {
  writeFileSync(control, JSON.stringify(instruction));
}

const probe = (needs: Needs): { readonly code: number; readonly lines: readonly string[] } => {
  const { code, stdout } = observe('mutant', bundle, mutant, needs);
  return { code, lines: normal(stdout) };
};

function steps(): readonly Step[] {
  const list = join(work, 'steps.json');
  instruct({ list });
  probe(probes[0]![1]);
  instruct({});
  return JSON.parse(readFileSync(list, 'utf8')) as Step[];
}

/** What notices the loss of a step first, or why nothing can (argued.ts); undefined when nothing does. */
function noticedBy(step: Step, expected: readonly (readonly string[])[]): string | undefined {
  instruct({ drop: step.name });
  for (const [index, [name, needs]] of probes.entries()) {
    const { code, lines } = probe(needs);
    const { found, expected: missing } = differences(lines, expected[index]!);
    if (code !== 0) return `${name}: the bundle fails`;
    if (found.length + missing.length > 0) return `${name}: ${(found[0] ?? missing[0])!.slice(0, 60)}`;
  }
  const reason = argued.find(([pattern]) => pattern.test(step.printed) || pattern.test(step.why))?.[1];
  if (reason !== undefined) return `argued: ${reason}`;
  for (const file of files) {
    const done = spawnSync(join(repository, 'node_modules/.bin/tsx'), [join(repository, `conformance/${file}.test.ts`)], { cwd: repository, encoding: 'utf8', timeout: 90_000, killSignal: 'SIGKILL', env: { ...process.env, RUNTIMES: relative(repository, mutant) } });
    if (done.status !== 0) return `${file}.test.ts${/FAIL\s+\S+\s+"([^"]*)"/.exec(done.stdout)?.[1]?.replace(/^/, ': ') ?? ''}`;
  }
  return undefined;
}

mkdirSync(work, { recursive: true });
execFileSync(join(repository, 'conformance/mutation/mutant.sh'), [work], { stdio: 'inherit' });
const all = steps();
const expected = probes.map(([name, needs]) => {
  const { code, lines } = probe(needs);
  const again = probe(needs);
  const { found, expected: missing } = differences(again.lines, lines);
  if (code !== 0 || found.length + missing.length > 0) throw new Error(`${name} is not the same twice: ${code} ${[...found, ...missing].join('\n')}`);
  return lines;
});
const known = new Map(existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as { name: string; by?: string }).map(({ name, by }) => [name, by]) : []);
const unnoticed: Step[] = [];
for (const step of all.filter((_, index) => index % every === 0)) {
  const by = known.get(step.name) ?? noticedBy(step, expected);
  if (!known.has(step.name) || known.get(step.name) !== by) appendFileSync(log, `${JSON.stringify({ name: step.name, printed: step.printed, why: step.why, by })}\n`);
  if (by === undefined) unnoticed.push(step);
}
for (const name of readdirSync('/sys/fs/cgroup').filter((entry) => entry === 'mutant')) {
  try {
    rmdirSync(join('/sys/fs/cgroup', name));
  } catch {
    // something in it is not ours
  }
}
console.log(`${all.length} steps, ${unnoticed.length} whose loss nothing notices and no reason is given for:`);
for (const { printed, why } of unnoticed) console.log(`  ${printed}    ${why}`);
process.exit(unnoticed.length === 0 ? 0 : 1);
