// What the checks are worth: runt with one protection taken out, and whether the checks named for it fail. `tsx conformance/security/weakened.ts [WORD]`
// (in a private view), for docs/security.md. The product has no such switch: copies of its sources are changed and built.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Runtime } from '../harness.ts';
import { Subject } from './bundles.ts';
import { checks } from './checks.ts';

interface Weakness {
  /** What is taken out, as the table says it. */
  readonly without: string;
  /** Each a file, a text of it that is there once, and what is put in its place. */
  readonly changes: readonly (readonly [file: string, from: string, to: string])[];
  /** The checks that should fail: their names or what they are about. */
  readonly checks: RegExp;
}

const waiting: Weakness['changes'][number] = ['src/compile/descriptors.ts', "[part('container', '')('close_range', [first, 0xffff_ffff, 0], 'a small RLIMIT_NOFILE leaves no room for them')]", '[]'];

const leak: Weakness['changes'] = [
  ['src/compile/descriptors.ts', "    step('close_range', [beyond, 0xffff_ffff, 0], 'nothing the caller leaked reaches the container'),\n", ''],
  ['src/compile/descriptors.ts', 'CLOSE_RANGE_CLOEXEC]', '0 * CLOSE_RANGE_CLOEXEC]'],
];

const weaknesses: readonly Weakness[] = [
  { without: 'resolution in-root', changes: [['src/compile/paths.ts', 'RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (', '0 | (']], checks: /18837|2021-30465|45310|41579/ },
  { without: 'a /proc free of symlinks', changes: [['src/compile/paths.ts', '(noSymlinks ? RESOLVE_NO_SYMLINKS : 0)', '0']], checks: /19921/ },
  { without: 'the check that a symlink led into procfs', changes: [['src/compile/mounts.ts', 'function notIntoProc({ path, target, at, type }: NamedEntry): readonly Step[] {\n', 'function notIntoProc({ path, target, at, type }: NamedEntry): readonly Step[] {\n  if (at) return [];\n']], checks: /28642/ },
  { without: 'the list of what may lie below /proc', changes: [['spec/semantic.ts', 'if (below && !allowed', 'if (false && below && !allowed']], checks: /16884/ },
  { without: 'the host’s /dev/null for masks', changes: [['src/compile/masked-paths.ts', "step('openat', [AT_FDCWD, '/dev/null', O_PATH | O_CLOEXEC, 0], 'the host’s, never the container’s (CVE-2025-31133)', { result: 'null' })", "openInRoot('', 'null', 'dev/null', O_PATH, '')"]], checks: /31133/ },
  { without: 'the list of sysctls that have a namespace', changes: [['spec/semantic.ts', "'kernel.domainname' ? 'uts' : undefined", "'kernel.domainname' ? 'uts' : 'network'"]], checks: /52881/ },
  { without: 'closing what the caller leaked', changes: [...leak, waiting], checks: /no descriptor of the host but stdio/ },
  { without: 'the look where the working directory is, and closing the cgroup at birth', changes: [['src/compile/user.ts', "    inside('expect', [{ out: 'cwd', size: 4096 }, 1, 0xff, 0x2f, 2], 'a path outside the root would begin with \"(unreachable)\" (CVE-2024-21626)'),\n", ''], ['src/compile/namespaces.ts', "return 'cgroup' in members ? [born, step('close', [slot('cgroup')], 'a directory of the host (CVE-2024-21626)')] : [born]", 'return [born]'], ['src/compile/enter.ts', 'if (entersCgroup(host)) steps.push(step(\'close\'', 'if (false) steps.push(step(\'close\''], waiting], checks: /working directory that is a leaked|named through a descriptor/ },
  { without: 'the sealed copy of init', changes: [['src/execute/interpreter.ts', 'path: `/proc/self/fd/${program}`', 'path: `${installDirectory}/runt-init`']], checks: /binary cannot be written/ },
  { without: 'inheritable capabilities of exec left alone', changes: [['src/container/exec-process.ts', 'inheritable, ambient: [', 'inheritable: [...inheritable, ...names], ambient: [']], checks: /29162/ },
  { without: 'ambient capabilities as asked', changes: [['src/compile/capabilities.ts', "words('inheritable', sets.inheritable)", "words('inheritable', sets.permitted)"], ['src/compile/capabilities.ts', '...capabilityNumbers(sets.ambient)', '...capabilityNumbers(sets.permitted)']], checks: /8867/ },
  { without: 'a `spec` with no inheritable set', changes: [['src/commands/spec.ts', 'capabilities: { bounding', "capabilities: { inheritable: ['CAP_KILL'], bounding"]], checks: /24769/ },
  { without: 'names of capabilities looked up exactly', changes: [['src/compile/capabilities.ts', 'const number = numbers[name.toUpperCase()];', 'const number = numbers[name.toUpperCase()] ?? 21;']], checks: /capability that does not exist/ },
  { without: 'numbers of --user read whole', changes: [['src/commands/exec.ts', "  const id = Number(text);\n  if (!/^\\d{1,10}$/.test(text) || id > LARGEST_ID)", "  const id = Number.parseInt(text, 10) >>> 0;\n  if (id > LARGEST_ID)"]], checks: /30892/ },
  { without: 'the owner of a state file', changes: [['src/container/state.ts', 'if (owner !== process.geteuid!() && owner !== 0)', 'if (false)']], checks: /foreign state/ },
  { without: 'O_NOFOLLOW for the log', changes: [['src/log.ts', ' | constants.O_NOFOLLOW', '']], checks: /log file/ },
];

const repository = join(import.meta.dirname, '../..');
const work = mkdtempSync(join(tmpdir(), 'weakened-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

/** Builds a copy of runt with the changes; its path. */
function build({ without, changes }: Weakness): string {
  const source = join(work, 'source'), dist = join(work, 'dist');
  for (const directory of [source, dist]) rmSync(directory, { recursive: true, force: true });
  mkdirSync(join(dist, 'engine'), { recursive: true });
  mkdirSync(source);
  for (const name of ['bin', 'spec', 'src', 'native', 'package.json', 'tsconfig.json']) cpSync(join(repository, name), join(source, name), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(source, 'node_modules'));
  for (const name of readdirSync(join(repository, 'dist'))) if (/^runt(-init)?$|\.so$/.test(name)) cpSync(join(repository, 'dist', name), join(dist, name));
  for (const [file, from, to] of changes) {
    const text = readFileSync(join(source, file), 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${without}: ${file} has changed: ${from}`);
    writeFileSync(join(source, file), text.replace(from, () => to));
  }
  const built = spawnSync('node_modules/.bin/bun', [
    'build', '--compile', '--minify', '--format=esm', '--no-compile-autoload-dotenv', '--no-compile-autoload-bunfig', '--no-compile-autoload-tsconfig', '--no-compile-autoload-package-json',
    '--define', 'RUNT_EXECUTABLE=true', '--define', 'RUNT_COMMIT="weakened"', 'bin/runt.ts', '--outfile', '../dist/engine/runt',
  ], { cwd: source, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`${without}: ${built.stderr}`);
  return join(dist, 'runt');
}

console.log('| runt without | check | about | seen |\n|---|---|---|---|');
let unseen = 0;
for (const weakness of weaknesses.filter(({ without }) => without.includes(process.argv[2] ?? ''))) {
  const runtime = new Runtime(build(weakness));
  const rows = checks.filter(({ about, holds }) => weakness.checks.test(about) || weakness.checks.test(holds)).map(({ about, holds, check }) => {
    try {
      check(new Subject(runtime));
      return { about, holds, seen: 'holds all the same' };
    } catch (error) {
      const { message, code } = error as Error & { readonly code?: string };
      if (code !== 'ERR_ASSERTION' && !message.startsWith('exit status')) throw error;
      return { about, holds, seen: '**fails**' };
    }
  });
  for (const { about, holds, seen } of rows) console.log(`| ${weakness.without} | ${holds} | ${about} | ${seen} |`);
  if (!rows.some(({ seen }) => seen.startsWith('**'))) unseen++;
  runtime.close();
}
process.exit(unseen === 0 ? 0 : 1);
