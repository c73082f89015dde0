// Each hint is provoked: really where this machine can, by an injected errno where it cannot, which `inject` then explains.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, forAnyone, makeBundle, makeRootfs, Runtime, runtimePaths, until, type Json } from './harness.ts';

type Config = ReturnType<typeof baseConfig>;
const scratch = mkdtempSync(join(tmpdir(), 'hints-'));
chmodSync(scratch, 0o755);
const mount = (config: Config, entry: Json): number => config.mounts.push(entry);
const bind = (config: Config, source: string, destination: string, ...options: string[]): number => mount(config, { destination, type: 'bind', source, options: ['bind', ...options] });
const namespaces = (config: Config): Json[] => config.linux['namespaces'] as Json[];
const ownRootfs = (config: Config, prepare: (rootfs: string) => void, more: Json = {}): void => {
  const rootfs = mkdtempSync(join(scratch, 'rootfs-'));
  makeRootfs(rootfs);
  prepare(rootfs);
  config.root = { path: rootfs, ...more };
};
const file = join(scratch, 'file');
writeFileSync(file, '');
mkdirSync(join(scratch, 'directory'));
mkdirSync(join(scratch, 'upper'));

/** A user namespace with these many ids. */
const mapped = (config: Config, size: number): void => {
  namespaces(config).push({ type: 'user' });
  config.linux['uidMappings'] = config.linux['gidMappings'] = [{ containerID: 0, hostID: 100000, size }];
};

/** A user namespace of another's with ten ids: its maps are not in config.json, so that the kernel is the first to object. */
const stranger = spawn('unshare', ['-U', 'sleep', '1000'], { stdio: 'ignore' });
until('a user namespace', () => readlinkSync(`/proc/${stranger.pid}/ns/user`) !== readlinkSync('/proc/self/ns/user'));
for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${stranger.pid}/${map}`, '0 100000 10');
const joined = (config: Config): number => namespaces(config).push({ type: 'user', path: `/proc/${stranger.pid}/ns/user` });

/** What an ordinary user without subordinate ids may run. */
const rootless = (config: Config): void => {
  config.linux['namespaces'] = ['pid', 'ipc', 'uts', 'mount', 'user'].map((type) => ({ type }));
  config.linux['uidMappings'] = config.linux['gidMappings'] = [{ containerID: 0, hostID: USER, size: 1 }];
  config.linux['resources'] = {};
  config.mounts = config.mounts.filter(({ type }) => type !== 'sysfs');
};

/** Callers of the runtime, in front of its command line: an ordinary user, root without a capability, a shell that prepares first. */
const USER = 4242;
const ordinary = ['setpriv', '--reuid', `${USER}`, '--regid', `${USER}`, '--clear-groups'];
const without = (capability: string): readonly string[] => ['setpriv', '--bounding-set', `-${capability}`, '--inh-caps', `-${capability}`];
const sh = (script: string): readonly string[] => ['sh', '-c', `${script}; exec "$@"`, 'sh'];
const privately = (script: string): readonly string[] => ['unshare', '-m', '--propagation', 'private', ...sh(script)];

/** Uses up the quota of keys of whoever runs it, then becomes its arguments. */
const KEYS = `import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
nr = 248 if os.uname().machine == 'x86_64' else 217
n = 0
while libc.syscall(nr, b'user', b'k%d' % n, b'x', 1, -3) != -1 and n < 100000: n += 1
os.execvp(sys.argv[1], sys.argv[1:])`;

const hasAppArmor = existsSync('/sys/module/apparmor/parameters/enabled') && readFileSync('/sys/module/apparmor/parameters/enabled', 'utf8').startsWith('Y');
const group = `/sys/fs/cgroup/hints${process.pid}`;

/** With a cgroup of this test's, prepared by `prepare`. */
const withGroup = (prepare: () => () => void) => (run: () => void): void => {
  mkdirSync(group);
  const undo = prepare();
  try {
    run();
  } finally {
    undo();
    spawnSync('sh', ['-c', `until rmdir ${group}/one ${group} 2>/dev/null || ! [ -e ${group} ]; do rmdir ${group} 2>/dev/null; sleep 0.05; done`], { timeout: 10_000 });
  }
};

interface Case {
  readonly what: string;
  readonly hint: RegExp;
  readonly change?: (config: Config) => unknown;
  /** Who calls the runtime. */
  readonly by?: (config: Config) => readonly string[];
  readonly isUser?: true;
  readonly inject?: string;
  readonly around?: (run: () => void) => void;
}

const cases: readonly Case[] = [
  { what: 'a new proc over a partly masked one, in a user namespace', hint: /partly masked where runt runs/, change: (config) => mapped(config, 65536), by: () => privately('mount -t tmpfs tmpfs /proc/sys') },
  { what: 'a bind source that is not there', hint: /source does not exist on the host/, change: (config) => bind(config, join(scratch, 'missing'), '/data') },
  { what: 'a directory bound on a file', hint: /source is a directory and the destination a file/, change: (config) => bind(config, join(scratch, 'directory'), '/etc/passwd') },
  { what: 'a file bound on a directory', hint: /a file can be bound on a file only/, change: (config) => bind(config, file, '/etc') },
  // Really only by a race: a file that becomes a directory between two calls.
  { what: 'a file bound on what became a directory', hint: /a directory on a directory only/, inject: '/mounts/6:move_mount=ENOTDIR', change: (config) => bind(config, file, '/etc/passwd') },
  { what: 'a flag that the host has locked', hint: /the host has locked this flag/, isUser: true, by: () => [...privately('mount -t tmpfs -o nosuid tmpfs /mnt'), ...ordinary], change: (config) => { rootless(config); bind(config, '/mnt', '/tmp', 'suid'); } },
  { what: 'proc on a symlink', hint: /must be mounted on ordinary directories/, change: (config) => ownRootfs(config, (rootfs) => { rmdirSync(join(rootfs, 'proc')); symlinkSync('/tmp', join(rootfs, 'proc')); }) },
  { what: 'a symlink that leads a mount into proc', hint: /leads this destination into \/proc/, change: (config) => { ownRootfs(config, (rootfs) => symlinkSync('/proc', join(rootfs, 'data'))); mount(config, { destination: '/data', type: 'tmpfs', source: 'tmpfs' }); } },
  { what: 'a mount point that cannot be made', hint: /mount point does not exist and its file system is read-only/, change: (config) => ownRootfs(config, (rootfs) => rmdirSync(join(rootfs, 'dev'))), by: (config) => privately(`mount --bind ${String(config.root['path'])} ${String(config.root['path'])}; mount -o remount,bind,ro ${String(config.root['path'])}`) },
  { what: 'overlay without its lowerdir', hint: /one of lowerdir, upperdir and workdir does not exist/, change: (config) => mount(config, { destination: '/data', type: 'overlay', source: 'overlay', options: [`lowerdir=${scratch}/nowhere`] }) },
  { what: 'overlay with an upperdir and no workdir', hint: /upperdir needs workdir/, change: (config) => mount(config, { destination: '/data', type: 'overlay', source: 'overlay', options: [`lowerdir=${scratch}/directory`, `upperdir=${scratch}/upper`] }) },
  { what: 'an idmapped bind of procfs', hint: /whose file system allows it/, change: (config) => mount(config, { destination: '/data', type: 'bind', source: '/proc', options: ['bind'], uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }], gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }] }) },
  { what: 'additional groups in a rootless container', hint: /denies setgroups/, isUser: true, change: (config) => { rootless(config); config.process['user'] = { uid: 0, gid: 0, additionalGids: [0] }; } },
  { what: 'a file system this kernel lacks', hint: /no such file system \(see \/proc\/filesystems\)/, change: (config) => mount(config, { destination: '/data', type: 'bananafs', source: 'x' }) },
  { what: 'a namespace to join that is gone', hint: /namespace to join is gone/, change: (config) => (namespaces(config)[1]!['path'] = '/proc/2147483647/ns/net') },
  { what: 'a namespace of another kind', hint: /namespace of another kind/, change: (config) => (namespaces(config)[1]!['path'] = '/proc/self/ns/uts') },
  { what: 'a limit raised without the right', hint: /raising a hard limit needs CAP_SYS_RESOURCE/, by: () => [...without('sys_resource'), ...sh('ulimit -n 200')], change: (config) => (config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 300 }]) },
  { what: 'a capability the runtime lacks', hint: /capability that the runtime itself does not have/, by: () => without('kill') },
  { what: 'a score lowered without the right', hint: /lowering the score needs CAP_SYS_RESOURCE/, by: () => [...without('sys_resource'), ...sh('echo 100 >/proc/$$/oom_score_adj')], change: (config) => (config.process['oomScoreAdj'] = -1000) },
  { what: 'a uid that is not mapped', hint: /this uid is not mapped/, change: (config) => { joined(config); config.process['user'] = { uid: 1000, gid: 0 }; } },
  { what: 'a gid that is not mapped', hint: /this gid is not mapped/, change: (config) => { joined(config); config.process['user'] = { uid: 0, gid: 1000 }; } },
  { what: 'a group that is not mapped', hint: /a gid is not mapped/, change: (config) => { joined(config); config.process['user'] = { uid: 0, gid: 0, additionalGids: [1000] }; } },
  { what: 'a limit whose file is not there', hint: /the controller of this file is not available/, change: (config) => (config.linux['resources'] = { unified: { 'hugetlb.3MB.max': '4194304' } }) },
  { what: 'a parent cgroup that holds processes', hint: /a parent that holds processes cannot give it/, change: (config) => { config.linux['cgroupsPath'] = `/hints${process.pid}/one`; config.linux['resources'] = { unified: { 'hugetlb.2MB.max': '4194304' } }; }, around: withGroup(() => { const child = spawn('sleep', ['1000']); writeFileSync(`${group}/cgroup.procs`, String(child.pid)); return () => child.kill('SIGKILL'); }) },
  { what: 'no more cgroups below a parent', hint: /the limit of cgroups is reached/, change: (config) => (config.linux['cgroupsPath'] = `/hints${process.pid}/one`), around: withGroup(() => { writeFileSync(`${group}/cgroup.max.descendants`, '0'); return () => {}; }) },
  { what: 'a file that is not executable', hint: /not executable by process\.user/, change: (config) => { config.process['args'] = ['/etc/passwd']; } },
  { what: 'a script whose interpreter is missing', hint: /the file is there, its interpreter is not/, change: (config) => { ownRootfs(config, (rootfs) => writeFileSync(join(rootfs, 'script'), '#!/usr/bin/python9\n', { mode: 0o755 })); config.process['args'] = ['/script']; } },
  { what: 'a script without a first line', hint: /neither a binary of this architecture nor a script/, change: (config) => { ownRootfs(config, (rootfs) => writeFileSync(join(rootfs, 'script'), 'echo hello\n', { mode: 0o755 })); config.process['args'] = ['/script']; } },
  { what: 'a cgroup that shares controllers', hint: /takes no processes itself/, change: (config) => (config.linux['cgroupsPath'] = `/hints${process.pid}`), around: withGroup(() => { writeFileSync('/sys/fs/cgroup/cgroup.subtree_control', '+hugetlb'); writeFileSync(`${group}/cgroup.subtree_control`, '+hugetlb'); return () => {}; }) },
  // Of the next two this host can show one.
  { what: 'a profile that is not loaded', hint: /no profile of this name is loaded/, ...(hasAppArmor ? {} : { inject: '/process/apparmorProfile:write=ENOENT' }), change: (config) => (config.process['apparmorProfile'] = 'nowhere') },
  { what: 'a profile where there is no AppArmor', hint: /this kernel has no AppArmor/, ...(hasAppArmor ? { inject: '/process/apparmorProfile:write=EINVAL' } : {}), change: (config) => (config.process['apparmorProfile'] = 'nowhere') },
  { what: 'a network device: ENODEV', hint: /no network device of this name/, change: (config) => (config.linux['netDevices'] = { v9: {} }) },
  { what: 'a network device: EEXIST', hint: /has a device of this name already/, by: () => ['unshare', '-n', ...sh('ip link add v9 type veth peer name v8')], change: (config) => (config.linux['netDevices'] = { v9: { name: 'lo' } }) },
  { what: 'a network device: EPERM', hint: /moving a device needs CAP_NET_ADMIN/, by: () => ['unshare', '-n', ...sh('ip link add v9 type veth peer name v8'), ...without('net_admin')], change: (config) => { mapped(config, 65536); config.linux['netDevices'] = { v9: {} }; } },
  { what: 'namespaces without rights', hint: /making namespaces needs CAP_SYS_ADMIN/, isUser: true, change: (config) => { rootless(config); config.linux['namespaces'] = ['pid', 'uts', 'mount', 'ipc'].map((type) => ({ type })); delete config.linux['uidMappings']; delete config.linux['gidMappings']; } },
  { what: 'too many namespaces', hint: /limit of namespaces is reached/, by: () => ['unshare', '-Ur', ...sh('echo 0 >/proc/sys/user/max_uts_namespaces')], change: (config) => { config.linux['namespaces'] = ['uts', 'mount'].map((type) => ({ type })); config.linux['resources'] = {}; } },
  // Really only by chance: the runtime's own threads count against RLIMIT_NPROC first, and this host has no pids controller.
  { what: 'too many processes', hint: /limit of processes is reached/, inject: 'clone3=EAGAIN' },
  { what: 'too many keys', hint: /quota of keys is used up/, isUser: true, by: () => [...ordinary, 'python3', '-c', KEYS], change: rootless },
];

for (const path of runtimePaths()) {
  const runtime = new Runtime(path);
  const test = suite(`hints ${path}`);
  let said = '';
  const own = join(scratch, 'user-state');
  spawnSync('install', ['-d', '-o', `${USER}`, '-g', `${USER}`, own]);
  cases.forEach(({ what, hint, change, by, isUser, inject, around = (run) => run() }, index) => {
    test(what, () => around(() => {
      const config = baseConfig('/bin/true');
      change?.(config);
      const bundle = makeBundle(config);
      chmodSync(bundle, 0o755);
      const caller = by?.(config) ?? (isUser ? ordinary : []);
      const words = [isUser ? forAnyone(path) : path, '--root', isUser ? own : runtime.root, 'run', ...(inject === undefined ? [] : ['--inject', inject]), '--bundle', bundle, `hint${process.pid}-${index}`];
      const [command, ...rest] = [...caller, ...words];
      const result = spawnSync(command!, rest, { encoding: 'utf8', timeout: 60_000, input: '', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
      assert.is.not(result.status, 0);
      said += result.stderr;
      assert.ok(new RegExp(`\n  try: .*${hint.source}`).test(result.stderr), result.stderr);
    }));
  });

  test('no hint of the table is left out, here and in the tests beside this one', () => {
    const table = readFileSync(join(import.meta.dirname, '../src/execute/hints.ts'), 'utf8');
    const hints = [...table.matchAll(/^ {2}\{ op: .* hint: '(.*)' \},$/gm)].map(([, text]) => text!);
    assert.ok(hints.length > 25, String(hints.length));
    // Refused before any step where the host has no SELinux, or no resctrl: their hints show only where it has.
    const beside = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts')).map((name) => readFileSync(join(import.meta.dirname, name), 'utf8')).join('');
    assert.equal(hints.filter((text) => !said.includes(text) && !/SELinux|class of service/.test(text) && !beside.includes(text.slice(0, 30))), [], 'a hint needs a row above that provokes it');
  });

  test.after(() => {
    runtime.close();
    stranger.kill('SIGKILL');
    spawnSync('rm', ['-rf', scratch]);
  });
  test.run();
}
