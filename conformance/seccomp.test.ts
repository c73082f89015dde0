// linux.seccomp through the command line: an agent answers notified calls of init, exec and hooks; what is skipped is told.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, Runtime, runtimePaths, until, type Json } from './harness.ts';

/** Takes listeners on a socket for ever; answers mkdir with EOPNOTSUPP and lets all else go on (seccomp_unotify(2)). */
const agent = `import socket,array,os,sys,struct,fcntl,threading
s=socket.socket(socket.AF_UNIX);s.bind(sys.argv[1]);s.listen(8)
def say(*w): os.write(1,(" ".join(map(str,w))+"\\n").encode())
say("ready")
def serve(f):
  while True:
    b=bytearray(80)
    try: fcntl.ioctl(f,0xc0502100,b)
    except OSError as e: return
    i,pid,_,nr=struct.unpack_from("=QIIi",b)
    say("call",nr)
    r=struct.pack("=QqiI",i,0,-95,0) if nr in (83,258) else struct.pack("=QqiI",i,0,0,1)
    try: fcntl.ioctl(f,0xc0182101,bytearray(r))
    except OSError: pass
while True:
  c,_=s.accept();d,a,_,_=c.recvmsg(4096,64)
  say("state",d.decode())
  threading.Thread(target=serve,args=(array.array("i",a[0][2])[0],),daemon=True).start()`;

for (const path of runtimePaths()) {
  const test = suite(`seccomp ${basename(path)}`);
  const runtime = new Runtime(path);
  const children: ChildProcess[] = [];
  let count = 0;
  const fresh = (): string => `filter${process.pid}-${count++}`;
  const listen = (): { readonly socket: string; readonly output: () => string } => {
    const socket = join(runtime.root, `.agent${count++}`);
    const file = `${socket}.out`;
    children.push(spawn('/bin/sh', ['-c', `exec python3 -c "$0" "$1" > ${file} 2>&1`, agent, socket], { stdio: 'ignore' }));
    until('the agent', () => existsSync(file) && readFileSync(file, 'utf8').includes('ready'));
    return { socket, output: () => readFileSync(file, 'utf8') };
  };
  const notify = (socket: string, ...names: string[]): Json => ({ defaultAction: 'SCMP_ACT_ALLOW', listenerPath: socket, listenerMetadata: 'about', syscalls: [{ names, action: 'SCMP_ACT_NOTIFY' }] });

  test('an agent answers for init, a startContainer hook and exec, each with its own listener', () => {
    const { socket, output } = listen();
    const config = { ...baseConfig('/bin/sh', '-c', 'mkdir /tmp/a 2>&1; sleep 1000'), hooks: { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'mkdir /tmp/h 2>&1; true'] }] } };
    config.linux['seccomp'] = notify(socket, 'mkdir', 'mkdirat', 'execve', 'close', 'accept4', 'read');
    const id = fresh();
    const created = runtime.create(id, makeBundle(config));
    assert.is(created.code, 0, created.stderr);
    assert.is(runtime.run(['start', id]).code, 0);
    until('the answer', () => runtime.output(id).includes('Not supported') || runtime.output(id).includes('not supported'));
    const done = runtime.run(['exec', id, 'mkdir', '/tmp/b']);
    assert.match(done.stderr, /not supported/i);
    const states = output().split('\n').filter((line) => line.startsWith('state ')).map((line) => JSON.parse(line.slice(6)) as Json & { state: Json });
    const init = (runtime.state(id) as { pid: number }).pid;
    assert.equal(states.map(({ state }) => state['status']), ['creating', 'created', 'running']);
    assert.is(states[0]!['pid'], init);
    assert.is.not(states[2]!['pid'], init);
    for (const state of states) {
      assert.equal([state['fds'], state['metadata'], state.state['id'], state.state['pid']], [['seccompFd'], 'about', id, init]);
      assert.is(state['ociVersion'], '1.0.2');
    }
    runtime.run(['delete', '--force', id]);
  });

  test('a call that init makes before the agent has its listener cannot be notified; nobody listening is an error', () => {
    const refused = (change: (config: ReturnType<typeof baseConfig>) => void): string => {
      const config = baseConfig('true');
      change(config);
      const { code, stderr } = runtime.create(fresh(), makeBundle(config));
      assert.is(code, 1);
      return stderr;
    };
    assert.match(refused((config) => void (config.linux['seccomp'] = notify('/nowhere', 'mkdir', 'sendmsg'))), /linux\.seccomp\.syscalls\[0\]\.names\[1\]: SCMP_ACT_NOTIFY/);
    assert.match(refused((config) => void (config.linux['seccomp'] = notify('/nowhere/socket', 'mkdir'))), /cannot connect to \/nowhere\/socket/);
  });

  test('as runc: a listenerPath that no rule uses is no error', () => {
    const config = baseConfig('echo', 'ran');
    config.linux['seccomp'] = { ...notify('/nowhere/socket', 'mkdir'), syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] };
    assert.is(runtime.run(['run', '--bundle', makeBundle(config), fresh()]).stdout, 'ran\n');
  });

  test('names that libseccomp does not know are told with --debug, and only then', () => {
    const config = baseConfig('true');
    config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['frobnicate', 'mkdir'], action: 'SCMP_ACT_ERRNO' }] };
    const bundle = makeBundle(config);
    assert.match(runtime.run(['--debug', 'run', '--bundle', bundle, fresh()]).stderr, /warning: seccomp: .*does not know frobnicate/);
    assert.is(runtime.run(['run', '--bundle', bundle, fresh()]).stderr, '');
  });

  test('the cache of filters is open to its owner alone', () => {
    const directory = join(runtime.root, '.filters');
    assert.is(statSync(directory).mode & 0o777, 0o700);
    assert.ok(readdirSync(directory).length > 0);
    for (const name of readdirSync(directory)) assert.is(statSync(join(directory, name)).mode & 0o777, 0o600);
  });

  test.after(() => {
    for (const child of children) child.kill();
    runtime.close();
  });
  test.run();
}
