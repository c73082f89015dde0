// What this host offers to containers, what is missing for which feature, and how to get it. Reads only; nothing is tried.
import { existsSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { installDirectory, installedFiles, isExecutable as isExecutableBuild } from '../../native/linux/koffi.ts';
import { hasLibseccomp } from '../../native/linux/libseccomp-file.ts';
import { fileSystemOf, gatherFacts, hugePageSizes, inPath, isAtLeast, mayMakeNamespace, softLimit, subordinateIds, text, userName, type Facts } from './facts.ts';

export interface Diagnosis {
  readonly topic: string;
  readonly feature: string;
  /** `missing` for what only some bundles ask for; `broken` for what every container needs. */
  readonly status: 'ok' | 'missing' | 'broken';
  readonly found: string;
  /** How to get it, or what to know. */
  readonly advice?: string;
}

/** All that is known of this host, by topic. `root` is the state root. */
export function diagnose(root: string): readonly Diagnosis[] {
  const facts = gatherFacts();
  return [...base(facts, root), ...cgroups(facts), ...namespaces(facts), ...security(facts), ...fileSystems(facts), ...rootless(facts)];
}

const row = (topic: string, feature: string, isOk: boolean, found: string, advice?: string, otherwise: Diagnosis['status'] = 'missing'): Diagnosis => ({ topic, feature, status: isOk ? 'ok' : otherwise, found, ...(isOk || advice === undefined ? {} : { advice }) });

function base(facts: Facts, root: string): Diagnosis[] {
  const stateType = fileSystemOf(root);
  return [
    row('base', 'kernel', isAtLeast(facts.kernel, 5, 14), `Linux ${facts.kernel}, ${process.arch}`, 'runt needs Linux 5.14 or later: mount_setattr, openat2, clone3 into a cgroup', 'broken'),
    row('base', 'installation', installedFiles.every((name) => existsSync(join(installDirectory, name))), installDirectory, `${installedFiles.join(' and ')} belong beside the executable: npm run install:system`, 'broken'),
    ...snapshot(),
    row('base', 'state on tmpfs', stateType === 'tmpfs' || stateType === 'ramfs', `${root} on ${stateType ?? 'nothing'}`, 'state that outlives a reboot is stale: a --root below /run'),
    row('base', 'procfs unmasked', !isMasked(), isMasked() ? '/proc is partly covered here' : '/proc is whole', 'a container here cannot mount a new proc in a user namespace (mount_too_revealing): this is a container itself; run it with its /proc unmasked'),
  ];
}

/** How many descriptors a process must be able to have for those of the event loops to get their numbers (native/snapshot). */
const SNAPSHOT_DESCRIPTORS = 256;

/** Whether calls go on from the snapshot of their engine: this one does where what runs is the launcher. */
function snapshot(): Diagnosis[] {
  if (process.arch !== 'x64') return [];
  const [launcher, file, command] = isExecutableBuild ? ['runt', 'engine/snapshot', 'runt-snapshot'] : ['node/launcher', 'node/snapshot', 'runt-snapshot --node'];
  const isResumed = readlinkSync('/proc/self/exe') === join(installDirectory, launcher);
  const taking = `${installDirectory}/${command} takes one`;
  const few = (softLimit(text('/proc/self/limits') ?? '', 'NOFILE') ?? 0n) < BigInt(SNAPSHOT_DESCRIPTORS);
  const [why, advice] = !existsSync(join(installDirectory, file)) ? ['there is none', `${taking}, as root`] : few ? [`less than ${SNAPSHOT_DESCRIPTORS} descriptors may be open`, `ulimit -n ${SNAPSHOT_DESCRIPTORS} or more`] : ['it is not of this engine, these libraries or this processor, or has no room here', `${taking} anew, as root: it is needed after an upgrade of the C library or of libseccomp`];
  return [row('base', 'snapshot of the engine', isResumed, isResumed ? 'calls go on from it' : `every call starts the engine: ${why}`, advice)];
}

/** Whether something is mounted below /proc: then the kernel gives no new one to a user namespace. */
const isMasked = (): boolean => (text('/proc/self/mountinfo') ?? '').split('\n').some((line) => /^\/proc\/(?!sys\/fs\/binfmt_misc)/.test(line.split(' ')[4] ?? ''));

const limitsOf: Readonly<Record<string, string>> = { cpu: 'shares, quota', cpuset: 'cpus, mems', io: 'blockIO', memory: 'memory limits', pids: 'pids.limit', hugetlb: 'hugepageLimits', rdma: 'rdma', misc: 'unified misc.max' };

function cgroups(facts: Facts): Diagnosis[] {
  const mount = facts.cgroupMount;
  if (mount === undefined) return [row('cgroups', 'cgroup v2', false, 'no cgroup2 mount', 'mount -t cgroup2 cgroup2 /sys/fs/cgroup, or boot with systemd.unified_cgroup_hierarchy=1')];
  const isV1 = (text('/proc/self/mountinfo') ?? '').includes(' - cgroup cgroup ');
  const advice = isV1 ? 'v1 hierarchies hold the controllers here: boot with cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1' : 'not enabled in this kernel, or not given to this cgroup: write +NAME into cgroup.subtree_control of the parent';
  const controllers = Object.entries(limitsOf).map(([name, what]) => row('cgroups', `${name} (${what})`, facts.controllers.includes(name), facts.controllers.includes(name) ? 'available' : 'not available', name === 'memory' && !isV1 ? `${advice}; some boards need cgroup_enable=memory` : advice));
  return [
    row('cgroups', 'cgroup v2', true, mount),
    ...controllers,
    row('cgroups', 'device filter', facts.capabilities.has('CAP_BPF') || facts.capabilities.has('CAP_SYS_ADMIN'), 'eBPF', 'loading one needs CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN; rootless containers go without'),
    row('cgroups', 'systemd driver', existsSync('/run/systemd/system'), existsSync('/run/systemd/system') ? 'systemd runs here' : 'systemd does not run here', '--systemd-cgroup needs systemd as the init of this host'),
  ];
}

function namespaces(facts: Facts): Diagnosis[] {
  const isRoot = facts.capabilities.has('CAP_SYS_ADMIN');
  return ['mount', 'pid', 'network', 'ipc', 'uts', 'cgroup', 'user', 'time'].map((type) => {
    const may = mayMakeNamespace(type);
    const found = may === undefined ? 'not in this kernel' : may ? (isRoot || type === 'user' ? 'may be made' : 'may be made in a user namespace') : 'the limit is 0';
    return row('namespaces', type, may === true, found, may === undefined ? `a kernel with CONFIG_${type === 'network' ? 'NET' : type.toUpperCase()}_NS` : `sysctl -w user.max_${type === 'mount' ? 'mnt' : type === 'network' ? 'net' : type}_namespaces=15000`, type === 'mount' || type === 'pid' ? 'broken' : 'missing');
  });
}

function security(facts: Facts): Diagnosis[] {
  const actions = (text('/proc/sys/kernel/seccomp/actions_avail') ?? '').trim();
  const lsm = (text('/sys/kernel/security/lsm') ?? '').trim();
  const hasAppArmor = text('/sys/module/apparmor/parameters/enabled')?.startsWith('Y') === true;
  const lacking = [...facts.knownCapabilities].filter((name) => !facts.capabilities.has(name));
  return [
    row('security', 'capabilities of the runtime', lacking.length === 0, lacking.length === 0 ? 'all' : `without ${lacking.map((name) => name.replace('CAP_', '')).join(' ')}`, facts.euid === 0 ? 'this root is a confined one: containers cannot get these either, and CAP_SYS_RESOURCE is what raises limits' : 'an ordinary user: rootless containers'),
    row('security', 'seccomp', actions !== '', actions || 'no CONFIG_SECCOMP_FILTER', 'a kernel with CONFIG_SECCOMP_FILTER'),
    row('security', 'libseccomp', hasLibseccomp(), hasLibseccomp() ? 'libseccomp.so.2' : 'not found', 'apt-get install libseccomp2: config.json with linux.seccomp is refused without it'),
    row('security', 'seccomp listener', actions.includes('user_notif'), actions.includes('user_notif') ? 'SCMP_ACT_NOTIFY' : 'no user_notif', 'Linux 5.0'),
    row('security', 'AppArmor', hasAppArmor, hasAppArmor ? 'enabled' : `not enabled${lsm === '' ? '' : ` (lsm: ${lsm})`}`, 'boot with lsm=...,apparmor apparmor=1; profiles of config.json cannot be set without it'),
    row('security', 'SELinux', existsSync('/sys/fs/selinux/enforce'), existsSync('/sys/fs/selinux/enforce') ? 'enabled' : 'not enabled', 'boot with lsm=...,selinux; labels of config.json cannot be set without it'),
    row('security', 'keyrings', existsSync('/proc/keys'), existsSync('/proc/keys') ? `maxkeys ${text('/proc/sys/kernel/keys/maxkeys')?.trim() ?? '?'}` : 'no CONFIG_KEYS', 'containers then share the session keyring of their caller'),
  ];
}

function fileSystems(facts: Facts): Diagnosis[] {
  const module = (name: string): boolean => text(`/lib/modules/${facts.kernel}/modules.dep`)?.includes(`/${name}.ko`) === true;
  const known = ['proc', 'sysfs', 'tmpfs', 'devpts', 'mqueue', 'cgroup2', 'overlay'].map((name) => {
    const has = facts.fileSystems.has(name);
    return row('file systems', name, has || module(name), has ? 'in the kernel' : module(name) ? 'a module' : 'not there', `modprobe ${name}`, ['proc', 'sysfs', 'tmpfs', 'devpts'].includes(name) ? 'broken' : 'missing');
  });
  const sizes = hugePageSizes();
  return [
    ...known,
    row('file systems', 'idmapped mounts', isAtLeast(facts.kernel, 5, 12), `Linux ${facts.kernel}; tmpfs ${isAtLeast(facts.kernel, 6, 3) ? 'too' : 'from 6.3 on'}`, 'Linux 5.12'),
    row('file systems', 'huge pages', sizes.length > 0, sizes.join(' ') || 'none', 'hugepageLimits need them'),
    row('file systems', 'resctrl (intelRdt)', facts.fileSystems.has('resctrl'), facts.fileSystems.has('resctrl') ? 'in the kernel' : 'not there', 'a CPU with RDT and CONFIG_X86_CPU_RESCTRL'),
    row('file systems', 'inotify instances', Number(text('/proc/sys/fs/inotify/max_user_instances') ?? 0) >= 128, `${text('/proc/sys/fs/inotify/max_user_instances')?.trim() ?? '?'} a user`, 'sysctl -w fs.inotify.max_user_instances=1024: containers of one user share them'),
  ];
}

function rootless(facts: Facts): Diagnosis[] {
  const uid = facts.euid === 0 ? 1000 : facts.euid;
  const user = userName(uid);
  const forbids = text('/proc/sys/kernel/unprivileged_userns_clone')?.trim() === '0' ? 'kernel.unprivileged_userns_clone' : text('/proc/sys/kernel/apparmor_restrict_unprivileged_userns')?.trim() === '1' ? 'kernel.apparmor_restrict_unprivileged_userns' : undefined;
  const tools = ['newuidmap', 'newgidmap'].filter((tool) => inPath(tool) !== undefined);
  const net = ['slirp4netns', 'pasta'].filter((tool) => inPath(tool) !== undefined);
  return [
    row('rootless', 'user namespaces for ordinary users', forbids === undefined, forbids === undefined ? 'allowed' : `${forbids} forbids them`, `sysctl -w ${forbids}=${forbids?.includes('apparmor') === true ? 0 : 1}`),
    row('rootless', 'newuidmap, newgidmap', tools.length === 2, tools.join(' ') || 'not in PATH', 'apt-get install uidmap: without them an ordinary user has one id in a container'),
    row('rootless', `subordinate ids of ${user}`, subordinateIds('/etc/subuid', user, uid).length > 0, subordinateIds('/etc/subuid', user, uid).map(([first, count]) => `${first} to ${first + count - 1}`).join(', ') || 'none in /etc/subuid', `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user}`),
    row('rootless', 'network of ordinary users', net.length > 0, net.join(' ') || 'neither slirp4netns nor pasta', 'apt-get install passt, or slirp4netns: a hook or the manager starts it'),
  ];
}
