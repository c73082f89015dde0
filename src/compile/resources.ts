// linux.resources on cgroup v2: each limit is one write to one file (kernel doc cgroup-v2, runtime-spec config-linux.md#control-groups).
import type { Integer, Resources } from '../../spec/config.ts';
import { part, slot, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

/** One write: the file below the container's cgroup, its content, and what asked for it. */
export interface CgroupWrite {
  readonly file: string;
  readonly value: string;
  readonly at: string;
  readonly tolerate?: readonly string[];
  /** Named when it succeeds; what is `unless` of that name is then left out: the first success wins. */
  readonly result?: string;
  readonly unless?: string;
}

/** cpu.shares (2 to 262144) → cpu.weight (1 to 10000) so that the default of 1024 becomes the default of 100, as runc ≥ 1.3.2 and crun ≥ 1.23 do. */
export function sharesToWeight(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

/** blockIO.weight (10 to 1000) → io.weight (1 to 10000). */
export function blockWeightToIo(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990);
}

const maximum = (value: Integer): string => (BigInt(value) < 0n ? 'max' : String(value));
/** A value that asks for something: managers send 0 for what nobody set. */
const isSet = (value: Integer | undefined): value is Integer => value !== undefined && Number(value) !== 0;

type Add = (file: string, value: string, at: string, options?: Pick<CgroupWrite, 'tolerate' | 'result' | 'unless'>) => void;

/** All writes that linux.resources means, in an order the kernel accepts. Devices are no file: they are a program. */
export function cgroupWrites(resources: Resources | undefined): readonly CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  if (resources === undefined) return writes;
  const add: Add = (file, value, at, options) => void writes.push({ file, value, at: `/linux/resources/${at}`, ...options });
  cpuWrites(resources.cpu, add);
  memoryWrites(resources.memory, add);
  const pids = resources.pids?.limit;
  // 0 is what Podman writes for --pids-limit 0 and -1; no limit needs no controller.
  if (pids !== undefined && pids !== null) add('pids.max', Number(pids) === 0 ? 'max' : maximum(pids), 'pids/limit', Number(pids) <= 0 ? { tolerate: ['ENOENT'] } : {});
  ioWrites(resources.blockIO, add);
  (resources.hugepageLimits ?? []).forEach((entry, index) => {
    add(`hugetlb.${entry.pageSize}.max`, String(entry.limit), `hugepageLimits/${index}`);
    add(`hugetlb.${entry.pageSize}.rsvd.max`, String(entry.limit), `hugepageLimits/${index}`, { tolerate: ['ENOENT'] }); // since Linux 5.7
  });
  for (const [device, limits] of Object.entries(resources.rdma ?? {})) {
    const words = [limits.hcaHandles === undefined ? '' : ` hca_handle=${limits.hcaHandles}`, limits.hcaObjects === undefined ? '' : ` hca_object=${limits.hcaObjects}`];
    if (words.join('') !== '') add('rdma.max', `${device}${words.join('')}`, `rdma/${device}`);
  }
  for (const [file, value] of Object.entries(resources.unified ?? {})) {
    for (const line of value.split('\n')) if (line !== '') add(file, line, `unified/${file}`);
  }
  return writes;
}

function cpuWrites(cpu: Resources['cpu'], add: Add): void {
  if (cpu === undefined) return;
  if (cpu.idle !== undefined) add('cpu.idle', String(cpu.idle), 'cpu/idle');
  if (isSet(cpu.shares) && cpu.idle !== 1) add('cpu.weight', String(sharesToWeight(Number(cpu.shares))), 'cpu/shares'); // an idle cgroup has no weight (EINVAL)
  const bandwidth = isSet(cpu.quota) || isSet(cpu.period);
  // A burst is at most the quota: which of the two must go first depends on what was there before.
  if (cpu.burst !== undefined) add('cpu.max.burst', String(cpu.burst), 'cpu/burst', bandwidth ? { tolerate: ['EINVAL'], result: 'burst' } : {});
  if (bandwidth) {
    const quota = cpu.quota !== undefined && Number(cpu.quota) > 0 ? String(cpu.quota) : 'max';
    add('cpu.max', `${quota} ${isSet(cpu.period) ? cpu.period : DEFAULT_PERIOD}`, isSet(cpu.quota) ? 'cpu/quota' : 'cpu/period');
    if (cpu.burst !== undefined) add('cpu.max.burst', String(cpu.burst), 'cpu/burst', { unless: 'burst' });
  }
  if (cpu.cpus) add('cpuset.cpus', cpu.cpus, 'cpu/cpus');
  if (cpu.mems) add('cpuset.mems', cpu.mems, 'cpu/mems');
}

/** Of cpu.max, in microseconds. */
export const DEFAULT_PERIOD = 100_000;

function memoryWrites(memory: Resources['memory'], add: Add): void {
  const swap = swapMaximum(memory);
  // A kernel without swap accounting lacks the file; without a limit, or without swap, nothing is lost.
  if (swap !== undefined) add('memory.swap.max', swap, 'memory/swap', swap === 'max' || swap === '0' ? { tolerate: ['ENOENT'] } : {});
  if (isSet(memory?.limit)) add('memory.max', maximum(memory.limit), 'memory/limit');
  if (isSet(memory?.reservation)) add('memory.low', maximum(memory.reservation), 'memory/reservation');
}

/** With the BFQ scheduler its own file takes the weight as it is; else io.weight, whose range is ten times as wide. */
function ioWrites(io: Resources['blockIO'], add: Add): void {
  if (isSet(io?.weight)) {
    add('io.bfq.weight', String(io.weight), 'blockIO/weight', { tolerate: ['ENOENT'], result: 'bfq' });
    add('io.weight', `default ${blockWeightToIo(io.weight)}`, 'blockIO/weight', { unless: 'bfq' });
  }
  (io?.weightDevice ?? []).forEach(({ major, minor, weight }, index) => {
    if (!isSet(weight)) return;
    add('io.bfq.weight', `${major}:${minor} ${weight}`, `blockIO/weightDevice/${index}`, { tolerate: ['ENOENT'], result: `bfq${index}` });
    add('io.weight', `${major}:${minor} ${blockWeightToIo(weight)}`, `blockIO/weightDevice/${index}`, { unless: `bfq${index}` });
  });
  const throttles = [['throttleReadBpsDevice', 'rbps'], ['throttleWriteBpsDevice', 'wbps'], ['throttleReadIOPSDevice', 'riops'], ['throttleWriteIOPSDevice', 'wiops']] as const;
  for (const [key, word] of throttles) {
    (io?.[key] ?? []).forEach(({ major, minor, rate }, index) => add('io.max', `${major}:${minor} ${word}=${isSet(rate) ? rate : 'max'}`, `blockIO/${key}/${index}`));
  }
}

/** memory.swap is memory plus swap in config.json and swap alone in v2. Undefined: leave it. */
export function swapMaximum(memory: Resources['memory']): string | undefined {
  const swap = memory?.swap;
  const limit = memory?.limit;
  if (swap === undefined || Number(swap) === 0) return limit !== undefined && Number(limit) === -1 ? 'max' : undefined;
  if (BigInt(swap) < 0n) return 'max';
  if (limit === undefined || BigInt(limit) < 0n) return String(swap);
  return String(BigInt(swap) - BigInt(limit));
}

/** The controllers that a write needs: the part of the file name before the dot. */
export function controllersOf(writes: readonly CgroupWrite[]): readonly string[] {
  return [...new Set(writes.map(({ file }) => file.split('.')[0]!))].filter((name) => name !== 'cgroup');
}

/** Limits under the cgroupfs driver; systemd's cgroup does not exist yet (scope.ts). */
export function resources(context: Context): readonly Step[] {
  return context.host.cgroup?.unit === undefined ? limits(context) : [];
}

/** Limits of the container's own cgroup, then its device filter. */
export function limits(context: Context): readonly Step[] {
  const { config, host, request } = context;
  if (host.cgroup === undefined) return [];
  const steps = cgroupWrites(config.linux?.resources).map(({ file, value, at, tolerate, result, unless }) =>
    part('runtime', at)('write_file', [`${host.cgroup!.path}/${file}`, value, Buffer.byteLength(value)], 'before the first process is inside', {
      ...(tolerate === undefined ? {} : { tolerate }), ...(result === undefined ? {} : { result }), ...(unless === undefined ? {} : { unless }),
    }),
  );
  if (request.deviceFilter !== undefined) {
    const { deviceFilter } = request;
    steps.push(part('runtime', '/linux/resources/devices')('attach_device_filter', [slot('cgroup'), { bytes: deviceFilter }, deviceFilter.length], 'v2 has no device files: a program decides', host.isPrivileged ? {} : { tolerate: ['EPERM'] }));
  }
  return steps;
}
