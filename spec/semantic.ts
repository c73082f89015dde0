// What the schema cannot say: rules between the fields of config.json, on any host. Warnings are for `validate`, errors refuse a create.
import type { Config, IdMapping, Integer } from './config.ts';
import { resources, wide, type Report } from './resources.ts';
import { show, type Issue } from './validate.ts';

/** All that is wrong with a document that fits the schema. */
export function checkSemantics(config: Config): readonly Issue[] {
  const issues: Issue[] = [];
  const report: Report = (pointer, found, expected, hint) => {
    issues.push({ pointer, found: typeof found === 'string' ? found : show(found), expected, severity: 'error', ...(hint === undefined ? {} : { hint }) });
  };
  const checks = [root, process_, mounts, namespaces, mappings, devices, sysctls, resources, seccomp, refused];
  for (const check of checks) check(config, report);
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
    if (value !== undefined && Buffer.byteLength(value) > 64) report(`/${key}`, value, 'must be at most 64 bytes (sethostname(2))');
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
  for (const [key, value] of Object.entries(process.execCPUAffinity ?? {})) {
    if (!/^\s*\d+(-\d+)?(\s*,\s*\d+(-\d+)?)*\s*$/.test(value ?? '')) report(`/process/execCPUAffinity/${key}`, value, 'must be a list of CPUs as 0-3,7');
  }
}

const unsigned = (value: Integer): bigint => BigInt.asUintN(64, BigInt(value));

function mounts(config: Config, report: Report): void {
  (config.mounts ?? []).forEach((mount, index) => {
    const at = `/mounts/${index}`;
    const options = mount.options ?? [];
    const isBind = mount.type === 'bind' || options.includes('bind') || options.includes('rbind');
    if (/^[/.]*$/.test(mount.destination) && !mount.destination.includes('...')) report(`${at}/destination`, mount.destination, 'mountpoint is on the top of rootfs', 'a directory below /');
    if (isBind && !mount.source) report(`${at}/source`, mount.source ?? 'nothing', 'a bind mount needs a source');
    if (!isBind && !mount.type) report(`${at}/type`, mount.type ?? 'nothing', 'a mount that is not a bind needs a type');
    if ((mount.uidMappings === undefined) !== (mount.gidMappings === undefined)) report(at, 'one of them', 'uidMappings and gidMappings go together');
    if (mount.uidMappings !== undefined && !isBind) report(`${at}/uidMappings`, mount.type ?? 'none', 'only bind mounts can be idmapped');
    if ((options.includes('idmap') || options.includes('ridmap')) && mount.uidMappings === undefined && !has(config, 'user')) report(`${at}/options`, 'idmap', 'needs uidMappings, or a user namespace to take them from');
    if (isBind) {
      const data = options.findIndex((option) => option.includes('='));
      if (data >= 0) report(`${at}/options/${data}`, options[data], 'a bind mount has no file system options: its super block is shared');
    }
    if (options.includes('tmpcopyup') && mount.type !== 'tmpfs') report(`${at}/options`, 'tmpcopyup', 'only on tmpfs');
    if (options.includes('remount')) report(`${at}/options`, 'remount', 'a mount of config.json is always a new one');
    const below = /^\/+proc\/+(.*)$/.exec(mount.destination)?.[1]?.replace(/\/+$/, '');
    const allowed = ['cpuinfo', 'diskstats', 'meminfo', 'stat', 'swaps', 'uptime', 'loadavg', 'slabinfo', 'sys/kernel/ns_last_pid', 'sys/crypto/fips_enabled'];
    if (below && !allowed.includes(below)) report(`${at}/destination`, mount.destination, 'cannot be mounted because it is inside /proc', `below /proc only ${allowed.join(', ')}`);
  });
  if (!has(config, 'mount')) {
    for (const key of ['maskedPaths', 'readonlyPaths'] as const) if ((config.linux?.[key]?.length ?? 0) > 0) report(`/linux/${key}`, 'no mount namespace', 'unable to restrict paths without a private MNT namespace');
    if ((config.mounts?.length ?? 0) > 0) report('/mounts', 'no mount namespace', 'mounts need a mount namespace: they would be the host’s');
  }
}

function namespaces(config: Config, report: Report): void {
  const seen = new Set<string>();
  list(config).forEach(({ type, path }, index) => {
    if (seen.has(type)) report(`/linux/namespaces/${index}`, type, 'malformed spec file: duplicated ns');
    seen.add(type);
    if (path && !path.startsWith('/')) report(`/linux/namespaces/${index}/path`, path, 'must be an absolute path');
  });
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

const ipcSysctls = /^(kernel[./](msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)$|fs[./]mqueue[./])/;

function sysctls(config: Config, report: Report): void {
  for (const key of Object.keys(config.linux?.sysctl ?? {})) {
    const pointer = `/linux/sysctl/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`;
    const needs = (type: string): void => {
      if (!has(config, type)) report(pointer, key, `sysctl "${key}" is not allowed in the hosts ${type} namespace`, `add {"type": "${type}"} to linux.namespaces`);
    };
    if (key.split(/[./]/).includes('') || key.includes('..')) report(pointer, key, 'is no name of a sysctl');
    else if (ipcSysctls.test(key)) needs('ipc');
    else if (/^net[./]/.test(key)) needs('network');
    else if (/^user[./]/.test(key)) needs('user');
    else if (/^kernel[./]domainname$/.test(key)) needs('uts');
    else if (/^kernel[./]hostname$/.test(key)) report(pointer, key, `sysctl "${key}" is not allowed: use hostname`);
    else report(pointer, key, `sysctl "${key}" is not in a separate kernel namespace`);
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

/** What this version does not do is refused, never ignored. */
function refused(config: Config, report: Report): void {
  const later = 'is not supported by this version of runt';
  if (Object.keys(config.linux?.netDevices ?? {}).length > 0) report('/linux/netDevices', config.linux!.netDevices, later);
  if (config.linux?.intelRdt !== undefined) report('/linux/intelRdt', config.linux.intelRdt, later);
  if ((config.linux?.personality?.flags?.length ?? 0) > 0) report('/linux/personality/flags', config.linux!.personality!.flags, 'the runtime-spec defines no flags yet');
}
