// Proves that each test of debugging.test.ts can fail: breaks the debugger in one place, builds a copy, and looks which tests
// notice. `conformance/v2-view.sh tsx conformance/debugging/breakages.ts` prints the table of docs/steps.md; some minutes, not part of CI.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const repository = join(import.meta.dirname, '../..');
const work = join(repository, '.cache/breakages');
const source = join(work, 'source');

/** What is broken, where, how, and the beginning of the test that must notice. */
const breakages: readonly (readonly [what: string, file: string, found: string, instead: string, test: string])[] = [
  ['an injected errno is not looked at by the runtime side', 'src/execute/records.ts', 'injected !== 0 ? -injected : ', '', 'an injected errno fails a step of the runtime side'],
  ['a failure has no hint', 'src/execute/hints.ts', 'return hints.find(fits)?.hint', 'return undefined', 'an injected errno fails a step of the container side'],
  ['after: means the step itself', 'src/program/select.ts', "if (where !== 'after') return chosen", 'if (where !== undefined || true) return chosen', 'a pointer means the first step'],
  ['a failure of start has no position', 'src/container/gate-service.ts', 'storedPosition(directory)', '() => undefined as never', 'a step of start fails too'],
  ['tolerated errnos are written as none', 'src/program/encode.ts', 'if (tolerate === undefined) return next;', 'if (tolerate === undefined || true) return next;', 'an errno that a step tolerates'],
  ['a step that does not exist is not refused', 'src/debugger/choose.ts', 'if (found[0] === undefined) throw', 'if (found[0] === undefined) return selectRecords(image, "0")![0]!; if (false) throw', 'what is no step'],
  ['nothing is shown of namespaces', 'src/debugger/session.ts', "case 'show': case 'info': talk.say(show(subject, argument)); break;", "case 'show': case 'info': break;", '--break stops before a step'],
  ['the shell stays in the host’s mount namespace', 'src/debugger/shell.ts', "if (type === 'pid' ||", "if (type === 'mount' || type === 'pid' ||", 'a shell at a stop'],
  ['step does not count', 'src/debugger/session.ts', "return { steps: countOf(argument, 1), failed: 'fail' };", "return { steps: 0, failed: 'fail' };", 'step by step'],
  ['the end of input goes on', 'src/debugger/session.ts', "line ?? 'abort'", "line ?? 'continue'", 'abort ends'],
  ['retry counts the step as done', 'src/debugger/session.ts', "word === 'retry' ? 'again' : 'skip'", "'skip'", 'on-error waits'],
  ['on-error does not hold the runtime side', 'src/execute/execute.ts', "const decision = watch.failed(view, error, execution);\n      if (decision === 'fail')", "const decision = 'fail' as 'fail' | 'again';\n      if (decision === 'fail')", 'on-error on the runtime side'],
  ['^C ends the debugger', 'src/debugger/talk.ts', "[SIGINT, SIGTSTP].map(ignore)", "[SIGTSTP].map(ignore)", 'in a terminal'],
  ['a failed create leaves its cgroup', 'src/container/undo.ts', 'removeMade(execution.image);', '', 'nothing is left'],
];

function build(file: string, found: string, instead: string): string {
  rmSync(source, { recursive: true, force: true });
  mkdirSync(join(work, 'dist/engine'), { recursive: true });
  mkdirSync(source);
  for (const name of ['bin', 'spec', 'src', 'native', 'package.json', 'tsconfig.json']) cpSync(join(repository, name), join(source, name), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(source, 'node_modules'));
  const text = readFileSync(join(source, file), 'utf8');
  if (!text.includes(found)) throw new Error(`${file} has no ${found}`);
  writeFileSync(join(source, file), text.replace(found, () => instead));
  for (const name of readdirSync(join(repository, 'dist')).filter((one) => /^runt(-init)?$|\.so$/.test(one))) cpSync(join(repository, 'dist', name), join(work, 'dist', name));
  const options = ['dotenv', 'bunfig', 'tsconfig', 'package-json'].map((name) => `--no-compile-autoload-${name}`);
  execFileSync('node_modules/.bin/bun', ['build', '--compile', '--minify', '--format=esm', `--target=bun-linux-${process.arch}`, ...options, '--define', 'RUNT_EXECUTABLE=true', '--define', 'RUNT_COMMIT="broken"', 'bin/runt.ts', '--outfile', '../dist/engine/runt'], { cwd: source, stdio: ['ignore', 'ignore', 'inherit'] });
  return join(work, 'dist/runt');
}

const only = process.argv[2];
let missed = 0;
console.log('| broken | where | tests that noticed |\n|---|---|---|');
for (const [what, file, found, instead, test] of breakages.filter(([text]) => only === undefined || text.includes(only))) {
  const runtime = build(file, found, instead);
  const done = spawnSync(join(repository, 'node_modules/.bin/tsx'), [join(repository, 'conformance/debugging.test.ts')], { cwd: repository, encoding: 'utf8', timeout: 300_000, killSignal: 'SIGKILL', env: { ...process.env, RUNTIMES: runtime } });
  const failed = [...new Set([...done.stdout.matchAll(/FAIL\s+debugging \S+\s+"([^"]*)"/g)].map(([, title]) => title!))];
  const noticed = failed.some((title) => title.startsWith(test));
  if (!noticed) missed++;
  console.log(`| ${what} | ${file} | ${noticed ? '' : `NOT by "${test}": `}${failed.join('; ') || 'none'} |`);
}
process.exit(missed === 0 ? 0 : 1);
