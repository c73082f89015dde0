// What a person debugs with: injected failures, break points.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths, traces, until, type Result } from './harness.ts';

for (const path of runtimePaths()) {
  const runtime = new Runtime(path);
  const test = suite(`debugging ${path}`);
  const before = traces(runtime);
  let count = 0;
  const fresh = (): string => `debug${process.pid}-${count++}`;
  const bundle = makeBundle(baseConfig('/bin/echo', 'ran'));
  const inject = (...asked: string[]): Result => runtime.run(['run', ...asked.flatMap((one) => ['--inject', one]), '--bundle', bundle, fresh()]);

  test('an injected errno fails a step of the runtime side, by number', () => {
    const result = inject('0=EIO');
    assert.is(result.code, 1);
    assert.match(result.stderr, /^runt: run \S+: \w+\(.*\): EIO \(input\/output error\)\n/);
  });

  test('an injected errno fails a step of the container side, with its place in config.json and its hint', () => {
    const result = inject('clone3=EAGAIN');
    assert.is(result.code, 1);
    assert.match(result.stderr, /linux\.namespaces: clone3\(.*EAGAIN/);
    assert.match(result.stderr, /config\.json:\d+:\d+\n {2}try: the limit of processes/);
    assert.is(result.stdout, '');
  });

  test('a pointer means the first step it asked for, POINTER:OPERATION a certain one, after: the next', () => {
    assert.match(inject('/mounts/1=ENOSPC').stderr, /mounts\[1\]: fsopen\("tmpfs".*ENOSPC/);
    assert.match(inject('/mounts/3:move_mount=EBUSY').stderr, /mounts\[3\]: move_mount\(.*EBUSY/);
    assert.match(inject('after:pivot_root=22').stderr, /umount2\(.*EINVAL/);
  });

  test('a step of start fails too, and names its line', () => {
    const result = inject('execve=ENOEXEC');
    assert.is(result.code, 1);
    assert.match(result.stderr, /process\.args: .*exec format error\n {2}config\.json:\d+:\d+/);
  });

  test('an errno that a step tolerates changes nothing', () => {
    const result = inject('/linux/maskedPaths/3=ENOENT');
    assert.is(result.code, 0, result.stderr);
    assert.is(result.stdout, 'ran\n');
  });

  test('what is no step, no step of this bundle, or no errno is refused', () => {
    assert.match(inject('banana=EIO').stderr, /--inject: "banana" names no step/);
    assert.match(inject('9999=EIO').stderr, /no step of this bundle is 9999/);
    assert.match(inject('pivot_root=EBANANA').stderr, /no such errno: EBANANA/);
    assert.match(inject('pivot_root').stderr, /invalid value "pivot_root"/);
  });

  /** Commands for a run with break points, and what was said. */
  const debug = (commands: readonly string[], breaks: readonly string[], from = bundle): Result =>
    runtime.run(['run', ...breaks.flatMap((one) => ['--break', one]), '--bundle', from, fresh()], { input: commands.map((one) => `${one}\n`).join('') });

  test('--break stops before a step, shows the container side, and goes on', () => {
    const result = debug(['show namespaces', 'show mounts', 'show ids', 'show fds', 'list', 'continue'], ['pivot_root']);
    assert.is(result.code, 0, result.stderr);
    assert.is(result.stdout, 'ran\n');
    assert.match(result.stderr, /stopped before step \d+ of \d+ \(container side/);
    assert.match(result.stderr, /network +net:\[\d+\] its own/);
    assert.match(result.stderr, /rootfs-\w+\/proc +proc +rw/);
    assert.match(result.stderr, /uid_map 0 0 4294967295/);
    assert.match(result.stderr, /> *\d+ pivot_root\("\.", "\."\)/);
  });

  test('a shell at a stop has the tools of the host, in the namespaces of the container: before pivot_root, and after it', () => {
    const before_ = debug(['shell hostname; pwd; test -d /usr/share && echo tools; grep -q "rootfs-[^ ]*/proc " /proc/self/mountinfo && echo mounted', 'continue'], ['pivot_root']);
    assert.match(before_.stdout, /^boxed\n\S*rootfs-\w+\ntools\nmounted\nran\n$/, before_.stderr);
    const after = debug(['shell hostname; pwd; ls -d proc/1; test -d /usr/share && echo tools; test -e usr || echo its own', 'continue'], ['after:chdir']);
    assert.match(after.stdout, /^boxed\n\/mnt\nproc\/1\ntools\nits own\nran\n$/, after.stderr);
  });

  test('a command that fails, and a shell that is missing, are told, and the debugger goes on', () => {
    const { code, stdout, stderr } = runtime.run(['run', '--break', 'pivot_root', '--bundle', bundle, fresh()], { input: 'shell exit 3\nshell\nshow ids\ncontinue\n', env: { PATH: process.env['PATH'], SHELL: '/no/shell' } });
    assert.is(code, 0, stderr);
    assert.is(stdout, 'ran\n');
    assert.match(stderr, /exit status 3\n[^]*the shell cannot enter: execve: ENOENT[^]*uid/);
  });

  test('step by step through both sides: every step is stopped at once, but for those nobody listens to', () => {
    const result = debug(Array.from({ length: 400 }, () => 's'), ['0']);
    assert.is(result.code, 0, result.stderr);
    const seen = [...result.stderr.matchAll(/stopped before step (\d+) of (\d+)/g)].map(([, index]) => Number(index));
    assert.equal(seen, [...new Set(seen)].sort((a, b) => a - b));
    assert.ok(seen.length > 100, String(seen.length));
    assert.match(result.stderr, /execve\("\/bin\/echo"/);
  });

  test('abort ends a half-made container on either side, in create and at start, and so does the end of input', () => {
    for (const place of ['0', 'clone3', 'pivot_root', 'publish', 'execve']) {
      const result = debug(['abort'], [place]);
      assert.is(result.code, 1);
      assert.match(result.stderr, /aborted before step \d+/);
      assert.is(debug([], [place]).code, 1);
    }
    assert.equal(traces(runtime), before);
  });

  test('on-error waits: what was missing is made in the shell, and the step is made again', () => {
    const missing = join(mkdtempSync(join(tmpdir(), 'on-error-')), 'missing');
    const config = baseConfig('/bin/ls', '/data');
    config.mounts.push({ destination: '/data', type: 'bind', source: missing, options: ['bind'] });
    const result = debug([`shell mkdir ${missing}; touch ${missing}/made`, 'retry'], ['on-error'], makeBundle(config));
    assert.is(result.stdout, 'made\n', result.stderr);
    assert.match(result.stderr, /step \d+ failed: open_tree\(.*ENOENT/);
    rmSync(missing, { recursive: true });
    const skipped = debug(['skip'], ['on-error'], makeBundle(config));
    assert.is(skipped.code, 0, skipped.stderr);
    assert.is(skipped.stdout, '');
  });

  test('on-error on the runtime side, and fail', () => {
    const result = runtime.run(['run', '--break', 'on-error', '--inject', 'publish=EIO', '--bundle', bundle, fresh()], { input: 'retry\n' });
    assert.is(result.stdout, 'ran\n', result.stderr);
    const failing = debug(['fail EPERM'], ['pivot_root']);
    assert.match(failing.stderr, /root\.path: pivot_root\("\.", "\."\): EPERM/);
    assert.match(debug(['nonsense', 'retry', 'break 5000', 's x', 'abort'], ['1']).stderr, /no such command: nonsense[^]*retry is for a step that failed[^]*no step of this bundle is 5000[^]*x is no count/);
  });

  const hasTmux = spawnSync('tmux', ['-V']).status === 0;
  test(hasTmux ? 'in a terminal: prompt, a shell with job control, ^C that ends nothing, continue' : 'in a terminal: SKIPPED, tmux is not installed', () => {
    if (!hasTmux) return;
    const socket = join(runtime.root, '.tmux');
    const tmux = (...args: string[]): string => spawnSync('tmux', ['-S', socket, '-f', '/dev/null', ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'], TERM: 'xterm', LANG: 'C.UTF-8', SHELL: '/bin/sh' } }).stdout;
    const screen = (): string => tmux('capture-pane', '-p', '-S', '-200', '-t', 'debug');
    const type = (text: string): void => void tmux('send-keys', '-t', 'debug', text, 'Enter');
    tmux('new-session', '-d', '-s', 'debug', '-x', '160', '-y', '60', '/bin/sh');
    try {
      type(`${path} --root ${runtime.root} run --break pivot_root --bundle ${bundle} ${fresh()}; echo ended $?`);
      until('a prompt', () => /^\(runt \d+\) *$/m.test(screen()));
      tmux('send-keys', '-t', 'debug', 'C-c', '');
      type('shell');
      until('a shell', () => /\(debug\S+ \d+\) #/.test(screen()));
      type('hostname; sleep 1000');
      until('inside', () => /^boxed$/m.test(screen()));
      tmux('send-keys', '-t', 'debug', 'C-c', '');
      type('echo still-$((1+1)); exit');
      until('^C ended sleep, not the shell', () => /still-2$/m.test(screen()));
      type('step');
      until('the next step', () => /stopped before step \d+[^]*stopped before step \d+[^]*umount2/.test(screen()));
      type('continue');
      until('the container ran', () => /^ran$/m.test(screen()) && /^ended 0$/m.test(screen()));
      // `create` has no handlers of its own for signals, as `run` has.
      type('clear; tmux -S ' + socket + ' clear-history');
      until('an empty screen', () => !screen().includes('ended 0'));
      type(`${path} --root ${runtime.root} create --break pivot_root --bundle ${bundle} ${fresh()}; echo created $?`);
      until('the prompt of create', () => /^\(runt \d+\) *$/m.test(screen()));
      tmux('send-keys', '-t', 'debug', 'C-c', '');
      type('abort');
      until('create ended by abort', () => /aborted before step \d+[^]*^created 1$/m.test(screen()));
    } catch (error) {
      throw new Error(`${String(error)}: ${screen()}`);
    } finally {
      tmux('kill-server');
    }
  });

  test('nothing is left of any of them', () => assert.equal(traces(runtime), before));

  test.after(() => runtime.close());
  test.run();
}
