// linux.resources on cgroup v2: each limit is one write to one file (kernel doc cgroup-v2, runtime-spec config-linux.md#control-groups).
import type { Resources } from '../../spec/config.ts';
import { part, slot, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

/** One write: the file below the container's cgroup, its content, and what asked for it. */
export interface CgroupWrite {
  readonly file: string;
  readonly value: string;
  readonly at: string;
  readonly tolerate?: readonly string[];
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

const maximum = (value: number | bigint): string => (BigInt(value) < 0n ? 'max' : String(value));

/** All writes that linux.resources means, in an order the kernel accepts. Devices are no file: they are a program. */
export function cgroupWrites(resources: Resources | undefined): readonly CgroupWrite[] {
  const writes: CgroupWrite[] = [];
  const add = (file: string, value: string, at: string, tolerate?: readonly string[]): void => {
    writes.push({ file, value, at: `/linux/resources/${at}`, ...(tolerate === undefined ? {} : { tolerate }) });
  };
  if (resources === undefined) return writes;
  const { cpu, memory, pids, blockIO: io } = resources;
  if (cpu?.idle !== undefined) add('cpu.idle', String(cpu.idle), 'cpu/idle');
  if (cpu?.shares !== undefined && Number(cpu.shares) !== 0) add('cpu.weight', String(sharesToWeight(Number(cpu.shares))), 'cpu/shares');
  if ((cpu?.quota !== undefined && Number(cpu.quota) !== 0) || (cpu?.period !== undefined && Number(cpu.period) !== 0)) {
    const quota = cpu.quota !== undefined && Number(cpu.quota) > 0 ? String(cpu.quota) : 'max';
    add('cpu.max', `${quota} ${Number(cpu.period ?? 0) === 0 ? 100000 : cpu.period}`, cpu.quota !== undefined ? 'cpu/quota' : 'cpu/period');
  }
  if (cpu?.burst !== undefined) add('cpu.max.burst', String(cpu.burst), 'cpu/burst');
  if (cpu?.cpus) add('cpuset.cpus', cpu.cpus, 'cpu/cpus');
  if (cpu?.mems) add('cpuset.mems', cpu.mems, 'cpu/mems');
  const swap = swapMaximum(memory);
  if (swap !== undefined) add('memory.swap.max', swap, 'memory/swap', swap === 'max' || swap === '0' ? ['ENOENT'] : undefined);
  if (memory?.limit !== undefined && Number(memory.limit) !== 0) add('memory.max', maximum(memory.limit), 'memory/limit');
  if (memory?.reservation !== undefined && Number(memory.reservation) !== 0) add('memory.low', maximum(memory.reservation), 'memory/reservation');
  if (pids?.limit !== undefined && pids.limit !== null) add('pids.max', Number(pids.limit) === 0 ? '1' : maximum(pids.limit), 'pids/limit');
  if (io?.weight !== undefined && Number(io.weight) !== 0) add('io.weight', `default ${blockWeightToIo(Number(io.weight))}`, 'blockIO/weight');
  const throttles = [['throttleReadBpsDevice', 'rbps'], ['throttleWriteBpsDevice', 'wbps'], ['throttleReadIOPSDevice', 'riops'], ['throttleWriteIOPSDevice', 'wiops']] as const;
  for (const [key, word] of throttles) {
    (io?.[key] ?? []).forEach((entry, index) => add('io.max', `${entry.major}:${entry.minor} ${word}=${Number(entry.rate) === 0 ? 'max' : entry.rate}`, `blockIO/${key}/${index}`));
  }
  (resources.hugepageLimits ?? []).forEach((entry, index) => {
    add(`hugetlb.${entry.pageSize}.max`, String(entry.limit), `hugepageLimits/${index}`);
    add(`hugetlb.${entry.pageSize}.rsvd.max`, String(entry.limit), `hugepageLimits/${index}`, ['ENOENT']);
  });
  for (const [device, limits] of Object.entries(resources.rdma ?? {})) {
    const words = [limits.hcaHandles === undefined ? '' : ` hca_handle=${limits.hcaHandles}`, limits.hcaObjects === undefined ? '' : ` hca_object=${limits.hcaObjects}`];
    add('rdma.max', `${device}${words.join('')}`, `rdma/${device}`);
  }
  for (const [file, value] of Object.entries(resources.unified ?? {})) {
    for (const line of value.split('\n')) if (line !== '') add(file, line, `unified/${file}`);
  }
  return writes;
}

/** memory.swap is memory plus swap in config.json and swap alone in v2. Undefined: leave it. */
function swapMaximum(memory: Resources['memory']): string | undefined {
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

export function resources(context: Context): readonly Step[] {
  const { config, host, request } = context;
  if (host.cgroup === undefined) return [];
  const steps = cgroupWrites(config.linux?.resources).map(({ file, value, at, tolerate }) =>
    part('runtime', at)('write_file', [`${host.cgroup!.path}/${file}`, value, Buffer.byteLength(value)], 'before the first process is inside', tolerate === undefined ? {} : { tolerate }),
  );
  if (request.deviceFilter !== undefined) {
    const { deviceFilter } = request;
    steps.push(part('runtime', '/linux/resources/devices')('attach_device_filter', [slot('cgroup'), { bytes: deviceFilter }, deviceFilter.length], 'v2 has no device files: a program decides', host.isPrivileged ? {} : { tolerate: ['EPERM'] }));
  }
  return steps;
}
