// The table of broken bundles: keys with wrong values, and what only the machine can refuse; each with what the error must name.
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRootfs, type baseConfig, type Json } from './harness.ts';

type Config = ReturnType<typeof baseConfig>;

export interface Case {
  readonly name: string;
  /** Changes the good config, or gives the whole file. */
  readonly prepare: (config: Config, bundle: string) => unknown;
  readonly expected: RegExp;
  readonly verb?: 'create' | 'run';
  readonly flags?: readonly string[];
}

const place = (name: string, expected: RegExp, change: (config: Config, bundle: string) => unknown, rest: Partial<Case> = {}): Case => ({
  name,
  expected,
  prepare: (config, bundle) => {
    change(config, bundle);
    return config;
  },
  ...rest,
});

const wrong = (at: string, value: unknown, expected: RegExp, name = `${at} = ${JSON.stringify(value)?.slice(0, 40) ?? 'undefined'}`): Case => ({
  name,
  expected: new RegExp(`^runt: create \\S+: ${at.replace(/[[\].]/g, '\\$&')}: [^]*(?:${expected.source})[^]*config\\.json:\\d+:\\d+`),
  prepare: (config) => {
    const words = at.replace(/\[(\d+)\]/g, '.$1').split('.');
    let target = config as unknown as Record<string, unknown>;
    for (const [depth, word] of words.slice(0, -1).entries()) {
      target[word] ??= /^\d+$/.test(words[depth + 1]!) ? [] : {};
      target = target[word] as Record<string, unknown>;
    }
    if (value === undefined) delete target[words.at(-1)!];
    else target[words.at(-1)!] = value;
    return config;
  },
});

const bigInteger = (name: string, literal: string, at: RegExp, change: (config: Config) => void): Case => ({
  name,
  expected: at,
  prepare: (config) => {
    change(config);
    return JSON.stringify(config, null, 1).replace('"BIG"', literal);
  },
});

const linux = (config: Config, change: Json): void => void Object.assign(config.linux, change);
const unmapped = (config: Config): void => {
  (config.linux['namespaces'] as Json[]).push({ type: 'user' });
  for (const map of ['uidMappings', 'gidMappings']) config.linux[map] = [{ containerID: 0, hostID: 100000, size: 1000 }];
};

/** Keys with wrong values, whatever the machine. */
export const keys: readonly Case[] = [
  wrong('ociVersion', 1, /string/),
  wrong('ociVersion', '2.0.0', /1\.x\.y/),
  wrong('ociVersion', 'latest', /1\.x\.y/),
  wrong('root', 'rootfs', /object/),
  wrong('root', undefined, /required/, 'no root'),
  wrong('root.path', 7, /string/),
  wrong('root.path', '', /empty/),
  wrong('root.readonly', 'true', /boolean/),
  wrong('process', [], /object/),
  wrong('process', undefined, /must not be empty/, 'no process'),
  wrong('process.terminal', 'yes', /boolean/),
  place('a negative console', /process\.consoleSize\.height: must be at least 0/, (c) => void (c.process['consoleSize'] = { height: -1, width: 80 })),
  wrong('process.args', 'sh', /array/),
  wrong('process.args', [], /must not be empty/),
  wrong('process.args', undefined, /must not be empty/, 'no args'),
  wrong('process.args[0]', '', /empty/),
  wrong('process.args[0]', 5, /string/),
  wrong('process.args[0]', 'a\0b', /NUL/),
  wrong('process.env', { A: 'b' }, /array/),
  wrong('process.env[0]', 1, /string/),
  wrong('process.env[0]', 'NOEQUALS', /NAME=VALUE/),
  wrong('process.env[0]', '=x', /NAME=VALUE/),
  wrong('process.env[0]', 'A=\0', /NUL/),
  wrong('process.cwd', 'relative', /absolute/),
  wrong('process.cwd', '', /must not be empty/),
  wrong('process.cwd', undefined, /must not be empty/, 'no cwd'),
  wrong('process.user', 'root', /object/),
  wrong('process.user.uid', '0', /integer/),
  wrong('process.user.uid', -1, /at least 0/),
  wrong('process.user.uid', 4294967296, /at most 4294967295/),
  wrong('process.user.gid', 1.5, /integer/),
  wrong('process.user.umask', 0o1000, /at most 511/),
  place('a group by name', /process\.user\.additionalGids\[0\]: must be an integer: got "wheel"/, (c) => void (c.process['user'] = { uid: 0, gid: 0, additionalGids: ['wheel'] })),
  wrong('process.rlimits', { RLIMIT_NOFILE: 1 }, /array/),
  place('an unknown resource', /process\.rlimits\[0\]\.type: .*setrlimit/, (c) => void (c.process['rlimits'] = [{ type: 'RLIMIT_FILES', soft: 1, hard: 1 }])),
  place('a soft limit above the hard one', /process\.rlimits\[0\]\.soft: must not be above/, (c) => void (c.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 2, hard: 1 }])),
  place('a resource twice', /process\.rlimits\[1\]\.type: each resource only once/, (c) => void (c.process['rlimits'] = [1, 1].map(() => ({ type: 'RLIMIT_NOFILE', soft: 1, hard: 1 })))),
  bigInteger('a limit of more than 64 bits', '18446744073709551616', /process\.rlimits\[0\]\.hard: must be an integer from/, (c) => void (c.process['rlimits'] = [{ type: 'RLIMIT_AS', soft: 1, hard: 'BIG' }])),
  place('capabilities as a list', /process\.capabilities: must be an object/, (c) => void (c.process['capabilities'] = ['CAP_KILL'])),
  place('a capability that is a number', /process\.capabilities\.bounding\[0\]: must be a string/, (c) => void (c.process['capabilities'] = { bounding: [5] })),
  wrong('process.oomScoreAdj', 1001, /at most 1000/),
  wrong('process.oomScoreAdj', '5', /integer/),
  wrong('process.noNewPrivileges', 1, /boolean/),
  place('an unknown scheduler', /process\.scheduler\.policy: must be one of[^]*did you mean "SCHED_FIFO"/, (c) => void (c.process['scheduler'] = { policy: 'SCHED_FIFA' })),
  place('a priority without a realtime policy', /process\.scheduler\.priority: only with SCHED_FIFO/, (c) => void (c.process['scheduler'] = { policy: 'SCHED_OTHER', priority: 5 })),
  place('a nice value with a realtime policy', /process\.scheduler\.nice: only with/, (c) => void (c.process['scheduler'] = { policy: 'SCHED_RR', nice: 5, priority: 1 })),
  place('a deadline without SCHED_DEADLINE', /process\.scheduler: runtime, deadline and period only/, (c) => void (c.process['scheduler'] = { policy: 'SCHED_OTHER', deadline: 5 })),
  place('an I/O priority of 8', /process\.ioPriority\.priority: must be at most 7/, (c) => void (c.process['ioPriority'] = { class: 'IOPRIO_CLASS_BE', priority: 8 })),
  place('an affinity that is no list', /process\.execCPUAffinity\.initial: must be a list of CPUs/, (c) => void (c.process['execCPUAffinity'] = { initial: 'all' })),
  place('an affinity without end', /process\.execCPUAffinity\.final: must be a list of CPUs/, (c) => void (c.process['execCPUAffinity'] = { final: '0-99999999999' })),
  wrong('hostname', 5, /string/),
  wrong('hostname', 'x'.repeat(65), /at most 64 bytes/),
  wrong('domainname', 'ü'.repeat(33), /at most 64 bytes/),
  place('a hostname without a uts namespace', /hostname: unable to set hostname without a private UTS namespace/, (c) => linux(c, { namespaces: [{ type: 'mount' }] })),
  wrong('annotations', [], /object/),
  place('an annotation that is a number', /annotations\.a: must be a string: got 1/, (c) => void Object.assign(c, { annotations: { a: 1 } })),
  wrong('mounts', {}, /array/),
  wrong('mounts[0]', 'proc', /object/),
  place('a mount without destination', /mounts\[0\]: destination is required/, (c) => void delete c.mounts[0]!['destination']),
  wrong('mounts[0].destination', '/', /top of rootfs/),
  wrong('mounts[0].destination', '/..', /top of rootfs/),
  wrong('mounts[0].destination', '/tmp/..', /top of rootfs/),
  wrong('mounts[0].destination', '/tmp/../proc/self/attr', /inside \/proc/),
  wrong('mounts[0].destination', '', /must not be empty/),
  wrong('mounts[0].destination', '/a\0b', /NUL/),
  wrong('mounts[0].destination', '/proc/self/attr', /inside \/proc/),
  wrong('mounts[0].options', 'ro', /array/),
  place('a bind without source', /mounts\[6\]\.source: a bind mount needs a source/, (c) => c.mounts.push({ destination: '/tmp', options: ['bind'] })),
  place('a mount without type', /mounts\[6\]\.type: a mount that is not a bind needs a type/, (c) => c.mounts.push({ destination: '/tmp', source: 'x' })),
  place('size= on a bind', /mounts\[6\]\.options\[1\]: a bind mount has no file system options/, (c) => c.mounts.push({ destination: '/tmp', source: '/tmp', options: ['bind', 'size=1m'] })),
  place('an unknown word on a bind', /mounts\[6\]\.options\[1\]: a bind mount has no option "readonly"/, (c) => c.mounts.push({ destination: '/tmp', source: '/tmp', options: ['bind', 'readonly'] })),
  place('tmpcopyup on a bind', /mounts\[6\]\.options: only on tmpfs/, (c) => c.mounts.push({ destination: '/tmp', source: '/tmp', options: ['bind', 'tmpcopyup'] })),
  place('one mapping without the other', /mounts\[6\]: uidMappings and gidMappings go together/, (c) => c.mounts.push({ destination: '/tmp', source: '/tmp', options: ['bind'], uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] })),
  place('idmap without a mapping', /mounts\[6\]\.options: needs uidMappings/, (c) => c.mounts.push({ destination: '/tmp', source: '/tmp', options: ['bind', 'idmap'] })),
  place('idmap on a tmpfs', /mounts\[6\]\.uidMappings: only bind mounts/, (c) => c.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 't', options: ['idmap'] })),
  wrong('linux', [], /object/),
  wrong('linux.namespaces', {}, /array/),
  place('an unknown namespace', /linux\.namespaces\[0\]\.type: must be one of[^]*did you mean "pid"/, (c) => linux(c, { namespaces: [{ type: 'pids' }] })),
  place('a namespace twice', /linux\.namespaces\[1\]: malformed spec file: duplicated ns/, (c) => linux(c, { namespaces: [{ type: 'mount' }, { type: 'mount' }] })),
  place('a relative namespace path', /linux\.namespaces\[1\]\.path: must be an absolute path/, (c) => linux(c, { namespaces: [{ type: 'mount' }, { type: 'uts', path: 'ns' }] })),
  place('a user namespace without mappings', /linux\.uidMappings: User namespaces enabled, but no mappings found/, (c) => void (c.linux['namespaces'] as Json[]).push({ type: 'user' })),
  place('mappings without a user namespace', /linux\.uidMappings: mappings need a new user namespace/, (c) => linux(c, { uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] })),
  place('mappings that overlap', /linux\.uidMappings\[1\]\.containerID: overlaps/, (c) => {
    unmapped(c);
    (c.linux['uidMappings'] as Json[]).push({ containerID: 999, hostID: 200000, size: 5 });
  }),
  place('a mapping of nothing', /linux\.uidMappings\[0\]\.size: must be at least 1/, (c) => {
    unmapped(c);
    (c.linux['uidMappings'] as Json[])[0]!['size'] = 0;
  }),
  place('a user that is not mapped', /process\.user\.uid: is not mapped/, (c) => {
    unmapped(c);
    c.process['user'] = { uid: 1000, gid: 0 };
  }),
  place('a group that is not mapped', /process\.user\.additionalGids\[1\]: is not mapped/, (c) => {
    unmapped(c);
    c.process['user'] = { uid: 0, gid: 0, additionalGids: [1, 1000] };
  }),
  place('time offsets without a time namespace', /linux\.timeOffsets: time offsets need a new time namespace/, (c) => linux(c, { timeOffsets: { boottime: { secs: 1 } } })),
  place('an offset of a clock that has none', /linux\.timeOffsets\.realtime: only the clocks/, (c) => {
    (c.linux['namespaces'] as Json[]).push({ type: 'time' });
    linux(c, { timeOffsets: { realtime: { secs: 1 } } });
  }),
  place('a billion nanoseconds', /linux\.timeOffsets\.boottime\.nanosecs: must be at most 999999999/, (c) => linux(c, { timeOffsets: { boottime: { nanosecs: 1000000000 } } })),
  place('an unknown type of device', /linux\.devices\[0\]\.type: must be one of/, (c) => linux(c, { devices: [{ path: '/dev/x', type: 'x' }] })),
  place('a device without numbers', /linux\.devices\[0\]: needs major and minor/, (c) => linux(c, { devices: [{ path: '/dev/x', type: 'c' }] })),
  place('a device beside the rootfs', /linux\.devices\[0\]\.path: must not contain/, (c) => linux(c, { devices: [{ path: '/dev/../../x', type: 'p' }] })),
  place('a relative device', /linux\.devices\[0\]\.path: must be an absolute path/, (c) => linux(c, { devices: [{ path: 'x', type: 'p' }] })),
  place('a sysctl of the host', /linux\.sysctl\["vm\.swappiness"\]: sysctl "vm\.swappiness" is not in a separate kernel namespace/, (c) => linux(c, { sysctl: { 'vm.swappiness': '1' } })),
  place('a sysctl outside its namespace', /linux\.sysctl\["net\.ipv4\.ip_forward"\]: sysctl .* is not allowed in the hosts network namespace/, (c) => {
    linux(c, { sysctl: { 'net.ipv4.ip_forward': '1' }, namespaces: [{ type: 'mount' }, { type: 'uts' }] });
  }),
  place('kernel.hostname', /linux\.sysctl\["kernel\.hostname"\]: .*not allowed: use hostname/, (c) => linux(c, { sysctl: { 'kernel.hostname': 'x' } })),
  place('a sysctl that climbs', /linux\.sysctl\["net\.\.\.\.kernel\.x"\]: is no name of a sysctl/, (c) => linux(c, { sysctl: { 'net....kernel.x': '1' } })),
  place('a sysctl that is a number', /linux\.sysctl\["net\.ipv4\.ip_forward"\]: must be a string: got 1/, (c) => linux(c, { sysctl: { 'net.ipv4.ip_forward': 1 } })),
  place('a relative masked path', /linux\.maskedPaths\[0\]: must be an absolute path/, (c) => linux(c, { maskedPaths: ['proc'] })),
  place('a relative read-only path', /linux\.readonlyPaths\[0\]: must be an absolute path/, (c) => linux(c, { readonlyPaths: ['proc'] })),
  place('an unknown propagation', /linux\.rootfsPropagation: must be one of[^]*did you mean "rshared"/, (c) => linux(c, { rootfsPropagation: 'rshard' })),
  place('a cgroup that climbs', /linux\.cgroupsPath: must not contain/, (c) => linux(c, { cgroupsPath: '/a/../../b' })),
  place('a personality that is none', /linux\.personality\.domain: must be one of/, (c) => linux(c, { personality: { domain: 'BSD' } })),
  place('a memory policy that is none', /linux\.memoryPolicy\.mode: must be one of/, (c) => linux(c, { memoryPolicy: { mode: 'MPOL_NEAR' } })),
  place('memory nodes that are no list', /linux\.memoryPolicy\.nodes: must be a list of nodes/, (c) => linux(c, { memoryPolicy: { mode: 'MPOL_BIND', nodes: 'all' } })),
  place('a memory limit with a unit', /linux\.resources\.memory\.limit: must be a 64-bit integer: got "1g"/, (c) => linux(c, { resources: { memory: { limit: '1g' } } })),
  bigInteger('a memory limit of more than 63 bits', '9223372036854775808', /linux\.resources\.memory\.limit: must be an integer from/, (c) => linux(c, { resources: { memory: { limit: 'BIG' } } })),
  bigInteger('a limit of 1e999', '1e999', /linux\.resources\.pids\.limit: /, (c) => linux(c, { resources: { pids: { limit: 'BIG' } } })),
  place('swap without memory', /linux\.resources\.memory\.swap: unable to set swap limit without memory limit/, (c) => linux(c, { resources: { memory: { swap: 5 } } })),
  place('swap below memory', /linux\.resources\.memory\.swap: memory\+swap limit should be >= memory limit/, (c) => linux(c, { resources: { memory: { swap: 5, limit: 10 } } })),
  place('devices that are a string', /linux\.resources\.devices: must be an array/, (c) => linux(c, { resources: { devices: 'all' } })),
  place('an access that is none', /linux\.resources\.devices\[0\]\.access: must be made of r, w and m/, (c) => linux(c, { resources: { devices: [{ allow: true, access: 'rx' }] } })),
  place('a page size that is none', /linux\.resources\.hugepageLimits\[0\]\.pageSize: must be a size/, (c) => linux(c, { resources: { hugepageLimits: [{ pageSize: '2M', limit: 1 }] } })),
  place('a unified file with a path', /linux\.resources\.unified\["\.\.\/cgroup\.procs"\]: must be the name of a cgroup file/, (c) => linux(c, { resources: { unified: { '../cgroup.procs': '1' } } })),
  place('an unknown action', /linux\.seccomp\.defaultAction: must be one of/, (c) => linux(c, { seccomp: { defaultAction: 'ALLOW' } })),
  place('an unknown operator', /linux\.seccomp\.syscalls\[0\]\.args\[0\]\.op: must be one of/, (c) => linux(c, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['read'], action: 'SCMP_ACT_LOG', args: [{ index: 0, value: 1, op: '==' }] }] } })),
  place('a seventh argument', /linux\.seccomp\.syscalls\[0\]\.args\[0\]\.index: must be at most 5/, (c) => linux(c, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['read'], action: 'SCMP_ACT_LOG', args: [{ index: 6, value: 1, op: 'SCMP_CMP_EQ' }] }] } })),
  place('a rule without names', /linux\.seccomp\.syscalls\[0\]\.names: must not be empty/, (c) => linux(c, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: [], action: 'SCMP_ACT_LOG' }] } })),
  place('NOTIFY by default', /linux\.seccomp\.defaultAction: SCMP_ACT_NOTIFY cannot be used as default/, (c) => linux(c, { seccomp: { defaultAction: 'SCMP_ACT_NOTIFY' } })),
  place('NOTIFY without a listener', /linux\.seccomp\.listenerPath: SCMP_ACT_NOTIFY needs a listenerPath/, (c) => linux(c, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_NOTIFY' }] } })),
  place('an unknown seccomp flag', /linux\.seccomp\.flags\[0\]: must be one of/, (c) => linux(c, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_FAST'] } })),
  wrong('hooks', [], /object/),
  place('a hook by a relative path', /hooks\.prestart\[0\]\.path: must be an absolute path/, (c) => void Object.assign(c, { hooks: { prestart: [{ path: 'true' }] } })),
  place('a hook with no time', /hooks\.prestart\[0\]\.timeout: must be at least 1/, (c) => void Object.assign(c, { hooks: { prestart: [{ path: '/bin/true', timeout: 0 }] } })),
  place('a hook without path', /hooks\.poststop\[0\]: path is required/, (c) => void Object.assign(c, { hooks: { poststop: [{ args: ['x'] }] } })),
];

const ownRootfs = (config: Config, bundle: string): string => {
  const rootfs = join(bundle, 'rootfs');
  mkdirSync(rootfs);
  makeRootfs(rootfs);
  config.root['path'] = 'rootfs';
  return rootfs;
};

/** What only the machine can refuse: files that are not there, calls the kernel does not grant. */
export const machines: readonly Case[] = [
  place('a rootfs that is missing', /root\.path: rootfs \(.*\) does not exist/, (c) => void (c.root['path'] = 'nowhere')),
  place('a rootfs that is a file', /root\.path: rootfs .* is not a directory/, (c, bundle) => {
    writeFileSync(join(bundle, 'rootfs'), '');
    c.root['path'] = 'rootfs';
  }),
  place('a rootfs that is a symlink', /root\.path: rootfs .* is not an absolute path, or a symlink/, (c, bundle) => {
    symlinkSync('/', join(bundle, 'rootfs'));
    c.root['path'] = 'rootfs';
  }),
  place('a rootfs that is a fifo', /root\.path: rootfs .* is not a directory/, (c, bundle) => {
    spawnSync('mkfifo', [join(bundle, 'rootfs')]);
    c.root['path'] = 'rootfs';
  }),
  place('an empty rootfs', /exec: "\/bin\/true": stat \/bin\/true: no such file or directory/, (c, bundle) => {
    mkdirSync(join(bundle, 'rootfs'));
    c.root['path'] = 'rootfs';
  }),
  place('a binary that is missing', /process\.args\[0\]: .*exec: "\/bin\/nothing": stat \/bin\/nothing: no such file/, (c) => void (c.process['args'] = ['/bin/nothing'])),
  place('a command that is not in PATH', /process\.args\[0\]: .*exec: "nothing": executable file not found in \$PATH/, (c) => void (c.process['args'] = ['nothing'])),
  place('a command and no PATH', /process\.args\[0\]: .*exec: "sh": executable file not found in \$PATH/, (c) => {
    c.process['args'] = ['sh'];
    c.process['env'] = [];
  }),
  place('a directory as binary', /process\.args\[0\]: .*exec: "\/bin": is a directory/, (c) => void (c.process['args'] = ['/bin'])),
  place('a file that may not be executed', /process\.args\[0\]: .*exec: "\/etc\/passwd": permission denied/i, (c) => void (c.process['args'] = ['/etc/passwd'])),
  place('a text without #!', /exec format error/i, (c, bundle) => {
    writeFileSync(join(ownRootfs(c, bundle), 'bin/text'), 'hello', { mode: 0o755 });
    c.process['args'] = ['/bin/text'];
  }, { verb: 'run' }),
  place('a script whose interpreter is missing', /no such file or directory/i, (c, bundle) => {
    writeFileSync(join(ownRootfs(c, bundle), 'bin/script'), '#!/bin/nothing\n', { mode: 0o755 });
    c.process['args'] = ['/bin/script'];
  }, { verb: 'run' }),
  place('a working directory that is a file', /process\.cwd: chdir\("\/etc\/passwd"\): ENOTDIR/, (c) => void (c.process['cwd'] = '/etc/passwd')),
  place('a working directory that cannot be made', /process\.cwd: mkdirat.*EROFS/, (c) => {
    c.process['cwd'] = '/tmp/not/there';
    c.mounts.push({ destination: '/tmp', type: 'bind', source: '/usr', options: ['bind', 'ro'] });
  }),
  place('a source that is missing', /mounts\[6\]\.source: open_tree\(.*"\/not\/there".*ENOENT/, (c) => c.mounts.push({ destination: '/tmp', type: 'bind', source: '/not/there', options: ['bind'] })),
  place('a directory onto a file', /mounts\[6\].*(ENOTDIR|EEXIST)/, (c) => c.mounts.push({ destination: '/etc/passwd', type: 'bind', source: '/etc', options: ['bind'] })),
  place('a file onto a directory', /mounts\[6\].*(EINVAL|ENOTDIR)[^]*try: a file can be bound on a file only/, (c) => c.mounts.push({ destination: '/etc', type: 'bind', source: '/etc/passwd', options: ['bind'] })),
  place('a tmpfs onto a file', /mounts\[6\].*ENOTDIR/, (c) => c.mounts.push({ destination: '/etc/passwd', type: 'tmpfs', source: 't' })),
  place('fourteen thousand tmpfs', /mounts: .*at most 65534.*need more/, (c) => void c.mounts.push(...Array.from({ length: 14_000 }, (_, i) => ({ destination: `/tmp/${i}`, type: 'tmpfs', source: 'tmpfs' })))),
  place('a mount below a file', /mounts\[6\].*ENOTDIR/, (c) => c.mounts.push({ destination: '/etc/passwd/x', type: 'tmpfs', source: 't' })),
  place('a destination of symlinks in a ring', /mounts\[6\].*ELOOP/, (c, bundle) => {
    const rootfs = ownRootfs(c, bundle);
    symlinkSync('b', join(rootfs, 'a'));
    symlinkSync('a', join(rootfs, 'b'));
    c.mounts.push({ destination: '/a/x', type: 'tmpfs', source: 't' });
  }),
  place('proc where the rootfs has a symlink', /mounts\[0\]\.destination: .*ELOOP/, (c, bundle) => {
    const rootfs = ownRootfs(c, bundle);
    spawnSync('rmdir', [join(rootfs, 'proc')]);
    symlinkSync('etc', join(rootfs, 'proc'));
  }),
  place('a name of 300 characters', /mounts\[6\].*ENAMETOOLONG/, (c) => c.mounts.push({ destination: `/${'x'.repeat(300)}`, type: 'tmpfs', source: 't' })),
  place('a file system that the kernel has not', /mounts\[6\]: fsopen\("bananafs".*ENODEV/, (c) => c.mounts.push({ destination: '/tmp', type: 'bananafs', source: 't' })),
  place('an option that tmpfs has not', /mounts\[6\]\.options\[0\]: fsconfig\(.*"banana".*EINVAL[^]*kernel: .*banana/, (c) => c.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 't', options: ['banana=1'] })),
  place('a word of Object’s', /mounts\[6\]\.options\[0\]: fsconfig\(.*"constructor".*EINVAL/, (c) => c.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 't', options: ['constructor'] })),
  place('a size that is none', /mounts\[6\]\.options\[1\]: fsconfig\(.*"size", "banana".*EINVAL/, (c) => c.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 't', options: ['nosuid', 'size=banana'] })),
  place('an overlay without lower directories', /mounts\[6\].*fsconfig\(.*(EINVAL|ENOENT)/, (c) => c.mounts.push({ destination: '/tmp', type: 'overlay', source: 'overlay', options: ['upperdir=/nowhere'] })),
  place('a disk that is missing', /mounts\[6\].*ENOENT/, (c) => c.mounts.push({ destination: '/tmp', type: 'ext4', source: '/dev/no-such-disk' })),
  place('a remount of what is not mounted', /mounts\[6\].*EINVAL/, (c) => c.mounts.push({ destination: '/tmp', type: 'tmpfs', source: 't', options: ['remount', 'ro'] })),
  place('a namespace that is missing', /linux\.namespaces\[\d\]\.path: openat\(.*"\/proc\/999999999\/ns\/net".*ENOENT/, (c) => linux(c, { namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'network', path: '/proc/999999999/ns/net' }] })),
  place('a namespace of another kind', /linux\.namespaces\[2\]: setns\(.*EINVAL/, (c) => linux(c, { namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'network', path: '/proc/self/ns/ipc' }] })),
  place('a namespace that is a file', /linux\.namespaces\[2\]: setns\(.*EINVAL/, (c) => linux(c, { namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'network', path: '/etc/passwd' }] })),
  place('the user namespace the runtime is in', /linux\.namespaces\[2\]: setns\(.*EINVAL/, (c) => linux(c, { namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'user', path: '/proc/self/ns/user' }] })),
  place('a sysctl the kernel has not', /linux\.sysctl\["net\.ipv4\.no_such"\]: openat2\(.*ENOENT/, (c) => linux(c, { sysctl: { 'net.ipv4.no_such': '1' } })),
  place('a sysctl with a value it does not take', /linux\.sysctl\["net\.ipv4\.ip_forward"\]: write\(.*EINVAL/, (c) => linux(c, { sysctl: { 'net.ipv4.ip_forward': 'banana' } })),
  place('a capability the runtime has not', /process\.capabilities: capset\(.*EPERM/, (c) => void (c.process['capabilities'] = { bounding: ['CAP_SYS_RESOURCE'], permitted: ['CAP_SYS_RESOURCE'], effective: [] })),
  place('a limit above what the runtime may give', /process\.rlimits\[0\]: prlimit64\(.*EPERM/, (c) => void (c.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 2 ** 30, hard: 2 ** 30 }])),
  place('a controller the host has not', /linux\.resources\.memory\.limit: controller memory is not available/, (c) => linux(c, { resources: { memory: { limit: 1 << 24 } } })),
  place('a unified file of no controller', /linux\.resources\.unified\["banana\.max"\]: controller banana is not available/, (c) => linux(c, { resources: { unified: { 'banana.max': '1' } } })),
  place('an architecture seccomp does not know', /linux\.seccomp\.architectures\[0\]: /, (c) => linux(c, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_Z80'], syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] } })),
  place('a filter that forbids execve', /exec: "\/bin\/true": operation not permitted/i, (c) => linux(c, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['execve'], action: 'SCMP_ACT_ERRNO' }] } }), { verb: 'run' }),
  place('a listener nobody listens at', /linux\.seccomp\.listenerPath: /, (c) => linux(c, { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/no/agent', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_NOTIFY' }] } })),
  place('a hook that is missing', /hooks\.createRuntime\[0\]: error running createRuntime hook #0 \/no\/hook: cannot be executed: ENOENT/, (c) => void Object.assign(c, { hooks: { createRuntime: [{ path: '/no/hook' }] } })),
  place('a hook that fails', /hooks\.prestart\[1\]: error running prestart hook #1 .*exit status 3, output: sorry/, (c) => void Object.assign(c, { hooks: { prestart: [{ path: '/bin/true' }, { path: '/bin/sh', args: ['sh', '-c', 'echo sorry; exit 3'] }] } })),
  place('a hook inside that is missing', /hooks\.createContainer\[0\]: error running createContainer hook #0 \/no\/hook: cannot be executed: ENOENT/, (c) => void Object.assign(c, { hooks: { createContainer: [{ path: '/no/hook' }] } })),
  place('a hook inside that fails', /hooks\.createContainer\[0\]: error running createContainer hook #0/, (c) => void Object.assign(c, { hooks: { createContainer: [{ path: '/bin/false' }] } })),
  place('a hook that takes too long', /hooks\.prestart\[0\]: .*timeout of 1 s/, (c) => void Object.assign(c, { hooks: { prestart: [{ path: '/bin/sleep', args: ['sleep', '100'], timeout: 1 }] } })),
  place('a terminal and no console socket', /process\.terminal: .*console socket/, (c) => void (c.process['terminal'] = true)),
  place('a console socket where nobody listens', /process\.terminal: .*(ENOENT|ECONNREFUSED|console)/, (c) => void (c.process['terminal'] = true), { flags: ['--console-socket', 'BUNDLE/no-socket'] }),
  place('a terminal without devpts', /process\.terminal: openat2\(.*"dev\/pts\/ptmx".*ENOENT/, (c) => {
    c.process['terminal'] = true;
    c.mounts = c.mounts.filter(({ type }) => type !== 'devpts');
  }, { verb: 'run' }),
  place('a pid file in a directory that is missing', /ENOENT/, () => {}, { flags: ['--pid-file', 'BUNDLE/no/pid'] }),
  place('descriptors that nobody gave', /preserve/, () => {}, { flags: ['--preserve-fds', '200'] }),
  place('an argument longer than execve(2) takes', /(E2BIG|argument list too long)/i, (c) => void (c.process['args'] = ['/bin/true', 'x'.repeat(200_000)]), { verb: 'run' }),
  place('a memory node that is missing', /linux\.memoryPolicy: set_mempolicy\(.*EINVAL/, (c) => linux(c, { memoryPolicy: { mode: 'MPOL_BIND', nodes: '900' } })),
  place('a scheduler that no kernel has', /process\.scheduler: sched_setattr\(.*EINVAL/, (c) => void (c.process['scheduler'] = { policy: 'SCHED_ISO' })),
];
