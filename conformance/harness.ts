// Drives any OCI runtime by its command line, with bundles of our own. Knows nothing of runt but the path it is given.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A runtime under test with a state root of its own. */
export class Runtime {
  readonly path: string;
  readonly root: string;

  constructor(path: string) {
    this.path = path;
    this.root = mkdtempSync(join(tmpdir(), 'runtime-root-'));
  }

  run(args: readonly string[], options: { readonly env?: NodeJS.ProcessEnv; readonly input?: string; readonly cwd?: string } = {}): Result {
    const env = options.env ?? { PATH: process.env['PATH'] };
    const done = spawnSync(this.path, ['--root', this.root, ...args], { encoding: 'utf8', timeout: 60_000, env, input: options.input ?? '', ...(options.cwd === undefined ? {} : { cwd: options.cwd }) });
    return { code: done.status ?? 128 + 9, stdout: done.stdout, stderr: done.stderr };
  }

  /** The parsed state of a container. */
  state(id: string): Record<string, unknown> {
    return JSON.parse(this.run(['state', id]).stdout) as Record<string, unknown>;
  }

  /** Creates with output to files: a created container keeps the pipes of its creator open. */
  create(id: string, bundle: string, ...flags: string[]): Result {
    return this.background(id, ['create', ...flags, '--bundle', bundle, id]);
  }

  /** A call whose container outlives it: output goes to files. */
  background(id: string, args: readonly string[]): Result {
    const out = join(this.root, `.${id}.out`);
    const done = spawnSync('/bin/sh', ['-c', 'out=$1; shift; exec "$@" </dev/null >"$out" 2>"$out.err"', 'sh', out, this.path, '--root', this.root, ...args], { timeout: 60_000 });
    return { code: done.status ?? 137, stdout: this.output(id), stderr: existsSync(`${out}.err`) ? readFileSync(`${out}.err`, 'utf8') : '' };
  }

  output(id: string): string {
    const out = join(this.root, `.${id}.out`);
    return existsSync(out) ? readFileSync(out, 'utf8') : '';
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

process.setMaxListeners(500);

export type Json = Record<string, unknown>;

const capabilities = ['CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_CHOWN', 'CAP_SETUID', 'CAP_SETGID'];

/** A config.json that any runtime runs: all namespaces, the usual mounts, a few masked paths. */
export function baseConfig(...args: string[]): Json & { process: Json; linux: Json; mounts: Json[]; root: Json } {
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false, user: { uid: 0, gid: 0 }, args, cwd: '/', env: ['PATH=/bin:/usr/bin', 'TERM=xterm'], noNewPrivileges: true,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    },
    root: { path: 'rootfs', readonly: false },
    hostname: 'boxed',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'] },
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'] },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
    ],
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'].map((type) => ({ type })),
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      maskedPaths: ['/proc/keys', '/proc/timer_list', '/sys/firmware', '/proc/nonexistent'],
      readonlyPaths: ['/proc/sys', '/proc/bus'],
    },
  };
}

let shared: string | undefined;

/** A rootfs from the host's static busybox; made once, copied by nobody: tests that write use a tmpfs. */
export function sharedRootfs(): string {
  if (shared !== undefined) return shared;
  shared = mkdtempSync(join(tmpdir(), 'rootfs-'));
  chmodSync(shared, 0o755);
  makeRootfs(shared);
  process.on('exit', () => rmSync(shared!, { recursive: true, force: true }));
  return shared;
}

/** busybox with its applets as links, and an /etc. Throws where there is no busybox. */
export function makeRootfs(directory: string): void {
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path));
  if (busybox === undefined) throw new Error('busybox is missing: apt-get install busybox-static');
  for (const name of ['bin', 'etc', 'proc', 'dev', 'sys', 'tmp', 'root']) mkdirSync(join(directory, name), { recursive: true });
  copyFileSync(busybox, join(directory, 'bin/busybox'));
  for (const applet of spawnSync(busybox, ['--list'], { encoding: 'utf8' }).stdout.trim().split('\n')) {
    if (applet !== 'busybox') symlinkSync('busybox', join(directory, 'bin', applet));
  }
  writeFileSync(join(directory, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n');
  writeFileSync(join(directory, 'etc/group'), 'root:x:0:\nuser:x:1000:\n');
}

/** A bundle in a temporary directory, removed when the process ends. */
export function makeBundle(config: Json): string {
  const bundle = mkdtempSync(join(tmpdir(), 'bundle-'));
  const whole = { ...config };
  const root = whole['root'] as Json | undefined;
  if (root?.['path'] === 'rootfs') whole['root'] = { ...root, path: sharedRootfs() };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(whole, null, 2));
  process.on('exit', () => rmSync(bundle, { recursive: true, force: true }));
  return bundle;
}

/** What a runtime could leave on the host: mounts, cgroups and state directories. */
export function traces(runtime: Runtime): { readonly mounts: number; readonly cgroups: readonly string[]; readonly state: readonly string[] } {
  // Only those this process named: others may be testing beside us.
  const isOurs = (name: string): boolean => name.includes(String(process.pid));
  const cgroups = readdirSync('/sys/fs/cgroup', { withFileTypes: true }).filter((entry) => entry.isDirectory() && isOurs(entry.name)).map((entry) => entry.name);
  const state = existsSync(runtime.root) ? readdirSync(runtime.root).filter((name) => !name.startsWith('.')) : [];
  return { mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length, cgroups, state };
}

/** Waits until a condition holds; throws with its name after ten seconds. */
export function until(what: string, condition: () => boolean): void {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 10_000) throw new Error(`timed out: ${what}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}

/** Whether a command that stays in the foreground has come to rest: runt's executable by then is its launcher again, without an engine or one's snapshot. */
export const isAtRest = (path: string, pid: number): boolean => path.endsWith('bin/runt') || (readlinkSync(`/proc/${pid}/exe`) === realpathSync(path) && !readFileSync(`/proc/${pid}/maps`, 'utf8').includes('/engine/'));

const HELD_OPEN = 'd=$(mktemp -d) && mkfifo "$d/in" && exec 3<>"$d/in" && rm -r "$d" && exec script -qec "$1" /dev/null <&3 3<&-';

/**
 * Runs a command line on a terminal of its own; what it writes, with \n for line ends. Its input stays open: where that
 * ends script(1) types ^D, whose echo lands anywhere in the output.
 */
export function inTerminal(command: string, env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], TERM: 'xterm' }): { readonly code: number; readonly output: string } {
  const done = spawnSync('/bin/bash', ['-c', HELD_OPEN, 'bash', command], { encoding: 'utf8', timeout: 60_000, env, stdio: ['ignore', 'pipe', 'pipe'] });
  return { code: done.status ?? 137, output: done.stdout.replaceAll('\r\n', '\n') };
}

let reachable: string | undefined;

/** A copy of a runtime of this checkout where an ordinary user may execute it: the checkout may lie below a closed directory. */
export function forAnyone(path: string): string {
  const checkout = process.cwd();
  if (!path.startsWith(`${checkout}/`)) return path;
  if (reachable === undefined) {
    reachable = mkdtempSync(join(tmpdir(), 'runtime-'));
    chmodSync(reachable, 0o755);
    for (const directory of ['bin', 'dist']) spawnSync('cp', ['-rp', join(checkout, directory), reachable]); // with its times: a snapshot knows its engine by them
    process.on('exit', () => rmSync(reachable!, { recursive: true, force: true }));
  }
  return join(reachable, path.slice(checkout.length));
}

/** Runtimes to test: the colon-separated RUNTIMES. */
export function runtimePaths(): readonly string[] {
  return (process.env['RUNTIMES'] ?? 'dist/runt').split(':').map((path) => (path.startsWith('/') ? path : join(process.cwd(), path)));
}
