// What runt tells before and after: validate, explain, trace, inspect, doctor, completion, man, colour.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, inTerminal, makeBundle, Runtime, runtimePaths, until, type Json } from './harness.ts';
import { sarifSchema } from './sarif-schema.ts';

type Config = ReturnType<typeof baseConfig>;
interface Finding { rule: string; severity: string; pointer: string; line: number; column: number; found: string; expected: string; hint?: string }

for (const path of runtimePaths()) {
  const runtime = new Runtime(path);
  const test = suite(`reports ${path}`);
  let count = 0;
  const fresh = (): string => `report${process.pid}-${count++}`;
  const bundleOf = (change: (config: Config) => unknown): string => {
    const config = baseConfig('/bin/sleep', '1000');
    change(config);
    return makeBundle(config);
  };
  const sound = bundleOf(() => {});
  const findings = (bundle: string, ...flags: string[]): Finding[] => (JSON.parse(runtime.run(['validate', '--format', 'json', ...flags, bundle]).stdout) as { issues: Finding[] }).issues;

  test('validate: a sound bundle has nothing wrong, status 0; without a config.json status 2', () => {
    const result = runtime.run(['validate', sound]);
    assert.is(result.code, 0, result.stdout);
    assert.match(result.stdout, /config\.json: nothing wrong/);
    assert.is(runtime.run(['validate', '/nowhere']).code, 2);
    assert.is(runtime.run(['validate', '--format', 'xml', sound]).code, 2);
  });

  test('validate finds all at once: schema, rules between fields, unknown keys, and what the host lacks, each with its place', () => {
    const bundle = bundleOf((config) => {
      config['hostnme'] = 'x';
      (config.linux['namespaces'] as Json[])[0]!['type'] = 'pids';
      config.process['cwd'] = 'relative';
      config.mounts.push({ destination: '/data', type: 'bind', source: '/srv/nowhere', options: ['bind'] });
      config['hooks'] = { createRuntime: [{ path: '/nowhere/hook' }] };
    });
    const found = findings(bundle);
    const of = (pointer: string): Finding => found.find((one) => one.pointer === pointer)!;
    assert.is(of('/linux/namespaces/0/type').rule, 'schema');
    assert.match(of('/linux/namespaces/0/type').hint ?? '', /did you mean "pid"/);
    assert.is(of('/process/cwd').rule, 'semantic');
    assert.equal([of('/hostnme').rule, of('/hostnme').severity, of('/hostnme').hint], ['unknown-key', 'warning', 'did you mean "hostname"?']);
    assert.is(of('/mounts/6/source').rule, 'host');
    assert.is(of('/hooks/createRuntime/0/path').rule, 'host');
    const lines = readFileSync(join(bundle, 'config.json'), 'utf8').split('\n');
    for (const { pointer, line, column } of found) assert.ok((lines[line - 1] ?? '').length >= column && pointer !== '', `${pointer} at ${line}:${column}`);
    assert.match(lines[of('/mounts/6/source').line - 1]!, /srv\/nowhere/);
    assert.is(runtime.run(['validate', bundle]).code, 1);
    assert.not.ok(findings(bundle, '--no-host').some(({ rule }) => rule === 'host'));
  });

  test('validate knows this host: command, limit, namespace and file system that it cannot give', () => {
    const found = findings(bundleOf((config) => {
      config.process['args'] = ['nginx'];
      config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 1 }];
      config.linux['resources'] = { unified: { 'banana.max': '1' }, hugepageLimits: [{ pageSize: '3MB', limit: 1 }] };
      (config.linux['namespaces'] as Json[])[1]!['path'] = '/proc/2147483647/ns/net';
      config.mounts.push({ destination: '/data', type: 'bananafs', source: 'x' });
      config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_Z80'], syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] };
      config.linux['sysctl'] = { 'net.banana': '1' };
    }));
    for (const pointer of ['/process/args/0', '/linux/resources/unified/banana.max', '/linux/resources/hugepageLimits/0/pageSize', '/linux/namespaces/1/path', '/mounts/6/type', '/linux/sysctl/net.banana', '/linux/seccomp/architectures/1']) {
      assert.ok(found.some((one) => one.pointer === pointer && one.rule === 'host'), `${pointer}: ${JSON.stringify(found)}`);
    }
  });

  test('validate names the system calls that this libseccomp does not know: there is no rule for them', () => {
    const found = findings(bundleOf((config) => (config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct', 'banana'], action: 'SCMP_ACT_ERRNO' }] })));
    assert.equal(found.map(({ pointer, found: name, severity }) => [pointer, name, severity]), [['/linux/seccomp/syscalls', 'banana', 'warning']]);
  });

  test('validate: what is no JSON has its place; strict counts warnings; text is as compilers print it', () => {
    const broken = mkdtempSync(join(tmpdir(), 'broken-'));
    writeFileSync(join(broken, 'config.json'), '{\n  "ociVersion": "1.0.2"\n  "root": {}\n}');
    assert.equal(findings(broken).map(({ rule, line, column }) => [rule, line, column]), [['json', 3, 3]]);
    const slip = bundleOf((config) => (config.process['capabilities'] = { bounding: ['CAP_KILL', 'CAP_SYS_ADMN'] }));
    assert.match(runtime.run(['validate', '--no-host', slip]).stdout, /warning: process\.capabilities\.bounding\[1\]: is no capability, and is ignored: got "CAP_SYS_ADMN" \[semantic\]\n {4}try: did you mean "CAP_SYS_ADMIN"\?$/m);
    const warned = bundleOf((config) => (config['hostnme'] = 'x'));
    assert.equal([runtime.run(['validate', warned]).code, runtime.run(['validate', '--strict', warned]).code], [0, 1]);
    assert.match(runtime.run(['validate', warned]).stdout, /^\S+config\.json:\d+:\d+: warning: hostnme: .* \[unknown-key\]\n {4}try: did you mean "hostname"\?$/m);
  });

  test('validate --format sarif: version 2.1.0, every result has a rule, a level and a region', () => {
    const result = runtime.run(['validate', '--format', 'sarif', bundleOf((config) => (config.process['cwd'] = 'relative'))]);
    const sarif = JSON.parse(result.stdout) as { version: string; runs: { tool: { driver: { name: string; rules: { id: string }[] } }; results: { ruleId: string; ruleIndex: number; level: string; message: { text: string }; locations: { physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number; startColumn: number } } }[] }[] }[] };
    const places: ((config: Config) => unknown)[] = [(config) => (config.process['cwd'] = 'relative'), (config) => (config.mounts[0]!['type'] = 1), (config) => (config['hostnme'] = 'x'), (config) => delete (config as Json)['root'], () => {}];
    const fits = new Ajv({ allErrors: true }).compile(sarifSchema);
    for (const place of places) {
      const log = JSON.parse(runtime.run(['validate', '--format', 'sarif', bundleOf(place)]).stdout) as unknown;
      assert.ok(fits(log), JSON.stringify(fits.errors));
    }
    const odd = mkdtempSync(join(tmpdir(), 'ä & %-'));
    writeFileSync(join(odd, 'config.json'), '{');
    assert.ok(fits(JSON.parse(runtime.run(['validate', '--format', 'sarif', odd]).stdout)), JSON.stringify(fits.errors));
    rmSync(odd, { recursive: true });
    assert.is(sarif.version, '2.1.0');
    const run = sarif.runs[0]!;
    assert.ok(run.results.length > 0);
    for (const { ruleId, ruleIndex, level, message, locations } of run.results) {
      assert.is(run.tool.driver.rules[ruleIndex]!.id, ruleId);
      assert.ok(['error', 'warning'].includes(level) && message.text !== '');
      assert.match(locations[0]!.physicalLocation.artifactLocation.uri, /^file:\/\/\/.*config\.json$/);
      assert.ok(locations[0]!.physicalLocation.region.startLine > 0);
    }
  });

  test('explain says why, shows one place alone, and draws a graph', () => {
    const text = runtime.run(['explain', sound]).stdout;
    assert.match(text, /pivot_root\("\.", "\."\) +container \/root\/path {2}# stacks the old root/);
    const part = runtime.run(['explain', '--at', '/mounts/1', sound]).stdout.trim().split('\n');
    assert.ok(part.length > 5 && part.every((line) => /container \/mounts\/1(\/|  |$)/.test(line)), part.join('\n'));
    const nowhere = runtime.run(['explain', '--at', '/banana', sound]);
    assert.is(nowhere.code, 1);
    assert.match(nowhere.stderr, /no step is caused by \/banana/);
    const dot = runtime.run(['explain', '--format', 'dot', sound]).stdout;
    assert.match(dot, /^digraph "[^]*s0 -> s1[^]*\}\n$/);
    assert.match(runtime.run(['explain', '--format', 'strace', sound]).stdout, /^\[container\] pivot_root\("\.", "\."\) = \?$/m);
  });

  test('explain --diff: nothing with itself, one step with a read-only root, nothing with the container it became', () => {
    assert.is(runtime.run(['explain', '--diff', sound, sound]).code, 0);
    const other = runtime.run(['explain', '--diff', bundleOf((config) => (config.root['readonly'] = true)), sound]);
    assert.is(other.code, 1);
    assert.equal(other.stdout.split('\n').filter((line) => /^[-+]/.test(line)).map((line) => line.replace(/ {2}.*/, '')), ['+ mount_setattr($root, "", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY}, 32)']);
    const id = fresh();
    assert.is(runtime.create(id, sound).code, 0);
    const recorded = runtime.run(['explain', '--diff', id, sound]);
    assert.is(recorded.code, 0, recorded.stdout);
    runtime.run(['delete', '--force', id]);
  });

  test('trace: strace, Chromium, SVG and page of a container that failed, with what the user was told', () => {
    const id = fresh();
    const failed = runtime.run(['run', '--inject', 'pivot_root=EPERM', '--bundle', sound, id]);
    assert.is(failed.code, 1);
    const trace = (...flags: string[]): string => runtime.run(['trace', ...flags, id]).stdout;
    assert.match(trace(), /pivot_root\("\.", "\."\) = EPERM FAILED injected\n[^]*runt: \S+: root\.path: pivot_root.*EPERM/);
    assert.match(trace('--format', 'strace'), /pivot_root\("\.", "\."\) = -1 EPERM \(operation not permitted\) \(INJECTED\) <\d\.\d{6}>/);
    const chrome = JSON.parse(trace('--format', 'chrome')) as { traceEvents: { ph: string; cat: string; name: string; pid: number; ts?: number; dur?: number; tid: number; args: Json }[] };
    const slices = chrome.traceEvents.filter(({ ph }) => ph === 'X');
    assert.ok(slices.length > 50 && slices.every(({ ts, dur }) => ts! >= 0 && dur! >= 0));
    assert.ok(slices.some(({ name, tid }) => name === 'pivot_root' && tid === 2));
    // Trace Event Format: metadata names each process and thread; slices of one thread nest or follow each other.
    for (const event of chrome.traceEvents) assert.ok(['X', 'M'].includes(event.ph) && typeof event.cat === 'string' && event.pid === 1 && Number.isFinite(event.ts) && (event.ph !== 'M' || typeof event.args['name'] === 'string'), JSON.stringify(event));
    for (const tid of [1, 2]) {
      assert.ok(chrome.traceEvents.some((event) => event.ph === 'M' && event.name === 'thread_name' && event.tid === tid));
      const track = slices.filter((slice) => slice.tid === tid).sort((a, b) => a.ts! - b.ts!);
      track.forEach(({ ts, dur }, index) => assert.ok(index === track.length - 1 || ts! + dur! <= track[index + 1]!.ts! + 0.001, `slices overlap at ${ts}`));
    }
    assert.match(trace('--format', 'svg'), /^<\?xml[^]*<svg [^]*class="failed"[^]*<\/svg>\n$/);
    const page = trace('--format', 'html');
    assert.match(page, /^<!doctype html>[^]*<pre>runt: [^]*EPERM[^]*<svg [^]*<table>/);
    assert.not.match(page.replace(/xmlns="[^"]*"/g, ''), /(src|href)=|https?:/);
    assert.is(runtime.run(['trace', '--last']).stdout, trace());
    const json = JSON.parse(trace('--format', 'json')) as { error: string; steps: { step: string; errno?: string; result: number }[] };
    assert.match(json.error, /EPERM/);
    assert.equal(json.steps.filter(({ step }) => step.startsWith('pivot_root')).map(({ errno, result }) => [errno, result]), [['EPERM', 1]]);
  });

  test('trace --slowest has the most first, and the shares of what is shown do not exceed the whole', () => {
    const id = fresh();
    assert.is(runtime.create(id, sound).code, 0);
    const lines = runtime.run(['trace', '--slowest', '-n', '5', id]).stdout.trim().split('\n');
    assert.is(lines.length, 6);
    const times = lines.slice(0, 5).map((line) => Number.parseFloat(line));
    assert.equal(times, [...times].sort((a, b) => b - a));
    assert.ok(lines.slice(0, 5).reduce((sum, line) => sum + Number(/([\d.]+) %/.exec(line)![1]), 0) <= 100.5);
    runtime.run(['delete', '--force', id]);
  });

  test('run --trace writes a file in the form of its name, also when the run fails', () => {
    const directory = mkdtempSync(join(tmpdir(), 'trace-'));
    const quick = makeBundle(baseConfig('/bin/true'));
    for (const [name, form] of [['a.html', /^<!doctype html>/], ['a.svg', /^<\?xml/], ['a.json', /^\{"traceEvents"/], ['a.txt', /execve\(.* = 0\n/]] as const) {
      assert.is(runtime.run(['run', '--trace', join(directory, name), '--bundle', quick, fresh()]).code, 0);
      assert.match(readFileSync(join(directory, name), 'utf8'), form);
    }
    runtime.run(['run', '--trace', join(directory, 'failed.txt'), '--inject', 'clone3=EPERM', '--bundle', quick, fresh()]);
    assert.match(readFileSync(join(directory, 'failed.txt'), 'utf8'), /clone3.*EPERM FAILED/);
    assert.match(runtime.run(['run', '--trace', '/nowhere/x', '--bundle', quick, fresh()]).stderr, /warning: cannot write \/nowhere\/x: ENOENT/);
  });

  test('inspect: all is as asked, until the host changes it', () => {
    const id = fresh();
    const bundle = bundleOf((config) => {
      config.process['user'] = { uid: 0, gid: 0, additionalGids: [5] };
      config.process['capabilities'] = { bounding: ['CAP_KILL'], effective: [], permitted: [] };
      config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 500, hard: 600 }];
      config.root['readonly'] = true;
    });
    const ran = runtime.background(id, ['run', '--detach', '--bundle', bundle, id]);
    if (ran.code !== 0) throw new Error(ran.stderr);
    until('the process runs', () => readFileSync(`/proc/${String(runtime.state(id)['pid'])}/comm`, 'utf8').startsWith('sleep'));
    const same = runtime.run(['inspect', '--differences', id]);
    assert.match(same.stdout, /all is as config\.json asked/);
    const whole = runtime.run(['inspect', id]).stdout;
    assert.match(whole, /bounding +KILL\n/);
    assert.match(whole, /RLIMIT_NOFILE +500 600\n/);
    assert.match(whole, /network +net:\[\d+\]\n/);
    assert.match(whole, /\/dev\/shm +tmpfs rw,nosuid,nodev,noexec/);
    assert.is(spawnSync('prlimit', ['--pid', String(runtime.state(id)['pid']), '--nofile=400:600']).status, 0);
    const changed = JSON.parse(runtime.run(['inspect', '--differences', '--format', 'json', id]).stdout) as { rows: { what: string; at: string; asked: string; actual: string }[] };
    assert.equal(changed.rows.map(({ what, at, asked, actual }) => [what, at, asked, actual]), [['RLIMIT_NOFILE', '/process/rlimits/0', '500 600', '400 600']]);
    runtime.run(['delete', '--force', id]);
    assert.match(runtime.run(['inspect', id]).stderr, /does not exist/);
  });

  test('doctor: what every container needs is here, and what is missing has advice', () => {
    const found = JSON.parse(runtime.run(['doctor', '--format', 'json']).stdout) as { topic: string; feature: string; status: string; advice?: string }[];
    assert.equal(found.filter(({ status }) => status === 'broken'), []);
    for (const { status, advice, feature } of found) assert.is(advice !== undefined, status !== 'ok', feature);
    const controllers = existsSync('/sys/fs/cgroup/cgroup.controllers') ? readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8') : '';
    for (const one of ['memory', 'hugetlb', 'pids']) assert.is(found.find(({ feature }) => feature.startsWith(`${one} (`))!.status, controllers.includes(one) ? 'ok' : 'missing');
    assert.is(runtime.run(['doctor']).code, 0);
  });

  const verbs = [...runtime.run(['--help']).stdout.split('commands:\n')[1]!.split('\nflags:')[0]!.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name!);

  test('completion: scripts that their shells take, and bash completes verbs, flags, values and containers', () => {
    const id = fresh();
    runtime.create(id, sound);
    const directory = mkdtempSync(join(tmpdir(), 'completion-'));
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = runtime.run(['completion', shell]).stdout;
      for (const verb of verbs) assert.ok(script.includes(verb), `${shell}: ${verb}`);
      const file = join(directory, shell);
      writeFileSync(file, script);
      if (spawnSync(shell, ['--version']).status === 0) assert.is(spawnSync(shell, ['-n', file]).status, 0, shell);
    }
    const complete = (...words: string[]): string => spawnSync('bash', ['-c', `runt() { "${path}" "$@"; }; source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _runt; echo "\${COMPREPLY[@]}"`, join(directory, 'bash'), 'runt', ...words], { encoding: 'utf8' }).stdout.trim();
    assert.is(complete('expl'), 'explain');
    assert.is(complete('run', '--bre'), '--break');
    assert.is(complete('trace', '--format', 'h'), 'html');
    assert.is(complete('doctor', '--format', ''), 'text json');
    assert.is(complete('--root', runtime.root, 'delete', id.slice(0, -1)).includes(id), true);
    assert.match(runtime.run(['completion', 'tcsh']).stderr, /no completion for tcsh/);
    runtime.run(['delete', '--force', id]);
  });

  test('man: a page for runt and one for each command, which groff takes without a warning', () => {
    const hasGroff = spawnSync('groff', ['--version']).status === 0;
    for (const verb of ['', ...verbs]) {
      const page = runtime.run(['man', ...(verb === '' ? [] : [verb])]).stdout;
      assert.match(page, /^\.TH RUNT/);
      assert.match(page, /\.SH NAME\n/);
      if (!hasGroff) continue;
      const done = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-Wbreak'], { input: page, encoding: 'utf8' });
      assert.equal([done.status, done.stderr], [0, ''], verb);
    }
  });

  test('colour on a terminal only, and not with NO_COLOR', () => {
    assert.not.match(runtime.run(['explain', sound]).stdout, /\x1b/);
    const terminal = (env: string): string => inTerminal(`${env} ${path} doctor`).output;
    assert.match(terminal(''), /\x1b\[32mok/);
    assert.not.match(terminal('NO_COLOR=1'), /\x1b/);
    assert.not.match(terminal('TERM=dumb'), /\x1b/);
  });

  test.after(() => runtime.close());
  test.run();
}
