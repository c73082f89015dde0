// A mutator of config.json that knows its shape, seeded: the same seed gives the same documents.

type Value = unknown;
type Document = Record<string, Value>;

/** mulberry32: small, fast, the same everywhere. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const texts = ['', '/', '.', '..', '/..', '/proc/self/fd/9', '/proc/self/exe', 'a'.repeat(300), '/'.repeat(5000), 'ü€😀', '\ud800', 'a\u0000b', 'size=banana', 'mode=99999', 'rbind', 'idmap', 'ro', 'rro', 'tmpcopyup', 'remount', 'none', 'bind', 'tmpfs', 'proc', 'sysfs', 'cgroup', 'overlay', '/dev', '/proc/sys', '/tmp/../..', '%s%n', '-1', '0x10', 'CAP_KILL', 'CAP_', 'RLIMIT_NOFILE', 'user', 'time', 'network', 'SCMP_ACT_NOTIFY', 'SCMP_ACT_ERRNO', 'read', 'kernel.msgmax', 'net.ipv4.ip_forward', '1.0.2', '99.0.0', 'c 1:3 rwm', '0-3,7', '4294967295', '__proto__', 'constructor'];
const numbers = [0, 1, -1, 2, 3, 7, 42, 255, 256, 511, 1000, 4095, 4096, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 2 ** 63, 1.5, -0.5, 1e308];
/** Real words of the specification, added with a value that may or may not fit. */
const keys = ['type', 'path', 'options', 'source', 'destination', 'uidMappings', 'gidMappings', 'containerID', 'hostID', 'size', 'user', 'uid', 'gid', 'umask', 'additionalGids', 'terminal', 'consoleSize', 'cwd', 'env', 'capabilities', 'rlimits', 'noNewPrivileges', 'apparmorProfile', 'selinuxLabel', 'oomScoreAdj', 'scheduler', 'ioPriority', 'execCPUAffinity', 'hostname', 'domainname', 'annotations', 'linux', 'namespaces', 'timeOffsets', 'devices', 'netDevices', 'cgroupsPath', 'resources', 'memory', 'limit', 'cpu', 'pids', 'unified', 'rootfsPropagation', 'seccomp', 'defaultAction', 'architectures', 'syscalls', 'names', 'action', 'args', 'sysctl', 'maskedPaths', 'readonlyPaths', 'mountLabel', 'intelRdt', 'memoryPolicy', 'personality', 'soft', 'hard', 'major', 'minor', 'fileMode', 'index', 'value', 'op', 'readonly'];

/** What a document must keep: it names files of the host, or what will be executed. */
export type Frozen = (pointer: string) => boolean;

/** A copy of the document with one to six changes. */
export function mutate(document: Document, next: () => number, isFrozen: Frozen = () => false): Document {
  const copy = structuredClone(document);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!;
  const fresh = (depth: number): Value => {
    const kind = Math.floor(next() * (depth > 2 ? 5 : 8));
    if (kind === 0) return pick(texts);
    if (kind === 1) return pick(numbers);
    if (kind === 2) return next() < 0.5;
    if (kind === 3) return null;
    if (kind === 4) return pick(texts);
    if (kind === 5) return Array.from({ length: Math.floor(next() * 4) }, () => fresh(depth + 1));
    if (kind === 6) return Object.fromEntries(Array.from({ length: Math.floor(next() * 4) }, () => [pick(keys), fresh(depth + 1)]));
    return next() < 0.05 ? Array.from({ length: 500 }, (_, i) => ({ type: 'tmpfs', destination: `/m${i}`, source: 'x' })) : {};
  };
  for (let change = 1 + Math.floor(next() * 6); change > 0; change--) {
    const places: { readonly holder: Record<string, Value> | Value[]; readonly key: string | number; readonly pointer: string }[] = [];
    const walk = (value: Value, pointer: string): void => {
      if (value === null || typeof value !== 'object') return;
      for (const key of Object.keys(value)) {
        const place = `${pointer}/${key}`;
        if (isFrozen(place)) continue;
        places.push({ holder: value as Value[], key: Array.isArray(value) ? Number(key) : key, pointer: place });
        walk((value as Record<string, Value>)[key], place);
      }
    };
    walk(copy, '');
    if (places.length === 0) return copy;
    const { holder, key, pointer } = pick(places);
    const value = (holder as Record<string | number, Value>)[key];
    const how = next();
    if (Array.isArray(holder)) {
      if (how < 0.25) holder.splice(Number(key), 1);
      else if (how < 0.5) holder.splice(Number(key), 0, structuredClone(value));
      else if (how < 0.7) holder.reverse();
      else holder[Number(key)] = fresh(0);
    } else if (how < 0.2) delete holder[key];
    else if (how < 0.45) {
      const added = pick(keys);
      if (!isFrozen(`${pointer.slice(0, pointer.lastIndexOf('/'))}/${added}`)) holder[added] = fresh(0);
    } else if (typeof value === 'number') holder[key] = how < 0.8 ? pick(numbers) : value + (next() < 0.5 ? 1 : -1);
    else if (typeof value === 'string' && how < 0.9) holder[key] = how < 0.7 ? pick(texts) : value.slice(0, Math.floor(next() * value.length)) + pick(texts);
    else holder[key] = fresh(0);
  }
  return copy;
}

/** A document that uses most of the specification, to start from. */
export const full: Document = {
  ociVersion: '1.2.0', hostname: 'h', domainname: 'd', annotations: { a: 'b' }, root: { path: 'rootfs', readonly: true },
  process: {
    terminal: false, consoleSize: { height: 24, width: 80 }, user: { uid: 1, gid: 1, umask: 18, additionalGids: [5] }, args: ['/bin/true'], env: ['PATH=/bin', 'A=B'], cwd: '/',
    capabilities: { bounding: ['CAP_KILL', 'CAP_CHOWN'], effective: ['CAP_KILL'], permitted: ['CAP_KILL'], inheritable: [], ambient: [] },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 512, hard: 512 }], noNewPrivileges: true, oomScoreAdj: 100, ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 3 },
  },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' }, { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['newinstance', 'ptmxmode=0666'] }, { destination: '/tmp', type: 'tmpfs', source: 't', options: ['rw', 'noexec', 'size=1m'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] },
  ],
  linux: {
    namespaces: [{ type: 'pid' }, { type: 'network' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, { type: 'cgroup' }, { type: 'user' }],
    uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }], gidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
    devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 438, uid: 0, gid: 0 }], resources: { devices: [{ allow: false, access: 'rwm' }], unified: {} },
    rootfsPropagation: 'slave', sysctl: { 'net.ipv4.ip_forward': '1' }, maskedPaths: ['/proc/keys', '/sys/firmware'], readonlyPaths: ['/proc/sys'],
    seccomp: { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86_64'], syscalls: [{ names: ['acct', 'mount'], action: 'SCMP_ACT_ERRNO', errnoRet: 1, args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] }] },
  },
};
