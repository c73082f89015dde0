// An engine that goes on from its snapshot (native/snapshot) and one that was started do and say the same, whatever the caller hands down.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths, until } from './harness.ts';
import { called, copyOf, wayOf, whyNoSnapshot } from './snapshot-copies.ts';

/** execve(2) with these very strings as environment, which no other program would pass on. */
const WITH_STRINGS = 'import ctypes,sys;n=int(sys.argv[1]);e=[a.encode("utf8","surrogateescape") for a in sys.argv[2:2+n]];w=[a.encode("utf8","surrogateescape") for a in sys.argv[2+n:]];v=lambda l:(ctypes.c_char_p*(len(l)+1))(*l,None);ctypes.CDLL(None).execve(w[0],v(w),v(e))';
const withStrings = (...strings: string[]): string[] => ['python3', '-c', WITH_STRINGS, String(strings.length), ...strings];
const bash = (script: string): string[] => ['bash', '--norc', '-c', `${script}exec "$@"`, 'bash'];
/** What a process was born with: written by itself, so that nothing of a shell comes in between. */
const INSIDE = 'tr "\\0" "\\n" </proc/$$/environ; pwd; umask; grep -E "^(Sig[BIC]|Cap|NoNew|Seccomp:|Groups|Umask|Speculation|Cpus_allowed:)" /proc/$$/status; cat /proc/$$/limits /proc/$$/oom_score_adj /proc/$$/cgroup; for n in $(seq 0 300); do [ -e /proc/$$/fd/$n ] && echo $n; done; tr "\\0" " " </proc/$$/cmdline; cut -d " " -f 5,6,8 /proc/self/mountinfo';
/** The same of the runtime, by a hook whose parent it is. */
const OUTSIDE = 'tr "\\0" "\\n" </proc/$$/environ; grep -E "^(Sig[BIC]|Cap|NoNew|Seccomp:|Groups|Threads|Umask)" /proc/$PPID/status /proc/$$/status | sed "s/.*status://"; cat /proc/$PPID/limits; readlink /proc/$PPID/cwd; for n in $(seq 3 300); do [ -e /proc/$$/fd/$n ] && echo $n; done; true';

for (const path of runtimePaths()) {
  const test = suite(`snapshot alike ${basename(path)}`);
  const why = whyNoSnapshot();
  if (why !== undefined) {
    console.log(`skipped: ${why}`);
    continue;
  }
  const work = mkdtempSync(join(tmpdir(), 'alike-'));
  chmodSync(work, 0o755);
  const resumed = copyOf(path, join(work, 'with'), 'with');
  const started = copyOf(resumed, join(work, 'without'), 'without');
  const both = [resumed, started] as const;
  const runtime = new Runtime(resumed);
  let count = 0;

  const same = (words: readonly string[], options: Parameters<typeof called>[2] = {}): void => {
    const [one, other] = both.map((runt) => called(runt, words, options));
    assert.equal(one, other, words.join(' ').slice(0, 200));
    assert.not.equal(one!.stdout + one!.stderr, '');
  };
  /** A hook's command that writes to a file, as an entry of config.json. */
  const hook = (file: string): object => ({ path: '/bin/sh', args: ['sh', '-c', `{ ${OUTSIDE}; } >${file}`] });

  /** JavaScriptCore unblocks SIGPWR when it likes; Node when it is started has six threads more;
   *  it ignores what it wants to, and bin/runt is a shell, which hands down no names that are none to it. */
  const isNode = path.endsWith('bin/runt');
  /** What a container and a hook see of what the caller hands down, by either way. Its command line comes after `before`. */
  const views = async (what: string, before: readonly string[], flags: readonly string[] = []): Promise<string> => {
    assert.is((await wayOf(resumed, 'snapshot', before)).way, 'snapshot', what);
    const id = `alike${process.pid}-${count++}`;
    const seen = both.map((runt) => {
      const file = join(work, 'hook');
      writeFileSync(file, '');
      const output = join(work, 'output');
      writeFileSync(output, '');
      const bundle = join(work, 'bundle'); // the same place for both
      rmSync(bundle, { recursive: true, force: true });
      mkdirSync(bundle);
      const config = baseConfig('/bin/sh', '-c', `{ ${INSIDE}; } >/out`);
      config.mounts.push({ destination: '/out', type: 'bind', source: output, options: ['bind', 'rw'] });
      config['hooks'] = { createRuntime: [hook(file)] };
      writeFileSync(join(bundle, 'config.json'), readFileSync(join(makeBundle(config), 'config.json')));
      const { code, stdout, stderr } = called(runt, ['--root', runtime.root, 'run', ...flags, '--bundle', bundle, id], { before });
      const inside = readFileSync(output, 'utf8');
      const outside = readFileSync(file, 'utf8');
      assert.ok(inside.includes('Max open files') && outside.includes('Max open files'), `${what}: ${stderr}${inside}${outside}`);
      return { code, stdout, stderr, inside: inside.split('\n'), outside: outside.replace(/^LISTEN_PID=\d+$/m, 'LISTEN_PID=own').replace(/^(SigBlk:\tf{8})[df]/gm, '$1.').replace(isNode ? /^Threads:.*\n/gm : '', '').split('\n') };
    });
    assert.equal(seen[0], seen[1], what);
    return [...seen[0]!.inside, ...seen[0]!.outside].join('\n');
  };

  test('what is asked without a container: the same words and exit status', () => {
    const broken = makeBundle({ ...baseConfig('/bin/true'), hostname: 5, mounts: [{ destination: 'relative', type: 'banana', options: ['size=ä'] }] });
    const good = makeBundle(baseConfig('/bin/true'));
    const table = [
      [], ['--help'], ['--version'], ['help'], ['unknown'], ['--banana'], ['list'], ['list', '--format', 'json'], ['list', '-q', 'word'], ['state', 'nobody'], ['state', 'ä\u{1F4E6}/x'], ['kill', 'nobody', 'TERM'], ['kill', 'nobody', 'BANANA'], ['delete', 'nobody'], ['start', 'nobody'],
      ['pause', 'nobody'], ['update', '--memory', 'x', 'nobody'], ['ps', 'nobody'], ['events', 'nobody'], ['exec', 'nobody', 'true'], ['exec'], ['create', '--bundle', broken, 'one'], ['create', '--bundle', '/nowhere', 'one'], ['run', '--bundle', broken, 'one'], ['--debug', 'run', '--bundle', broken, 'one'],
      ['explain', good], ['explain', '--format', 'json', good], ['explain', broken], ['explain', '--verb', 'delete'], ['validate', good], ['validate', '--format', 'sarif', broken], ['features'], ['trace', 'nobody'], ['trace', '--last'], ['inspect', 'nobody'], ['completion', 'bash'], ['man', 'run'], ['create', '--help'],
    ];
    for (const words of table) if (!['list', 'trace'].includes(words[0]!) || words.length > 1) same(['--root', runtime.root, ...words]);
    same(['--root', runtime.root, 'list']);
    same(['--log-format', 'json', '--log', '/nowhere/log', 'state', 'nobody']);
  });

  test('many, long and strange words and variables', () => {
    const long = 'ä€\u{1F4E6} '.repeat(11_000);
    same(['state', long.slice(0, 30_000)]);
    same(['state', ...Array.from({ length: 8000 }, (_, i) => `word ${i} ö`)]);
    same(['list', '--format', '\udcff\udcfe'], { before: ['python3', '-c', 'import os,sys;os.execv(sys.argv[1],[a.encode("utf8","replace")+b"\\xff" for a in sys.argv[1:]])'] });
    same(['state', '']);
    same(['--root', '', 'list']);
    same(['state', 'nobody'], { env: {} });
    same(['state', 'nobody'], { env: Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`NAME_${i}`, `value ${i} ü`])) });
    same(['state', 'nobody'], { env: { BUN_OPTIONS: '--bun', BUN_BE_BUN: '1', NODE_OPTIONS: '--x', JSC_dumpOptions: '3', RUNT_GATE: '3', RUNT_ATTEND: '1', RUNT_SNAPSHOT: '/tmp', BUN_JSC_useJIT: '1', TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8', NO_COLOR: '1', FORCE_COLOR: '3' } });
  });

  test('state roots and working directories', () => {
    mkdirSync(join(work, 'here/below'), { recursive: true });
    const [cwd, user] = [join(work, 'here'), ['setpriv', '--reuid', '1000', '--regid', '1000', '--clear-groups']];
    for (const root of ['below', './below/../below', '../here/below', 'nowhere']) same(['--root', root, 'state', 'nobody'], { cwd });
    same(['explain'], { cwd: makeBundle(baseConfig('/bin/true')) });
    same(['explain', '.'], { cwd: makeBundle(baseConfig('/bin/true')) });
    // One that is gone: an engine that is started says so before runt comes to it.
    for (const runt of both) assert.is(called(runt, ['--root', 'below', 'state', 'nobody'], { cwd, before: ['sh', '-c', 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', 'sh'] }).code, 1);
    for (const XDG_RUNTIME_DIR of ['/run/user/1000', '', '/nowhere ä']) for (const before of [[], user]) same(['state', 'nobody'], { env: { XDG_RUNTIME_DIR }, before });
    assert.match(called(resumed, ['state', 'nobody'], { env: { XDG_RUNTIME_DIR: '/nowhere ä' }, before: user }).stderr, /\/nowhere ä\/runt/);
    same(['spec'], { cwd, before: user });
  });

  test('the caller’s environment reaches hooks as it is', async () => {
    assert.match(await views('nothing odd', []), /^PATH=/m);
    const odd = await views('odd', withStrings('PATH=/bin:/usr/bin', 'EMPTY=', 'NO_VALUE', 'TWICE=1', 'TWICE=2', 'EQUALS=a=b=', 'ä=ö €\u{1F4E6}', 'LINES=a\tb', '__proto__=x', 'constructor=y', 'BYTES=\udcff\udcfe'));
    for (const line of ['EMPTY=', 'EQUALS=a=b=', 'constructor=y', ...(isNode ? [] : ['ä=ö €\u{1F4E6}'])]) assert.ok(odd.split('\n').includes(line), line);
    assert.not.match(odd, /RUNT_|BUN_/);
    await views('many', withStrings('PATH=/bin:/usr/bin', ...Array.from({ length: 3000 }, (_, i) => `NAME_${i}=${'v'.repeat(i % 100)}`)));
  });

  test('what else a caller hands down: signals, limits, descriptors, umask', async () => {
    const sets = (text: string, name: string): string[] => [...text.matchAll(new RegExp(`^${name}:\\s+(.*)$`, 'gm'))].map((one) => one[1]!);
    const ignored = await views('ignored signals', bash('trap "" HUP INT USR1 PIPE; '));
    // The runtime keeps them ignored; what it starts has the dispositions a shell would give (hooks, the container).
    if (!isNode) assert.ok(sets(ignored, 'SigIgn').some((set) => (BigInt(`0x${set}`) & 0x1203n) === 0x1203n), sets(ignored, 'SigIgn').join(' '));
    await views('a mask', ['python3', '-c', 'import signal,os,sys;signal.pthread_sigmask(signal.SIG_BLOCK,range(1,65));os.execv(sys.argv[1],sys.argv[1:])']);
    await views('a part of a mask', ['python3', '-c', 'import signal,os,sys;signal.pthread_sigmask(signal.SIG_BLOCK,[15,10,34]);os.execv(sys.argv[1],sys.argv[1:])']);
    assert.match(await views('umask', bash('umask 077; ')), /^0077$|^Umask:\s+0077$/m);
    assert.match(await views('limits', ['prlimit', '--nofile=400:500', '--stack=1048576', '--core=0', '--fsize=99999999']), /Max open files +\d+ +500/);
    const config = baseConfig('/bin/echo', 'inside'); // an engine that is started raises the soft limit, and clones of mounts are descriptors
    for (let i = 0; i < 400; i++) config.mounts.push({ destination: '/dev', type: 'bind', source: work, options: ['bind'] });
    for (const runt of both) assert.equal(called(runt, ['--root', runtime.root, 'run', '--bundle', makeBundle(config), `alike${process.pid}-${count++}`], { before: ['prlimit', '--nofile=300:4000'] }), { code: 0, stdout: 'inside\n', stderr: '' });
    await views('an endless stack', ['prlimit', '--stack=unlimited']);
    await views('a big stack', ['prlimit', '--stack=200000000']);
    await views('oom score', bash('echo 500 >/proc/$$/oom_score_adj; '));
    await views('niceness and session', ['setsid', '-w', 'nice', '-n', '5']);
    same(['state', 'nobody'], { before: ['setarch', '-R'] }); // whether the snapshot then serves is up to chance, once for all calls
    const fds = await views('descriptors', bash('exec 3</dev/null 4</dev/zero 5</dev/null 9</dev/null 239</dev/null 299</dev/null; '));
    assert.not.match(fds, /^(3|9|239|240|241)$/m);
    assert.match(await views('preserved', bash('exec 3</dev/null 4</dev/zero 5</dev/null 9</dev/null; '), ['--preserve-fds', '3']), /^2\n3\n4\n5\n(?!6)/m);
    const listened = await views('listening', bash('exec 3</dev/null 4</dev/zero; export LISTEN_FDS=2 LISTEN_PID=$$; '));
    assert.match(listened, /^LISTEN_FDS=2$/m);
    assert.match(listened, /^LISTEN_PID=1$/m);
    await views('listening, another', bash('exec 3</dev/null 4</dev/zero; export LISTEN_FDS=2 LISTEN_PID=1; '));
  });

  test('closed standard streams', () => {
    for (const closed of ['<&-', '>&-', '2>&-', '<&- >&-', '>&- 2>&-', '<&- >&- 2>&-']) {
      const file = join(work, 'streams');
      const [one, other] = both.map((runt) => {
        rmSync(file, { force: true });
        const config = baseConfig('/bin/sh', '-c', 'for n in $(seq 0 300); do [ -e /proc/$$/fd/$n ] && echo $n $(readlink /proc/$$/fd/$n | sed "s/[0-9]//g"); done >/out; echo out; echo err >&2; cat; exit 5');
        writeFileSync(file, '');
        config.mounts.push({ destination: '/out', type: 'bind', source: file, options: ['bind', 'rw'] });
        const done = called(runt, ['--root', runtime.root, 'run', '--bundle', makeBundle(config), `alike${process.pid}-${count++}`], { before: ['bash', '--norc', '-c', `exec "$@" ${closed}`, 'bash'] });
        const asked = called(runt, ['state', 'nobody'], { before: ['bash', '--norc', '-c', `exec "$@" ${closed}`, 'bash'] });
        return { done: { ...done, stderr: done.stderr.replace(/alike\d+-\d+/g, 'ID') }, asked, seen: readFileSync(file, 'utf8') };
      });
      assert.equal(one, other, closed);
      assert.is(one!.asked.code, 1, closed);
    }
  });

  test('much to do, and much to be collected meanwhile: what allocators give back is empty when they take it again', () => {
    const config = baseConfig('/bin/echo', 'inside');
    config.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }, ...Array.from({ length: 300 }, (_, i) => ({ destination: `/tmp/${i}`, type: 'tmpfs', source: 'tmpfs', options: ['size=64k'] })));
    const bundle = makeBundle({ ...config, annotations: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`org.example.annotation.${i}`, 'a'.repeat(170)])) });
    for (let i = 0; i < 10; i++) assert.equal(called(resumed, ['--root', runtime.root, 'run', '--bundle', bundle, `much${process.pid}-${i}`]), { code: 0, stdout: 'inside\n', stderr: '' });
  });

  test('a whole life, by either way', () => {
    const [one, other] = both.map((runt) => {
      const id = `life${process.pid}`;
      const use = (...words: string[]): unknown => {
        const { code, stdout, stderr } = called(runt, ['--root', runtime.root, ...words]);
        return { code, stdout: stdout.replace(/"pid": ?\d+|"created": ?"[^"]*"/g, '#'), stderr };
      };
      const bundle = join(work, 'life');
      rmSync(bundle, { recursive: true, force: true });
      mkdirSync(bundle);
      writeFileSync(join(bundle, 'config.json'), readFileSync(join(makeBundle(baseConfig('/bin/sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done')), 'config.json')));
      const out = join(work, 'life.out');
      writeFileSync(join(work, 'none.json'), '{}');
      const created = spawnSync('/bin/sh', ['-c', `exec "$@" </dev/null >${out} 2>&1`, 'sh', runt, '--root', runtime.root, 'create', '--bundle', bundle, id], { env: { PATH: process.env['PATH'] } }).status;
      try {
        const answers = [
          use('state', id), use('--debug', 'start', id), use('--debug', 'state', id), use('exec', id, 'sh', '-c', INSIDE), use('exec', '--user', '1000', '--cwd', '/tmp', '-e', 'A=ä', id, 'sh', '-c', INSIDE), use('exec', id, 'nothing'), use('exec', id, 'sh', '-c', 'exit 9'),
          use('--debug', 'pause', id), use('list', '--format', 'json'), use('--debug', 'resume', id), use('update', '--resources', join(work, 'none.json'), id), use('explain', bundle), use('--debug', 'kill', id, 'TERM'),
        ];
        until('it ends', () => (JSON.parse(called(runt, ['--root', runtime.root, 'state', id]).stdout) as { status: string }).status === 'stopped');
        return [created, readFileSync(out, 'utf8'), ...answers, use('list', '--format', 'json'), use('--debug', 'delete', id), use('state', id)];
      } finally {
        called(runt, ['--root', runtime.root, 'delete', '--force', id]);
      }
    });
    assert.equal(one, other);
    assert.equal(one!.slice(0, 2), [0, '']);
  });

  test('after a reboot, when the clock is earlier than the snapshot’s: intervals pass', () => {
    const seconds = Math.floor(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0])) - 1;
    const early = ['unshare', '--time', '--monotonic', String(-seconds), '--fork'];
    if (spawnSync(early[0]!, [...early.slice(1), 'true']).status !== 0) {
      console.log('skipped: another clock: no time namespaces (time_namespaces(7)), or an unshare(1) without them');
      return;
    }
    const id = `clock${process.pid}`;
    assert.is(runtime.create(id, makeBundle(baseConfig('/bin/sleep', '1000'))).code, 0);
    try {
      const events = called(resumed, ['--root', runtime.root, 'events', '--interval', '20ms', id], { before: [...early, 'timeout', '-s', 'KILL', '3'] }).stdout.trim().split('\n');
      assert.ok(events.length >= 2 && events.every((line) => (JSON.parse(line) as { type: string }).type === 'stats'), events.join('\n'));
    } finally {
      runtime.run(['delete', '--force', id]);
    }
  });

  test.after(() => {
    runtime.close();
    rmSync(work, { recursive: true, force: true });
  });
  test.run();
}
