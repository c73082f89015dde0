// What passes between the caller and a process: terminals, signals, descriptors, standard streams, readiness, parenthood.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths, until, type Json } from './harness.ts';

type Config = ReturnType<typeof baseConfig>;

/** What the Python scripts share: a process on a pty of its own, which is read until a text appears, a socket that receives a descriptor. */
const python = `
import array, ctypes, fcntl, os, pty, select, signal, socket, struct, subprocess, sys, termios, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def on_pty(argv):
    pid, master = pty.fork()
    if pid == 0: os.execv(argv[0], argv)
    return pid, master
def read_until(fd, text, seconds=60):
    seen = b''
    end = time.time() + seconds
    while text not in seen and time.time() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try: seen += os.read(fd, 65536)
            except OSError: break
    return seen
def drain(fd):
    return read_until(fd, b'never seen', 3)
def listener(path, kind=socket.SOCK_STREAM):
    here = os.getcwd(); os.chdir(os.path.dirname(path))
    s = socket.socket(socket.AF_UNIX, kind); s.bind(os.path.basename(path))
    if kind == socket.SOCK_STREAM: s.listen(4)
    os.chdir(here); return s
def received_fd(s):
    c, _ = s.accept(); data, control, _, _ = c.recvmsg(4096, 64)
    return array.array('i', control[0][2])[0], data
def code(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
`;

for (const path of runtimePaths()) {
  const test = suite(`attached ${basename(path)}`);
  const runtime = new Runtime(path);
  const id = `call${process.pid}`;
  const scratch = mkdtempSync(join(tmpdir(), 'attached-'));
  let count = 0;
  const fresh = (): string => `${id}-${count++}`;
  const run = [path, '--root', runtime.root];

  /** Runs a script whose argv is the runtime's own command line; gives its output. */
  const py = (script: string, ...words: string[]): string => {
    const done = spawnSync('python3', ['-c', `${python}\nrun = sys.argv[1:4]\nargs = sys.argv[4:]\n${script}`, ...run, ...words], { encoding: 'utf8', timeout: 180_000, stdio: ['ignore', 'pipe', 'pipe'] });
    assert.is(done.status, 0, done.stdout + done.stderr);
    return done.stdout.trim();
  };
  const bundleOf = (script: string, change: (config: Config) => unknown = () => {}): string => {
    const config = baseConfig('/bin/sh', '-c', script);
    change(config);
    return makeBundle(config);
  };
  const withTerminal = (config: Config): void => void (config.process['terminal'] = true);

  test.before(() => {
    assert.is(runtime.create(id, makeBundle(baseConfig('sleep', '1000'))).code, 0);
    assert.is(runtime.run(['start', id]).code, 0);
  });
  test.after(() => {
    runtime.run(['delete', '--force', id]);
    runtime.close();
    rmSync(scratch, { recursive: true });
  });

  test('exec: the terminal has the size of the caller’s before the process runs', () => {
    const seen = py(`
def sized():
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 33, 77, 0, 0))
        os.execv(run[0], run + args)
    text = read_until(fd, b'\\n').decode().strip()
    return text + ' ' + str(code(pid))
print({sized() for _ in range(10)})`, 'exec', '--tty', id, 'stty', 'size');
    assert.is(seen, "{'33 77 0'}");
  });
  for (const [verb, command] of [['run', (script: string): string[] => ['run', '--bundle', bundleOf(script, withTerminal), fresh()]], ['exec', (script: string): string[] => ['exec', '--tty', id, 'sh', '-c', script]]] as const) {
    test(`${verb}: the terminal follows the size of the caller’s`, () => {
      const seen = py(`
pid, fd = on_pty(run + args)
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 11, 44, 0, 0))
read_until(fd, b'up')
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 22, 55, 0, 0))
print(read_until(fd, b'22 55\\r\\n').decode().strip()[-5:], code(pid))`, ...command('echo up; while :; do s=$(stty size); [ "$s" = "22 55" ] && break; sleep 0.1; done; echo $s; exit 3'));
      assert.is(seen, '22 55 3');
    });
    test(`${verb}: the caller’s terminal is raw meanwhile, and afterwards as it was`, () => {
      const seen = py(`
pid, fd = on_pty(run + args)
before = termios.tcgetattr(fd); flags = fcntl.fcntl(fd, fcntl.F_GETFL)
slave = os.open('/dev/pts/%d' % struct.unpack('I', fcntl.ioctl(fd, 0x80045430, b'0000'))[0], os.O_RDWR | os.O_NOCTTY)
read_until(fd, b'up')
meanwhile = termios.tcgetattr(fd)
os.write(fd, b'x\\x03')
print(code(pid), bool(before[3] & termios.ECHO), bool(meanwhile[3] & termios.ECHO), termios.tcgetattr(fd) == before)`, ...command('trap "exit 4" INT; echo up; while :; do sleep 0.1; done'));
      assert.is(seen, '4 True False True');
    });
    test(`${verb}: the terminal is given back when the process is killed or cannot be run`, () => {
      const script = `
pid, fd = on_pty(run + args)
before = termios.tcgetattr(fd)
slave = os.open('/dev/pts/%d' % struct.unpack('I', fcntl.ioctl(fd, 0x80045430, b'0000'))[0], os.O_RDWR | os.O_NOCTTY)
status = code(pid)
print(status, termios.tcgetattr(fd) == before)`;
      assert.is(py(script, ...command(verb === 'exec' ? 'kill -9 $$' : 'exit 9')), `${verb === 'exec' ? 137 : 9} True`); // no signal of its own ends a pid 1
      const broken = verb === 'exec' ? ['exec', '-t', id, '/nothing'] : ['run', '--bundle', makeBundle({ ...baseConfig('/nothing'), process: { ...baseConfig('/nothing').process, terminal: true } }), fresh()];
      assert.is(py(script, ...broken), `${verb === 'exec' ? 255 : 1} True`);
    });
    test(`${verb}: more input than a terminal holds, while its output is not taken`, () => {
      const seen = py(`
child = subprocess.Popen(run + args, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
read_until(child.stdout.fileno(), b'silent') # until then the terminal echoes what it is given
line = b'0123456789abcdef' * 8 + b'\\n'
def feed():
    for _ in range(4000): child.stdin.write(line)
    child.stdin.close()
threading.Thread(target=feed, daemon=True).start()
time.sleep(1)
out = child.stdout.read()
print(out.replace(b'\\r', b'').count(line), child.wait())`, ...command('stty -echo; echo silent; cat; echo end'));
      assert.is(seen, '4000 0');
    });
  }

  test('exec ends with its process, though another still holds the terminal', () => {
    const done = runtime.run(['exec', '--tty', id, 'sh', '-c', '(trap "" HUP; sleep 1000) & echo last words; exit 6']);
    assert.is(done.code, 6);
    assert.match(done.stdout, /last words/);
  });

  test('a console socket in a directory of 200 bytes receives the terminal of run --detach and exec --detach', () => {
    const long = join(scratch, 'd'.repeat(150), 'e'.repeat(50));
    mkdirSync(long, { recursive: true });
    const script = `
s = listener(args[0])
print(subprocess.run(run + args[1:], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode)
fd, data = received_fd(s)
print(read_until(fd, b'there').decode().split()[-1], len(data) > 0)`;
    assert.is(py(script, `${long}/run.sock`, 'run', '--detach', '--console-socket', `${long}/run.sock`, '--bundle', bundleOf('echo there; sleep 5', withTerminal), fresh()), '0\nthere True');
    assert.is(py(script, `${long}/exec.sock`, 'exec', '--detach', '--tty', '--console-socket', `${long}/exec.sock`, id, 'sh', '-c', 'echo there; sleep 5'), '0\nthere True');
  });

  test('--pidfd-socket receives a pidfd of the process, from create, run and exec', () => {
    const script = `
s = listener(args[0])
pidfile = args[0] + '.pid'
print(subprocess.run(run + args[1:2] + ['--pidfd-socket', args[0], '--pid-file', pidfile] + args[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode)
fd, _ = received_fd(s)
info = open('/proc/self/fdinfo/%d' % fd).read()
print([line.split()[1] for line in info.split('\\n') if line.startswith('Pid:')][0] == open(pidfile).read())`;
    const made = fresh();
    assert.is(py(script, `${scratch}/a.sock`, 'create', '--bundle', bundleOf('sleep 5'), made), '0\nTrue');
    runtime.run(['delete', '--force', made]);
    const ran = fresh();
    assert.is(py(script, `${scratch}/b.sock`, 'run', '--detach', '--bundle', bundleOf('sleep 5'), ran), '0\nTrue');
    runtime.run(['delete', '--force', ran]);
    assert.is(py(script, `${scratch}/c.sock`, 'exec', '--detach', id, 'sleep', '5'), '0\nTrue');
    const refused = runtime.run(['exec', '--pidfd-socket', `${scratch}/nobody.sock`, id, 'true']);
    assert.is(refused.code, 255);
    assert.match(refused.stderr, /cannot connect to .*nobody\.sock: ENOENT/);
  });

  test('a signal that comes while the container is made is not lost', () => {
    const hook = join(scratch, 'slow');
    writeFileSync(hook, `#!/bin/sh\ntouch ${hook}.runs\nsleep 1\n`, { mode: 0o755 });
    const config = baseConfig('/bin/sh', '-c', 'trap "exit 8" TERM; while :; do sleep 0.1; done');
    config.linux['namespaces'] = (config.linux['namespaces'] as Json[]).filter(({ type }) => type !== 'pid'); // a pid 1 ignores what it has no trap for yet
    const bundle = makeBundle({ ...config, hooks: { createRuntime: [{ path: hook }] } });
    const seen = py(`
child = subprocess.Popen(run + args[1:], stdin=subprocess.DEVNULL)
while not os.path.exists(args[0]): time.sleep(0.02)
child.send_signal(signal.SIGTERM)
try: print(child.wait(60))
except subprocess.TimeoutExpired: child.send_signal(signal.SIGTERM); print('lost', child.wait())`, `${hook}.runs`, 'run', '--bundle', bundle, fresh());
    assert.ok(seen === '8' || seen === '143', seen); // 143: the shell had not set its trap yet
  });

  test('every signal a caller may send reaches the process', () => {
    const script = 'for s in HUP INT QUIT USR1 USR2 ALRM CONT TSTP TTIN TTOU VTALRM PROF IO XCPU; do trap "echo $s" $s; done; trap "exit 9" TERM; echo up; while :; do sleep 0.05; done';
    const onTerminal = bundleOf(script, (config) => void (config.process['terminal'] = true));
    for (const words of [['run', '--bundle', bundleOf(script), fresh()], ['run', '--bundle', onTerminal, fresh()], ['exec', id, 'sh', '-c', script]]) {
      const seen = py(`
child = subprocess.Popen(run + args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
read_until(child.stdout.fileno(), b'up')
got = []
for name in 'HUP INT QUIT USR1 USR2 ALRM CONT TSTP TTIN TTOU VTALRM PROF IO XCPU'.split():
    child.send_signal(getattr(signal, 'SIG' + name))
    if read_until(child.stdout.fileno(), name.encode(), 30): got.append(name)
child.send_signal(signal.SIGTERM)
print(*got, child.wait())`, ...words);
      assert.is(seen, 'HUP INT QUIT USR1 USR2 ALRM CONT TSTP TTIN TTOU VTALRM PROF IO XCPU 9');
    }
  });

  test('standard streams are passed as they are: same files, same flags; their owner is process.user', () => {
    for (const words of [['run', '--bundle', bundleOf('for n in 0 1 2; do stat -L -c "%u %F" /proc/self/fd/$n; done; echo again > /dev/stdout', (config) => void (config.process['user'] = { uid: 1000, gid: 1000 })), fresh()], ['exec', '--user', '1000:1000', id, 'sh', '-c', 'for n in 0 1 2; do stat -L -c "%u %F" /proc/self/fd/$n; done; echo again > /dev/stdout']]) {
      const seen = py(`
null = os.open('/dev/null', os.O_RDONLY)
r, w = os.pipe()
file = os.open(args[0], os.O_RDWR | os.O_CREAT | os.O_EXCL); os.unlink(args[0])
owner = os.stat('/dev/null').st_uid
flags = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in (null, w, file)]
status = subprocess.run(run + args[1:], stdin=null, stdout=w, stderr=file).returncode
print(flags == [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in (null, w, file)], status, os.stat('/dev/null').st_uid == owner, owner)
os.close(w)
print(os.read(r, 4096).decode())`, join(scratch, 'stderr'), ...words);
      assert.match(seen.replace(/\n+/g, '|'), /^True 0 True (\d+)\|\1 character special file\|1000 fifo\|1000 regular empty file\|again$/); // the host’s /dev/null keeps its owner
    }
  });

  test('init of create, and the process of exec --detach, become children of the caller’s subreaper', () => {
    const script = `
libc.prctl(36, 1, 0, 0, 0)
subprocess.run(run + args[1:2] + ['--pid-file', args[0]] + args[2:], stdin=subprocess.DEVNULL, check=True)
pid = int(open(args[0]).read())
print(int(open('/proc/%d/stat' % pid).read().rsplit(')', 1)[1].split()[1]) == os.getpid())
os.kill(pid, 9); print(os.waitpid(pid, 0)[1])`;
    const made = fresh();
    assert.is(py(script, join(scratch, 'made.pid'), 'create', '--bundle', bundleOf('true'), made), 'True\n9');
    runtime.run(['delete', '--force', made]);
    assert.is(py(script, join(scratch, 'exec.pid'), 'exec', '--detach', id, 'sleep', '100'), 'True\n9');
  });

  test('run adopts and reaps the orphans of a container without a pid namespace; with --no-subreaper it does not', () => {
    const script = `
libc.prctl(36, 1, 0, 0, 0)
child = subprocess.Popen(run + args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
orphan = int(read_until(child.stdout.fileno(), b'\\n'))
time.sleep(0.3)
parent = int(open('/proc/%d/stat' % orphan).read().rsplit(')', 1)[1].split()[1])
os.kill(orphan, 9)
time.sleep(0.3)
print('runt' if parent == child.pid else 'caller' if parent == os.getpid() else parent, os.path.exists('/proc/%d' % orphan), child.poll())
child.terminate(); print(child.wait())`;
    const bundle = (): string => bundleOf('(sleep 100 & echo $!); trap "exit 4" TERM; while :; do sleep 0.1; done', (config) => {
      const namespaces = config.linux['namespaces'] as Json[];
      config.linux['namespaces'] = namespaces.filter(({ type }) => type !== 'pid');
    });
    assert.is(py(script, 'run', '--bundle', bundle(), fresh()), 'runt False None\n4');
    assert.is(py(script, 'run', '--no-subreaper', '--bundle', bundle(), fresh()), 'caller True None\n4');
  });

  test('LISTEN_FDS passes descriptors when LISTEN_PID is the runtime, and only then', () => {
    const bundle = (): string => bundleOf('echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; for n in 3 4 5; do [ -e /proc/$$/fd/$n ] && readlink /proc/$$/fd/$n; done; true');
    const seen = (pid: string, ...flags: string[]): string =>
      spawnSync('sh', ['-c', `exec 3</etc/hostname 4</etc/hosts; export LISTEN_FDS=1 LISTEN_FDNAMES=web LISTEN_PID=${pid}; exec "$@"`, 'sh', ...run, 'run', ...flags, '--bundle', bundle(), fresh()], { encoding: 'utf8' }).stdout.trim();
    assert.is(seen('$$'), '1 1 web\n/etc/hostname');
    assert.is(seen('$$', '--preserve-fds', '1'), '1 1 web\n/etc/hostname\n/etc/hosts');
    assert.is(seen('1'), '');
  });

  test('a descriptor that nobody gave is refused, not replaced by one of the engine', () => {
    const done = runtime.run(['run', '--preserve-fds', '2', '--bundle', bundleOf('true'), fresh()]);
    assert.is(done.code, 1);
    assert.match(done.stderr, /unable to stat preserved-fd 0 \(of 2\)/);
  });

  /** A container that can run the host's Python, which is the only tool here that knows datagram sockets and keyrings. */
  const withPython = (config: Config): void => {
    for (const [destination, source] of [['/usr', '/usr'], ['/lib', '/usr/lib'], ['/lib64', '/usr/lib64']]) config.mounts.push({ destination, source, type: 'bind', options: ['rbind', 'ro'] });
    config.process['args'] = ['/usr/bin/python3', '-c', String((config.process['args'] as string[])[2])];
  };

  test('NOTIFY_SOCKET: the manager hears READY, MAINPID and a barrier from start, READY alone from run in the foreground', () => {
    const inside = 'import os,socket,time\ns=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);s.connect(os.environ["NOTIFY_SOCKET"]);time.sleep(0.5);s.send(b"STATUS=x\\nREADY=1\\n");time.sleep(1)';
    const script = `
s = listener(args[0], socket.SOCK_DGRAM); s.settimeout(60)
os.environ['NOTIFY_SOCKET'] = args[0]
if args[1] == 'create': subprocess.run(run + args[1:], stdin=subprocess.DEVNULL, check=True)
began = time.time()
child = subprocess.Popen(run + (['start', args[-1]] if args[1] == 'create' else args[1:]), stdin=subprocess.DEVNULL)
heard = []
while not any(b'BARRIER' in data for data in heard):
    data, control, _, _ = s.recvmsg(4096, 64); heard.append(data)
waits = child.poll() is None
os.close(array.array('i', control[0][2])[0])
if args[1] == 'create': child.wait()
print(b'|'.join(heard).decode().replace('\\n', ''), waits, time.time() - began >= 0.5, child.wait())`;
    const created = fresh();
    const heard = py(script, join(scratch, 'host.notify'), 'create', '--bundle', bundleOf(inside, withPython), created);
    assert.match(heard, /^READY=1\|MAINPID=(\d+)\|BARRIER=1 True True 0$/);
    runtime.run(['delete', '--force', created]);
    assert.is(py(script, join(scratch, 'host2.notify'), 'run', '--bundle', bundleOf(inside, withPython), fresh()), 'READY=1|BARRIER=1 True True 0');
  });

  test('NOTIFY_SOCKET: start ends with a process that was never ready', () => {
    const made = fresh();
    const env = { PATH: process.env['PATH'], NOTIFY_SOCKET: join(scratch, 'none') };
    assert.is(spawnSync(path, ['--root', runtime.root, 'create', '--bundle', bundleOf('sleep 0.3'), made], { env, stdio: 'ignore' }).status, 0);
    assert.is(runtime.run(['start', made], { env }).code, 0);
    runtime.run(['delete', '--force', made]);
  });

  test('a session keyring of its own, which exec joins; with --no-new-keyring the caller’s, in exec as well', () => {
    const script = 'import ctypes\nl=ctypes.CDLL(None)\nb=ctypes.create_string_buffer(200)\nl.syscall(250,6,l.syscall(250,0,-3,0),b,200)\nprint(l.syscall(250,0,-3,0),b.value.decode().split(";")[-1],flush=True)\nimport time;time.sleep(60)';
    for (const flags of [[], ['--no-new-keyring']]) {
      const made = fresh();
      const out = join(scratch, `keys${made}`);
      spawnSync('sh', ['-c', 'out=$1; shift; exec "$@" >"$out" </dev/null', 'sh', out, ...run, 'run', '--detach', ...flags, '--bundle', bundleOf(script, withPython), made], { stdio: 'ignore' });
      until('init has said its keyring', () => existsSync(out) && readFileSync(out, 'utf8').endsWith('\n'));
      const ofInit = readFileSync(out, 'utf8');
      assert.is(ofInit.includes(`_ses.${made}`), flags.length === 0, ofInit);
      assert.is(runtime.run(['exec', made, '/usr/bin/python3', '-c', script.replace('time.sleep(60)', '0')]).stdout, ofInit);
      runtime.run(['delete', '--force', made]);
    }
  });

  test('run --keep leaves cgroup and state, which delete removes', () => {
    const made = fresh();
    const config = baseConfig('true');
    config.linux['cgroupsPath'] = `/${made}`;
    assert.is(runtime.run(['run', '--keep', '--bundle', makeBundle(config), made]).code, 0);
    assert.is(runtime.state(made)['status'], 'stopped');
    assert.ok(existsSync(`/sys/fs/cgroup/${made}`));
    assert.is(runtime.run(['delete', made]).code, 0);
    assert.not.ok(existsSync(`/sys/fs/cgroup/${made}`));
  });

  test('output of a terminal that is killed with its container is shown to the end', () => {
    const out = openSync(join(scratch, 'end'), 'w');
    const child = spawn(path, ['--root', runtime.root, 'exec', '--tty', id, 'sh', '-c', 'seq 20000; kill -9 $$'], { stdio: ['ignore', out, 'ignore'] });
    until('it has ended', () => readFileSync(join(scratch, 'end'), 'utf8').endsWith('20000\r\n'));
    child.unref();
  });

  test.run();
}
