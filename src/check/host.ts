// What config.json asks for and this host cannot give, found before anything is tried. Reads only.
import { closeSync, existsSync } from 'node:fs';
import { posix } from 'node:path';
import type { Config, Seccomp } from '../../spec/config.ts';
import { show, type Issue } from '../../spec/validate.ts';
import { call, text as cText } from '../../native/linux/syscalls.ts';
import { O_CLOEXEC, O_DIRECTORY, O_PATH, RESOLVE_IN_ROOT } from '../../native/linux/constants.ts';
import { hasLibseccomp } from '../../native/linux/libseccomp-file.ts';
import { compileSeccomp } from '../bpf/seccomp.ts';
import { cgroupWrites, controllersOf } from '../compile/resources.ts';
import { candidates } from '../compile/args.ts';
import { capabilityNames, capabilitySets } from '../compile/capabilities.ts';
import { RuntimeError } from '../errors.ts';
import { fileSystemOf, gatherFacts, hardLimit, hugePageSizes, inPath, isAtLeast, isExecutable, mayMakeNamespace, subordinateIds, text, userName, type Facts } from './facts.ts';

type Report = (pointer: string, found: unknown, expected: string, hint?: string, severity?: Issue['severity']) => void;

/** All that stands against running this bundle here; `rootfs` is absolute, or undefined when there is none. */
export function checkHost(config: Config, bundle: string, rootfs: string | undefined): readonly Issue[] {
  const issues: Issue[] = [];
  const report: Report = (pointer, found, expected, hint, severity = 'error') => {
    issues.push({ pointer, found: typeof found === 'string' ? found : show(found), expected, severity, ...(hint === undefined ? {} : { hint }) });
  };
  const facts = gatherFacts();
  kernel(facts, report);
  namespaces(config, facts, report);
  mappings(config, facts, report);
  mounts(config, bundle, facts, report);
  limits(config, facts, report);
  rights(config, facts, report);
  hooks(config, report);
  sysctls(config, report);
  if (config.linux?.seccomp !== undefined) seccomp(config, report);
  if (rootfs !== undefined) executable(config, rootfs, report);
  return issues;
}

function kernel(facts: Facts, report: Report): void {
  if (!isAtLeast(facts.kernel, 5, 14)) report('', facts.kernel, 'runt needs Linux 5.14: mount_setattr, openat2, clone3 with CLONE_INTO_CGROUP, cgroup.kill');
}

function namespaces(config: Config, facts: Facts, report: Report): void {
  (config.linux?.namespaces ?? []).forEach(({ type, path }, index) => {
    const at = `/linux/namespaces/${index}`;
    const may = mayMakeNamespace(type);
    if (may === undefined) report(`${at}/type`, type, 'this kernel has no such namespace');
    else if (path) {
      if (!existsSync(path)) report(`${at}/path`, path, 'the namespace to join does not exist', 'is its container still running?');
      else if (!/^nsfs|^proc$/.test(fileSystemOf(path) ?? '')) report(`${at}/path`, path, 'is not a namespace file (namespaces(7))', '/proc/PID/ns/NAME, or a bind of one');
    } else if (!may) report(`${at}/type`, type, `no namespace of this type may be made: /proc/sys/user/max_${type === 'mount' ? 'mnt' : type === 'network' ? 'net' : type}_namespaces is 0`);
  });
  const isMade = config.linux?.namespaces?.some(({ type, path }) => type === 'user' && !path) ?? false;
  if (!facts.isPrivileged && !facts.capabilities.has('CAP_SYS_ADMIN') && !isMade) report('/linux/namespaces', `uid ${facts.euid}`, 'making namespaces needs CAP_SYS_ADMIN, or a user namespace', 'runt spec --rootless writes such a config.json');
  const forbids = text('/proc/sys/kernel/unprivileged_userns_clone')?.trim() === '0' || text('/proc/sys/kernel/apparmor_restrict_unprivileged_userns')?.trim() === '1';
  if (isMade && facts.euid !== 0 && forbids) report('/linux/namespaces', 'user', 'this host forbids user namespaces to ordinary users', 'kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0', 'warning');
}

function mappings(config: Config, facts: Facts, report: Report): void {
  if (facts.euid === 0) return;
  for (const [key, file, tool, own] of [['uidMappings', '/etc/subuid', 'newuidmap', facts.euid], ['gidMappings', '/etc/subgid', 'newgidmap', process.getegid!()]] as const) {
    const map = config.linux?.[key] ?? [];
    const isSingle = map.length === 1 && map[0]!.size === 1 && map[0]!.hostID === own;
    if (map.length === 0 || isSingle) continue;
    if (inPath(tool) === undefined) report(`/linux/${key}`, `${map.length} mappings`, `needs ${tool}(1)`, 'apt-get install uidmap');
    const given = subordinateIds(file, userName(facts.euid), facts.euid);
    map.forEach(({ hostID, size }, index) => {
      if (size === 1 && hostID === own) return;
      const isGiven = given.some(([first, count]) => hostID >= first && hostID + size <= first + count);
      if (!isGiven) report(`/linux/${key}/${index}/hostID`, hostID, `ids ${hostID} to ${hostID + size - 1} do not belong to uid ${facts.euid} (${file})`, given.length === 0 ? `usermod --add-sub${key.slice(0, 3)}s 100000-165535 ${userName(facts.euid)}` : `given: ${given.map(([first, count]) => `${first} to ${first + count - 1}`).join(', ')}`);
    });
  }
}

/** File systems that cannot be idmapped (FS_ALLOW_IDMAP), or only since a later kernel. */
const unmappable: Readonly<Record<string, readonly [number, number] | undefined>> = {
  proc: undefined, sysfs: undefined, cgroup2: undefined, devtmpfs: undefined, nfs: undefined, nfs4: undefined, cifs: undefined, '9p': undefined, devpts: undefined, overlay: [5, 19], tmpfs: [6, 3], erofs: [5, 19], squashfs: [6, 2], fuse: [6, 12], virtiofs: [6, 12],
};

function mounts(config: Config, bundle: string, facts: Facts, report: Report): void {
  (config.mounts ?? []).forEach((mount, index) => {
    const at = `/mounts/${index}`;
    const options = mount.options ?? [];
    const isBind = mount.type === 'bind' || options.includes('bind') || options.includes('rbind');
    if (!isBind) {
      if (mount.type !== undefined && !facts.fileSystems.has(mount.type)) report(`${at}/type`, mount.type, 'this kernel has no such file system now', `it may be a module: modprobe ${mount.type}`, 'warning');
      return;
    }
    const source = posix.resolve(bundle, mount.source ?? '');
    if (!existsSync(source)) return report(`${at}/source`, mount.source ?? 'nothing', 'the source does not exist on the host', mount.source?.startsWith('/') === true ? undefined : 'a relative source is below the bundle');
    const type = fileSystemOf(source) ?? '';
    const isMapped = mount.uidMappings !== undefined || options.includes('idmap') || options.includes('ridmap');
    if (isMapped && type in unmappable) {
      const since = unmappable[type];
      if (since === undefined) report(at, type, `${type} cannot be idmapped`);
      else if (!isAtLeast(facts.kernel, ...since)) report(at, type, `${type} can be idmapped since Linux ${since.join('.')} only; this is ${facts.kernel}`);
    }
  });
}

function limits(config: Config, facts: Facts, report: Report): void {
  const writes = cgroupWrites(config.linux?.resources);
  if (facts.cgroupMount === undefined) {
    if (writes[0] !== undefined) report(writes[0].at, 'no cgroup2 mount', 'limits need cgroup v2', 'mount -t cgroup2 cgroup2 /sys/fs/cgroup, or boot with cgroup_no_v1=all');
  } else {
    for (const controller of controllersOf(writes)) {
      if (facts.controllers.includes(controller)) continue;
      for (const write of writes.filter(({ file }) => file.startsWith(`${controller}.`))) {
        report(write.at, `no controller ${controller}`, `${write.file} cannot be set: the controller is not available on cgroup v2 here`, `available: ${facts.controllers.join(' ') || 'none'} (${facts.cgroupMount}/cgroup.controllers); what is mounted as cgroup v1 is not seen by v2`);
      }
    }
  }
  const sizes = hugePageSizes();
  (config.linux?.resources?.hugepageLimits ?? []).forEach(({ pageSize }, index) => {
    if (!sizes.includes(pageSize)) report(`/linux/resources/hugepageLimits/${index}/pageSize`, pageSize, 'this host has no pages of this size', `it has ${sizes.join(', ') || 'none'}`);
  });
}

function rights(config: Config, facts: Facts, report: Report): void {
  const isMapped = config.linux?.namespaces?.some(({ type }) => type === 'user') ?? false;
  for (const set of capabilitySets) {
    const names = config.process?.capabilities?.[set];
    names?.forEach((name, index) => {
      const pointer = `/process/capabilities/${set}/${index}`;
      if (!capabilityNames.includes(name.toUpperCase())) return; // said already: it is none anywhere
      if (!facts.knownCapabilities.has(name)) report(pointer, name, 'this kernel has no such capability: it is left out', undefined, 'warning');
      else if (!isMapped && set !== 'bounding' && set !== 'ambient' && !facts.capabilities.has(name)) report(pointer, name, 'the runtime itself does not have this capability here', 'a container cannot get what its runtime lacks');
    });
  }
  if (facts.capabilities.has('CAP_SYS_RESOURCE') && !isMapped) return;
  const own = text('/proc/self/limits') ?? '';
  (config.process?.rlimits ?? []).forEach(({ type, hard }, index) => {
    const now = hardLimit(own, type);
    if (now !== undefined && BigInt.asUintN(64, BigInt(hard)) > now && !facts.capabilities.has('CAP_SYS_RESOURCE')) report(`/process/rlimits/${index}/hard`, hard, `is above the hard limit of ${now} here, and raising it needs CAP_SYS_RESOURCE`);
  });
  const score = config.process?.oomScoreAdj;
  const now = Number(text('/proc/self/oom_score_adj') ?? 0);
  if (score !== undefined && score < now && !facts.capabilities.has('CAP_SYS_RESOURCE')) report('/process/oomScoreAdj', score, `lowering the score below ${now} needs CAP_SYS_RESOURCE`);
}

function hooks(config: Config, report: Report): void {
  for (const kind of ['prestart', 'createRuntime', 'createContainer', 'poststart', 'poststop'] as const) {
    (config.hooks?.[kind] ?? []).forEach(({ path }, index) => {
      if (!existsSync(path)) report(`/hooks/${kind}/${index}/path`, path, 'the hook does not exist');
      else if (!isExecutable(path)) report(`/hooks/${kind}/${index}/path`, path, 'the hook is not an executable file', `chmod +x ${path}`);
    });
  }
}

function sysctls(config: Config, report: Report): void {
  for (const key of Object.keys(config.linux?.sysctl ?? {})) {
    const path = key.includes('/') ? key : key.replace(/\./g, '/');
    if (!existsSync(`/proc/sys/${path}`)) report(`/linux/sysctl/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`, key, 'this kernel has no such sysctl now', undefined, 'warning');
  }
}

function seccomp(config: Config, report: Report): void {
  const filter = config.linux!.seccomp!;
  if (!hasLibseccomp()) report('/linux/seccomp', 'no libseccomp.so.2', 'a filter is compiled with libseccomp', 'apt-get install libseccomp2');
  const words = (text('/proc/sys/kernel/seccomp/actions_avail') ?? '').trim().split(' ');
  const has = (action: string): boolean => words.length < 2 || words.includes({ NOTIFY: 'user_notif', KILL: 'kill_thread' }[action.replace('SCMP_ACT_', '')] ?? action.replace('SCMP_ACT_', '').toLowerCase());
  if (filter.defaultAction !== undefined && !has(filter.defaultAction)) report('/linux/seccomp/defaultAction', filter.defaultAction, 'this kernel has no such action');
  (filter.syscalls ?? []).forEach(({ action }, index) => {
    if (!has(action)) report(`/linux/seccomp/syscalls/${index}/action`, action, 'this kernel has no such action');
  });
  if (hasLibseccomp()) compiles(filter, report);
  if (filter.listenerPath && !existsSync(filter.listenerPath)) report('/linux/seccomp/listenerPath', filter.listenerPath, 'nobody listens there yet', 'the agent must be listening before create', 'warning');
}

/** What libseccomp refuses, as an architecture it does not know, and the system calls it leaves out, which create says with --debug only (as runc). */
function compiles(filter: Seccomp, report: Report): void {
  try {
    const { unknown } = compileSeccomp(filter);
    if (unknown.length > 0) report('/linux/seccomp/syscalls', unknown.join(', '), 'names that this libseccomp does not know: there is no rule for them', undefined, 'warning');
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const { pointer = '/linux/seccomp', hint } = error.details;
    report(pointer, valueAt(filter, pointer.replace(/^\/linux\/seccomp/, '')), error.message, hint);
  }
}

/** The value a JSON pointer leads to. */
const valueAt = (value: unknown, pointer: string): unknown => pointer.split('/').slice(1).reduce((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);

/** process.args[0] in the rootfs as execvp(3) looks for it; where something is mounted over the rootfs it may come from there. */
function executable(config: Config, rootfs: string, report: Report): void {
  const command = config.process?.args?.[0];
  if (!command) return;
  const paths = candidates({ config, host: { home: '/' }, request: { listenFds: 0 } } as never).map((path) => posix.resolve(config.process?.cwd ?? '/', path));
  const destinations = (config.mounts ?? []).map(({ destination }) => posix.resolve('/', destination));
  if (paths.some((path) => destinations.some((one) => path === one || path.startsWith(`${one}/`)) || existsInRoot(rootfs, path))) return;
  const brings = (config.mounts ?? []).some(({ type, options }) => type === 'bind' || type === 'overlay' || (options ?? []).some((word) => word === 'bind' || word === 'rbind'));
  const expected = command.includes('/') ? 'is not in the rootfs' : `executable file not found in $PATH (${paths.map((path) => posix.dirname(path)).join(':') || 'which is empty'})`;
  if (brings) report('/process/args/0', command, expected, 'unless one of the mounts brings it', 'warning');
  else report('/process/args/0', command, expected, `looked in ${rootfs}`);
}

/** Looks a path up as the container would, symlinks included. */
function existsInRoot(rootfs: string, path: string): boolean {
  const directory = call('openat', -100, cText(rootfs), O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (directory < 0) return true;
  const how = Buffer.alloc(24);
  how.writeUInt32LE(O_CLOEXEC | O_PATH, 0);
  how.writeUInt32LE(RESOLVE_IN_ROOT, 16);
  const fd = call('openat2', directory, cText(path.replace(/^\/+/, '') || '.'), how, 24);
  closeSync(directory);
  if (fd >= 0) closeSync(fd);
  return fd >= 0;
}
