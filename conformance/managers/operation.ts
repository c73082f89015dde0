// One operation of a manager, as a line of shell: run with runt and with the runtime the manager would take by itself,
// both at the same time, and what the two print is compared. Each result is also a row of docs/managers.md (see table.sh).
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from '../harness.ts';
import { note, skip, suite } from '../vm/tap.ts';
import { Session } from './session.ts';

/** How one operation may be more than a name and a script. */
export interface Options {
  /** Where runt is not as the peer: what to see as the same, and why it differs. Holds for what is printed and for nothing else. */
  readonly differs?: readonly (readonly [pattern: RegExp, instead: string, why: string])[];
  /** The peer itself fails here, with this reason: runt is then judged alone, and has to succeed. */
  readonly alone?: string;
  /** Run in the virtual machine by default. The others are too slow there, and run with RUNT_MANAGERS=full or on the host. */
  readonly core?: true;
  readonly seconds?: number;
  /** A cgroup v2 controller that it takes; this host may have none. */
  readonly needs?: string;
  /** What runt's side printed that belongs into the table. */
  readonly shows?: RegExp;
}

/** What a person would call it, the shell that does it, and the rest. The script has to end with 0 and print something. */
export type Operation = readonly [name: string, script: string, options?: Options];

export interface Side {
  /** Part of the names of its containers: `$S` in a script. */
  readonly name: 'runt' | 'peer';
  /** `$RUNTIME` in a script. */
  readonly runtime: string;
  readonly environment?: NodeJS.ProcessEnv;
}

export interface Group {
  /** The manager, as the table's first column names it. */
  readonly manager: string;
  readonly sides: readonly [runt: Side, peer: Side];
  /** Functions for all scripts of the group. */
  readonly prologue: string;
  readonly before?: string;
  readonly after?: string;
  /** The ordinary user does it, in a session of her own for each side. */
  readonly rootless?: boolean;
}

/** Where a row was made: in the machine, or on the host itself by native.sh. */
const where = process.env['RUNT'] === undefined ? 'machine' : 'host';
/** `core`, `full`, or for work on a few operations a regular expression over `manager:_name`, blanks as underscores. */
const wanted = where === 'host' ? (process.env['RUNT_MANAGERS'] ?? 'full') : (/runt\.managers=(\S+)/.exec(readFileSync('/proc/cmdline', 'latin1'))?.[1] ?? 'core');
const controllers = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'latin1').trim().split(' ');

/** Waits for a command to succeed; the status of one in words; a terminal for one that wants it; types TEXT at its prompt, and what answers with ANSWER. */
const always = `
set -e
until_ok() { i=0; until "$@" >/dev/null 2>&1; do i=$((i+1)); [ $i -gt 300 ] && { echo "never: $*" >&2; return 1; }; sleep 0.2; done; }
status() { if "$@"; then echo status 0; else echo "status $?"; fi; }
typed() { f=/tmp/typed-$S; : >$f; { until_ok grep '# ' $f; printf '%s\\n' "$2"; until_ok grep "^$3" $f; } | script -qefc "$1" $f >/dev/null || echo "status $?"; tr -d '\\r' <$f | grep -x "$3"; }
terminal() { rm -f /tmp/held-$S; mkfifo /tmp/held-$S; script -qefc "$*" /dev/null <>/tmp/held-$S | tr -d '\\r\\000\\004' | sed 's/\\^[@D]//g'; }
`;

/** A line of shell of this side: by root, or in the session of the ordinary user. */
function shell(group: Group, side: Side, script: string, seconds: number, session?: Session): Promise<Result> {
  const text = `${always}${group.prologue}\n${script}`;
  if (session !== undefined) return session.run(text, seconds);
  const directory = mkdtempSync(join(tmpdir(), 'operation-'));
  const out = openSync(join(directory, 'out'), 'w'), err = openSync(join(directory, 'err'), 'w');
  return new Promise((resolve) => {
    const child = spawn('/bin/sh', ['-c', text], { stdio: ['ignore', out, err], detached: true, cwd: '/tmp', env: { ...process.env, ...environmentOf(side) } });
    const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), seconds * 1000);
    child.on('exit', (code) => {
      clearTimeout(timer);
      closeSync(out);
      closeSync(err);
      resolve({ code: code ?? 137, stdout: readFileSync(join(directory, 'out'), 'utf8'), stderr: readFileSync(join(directory, 'err'), 'utf8') });
      rmSync(directory, { recursive: true });
    });
  });
}

const environmentOf = (side: Side): NodeJS.ProcessEnv => ({ ...side.environment, S: side.name, RUNTIME: side.runtime });

/** What may differ between any two containers: ids, the side's name, the runtime's path. */
function normal(text: string, side: Side): string {
  return text.replaceAll(side.runtime, 'RUNTIME').replace(/\b[0-9a-f]{64}\b/g, 'ID').replace(/\b[0-9a-f]{12}\b/g, 'ID').replace(/\b(runt|peer)\b/g, 'SIDE').trimEnd();
}

function told(result: Result): string {
  return `exit status ${result.code}\n${result.stdout}${result.stderr}`.trimEnd();
}

function differences(found: readonly string[], expected: readonly string[]): string {
  const lines = [...expected.filter((line) => !found.includes(line)).map((line) => `peer: ${line}`), ...found.filter((line) => !expected.includes(line)).map((line) => `runt: ${line}`)];
  return lines.length > 0 ? lines.join('\n') : `the same lines in another order:\n${found.join('\n')}`;
}

/** Works, or differs for the reasons given; throws otherwise. */
function judge(sides: Group['sides'], [mine, theirs]: readonly [Result, Result], { differs = [], alone }: Options): readonly [verdict: string, why: string] {
  // This host may lack what an operation needs; the machine lacks nothing.
  if (where === 'host' && theirs.code !== 0 && mine.code !== 0) skip(`this host cannot: ${theirs.stderr.trim().split('\n').filter((line) => !line.startsWith('See ')).at(-1)?.slice(0, 150) ?? told(theirs)}`);
  if (theirs.code !== 0 && alone === undefined) throw new Error(`the peer fails:\n${told(theirs)}\nrunt: ${told(mine)}`);
  if (mine.code !== 0) throw new Error(`runt fails: ${told(mine)}\nthe peer prints:\n${theirs.stdout}`);
  if (mine.stdout.trim() === '') throw new Error('nothing was printed that could be compared');
  if (theirs.code !== 0) return ['works', alone!];
  const found = normal(mine.stdout, sides[0]), expected = normal(theirs.stdout, sides[1]);
  if (found === expected) return ['works', ''];
  const argued = differs.filter(([pattern]) => pattern.test(found) || pattern.test(expected));
  const same = (text: string): string => argued.reduce((rest, [pattern, instead]) => rest.replaceAll(new RegExp(pattern, `${pattern.flags.replace('g', '')}g`), instead), text);
  if (same(found) !== same(expected)) throw new Error(`differs:\n${differences(same(found).split('\n'), same(expected).split('\n'))}\nrunt's stderr: ${mine.stderr}`);
  return ['differs', argued.map(([, , why]) => why).join('; ')];
}

const lacks = (options?: Options): boolean => options?.needs !== undefined && !controllers.includes(options.needs);

/** Runs operations as tests, in order; the two sides go on side by side and do not wait for each other. */
export function operations(group: Group, list: readonly Operation[]): void {
  const tests = suite(group.manager);
  const isWanted = ([name, , options]: Operation): boolean => wanted === 'full' || (wanted === 'core' ? options?.core === true : new RegExp(wanted).test(`${group.manager}: ${name}`.replaceAll(' ', '_')));
  const chosen = list.filter(isWanted);
  const results = new Map<string, [Promise<Result>, Promise<Result>]>();

  let sessions: readonly Session[] = [];

  tests.before(async () => {
    if (group.rootless === true) sessions = group.sides.map((side) => new Session(environmentOf(side)));
    const ready = await Promise.all(group.sides.map((side, index) => shell(group, side, group.before ?? 'true', 300, sessions[index])));
    if (where === 'host' && ready.every(({ code }) => code !== 0)) return void note(`this host cannot: ${ready[1]!.stderr.trim()}`);
    ready.forEach((result, index) => {
      if (result.code !== 0) throw new Error(`${group.sides[index]!.name}: ${told(result)}`);
    });
    const chains: [Promise<unknown>, Promise<unknown>] = [Promise.resolve(), Promise.resolve()];
    for (const [name, script, options] of chosen) {
      if (lacks(options)) continue; // a process that eats memory needs its limit
      const both = group.sides.map((side, index) => chains[index]!.then(() => shell(group, side, script, options?.seconds ?? (where === 'host' ? 120 : 300), sessions[index])));
      [chains[0], chains[1]] = both as [Promise<Result>, Promise<Result>];
      results.set(name, both as [Promise<Result>, Promise<Result>]);
    }
  });
  tests.after(async () => {
    await Promise.all([...results.values()].flat());
    await Promise.all(group.sides.map((side, index) => shell(group, side, group.after ?? 'true', 300, sessions[index])));
    for (const session of sessions) session.close();
  });
  for (const [name, , options] of chosen) {
    tests(name, async () => {
      if (lacks(options)) skip(`this host has no ${options?.needs} controller`);
      const pair = results.get(name);
      if (pair === undefined) skip('this host cannot prepare for it');
      const both = await Promise.all(pair);
      const [verdict, why] = judge(group.sides, both, options ?? {});
      note(both[0].stdout.slice(0, 2000).replace(/^/gm, '  | ')); // what was compared, for who reads the log
      const shown = options?.shows?.exec(both[0].stdout)?.[0];
      note(`row: ${where} | ${group.manager} | ${name} | ${verdict} | ${[why, shown].filter(Boolean).join('; ')}`);
    });
  }
  if (chosen.length > 0) tests.run();
}
