// The house's rules as a test: which room may import which (ARCHITECTURE.md). A failure prints the reason.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('architecture');
const root = join(import.meta.dirname, '..');

function files(directory: string): string[] {
  return readdirSync(join(root, directory)).flatMap((name) => {
    const path = `${directory}/${name}`;
    if (statSync(join(root, path)).isDirectory()) return files(path);
    return name.endsWith('.ts') ? [path] : [];
  });
}

const sources = ['bin', 'spec', 'src', 'native', 'conformance'].flatMap(files).filter((path) => !path.endsWith('.d.ts'));
const code = sources.filter((path) => !path.endsWith('.test.ts'));

function imports(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => (name!.startsWith('.') ? relative(root, join(root, path, '..', name!)) : name!));
}

const rules: readonly [room: string, forbidden: RegExp, reason: string][] = [
  ['spec/', /^(src|native|conformance)\//, 'spec says what the OCI documents say; it imports nothing of ours'],
  ['src/compile/', /^(src\/(execute|container|commands|cgroup|systemd)\/|native\/linux\/(koffi|syscalls|spawn|libseccomp)|node:)/, 'compile is pure: what it must know arrives in Host'],
  ['src/prepared/', /^(src\/(compile|execute|container|commands|cgroup|systemd)\/|native\/linux\/(koffi|syscalls|spawn|libseccomp)|node:)/, 'prepared is pure, as compile: it is compiled when runt is built'],
  ['src/program/', /^(src\/(compile|execute|container|commands|cgroup|bpf|debugger)\/|native\/linux\/(koffi|syscalls|spawn|libseccomp)|node:)/, 'program is the language between compile and execute'],
  ['src/execute/', /^src\/(compile|container|commands|cgroup|debugger)\//, 'execute runs any program: it knows no config.json and no container'],
  ['src/systemd/', /^src\/(container|commands|execute|program|cgroup)\//, 'systemd is a bus and its words: it knows no container'],
  ['src/criu/', /^src\/(container|commands|compile|execute|program|cgroup)\//, 'criu speaks CRIU’s protocol: what a container is it need not know'],
  ['src/cgroup/', /^src\/(container|commands|execute)\//, 'cgroup is below container'],
  ['src/container/', /^src\/(commands|debugger)\//, 'container knows no command line, and a debugger only as a Watch it is given'],
  ['src/render/', /^src\/(compile|execute|container|commands|cgroup|debugger|check)\//, 'render shows any program: it knows no container'],
  ['src/check/', /^src\/(commands|execute|debugger)\//, 'check only reads: it runs no program'],
  ['src/debugger/', /^src\/commands\//, 'a debugger is loaded by commands'],
  ['native/', /^src\/(compile|execute|container|commands|cgroup|bpf)\//, 'native is the machine: no policy'],
  ['conformance/', /^(src|native|bin)\//, 'conformance must not measure us with our own ruler'],
];

for (const [room, forbidden, reason] of rules) {
  test(`${room}: ${reason}`, () => {
    for (const path of code.filter((one) => one.startsWith(room))) {
      for (const name of imports(path)) assert.not.ok(forbidden.test(name), `${path} imports ${name}: ${reason}`);
    }
  });
}

test('only native/linux/koffi.ts loads koffi, and the bench that measures what it costs', () => {
  for (const path of code) if (path !== 'native/linux/koffi.ts' && path !== 'conformance/bench/engines.ts') assert.not.match(readFileSync(join(root, path), 'utf8'), /from 'koffi'|koffi\.node/);
});

test('time is the kernel’s: performance.now() counts from the start of an engine, which may have been before a reboot (native/snapshot)', () => {
  for (const path of code.filter((one) => /^(src|native)\//.test(one) && !/\.(test|cost)\.ts$/.test(one))) assert.not.match(readFileSync(join(root, path), 'utf8').replace(/\/\*\*.*?\*\//gs, ''), /performance\.now|process\.hrtime|process\.uptime/, path);
});

test('imports of the rooms of src go one way: no cycle between files', () => {
  const seen = new Map<string, 'open' | 'done'>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (seen.get(path) === 'done') return;
    assert.is.not(seen.get(path), 'open', [...trail, path].join(' → '));
    seen.set(path, 'open');
    const text = readFileSync(join(root, path), 'utf8');
    for (const [, name] of text.matchAll(/^(?:import|export) (?!type)[^;]*?from '(\.[^']+)'/gm)) {
      const next = relative(root, join(root, path, '..', name!));
      if (code.includes(next)) visit(next, [...trail, path]);
    }
    seen.set(path, 'done');
  };
  for (const path of code) visit(path, []);
});

test('files stay small enough to read at one sitting', () => {
  for (const path of code) {
    const lines = readFileSync(join(root, path), 'utf8').split('\n').length;
    assert.ok(lines <= 340, `${path} has ${lines} lines`);
  }
});

test.run();
