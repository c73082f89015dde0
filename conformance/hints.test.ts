// Each hint is provoked: really where this machine can, by an injected errno where it cannot.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, makeRootfs, Runtime, runtimePaths, type Json } from './harness.ts';

type Config = ReturnType<typeof baseConfig>;
const scratch = mkdtempSync(join(tmpdir(), 'hints-'));
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

interface Case {
  readonly what: string;
  readonly hint: RegExp;
  readonly change?: (config: Config) => unknown;
  readonly inject?: string;
  readonly around?: (run: () => void) => void;
}

const cases: readonly Case[] = [
  { what: 'a new proc over a partly masked one, in a user namespace', hint: /partly masked where runt runs/, inject: '/mounts/0:fsmount=EPERM' },
  { what: 'a bind source that is not there', hint: /source does not exist on the host/, change: (config) => bind(config, join(scratch, 'missing'), '/data') },
  { what: 'a directory bound on a file', hint: /source is a directory and the destination a file/, change: (config) => bind(config, join(scratch, 'directory'), '/etc/passwd') },
  { what: 'a file bound on a directory', hint: /a file can be bound on a file only/, change: (config) => bind(config, file, '/etc') },
  { what: 'a file bound on what became a directory', hint: /a directory on a directory only/, inject: '/mounts/6:move_mount=ENOTDIR', change: (config) => bind(config, file, '/etc/passwd') },
  { what: 'a flag that the host has locked', hint: /the host has locked this flag/, inject: '/mounts/6:mount_setattr=EPERM', change: (config) => bind(config, file, '/etc/passwd', 'ro') },
  { what: 'proc on a symlink', hint: /must be mounted on ordinary directories/, change: (config) => ownRootfs(config, (rootfs) => { rmdirSync(join(rootfs, 'proc')); symlinkSync('/tmp', join(rootfs, 'proc')); }) },
  { what: 'a symlink that leads a mount into proc', hint: /leads this destination into \/proc/, change: (config) => { ownRootfs(config, (rootfs) => symlinkSync('/proc', join(rootfs, 'data'))); mount(config, { destination: '/data', type: 'tmpfs', source: 'tmpfs' }); } },
  { what: 'a mount point that cannot be made', hint: /mount point does not exist and its file system is read-only/, inject: '/mounts/1:mkdirat=EROFS', change: (config) => ownRootfs(config, (rootfs) => rmdirSync(join(rootfs, 'dev'))) },
  { what: 'overlay without its lowerdir', hint: /one of lowerdir, upperdir and workdir does not exist/, change: (config) => mount(config, { destination: '/data', type: 'overlay', source: 'overlay', options: [`lowerdir=${scratch}/nowhere`] }) },
  { what: 'overlay with an upperdir and no workdir', hint: /upperdir needs workdir/, change: (config) => mount(config, { destination: '/data', type: 'overlay', source: 'overlay', options: [`lowerdir=${scratch}/directory`, `upperdir=${scratch}/upper`] }) },
  { what: 'an idmapped bind of procfs', hint: /whose file system allows it/, change: (config) => mount(config, { destination: '/data', type: 'bind', source: '/proc', options: ['bind'], uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }], gidMappings: [{ containerID: 0, hostID: 1000, size: 10 }] }) },
  { what: 'additional groups in a rootless container', hint: /denies setgroups/, inject: 'setgroups=EPERM', change: (config) => (config.process['user'] = { uid: 0, gid: 0, additionalGids: [5] }) },
  { what: 'a file system this kernel lacks', hint: /no such file system \(see \/proc\/filesystems\)/, change: (config) => mount(config, { destination: '/data', type: 'bananafs', source: 'x' }) },
  { what: 'a namespace to join that is gone', hint: /namespace to join is gone/, change: (config) => (namespaces(config)[1]!['path'] = '/proc/2147483647/ns/net') },
  { what: 'a namespace of another kind', hint: /namespace of another kind/, change: (config) => (namespaces(config)[1]!['path'] = '/proc/self/ns/uts') },
  { what: 'a limit raised without the right', hint: /raising a hard limit needs CAP_SYS_RESOURCE/, inject: 'prlimit64=EPERM', change: (config) => (config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 64, hard: 64 }]) },
  { what: 'a capability the runtime lacks', hint: /capability that the runtime itself does not have/, inject: 'capset=EPERM' },
  { what: 'a score lowered without the right', hint: /lowering the score needs CAP_SYS_RESOURCE/, inject: '/process/oomScoreAdj:write=EACCES', change: (config) => (config.process['oomScoreAdj'] = 0) },
  { what: 'a uid that is not mapped', hint: /this uid is not mapped/, inject: '/process/user:setresuid=EINVAL', change: (config) => (config.process['user'] = { uid: 1000, gid: 1000 }) },
  { what: 'a gid that is not mapped', hint: /this gid is not mapped/, inject: '/process/user:setresgid=EINVAL', change: (config) => (config.process['user'] = { uid: 1000, gid: 1000 }) },
  { what: 'a group that is not mapped', hint: /a gid is not mapped/, inject: 'setgroups=EINVAL', change: (config) => (config.process['user'] = { uid: 1000, gid: 1000, additionalGids: [5] }) },
  { what: 'a limit whose file is not there', hint: /the controller of this file is not available/, inject: '/linux/resources/unified:write_file=ENOENT', change: (config) => (config.linux['resources'] = { unified: { 'hugetlb.2MB.max': '4194304' } }) },
  { what: 'a parent cgroup that holds processes', hint: /a cgroup that holds processes cannot give controllers/, inject: 'write_file=EBUSY', change: (config) => (config.linux['resources'] = { unified: { 'hugetlb.2MB.max': '4194304' } }) },
  {
    what: 'no more cgroups below a parent', hint: /the limit of cgroups is reached/, change: (config) => (config.linux['cgroupsPath'] = `/hints${process.pid}/one`),
    around: (run) => {
      mkdirSync(`/sys/fs/cgroup/hints${process.pid}`);
      try {
        writeFileSync(`/sys/fs/cgroup/hints${process.pid}/cgroup.max.descendants`, '0');
        run();
      } finally {
        rmdirSync(`/sys/fs/cgroup/hints${process.pid}`);
      }
    },
  },
  { what: 'a file that is not executable', hint: /not executable by process\.user/, change: (config) => { config.process['args'] = ['/etc/passwd']; } },
  { what: 'a script whose interpreter is missing', hint: /the file is there, its interpreter is not/, change: (config) => { ownRootfs(config, (rootfs) => writeFileSync(join(rootfs, 'script'), '#!/usr/bin/python9\n', { mode: 0o755 })); config.process['args'] = ['/script']; } },
  { what: 'a script without a first line', hint: /neither a binary of this architecture nor a script/, change: (config) => { ownRootfs(config, (rootfs) => writeFileSync(join(rootfs, 'script'), 'echo hello\n', { mode: 0o755 })); config.process['args'] = ['/script']; } },
  { what: 'a cgroup that shares controllers', hint: /takes no processes itself/, inject: 'clone3=EBUSY' },
  { what: 'a profile that is not loaded', hint: /no profile of this name is loaded/, inject: '/process/apparmorProfile:write=ENOENT', change: (config) => (config.process['apparmorProfile'] = 'nowhere') },
  { what: 'a profile where there is no AppArmor', hint: /this kernel has no AppArmor/, inject: '/process/apparmorProfile:write=EINVAL', change: (config) => (config.process['apparmorProfile'] = 'nowhere') },
  { what: 'a network device: ENODEV', hint: /no network device of this name/, inject: 'move_net_device=ENODEV', change: (config) => (config.linux['netDevices'] = { v9: {} }) },
  { what: 'a network device: EEXIST', hint: /has a device of this name already/, inject: 'move_net_device=EEXIST', change: (config) => (config.linux['netDevices'] = { v9: {} }) },
  { what: 'a network device: EPERM', hint: /moving a device needs CAP_NET_ADMIN/, inject: 'move_net_device=EPERM', change: (config) => (config.linux['netDevices'] = { v9: {} }) },
  { what: 'namespaces without rights', hint: /making namespaces needs CAP_SYS_ADMIN/, inject: 'clone3=EPERM' },
  { what: 'too many namespaces', hint: /limit of namespaces is reached/, inject: 'clone3=ENOSPC' },
  { what: 'too many processes', hint: /limit of processes is reached/, inject: 'clone3=EAGAIN' },
  { what: 'too many keys', hint: /quota of keys is used up/, inject: 'keyctl=EDQUOT' },
];

for (const path of runtimePaths()) {
  const runtime = new Runtime(path);
  const test = suite(`hints ${path}`);
  let said = '';
  cases.forEach(({ what, hint, change, inject, around = (run) => run() }, index) => {
    test(what, () => around(() => {
      const config = baseConfig('/bin/true');
      change?.(config);
      const result = runtime.run(['run', ...(inject === undefined ? [] : ['--inject', inject]), '--bundle', makeBundle(config), `hint${process.pid}-${index}`]);
      assert.is.not(result.code, 0);
      said += result.stderr;
      assert.match(result.stderr, new RegExp(`\n  try: .*${hint.source}`));
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
    spawnSync('rm', ['-rf', scratch]);
  });
  test.run();
}
