// Good configs that together have every key of the schema but those that are refused; for every-key.test.ts.
import type { Config } from '../../spec/config.ts';

const namespaces = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup', 'time'].map((type) => ({ type }));
const throttle = [{ major: 8, minor: 1, rate: 1048576 }];
const hook = [{ path: '/bin/hook', args: ['hook', 'x'], env: ['A=b'], timeout: 5 }];

const plain: Config = {
  ociVersion: '1.3.0',
  root: { path: 'rootfs', readonly: true },
  hostname: 'host',
  domainname: 'domain',
  annotations: { 'org.example.a': 'b' },
  hooks: { prestart: hook, createRuntime: hook, createContainer: hook, startContainer: hook, poststart: hook, poststop: hook },
  process: {
    terminal: true,
    consoleSize: { height: 20, width: 30 },
    user: { uid: 5, gid: 6, umask: 0o27, additionalGids: [7] },
    args: ['sh', '-c', 'true'],
    env: ['PATH=/bin', 'A=b'],
    cwd: '/work',
    capabilities: { bounding: ['CAP_KILL'], effective: ['CAP_KILL'], inheritable: ['CAP_KILL'], permitted: ['CAP_KILL'], ambient: ['CAP_KILL'] },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 10, hard: 20 }],
    noNewPrivileges: true,
    apparmorProfile: 'profile',
    selinuxLabel: 'system_u:system_r:container_t:s0',
    oomScoreAdj: 5,
    scheduler: { policy: 'SCHED_BATCH', nice: 5, flags: ['SCHED_FLAG_RESET_ON_FORK'] },
    ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 3 },
    execCPUAffinity: { initial: '0-1', final: '1' },
  },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'size=1m'] },
    { destination: '/bound', type: 'bind', source: '/src', options: ['rbind', 'ro'], uidMappings: [{ containerID: 0, hostID: 1000, size: 10 }], gidMappings: [{ containerID: 0, hostID: 2000, size: 10 }] },
  ],
  linux: {
    namespaces: [...namespaces.slice(0, -1), { type: 'time' }],
    timeOffsets: { monotonic: { secs: 5, nanosecs: 6 }, boottime: { secs: 7, nanosecs: 8 } },
    devices: [{ path: '/dev/x', type: 'c', major: 10, minor: 200, fileMode: 0o640, uid: 3, gid: 4 }],
    netDevices: { eth1: { name: 'eth0' } },
    cgroupsPath: '/a/b',
    rootfsPropagation: 'shared',
    sysctl: { 'net.ipv4.ip_forward': '1' },
    maskedPaths: ['/proc/keys'],
    readonlyPaths: ['/proc/sys'],
    mountLabel: 'system_u:object_r:container_file_t:s0',
    personality: { domain: 'LINUX32' },
    memoryPolicy: { mode: 'MPOL_BIND', nodes: '0-1', flags: ['MPOL_F_STATIC_NODES'] },
    intelRdt: { closID: 'gold', l3CacheSchema: 'L3:0=f', memBwSchema: 'MB:0=70', schemata: ['L2:0=1'], enableMonitoring: true },
    seccomp: {
      defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'], flags: ['SECCOMP_FILTER_FLAG_LOG'], listenerPath: '/run/agent', listenerMetadata: 'meta',
      syscalls: [
        { names: ['acct'], action: 'SCMP_ACT_NOTIFY' },
        { names: ['mkdir'], action: 'SCMP_ACT_ERRNO', errnoRet: 5, args: [{ index: 1, value: 7, valueTwo: 3, op: 'SCMP_CMP_MASKED_EQ' }] },
      ],
    },
    resources: {
      devices: [{ allow: true, type: 'c', major: 1, minor: 11, access: 'rw' }],
      memory: { limit: 1 << 26, reservation: 1 << 25, swap: 1 << 27, useHierarchy: true, checkBeforeUpdate: true },
      cpu: { shares: 512, quota: 50000, period: 100000, burst: 1000, cpus: '0-1', mems: '0' },
      pids: { limit: 10 },
      blockIO: { weight: 100, weightDevice: [{ major: 8, minor: 0, weight: 50 }], throttleReadBpsDevice: throttle, throttleWriteBpsDevice: throttle, throttleReadIOPSDevice: throttle, throttleWriteIOPSDevice: throttle },
      hugepageLimits: [{ pageSize: '2MB', limit: 4194304 }],
      rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 4 } },
      unified: { 'memory.high': '100000' },
    },
  },
};

const mapping = [{ containerID: 0, hostID: 100000, size: 65536 }];

export const complete: Readonly<Record<string, Config>> = {
  plain,
  'with a user namespace and a joined one': {
    ociVersion: '1.0.2', root: { path: 'rootfs' }, process: { args: ['/bin/x'], cwd: '/', user: { uid: 5, gid: 5 } },
    linux: { namespaces: [{ type: 'user' }, { type: 'mount' }, { type: 'uts', path: '/proc/9/ns/uts' }], uidMappings: mapping, gidMappings: mapping },
  },
  'with one namespace': { ociVersion: '1.0.2', root: { path: 'rootfs' }, process: { args: ['/bin/x'], cwd: '/' }, linux: { namespaces: [{ type: 'ipc' }] } },
  'with realtime priority': { ociVersion: '1.0.2', root: { path: 'rootfs' }, process: { args: ['/bin/x'], cwd: '/', scheduler: { policy: 'SCHED_FIFO', priority: 7 } }, linux: { resources: { cpu: { idle: 1 } } } },
  'with a deadline': { ociVersion: '1.0.2', root: { path: 'rootfs' }, process: { args: ['/bin/x'], cwd: '/', scheduler: { policy: 'SCHED_DEADLINE', runtime: 1000000, deadline: 2000000, period: 3000000 } } },
  'with an errno by default': { ociVersion: '1.0.2', root: { path: 'rootfs' }, process: { args: ['/bin/x'], cwd: '/' }, linux: { seccomp: { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38, syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }] } } },
};
