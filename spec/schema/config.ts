// Our own JSON Schema of config.json 1.3 for Linux. Unknown properties are allowed: runtimes must ignore them (config.md#extensibility).

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string', pattern: '^[^\\u0000]*$' };
const path: Schema = { type: 'string', pattern: '^/[^\\u0000]*$' };
const flag: Schema = { type: 'boolean' };
const list = (items: Schema): Schema => ({ type: 'array', items });
const object = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({ type: 'object', properties, required });
const values = (of: Schema): Schema => ({ type: 'object', additionalProperties: of });
const range = (minimum: number, maximum: number): Schema => ({ type: 'integer', minimum, maximum });
const oneOf = (...names: string[]): Schema => ({ type: 'string', enum: names });
/** 64 bits: beyond 2^53 the parser gives a bigint, which ajv does not know; semantic.ts checks those. */
const wide: Schema = { wideInteger: true };
const uint32 = range(0, 0xffff_ffff);
const texts = list(text);

const idMappings = list(object({ containerID: uint32, hostID: uint32, size: range(1, 0xffff_ffff) }, ['containerID', 'hostID', 'size']));
const hook = object({ path, args: texts, env: texts, timeout: { type: 'integer', minimum: 1 } }, ['path']);
const hooks = list(hook);
const device = object({ path: text, type: oneOf('c', 'b', 'u', 'p'), major: range(0, 4095), minor: range(0, 1048575), fileMode: range(0, 0o177777), uid: uint32, gid: uint32 }, ['path', 'type']);
const throttle = list(object({ major: { type: 'integer' }, minor: { type: 'integer' }, rate: wide }, ['major', 'minor', 'rate']));
const action = oneOf('SCMP_ACT_KILL', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_TRAP', 'SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE', 'SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_NOTIFY');

const processSchema = object({
  terminal: flag,
  consoleSize: object({ height: range(0, 65535), width: range(0, 65535) }, ['height', 'width']),
  user: object({ uid: uint32, gid: uint32, umask: range(0, 0o777), additionalGids: list(uint32) }),
  args: texts,
  env: texts,
  cwd: text,
  capabilities: object({ bounding: texts, effective: texts, inheritable: texts, permitted: texts, ambient: texts }),
  rlimits: list(object({ type: { type: 'string', pattern: '^RLIMIT_(CPU|FSIZE|DATA|STACK|CORE|RSS|NPROC|NOFILE|MEMLOCK|AS|LOCKS|SIGPENDING|MSGQUEUE|NICE|RTPRIO|RTTIME)$' }, soft: wide, hard: wide }, ['type', 'soft', 'hard'])),
  noNewPrivileges: flag,
  apparmorProfile: text,
  selinuxLabel: text,
  oomScoreAdj: range(-1000, 1000),
  scheduler: object({
    policy: oneOf('SCHED_OTHER', 'SCHED_FIFO', 'SCHED_RR', 'SCHED_BATCH', 'SCHED_ISO', 'SCHED_IDLE', 'SCHED_DEADLINE'),
    nice: range(-20, 19), priority: range(0, 99),
    flags: list(oneOf('SCHED_FLAG_RESET_ON_FORK', 'SCHED_FLAG_RECLAIM', 'SCHED_FLAG_DL_OVERRUN', 'SCHED_FLAG_KEEP_POLICY', 'SCHED_FLAG_KEEP_PARAMS', 'SCHED_FLAG_UTIL_CLAMP_MIN', 'SCHED_FLAG_UTIL_CLAMP_MAX')),
    runtime: wide, deadline: wide, period: wide,
  }, ['policy']),
  ioPriority: object({ class: oneOf('IOPRIO_CLASS_RT', 'IOPRIO_CLASS_BE', 'IOPRIO_CLASS_IDLE'), priority: range(0, 7) }, ['class']),
  execCPUAffinity: object({ initial: text, final: text }),
});

const resources = object({
  devices: list(object({ allow: flag, type: oneOf('a', 'b', 'c'), major: { type: 'integer' }, minor: { type: 'integer' }, access: { type: 'string', pattern: '^[rwm]*$' } }, ['allow'])),
  memory: object({
    limit: wide, reservation: wide, swap: wide, kernel: wide, kernelTCP: wide, swappiness: wide, disableOOMKiller: flag, useHierarchy: flag, checkBeforeUpdate: flag,
  }),
  cpu: object({ shares: wide, quota: wide, period: wide, burst: wide, realtimeRuntime: wide, realtimePeriod: wide, cpus: text, mems: text, idle: range(0, 1) }),
  pids: object({ limit: { anyOf: [wide, { type: 'null' }] } }),
  blockIO: object({
    weight: range(0, 1000), leafWeight: range(0, 1000), weightDevice: list(object({ major: { type: 'integer' }, minor: { type: 'integer' }, weight: range(0, 1000), leafWeight: range(0, 1000) }, ['major', 'minor'])),
    throttleReadBpsDevice: throttle, throttleWriteBpsDevice: throttle, throttleReadIOPSDevice: throttle, throttleWriteIOPSDevice: throttle,
  }),
  hugepageLimits: list(object({ pageSize: { type: 'string', pattern: '^[1-9][0-9]*[KMG]B$' }, limit: wide }, ['pageSize', 'limit'])),
  network: object({ classID: uint32, priorities: list(object({ name: text, priority: uint32 }, ['name', 'priority'])) }),
  rdma: values(object({ hcaHandles: uint32, hcaObjects: uint32 })),
  unified: values({ type: 'string' }),
});

const seccomp = object({
  defaultAction: action,
  defaultErrnoRet: range(0, 4095),
  architectures: texts,
  flags: list(oneOf('SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV')),
  listenerPath: path,
  listenerMetadata: text,
  syscalls: list(object({
    names: { type: 'array', items: text, minItems: 1 },
    action,
    errnoRet: range(0, 4095),
    args: list(object({
      index: range(0, 5), value: wide, valueTwo: wide,
      op: oneOf('SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT', 'SCMP_CMP_MASKED_EQ'),
    }, ['index', 'value', 'op'])),
  }, ['names', 'action'])),
});

/** The whole document. */
export const schema: Schema = object({
  ociVersion: { type: 'string', pattern: '^1\\.\\d+\\.\\d+([-+].*)?$' },
  root: object({ path: text, readonly: flag }, ['path']),
  mounts: list(object({ destination: { type: 'string', pattern: '^[^\\u0000]+$' }, type: text, source: text, options: texts, uidMappings: idMappings, gidMappings: idMappings }, ['destination'])),
  process: processSchema,
  hostname: text,
  domainname: text,
  hooks: object({ prestart: hooks, createRuntime: hooks, createContainer: hooks, startContainer: hooks, poststart: hooks, poststop: hooks }),
  annotations: values({ type: 'string' }),
  linux: object({
    namespaces: list(object({ type: oneOf('pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'), path: text }, ['type'])),
    uidMappings: idMappings,
    gidMappings: idMappings,
    timeOffsets: object({ monotonic: object({ secs: wide, nanosecs: range(0, 999999999) }), boottime: object({ secs: wide, nanosecs: range(0, 999999999) }) }),
    devices: list(device),
    netDevices: values(object({ name: text })),
    cgroupsPath: text,
    resources,
    rootfsPropagation: oneOf('', 'private', 'shared', 'slave', 'unbindable', 'rprivate', 'rshared', 'rslave', 'runbindable'),
    seccomp,
    sysctl: values(text),
    maskedPaths: list(path),
    readonlyPaths: list(path),
    mountLabel: text,
    intelRdt: object({ closID: text, l3CacheSchema: text, memBwSchema: text, schemata: texts, enableMonitoring: flag }),
    memoryPolicy: object({
      mode: oneOf('MPOL_DEFAULT', 'MPOL_PREFERRED', 'MPOL_BIND', 'MPOL_INTERLEAVE', 'MPOL_LOCAL', 'MPOL_PREFERRED_MANY', 'MPOL_WEIGHTED_INTERLEAVE'), nodes: text,
      flags: list(oneOf('MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES', 'MPOL_F_NUMA_BALANCING')),
    }, ['mode']),
    personality: object({ domain: oneOf('LINUX', 'LINUX32'), flags: texts }, ['domain']),
  }),
}, ['ociVersion']);
