// What a cgroup has used, from its files (kernel doc cgroup-v2), in the shape of runc's `events`. A file that is missing leaves its part out.
import { fileNames, readCgroupFile } from './files.ts';

/** 2^64 - 1: what runc reports where there is no limit. */
export const UNLIMITED = 0xffff_ffff_ffff_ffffn;

interface Entry {
  readonly limit: bigint;
  readonly usage?: bigint;
  readonly max?: bigint;
  readonly failcnt: bigint;
}

interface Device {
  readonly major: number;
  readonly minor: number;
  readonly op: 'Read' | 'Write';
  readonly value: bigint;
}

/** Pressure stall information (kernel doc accounting/psi): percent of time in three windows, and microseconds in all. */
interface Pressure {
  readonly avg10: number;
  readonly avg60: number;
  readonly avg300: number;
  readonly total: bigint;
}
type Psi = { readonly some?: Pressure; readonly full?: Pressure };

/** runc's types.Stats: times in nanoseconds, sizes in bytes, all exact. */
export interface Statistics {
  readonly cpu: { readonly usage: { readonly total: bigint; readonly kernel: bigint; readonly user: bigint }; readonly throttling: Readonly<Record<string, bigint>>; readonly psi?: Psi };
  readonly cpuset: Readonly<Record<string, never>>;
  readonly memory: { readonly cache?: bigint; readonly usage: Entry; readonly swap: Entry; readonly kernel: Entry; readonly kernelTCP: Entry; readonly raw?: Readonly<Record<string, bigint>>; readonly psi?: Psi };
  readonly pids: { readonly current?: bigint; readonly limit?: bigint };
  readonly blkio: { readonly ioServiceBytesRecursive?: readonly Device[]; readonly ioServicedRecursive?: readonly Device[]; readonly psi?: Psi };
  readonly hugetlb: Readonly<Record<string, { readonly usage: bigint; readonly failcnt: bigint }>>;
  readonly intel_rdt: Readonly<Record<string, never>>;
  readonly network_interfaces: null;
}

const NOTHING: Entry = { limit: 0n, failcnt: 0n };

/** All that the controllers of a cgroup (its absolute path) count. */
export function readStatistics(cgroup: string): Statistics {
  const text = (file: string): string => readCgroupFile(`${cgroup}/${file}`) ?? '';
  const value = (file: string): bigint | undefined => numberOf(text(file));
  return {
    cpu: { ...cpuOf(pairs(text('cpu.stat'))), ...psiOf(text('cpu.pressure')) },
    cpuset: {},
    memory: { ...memoryOf(text, value), ...psiOf(text('memory.pressure')) },
    pids: withoutNothing({ current: value('pids.current'), limit: limitOrNothing(value('pids.max')) }),
    blkio: { ...ioOf(text('io.stat')), ...psiOf(text('io.pressure')) },
    hugetlb: hugetlbOf(cgroup, text, value),
    intel_rdt: {},
    network_interfaces: null,
  };
}

/** Nothing on a kernel without PSI. */
function psiOf(text: string): { readonly psi?: Psi } {
  const lines = [...text.matchAll(/^(some|full) avg10=(\S+) avg60=(\S+) avg300=(\S+) total=(\d+)$/gm)];
  const rows = lines.map(([, kind, avg10, avg60, avg300, total]) => [kind, { avg10: Number(avg10), avg60: Number(avg60), avg300: Number(avg300), total: BigInt(total!) }]);
  return rows.length === 0 ? {} : { psi: Object.fromEntries(rows) as Psi };
}

/** `key number` lines. */
export function pairs(text: string): Readonly<Record<string, bigint>> {
  const found: Record<string, bigint> = {};
  for (const [, key, number] of text.matchAll(/^(\S+) (\d+)$/gm)) found[key!] = BigInt(number!);
  return found;
}

function numberOf(text: string): bigint | undefined {
  if (text === 'max') return UNLIMITED;
  return /^\d+$/.test(text) ? BigInt(text) : undefined;
}

/** runc reports no limit of pids as none at all. */
const limitOrNothing = (limit: bigint | undefined): bigint | undefined => (limit === UNLIMITED ? undefined : limit);

function withoutNothing<T extends Record<string, bigint | undefined>>(record: T): { [K in keyof T]?: bigint } {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined && value !== 0n)) as { [K in keyof T]?: bigint };
}

function cpuOf(stat: Readonly<Record<string, bigint>>): Statistics['cpu'] {
  const nanoseconds = (key: string): bigint => (stat[key] ?? 0n) * 1000n;
  return {
    usage: { total: nanoseconds('usage_usec'), kernel: nanoseconds('system_usec'), user: nanoseconds('user_usec') },
    throttling: withoutNothing({ periods: stat['nr_periods'], throttledPeriods: stat['nr_throttled'], throttledTime: nanoseconds('throttled_usec') }) as Readonly<Record<string, bigint>>,
  };
}

/** Swap counts memory too, as the v1 figures that callers know did. */
function memoryOf(text: (file: string) => string, value: (file: string) => bigint | undefined): Statistics['memory'] {
  const usage = value('memory.current');
  if (usage === undefined) return { usage: NOTHING, swap: NOTHING, kernel: NOTHING, kernelTCP: NOTHING };
  const raw = pairs(text('memory.stat'));
  const limit = value('memory.max') ?? UNLIMITED;
  const peak = value('memory.peak');
  const swap = value('memory.swap.current');
  const swapLimit = value('memory.swap.max') ?? UNLIMITED;
  const failed = (file: string): bigint => pairs(text(file))['max'] ?? 0n;
  return {
    cache: raw['file'] ?? 0n,
    usage: { limit, usage, ...(peak === undefined ? {} : { max: peak }), failcnt: failed('memory.events') },
    swap: swap === undefined ? NOTHING : { limit: swapLimit === UNLIMITED || limit === UNLIMITED ? UNLIMITED : swapLimit + limit, usage: swap + usage, failcnt: failed('memory.swap.events') },
    kernel: NOTHING,
    kernelTCP: NOTHING,
    raw,
  };
}

function ioOf(text: string): Statistics['blkio'] {
  const bytes: Device[] = [];
  const operations: Device[] = [];
  for (const [, major, minor, rest] of text.matchAll(/^(\d+):(\d+) (.*)$/gm)) {
    const device = { major: Number(major), minor: Number(minor) };
    const take = (list: Device[], key: string, op: Device['op']): void => {
      const found = new RegExp(`\\b${key}=(\\d+)`).exec(rest!);
      if (found !== null) list.push({ ...device, op, value: BigInt(found[1]!) });
    };
    take(bytes, 'rbytes', 'Read');
    take(bytes, 'wbytes', 'Write');
    take(operations, 'rios', 'Read');
    take(operations, 'wios', 'Write');
  }
  return bytes.length === 0 ? {} : { ioServiceBytesRecursive: bytes, ioServicedRecursive: operations };
}

function hugetlbOf(cgroup: string, text: (file: string) => string, value: (file: string) => bigint | undefined): Statistics['hugetlb'] {
  const sizes = fileNames(cgroup).flatMap((name) => /^hugetlb\.([^.]+)\.current$/.exec(name)?.[1] ?? []);
  return Object.fromEntries(sizes.map((size) => [size, { usage: value(`hugetlb.${size}.current`) ?? 0n, failcnt: pairs(text(`hugetlb.${size}.events`))['max'] ?? 0n }]));
}
