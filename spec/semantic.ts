// What the schema cannot say: rules between the fields of config.json, on any host. Warnings are for `validate`, errors refuse a create.
import type { Config, IdMapping, Integer, Mount } from './config.ts';
import { arePlain, mountRuns } from './mount-runs.ts';
import { resources, wide, type Report } from './resources.ts';
import { show, type Issue } from './validate.ts';

/** All that is wrong with a document that fits the schema. Of one that does not (`isBroken`), as much as can be told. */
export function checkSemantics(config: Config, isBroken = false): readonly Issue[] {
  const issues: Issue[] = [];
  const report: Report = (pointer, found, expected, hint) => {
    issues.push({ pointer, found: typeof found === 'string' ? found : show(found), expected, severity: 'error', ...(hint === undefined ? {} : { hint }) });
  };
  const checks = [root, process_, mounts, namespaces, mappings, devices, netDevices, sysctls, resources, seccomp, refused];
  for (const check of checks) {
    try {
      check(config, report);
    } catch (error) {
      if (!isBroken) throw error;
    }
  }
  return issues;
}

const list = (config: Config): NonNullable<NonNullable<Config['linux']>['namespaces']> => config.linux?.namespaces ?? [];
const has = (config: Config, type: string): boolean => list(config).some((namespace) => namespace.type === type);
const isNew = (config: Config, type: string): boolean => list(config).some((namespace) => namespace.type === type && !namespace.path);

function root(config: Config, report: Report): void {
  if (config.root === undefined) report('/root', 'nothing', 'root is required: the path of the rootfs');
  else if (config.root.path === '') report('/root/path', '""', 'root.path must not be empty');
  if (!has(config, 'uts')) {
    if (config.hostname) report('/hostname', config.hostname, 'unable to set hostname without a private UTS namespace', 'add {"type": "uts"} to linux.namespaces');
    if (config.domainname) report('/domainname', config.domainname, 'unable to set domainname without a private UTS namespace', 'add {"type": "uts"} to linux.namespaces');
  }
  for (const [key, value] of [['hostname', config.hostname], ['domainname', config.domainname]] as const) {
    if (value !== undefined && value.length > 21 && Buffer.byteLength(value) > 64) report(`/${key}`, value, 'must be at most 64 bytes (sethostname(2))');
  }
}

function process_(config: Config, report: Report): void {
  const { process } = config;
  if (process === undefined) return report('/process', 'nothing', 'process property must not be empty');
  if (process.args === undefined || process.args.length === 0) report('/process/args', process.args ?? 'nothing', 'args must not be empty', 'the program to run and its arguments');
  else if (process.args[0] === '') report('/process/args/0', '""', 'executable path is empty');
  if (!process.cwd) report('/process/cwd', process.cwd ?? 'nothing', 'Cwd property must not be empty');
  else if (!process.cwd.startsWith('/')) report('/process/cwd', process.cwd, 'Cwd must be an absolute path');
  (process.env ?? []).forEach((entry, index) => {
    if (entry.indexOf('=') < 1) report(`/process/env/${index}`, entry, 'must be NAME=VALUE');
  });
  const limits = new Set<string>();
  (process.rlimits ?? []).forEach(({ type, soft, hard }, index) => {
    if (limits.has(type)) report(`/process/rlimits/${index}/type`, type, 'each resource only once');
    limits.add(type);
    for (const [key, value] of [['soft', soft], ['hard', hard]] as const) wide(report, `/process/rlimits/${index}/${key}`, value, -1n, (1n << 64n) - 1n);
    if (unsigned(soft) > unsigned(hard)) report(`/process/rlimits/${index}/soft`, soft, `must not be above the hard limit of ${hard}`);
  });
  const { scheduler } = process;
  if (scheduler !== undefined) {
    const isRealtime = scheduler.policy === 'SCHED_FIFO' || scheduler.policy === 'SCHED_RR';
    if (scheduler.priority && !isRealtime) report('/process/scheduler/priority', scheduler.priority, 'only with SCHED_FIFO or SCHED_RR');
    if (scheduler.nice && scheduler.policy !== 'SCHED_OTHER' && scheduler.policy !== 'SCHED_BATCH') report('/process/scheduler/nice', scheduler.nice, 'only with SCHED_OTHER or SCHED_BATCH');
    const deadline = scheduler.runtime ?? scheduler.deadline ?? scheduler.period;
    if (deadline && scheduler.policy !== 'SCHED_DEADLINE') report('/process/scheduler', scheduler.policy, 'runtime, deadline and period only with SCHED_DEADLINE');
  }
  for (const key of ['runtime', 'deadline', 'period'] as const) wide(report, `/process/scheduler/${key}`, scheduler?.[key], 0n, (1n << 64n) - 1n);
  for (const key of ['initial', 'final'] as const) {
    const value = process.execCPUAffinity?.[key];
    if (value !== undefined && !isNumberList(value, MOST_CPUS)) report(`/process/execCPUAffinity/${key}`, value, `must be a list of CPUs as 0-3,7, each below ${MOST_CPUS}`);
  }
}

/** As many as the mask of sched_setaffinity(2) has bits here, and as many nodes as any kernel is built for. */
const MOST_CPUS = 8192;
const MOST_NODES = 1024;

/** `0-3,7`: numbers and rising ranges, all below the bound. */
function isNumberList(text: string, bound: number): boolean {
  return text.split(',').every((range) => {
    const match = /^\s*(\d{1,6})(?:-(\d{1,6}))?\s*$/.exec(range);
    return match !== null && Number(match[1]) <= Number(match[2] ?? match[1]) && Number(match[2] ?? match[1]) < bound;
  });
}

const unsigned = (value: Integer): bigint => BigInt.asUintN(64, BigInt(value));

/** What may be mounted below /proc: nothing in it decides about a process. */
const allowedBelowProc = ['cpuinfo', 'diskstats', 'meminfo', 'stat', 'swaps', 'uptime', 'loadavg', 'slabinfo', 'sys/kernel/ns_last_pid', 'sys/crypto/fips_enabled'];

/** Whether no rule can be about anything in it but its destination; then it is the same for all that are alike. */
function isHarmless({ type, source, options = [], uidMappings, gidMappings }: Mount): boolean {
  if (!type || !source || uidMappings !== undefined || gidMappings !== undefined) return false;
  const words = options.join();
  return !words.includes('idmap') && !words.includes('tmpcopyup') && !(words.includes('=') && (type === 'bind' || words.includes('bind')));
}

function mounts(config: Config, report: Report): void {
  const all = config.mounts ?? [];
  for (const { first, count, destinations } of mountRuns(all)) {
    const end = first + count;
    if (!isHarmless(all[first]!)) for (let i = first; i < end; i++) options(config, all[i]!, i, report);
    if (arePlain(destinations) && !destinations.includes('proc/')) continue;
    for (let i = first; i < end; i++) destination(all[i]!, i, report);
  }
  privateMounts(config, report);
}

/** The rules about all of a mount but its destination. */
function options(config: Config, mount: Mount, index: number, report: Report): void {
  const { type, source, options: words = [] } = mount;
  const at = `/mounts/${index}`;
  const isBind = type === 'bind' || words.includes('bind') || words.includes('rbind');
  const isRemount = words.includes('remount');
  if (isBind && !source && !isRemount) report(`${at}/source`, source ?? 'nothing', 'a bind mount needs a source');
  if (!isBind && !type && !isRemount) report(`${at}/type`, type ?? 'nothing', 'a mount that is not a bind needs a type');
  if ((mount.uidMappings === undefined) !== (mount.gidMappings === undefined)) report(at, 'one of them', 'uidMappings and gidMappings go together');
  const asksIdmap = words.includes('idmap') || words.includes('ridmap');
  if ((mount.uidMappings !== undefined || asksIdmap) && !isBind) report(`${at}/uidMappings`, type ?? 'none', 'only bind mounts can be idmapped');
  if (asksIdmap && mount.uidMappings === undefined && !has(config, 'user')) report(`${at}/options`, 'idmap', 'needs uidMappings, or a user namespace to take them from');
  if (isRemount && (mount.uidMappings !== undefined || asksIdmap)) report(`${at}/options/${words.indexOf('remount')}`, 'remount', 'a mount is idmapped when it is made, not by a remount (mount_setattr(2))');
  if (isBind && words.join().includes('=')) {
    const data = words.findIndex((word) => word.includes('='));
    report(`${at}/options/${data}`, words[data], 'a bind mount has no file system options: its super block is shared');
  }
  if (words.includes('tmpcopyup') && type !== 'tmpfs') report(`${at}/options`, 'tmpcopyup', 'only on tmpfs');
}

function destination({ destination: path }: Mount, index: number, report: Report): void {
  const at = `/mounts/${index}/destination`;
  if (isTop(path)) report(at, path, 'mountpoint is on the top of rootfs', 'a directory below /');
  const below = belowProc(path);
  if (below && !allowedBelowProc.includes(below)) report(at, path, 'cannot be mounted because it is inside /proc', `below /proc only ${allowedBelowProc.join(', ')}`);
}

/** What would be mounted on the host. */
function privateMounts(config: Config, report: Report): void {
  if (has(config, 'mount')) return;
  for (const key of ['maskedPaths', 'readonlyPaths'] as const) if ((config.linux?.[key]?.length ?? 0) > 0) report(`/linux/${key}`, 'no mount namespace', 'unable to restrict paths without a private MNT namespace');
  const hint = 'add {"type": "mount"} to linux.namespaces';
  if ((config.mounts?.length ?? 0) > 0) report('/mounts', 'no mount namespace', 'mounts need a mount namespace: they would be the host’s', hint);
  if ((config.linux?.devices?.length ?? 0) > 0) report('/linux/devices', 'no mount namespace', 'devices need a mount namespace: they would be made in the rootfs for good', hint);
  if (config.root?.readonly === true) report('/root/readonly', 'no mount namespace', 'a read-only root needs a mount namespace: it would be read-only for the host too', hint);
  if (config.linux?.rootfsPropagation) report('/linux/rootfsPropagation', 'no mount namespace', 'propagation needs a mount namespace', hint);
  if (config.linux?.mountLabel) report('/linux/mountLabel', 'no mount namespace', 'nothing is mounted without a mount namespace', hint);
}

/** A path's words from the root on, `..` resolved as text and never above it, as the compiler does. */
function wordsOf(path: string): readonly string[] {
  const words: string[] = [];
  for (const word of path.split('/')) {
    if (word === '..') words.pop();
    else if (word !== '' && word !== '.') words.push(word);
  }
  return words;
}

/** `/`, `/..`, `/a/..`: the root itself. A path that ends in a name is looked at no further. */
const isTop = (path: string): boolean => (path === '' || path.endsWith('/') || path.includes('/.') || path.startsWith('.')) && wordsOf(path).length === 0;

/** What a destination is below /proc, by whatever way it gets there; undefined where it is elsewhere. */
function belowProc(path: string): string | undefined {
  if (!path.includes('proc/')) return undefined;
  const [first, ...rest] = wordsOf(path);
  return first === 'proc' ? rest.join('/') : undefined;
}

function namespaces(config: Config, report: Report): void {
  const seen = new Set<string>();
  list(config).forEach(({ type, path }, index) => {
    if (seen.has(type)) report(`/linux/namespaces/${index}`, type, 'malformed spec file: duplicated ns');
    seen.add(type);
    if (path && !path.startsWith('/')) report(`/linux/namespaces/${index}/path`, path, 'must be an absolute path');
  });
  for (const clock of Object.keys(config.linux?.timeOffsets ?? {})) {
    if (clock !== 'monotonic' && clock !== 'boottime') report(`/linux/timeOffsets/${clock}`, clock, 'only the clocks monotonic and boottime have an offset');
  }
  for (const clock of ['monotonic', 'boottime'] as const) wide(report, `/linux/timeOffsets/${clock}/secs`, config.linux?.timeOffsets?.[clock]?.secs, -(1n << 63n), (1n << 63n) - 1n);
  if (Object.keys(config.linux?.timeOffsets ?? {}).length > 0 && !isNew(config, 'time')) report('/linux/timeOffsets', 'no new time namespace', 'time offsets need a new time namespace');
}

function mappings(config: Config, report: Report): void {
  const { linux } = config;
  for (const [key, map] of [['uidMappings', linux?.uidMappings], ['gidMappings', linux?.gidMappings]] as const) {
    if (map === undefined || map.length === 0) {
      if (isNew(config, 'user')) report(`/linux/${key}`, 'nothing', 'User namespaces enabled, but no mappings found', '[{"containerID": 0, "hostID": 100000, "size": 65536}]');
      continue;
    }
    if (!isNew(config, 'user')) report(`/linux/${key}`, 'no new user namespace', 'mappings need a new user namespace');
    map.forEach((one, index) => map.slice(0, index).forEach((other) => {
      for (const side of ['containerID', 'hostID'] as const) {
        if (one[side] < other[side] + other.size && other[side] < one[side] + one.size) report(`/linux/${key}/${index}/${side}`, one[side], 'overlaps another mapping');
      }
    }));
  }
  if (!isNew(config, 'user')) return;
  const user = config.process?.user;
  const check = (pointer: string, id: number | undefined, map: readonly IdMapping[] | undefined, name: string): void => {
    if (id === undefined || map === undefined || map.length === 0) return;
    if (!map.some((one) => id >= one.containerID && id < one.containerID + one.size)) report(pointer, id, `is not mapped in the user namespace (linux.${name})`);
  };
  check('/process/user/uid', user?.uid ?? 0, linux?.uidMappings, 'uidMappings');
  check('/process/user/gid', user?.gid ?? 0, linux?.gidMappings, 'gidMappings');
  (user?.additionalGids ?? []).forEach((gid, index) => check(`/process/user/additionalGids/${index}`, gid, linux?.gidMappings, 'gidMappings'));
}

function devices(config: Config, report: Report): void {
  (config.linux?.devices ?? []).forEach((device, index) => {
    const at = `/linux/devices/${index}`;
    if (!device.path.startsWith('/')) report(`${at}/path`, device.path, 'must be an absolute path');
    if (device.path.split('/').includes('..')) report(`${at}/path`, device.path, 'must not contain ".."');
    if (device.type !== 'p' && (device.major === undefined || device.minor === undefined)) report(at, device.type, 'needs major and minor');
  });
}

const deviceName = /^(?!\.{1,2}$)[^/:\s\0]{1,15}$/;

function netDevices(config: Config, report: Report): void {
  const devices = Object.entries(config.linux?.netDevices ?? {});
  if (devices.length > 0 && !has(config, 'network')) report('/linux/netDevices', 'no network namespace', 'unable to move network devices without a NET namespace', 'add {"type": "network"} to linux.namespaces');
  for (const [name, device] of devices) {
    const at = `/linux/netDevices/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`;
    if (!deviceName.test(name)) report(at, name, 'must be the name of a network device: at most 15 characters, no "/", ":" or white space');
    if (device.name && !deviceName.test(device.name)) report(`${at}/name`, device.name, 'must be the name of a network device: at most 15 characters, no "/", ":" or white space');
    if (device.name && !device.name.includes('%') && devices.some(([other, { name: newName }]) => other !== name && (newName || other) === device.name)) report(`${at}/name`, device.name, 'two devices would have this name');
  }
}

const ipcSysctls = new Set(['kernel.msgmax', 'kernel.msgmnb', 'kernel.msgmni', 'kernel.sem', 'kernel.shmall', 'kernel.shmmax', 'kernel.shmmni', 'kernel.shm_rmid_forced']);

/** The namespace whose own a sysctl is (namespaces(7)). */
function sysctlNamespace(name: string): string | undefined {
  if (name.startsWith('net.')) return 'network';
  if (name.startsWith('fs.mqueue.') || ipcSysctls.has(name)) return 'ipc';
  if (name.startsWith('user.')) return 'user';
  return name === 'kernel.domainname' ? 'uts' : undefined;
}

function sysctls(config: Config, report: Report): void {
  for (const key of Object.keys(config.linux?.sysctl ?? {})) {
    const pointer = `/linux/sysctl/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const name = key.replaceAll('/', '.');
    const type = sysctlNamespace(name);
    if (name.split('.').includes('')) report(pointer, key, 'is no name of a sysctl');
    else if (name === 'kernel.hostname') report(pointer, key, `sysctl "${key}" is not allowed: use hostname`);
    else if (type === undefined) report(pointer, key, `sysctl "${key}" is not in a separate kernel namespace`);
    else if (!has(config, type)) report(pointer, key, `sysctl "${key}" is not allowed in the hosts ${type} namespace`, `add {"type": "${type}"} to linux.namespaces`);
  }
}

/** Calls our own init makes before its agent has the listener: nobody would answer them. write is runc's own, refused here too. */
export const initCalls = ['sendmsg', 'recvmsg', 'write'];

function seccomp(config: Config, report: Report): void {
  const at = '/linux/seccomp';
  const filter = config.linux?.seccomp;
  if (filter === undefined) return;
  if (filter.defaultAction === undefined && filter.syscalls !== undefined) report(`${at}/defaultAction`, 'nothing', 'defaultAction is required');
  if (filter.defaultAction === 'SCMP_ACT_NOTIFY') report(`${at}/defaultAction`, filter.defaultAction, 'SCMP_ACT_NOTIFY cannot be used as default action');
  let notifies = false;
  (filter.syscalls ?? []).forEach(({ action, names, errnoRet }, index) => {
    if (errnoRet !== undefined && action !== 'SCMP_ACT_ERRNO' && action !== 'SCMP_ACT_TRACE') report(`${at}/syscalls/${index}/errnoRet`, errnoRet, 'only with SCMP_ACT_ERRNO or SCMP_ACT_TRACE');
    if (action !== 'SCMP_ACT_NOTIFY') return;
    notifies = true;
    const own = names.findIndex((name) => initCalls.includes(name));
    if (own >= 0) report(`${at}/syscalls/${index}/names/${own}`, names[own], 'SCMP_ACT_NOTIFY cannot be used for this system call: init needs it before anyone listens');
  });
  if (notifies && !filter.listenerPath) report(`${at}/listenerPath`, 'nothing', 'SCMP_ACT_NOTIFY needs a listenerPath');
  if (filter.defaultErrnoRet !== undefined && filter.defaultAction !== 'SCMP_ACT_ERRNO' && filter.defaultAction !== 'SCMP_ACT_TRACE') report(`${at}/defaultErrnoRet`, filter.defaultErrnoRet, 'only with SCMP_ACT_ERRNO or SCMP_ACT_TRACE');
}

/** What the runtime-spec gives no meaning to is refused, never ignored. */
function refused(config: Config, report: Report): void {
  const closId = config.linux?.intelRdt?.closID;
  if (closId !== undefined && closId !== '/' && (/[/\s]/.test(closId) || ['', '.', '..', 'info', 'mon_groups', 'mon_data'].includes(closId))) report('/linux/intelRdt/closID', closId, 'must be the name of a class of service, or "/"');
  const nodes = config.linux?.memoryPolicy?.nodes;
  if (nodes && !isNumberList(nodes, MOST_NODES)) report('/linux/memoryPolicy/nodes', nodes, `must be a list of nodes as 0-3,7, each below ${MOST_NODES}`);
  if ((config.linux?.personality?.flags?.length ?? 0) > 0) report('/linux/personality/flags', config.linux!.personality!.flags, 'the runtime-spec defines no flags yet');
}
