// runt-conformance: chooses cases, runs them against each runtime, writes reports.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { cases, coverage, type Case } from './case.ts';
import './cases/index.ts';
import { parseOptions, UsageError, usage, type Options } from './options.ts';
import { requirements } from './requirements/index.ts';
import { render } from './report/render.ts';
import { runCases, type Outcome, type RuntimeResults } from './run.ts';

const say = (text: string): void => void writeSync(2, text);
const print = (text: string): void => {
  for (let rest = Buffer.from(text); rest.length > 0; ) rest = rest.subarray(writeSync(1, rest));
};

function chosen(filters: readonly string[]): readonly Case[] {
  if (filters.length === 0) return cases;
  return cases.filter((one) => {
    const text = `${one.id} ${one.requirement.id} ${one.requirement.level}`.toLowerCase();
    return filters.some((filter) => filter.toLowerCase().split(/\s+/).every((word) => text.includes(word)));
  });
}

/** The probe beside this program, or in dist/ of the repository. */
function probePath(): string {
  const places = [process.env['RUNT_CONFORMANCE_PROBE'], join(import.meta.dirname, 'runt-conformance-probe'), join(import.meta.dirname, '../../dist/runt-conformance-probe')];
  const found = places.find((path) => path !== undefined && existsSync(path));
  if (found === undefined) throw new UsageError('the probe is missing: native/build/build.sh makes it');
  return found;
}

function version(path: string): string {
  const done = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  if (done.error !== undefined) throw new UsageError(`${path}: ${done.error.message}`);
  return done.stdout.split('\n')[0] ?? '';
}

function printRequirements(): void {
  for (const one of requirements) {
    const own = cases.filter((case_) => case_.requirement === one).map((case_) => case_.id);
    print(`${one.id} [${one.level}] ${one.text}\n${one.untested === undefined ? own.map((id) => `    ${id}\n`).join('') : `    not tested: ${one.untested}\n`}`);
  }
}

async function test(options: Options): Promise<number> {
  const list = chosen(options.filters), isTerminal = process.stderr.isTTY === true;
  if (list.length === 0) throw new UsageError(`no case has ${options.filters.map((one) => JSON.stringify(one)).join(' or ')}`);
  if (process.getuid?.() !== 0) throw new UsageError('the cases need root');
  const probe = probePath(), allowed = new Set(options.allow === undefined ? [] : readFileSync(options.allow, 'utf8').split('\n').map((line) => line.trim()));
  const all: RuntimeResults[] = [];
  for (const { name, path } of options.runtimes) {
    const progress = (outcome: Outcome, done: number, count: number): void => {
      const failed = outcome.result === 'fail';
      if (isTerminal) say(`\r\x1b[K${failed ? `\x1b[31mfailed\x1b[0m ${name}: ${outcome.case.id}: ${outcome.reason}\n` : ''}${name} ${done}/${count} ${outcome.case.id}`.slice(0, failed ? undefined : 110));
      else if (failed) say(`failed ${name}: ${outcome.case.id}: ${outcome.reason.slice(0, 400)}\n`);
    };
    const shown = version(path);
    const outcomes = await runCases(list, { runtime: path, probe, slow: options.slow }, { jobs: options.jobs, keep: join(options.keep, name), progress });
    const sum = (result: string): number => outcomes.filter((one) => one.result === result).length;
    say(`${isTerminal ? '\r\x1b[K' : ''}${name} (${shown}): ${sum('pass')} passed, ${sum('fail')} failed, ${sum('skip')} skipped\n`);
    all.push({ name, path, version: shown, outcomes });
  }
  for (const { name, file } of options.reports) {
    const text = render(name, all);
    if (file === '-') print(text);
    else writeFileSync(file, text);
  }
  return all.some(({ outcomes }) => outcomes.some((one) => one.result === 'fail' && !allowed.has(one.case.id))) ? 1 : 0;
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  const { uncovered, both } = coverage();
  if (uncovered.length + both.length > 0) throw new Error(`requirements without a case or a reason: ${uncovered.join(', ') || 'none'}; with both: ${both.join(', ') || 'none'}`);
  if (options.help) print(usage);
  else if (options.list) for (const one of chosen(options.filters)) print(`${one.id}\t${one.requirement.level}\t${one.requirement.section}\n`);
  else if (options.requirements) printRequirements();
  else if (options.runtimes.length === 0) throw new UsageError('which runtime? --runtime PATH');
  else return test(options);
  return 0;
}

main().then((status) => process.exit(status), (error: unknown) => {
  say(error instanceof UsageError ? `runt-conformance: ${error.message}\n` : `runt-conformance: ${String((error as Error).stack)}\n`);
  process.exit(2);
});
