// linux.resources and linux.cgroupsPath: rules between fields, and what cgroup v2 cannot express (config-linux.md#control-groups).
import type { Config, Integer, Resources } from './config.ts';

/** Takes one problem: where, what was found, what was expected instead, and what may help. */
export type Report = (pointer: string, found: unknown, expected: string, hint?: string) => void;

/** A 64-bit integer within bounds, both inclusive. */
export function wide(report: Report, pointer: string, value: Integer | null | undefined, least: bigint, most: bigint): void {
  if (value === undefined || value === null) return;
  if (BigInt(value) < least || BigInt(value) > most) report(pointer, value, `must be an integer from ${least} to ${most}`);
}

const at = '/linux/resources';
const LARGEST = (1n << 63n) - 1n;
const LARGEST_UNSIGNED = (1n << 64n) - 1n;

export function resources(config: Config, report: Report): void {
  const given = config.linux?.resources ?? {};
  numbers(given, report);
  swap(given.memory, report);
  for (const [key, value, instead] of inexpressible(given)) if (value !== undefined) report(`${at}/${key}`, value, 'cgroup v2 has no such limit', instead ?? 'leave it out');
  for (const key of Object.keys(given.unified ?? {})) {
    const pointer = `${at}/unified/${key.replace(/~/g, '~0').replace(/\//g, '~1')}`;
    if (!/^[a-z]+(\.[A-Za-z0-9_]+)+$/.test(key)) report(pointer, key, 'must be the name of a cgroup file, without "/"');
    else if (notLimits.has(key)) report(pointer, key, 'is no limit: it would move, stop or end processes');
  }
  if (config.linux?.cgroupsPath?.split('/').includes('..')) report('/linux/cgroupsPath', config.linux.cgroupsPath, 'must not contain ".."');
}

const notLimits = new Set(['cgroup.procs', 'cgroup.threads', 'cgroup.freeze', 'cgroup.kill', 'cgroup.type']);

function numbers({ memory, cpu, pids, hugepageLimits, blockIO }: Resources, report: Report): void {
  for (const key of ['limit', 'reservation', 'swap'] as const) wide(report, `${at}/memory/${key}`, memory?.[key], -1n, LARGEST);
  wide(report, `${at}/cpu/quota`, cpu?.quota, -1n, LARGEST);
  for (const key of ['period', 'shares', 'burst'] as const) wide(report, `${at}/cpu/${key}`, cpu?.[key], 0n, LARGEST_UNSIGNED);
  wide(report, `${at}/pids/limit`, pids?.limit, -LARGEST, LARGEST);
  hugepageLimits?.forEach(({ limit }, index) => wide(report, `${at}/hugepageLimits/${index}/limit`, limit, 0n, LARGEST_UNSIGNED));
  for (const key of ['throttleReadBpsDevice', 'throttleWriteBpsDevice', 'throttleReadIOPSDevice', 'throttleWriteIOPSDevice'] as const) {
    blockIO?.[key]?.forEach(({ rate }, index) => wide(report, `${at}/blockIO/${key}/${index}/rate`, rate, 0n, LARGEST_UNSIGNED));
  }
  weight(report, `${at}/blockIO/weight`, blockIO?.weight);
  blockIO?.weightDevice?.forEach((device, index) => weight(report, `${at}/blockIO/weightDevice/${index}/weight`, device.weight));
}

/** 0 means unset, as managers send it. */
function weight(report: Report, pointer: string, value: number | undefined): void {
  if (value !== undefined && value !== 0 && value < 10) report(pointer, value, 'must be from 10 to 1000');
}

function swap(memory: Resources['memory'], report: Report): void {
  if (memory?.swap === undefined || BigInt(memory.swap) <= 0n) return;
  const limit = BigInt(memory.limit ?? 0);
  if (limit === 0n) report(`${at}/memory/swap`, memory.swap, 'unable to set swap limit without memory limit');
  else if (limit > 0n && BigInt(memory.swap) < limit) report(`${at}/memory/swap`, memory.swap, 'memory+swap limit should be >= memory limit');
}

type Row = readonly [key: string, value: unknown, instead?: string];

/**
 * Fields of cgroup v1 alone, with a value that asks for something: 0, -1 and false of a limit mean "none", which is what
 * v2 does anyway. Refused, not ignored: who set a limit counts on it. No manager sends one unless its user asked for it.
 */
function inexpressible({ memory, cpu, network, blockIO }: Resources): readonly Row[] {
  const asked = (value: Integer | undefined): Integer | undefined => (value === undefined || BigInt(value) <= 0n ? undefined : value);
  return [
    ['memory/kernel', asked(memory?.kernel)],
    ['memory/kernelTCP', asked(memory?.kernelTCP)],
    ['memory/swappiness', memory?.swappiness === undefined || BigInt(memory.swappiness) < 0n ? undefined : memory.swappiness, 'memory.swap.max bounds swap: memory.swap'],
    ['memory/disableOOMKiller', memory?.disableOOMKiller || undefined],
    ['memory/useHierarchy', memory?.useHierarchy === false ? false : undefined, 'cgroup v2 always counts what is below'],
    ['cpu/realtimeRuntime', asked(cpu?.realtimeRuntime)],
    ['cpu/realtimePeriod', asked(cpu?.realtimePeriod)],
    ['network/classID', network?.classID || undefined],
    ['network/priorities', network?.priorities?.length ? network.priorities : undefined],
    ['blockIO/leafWeight', blockIO?.leafWeight || undefined],
    ...(blockIO?.weightDevice ?? []).map(({ leafWeight }, index): Row => [`blockIO/weightDevice/${index}/leafWeight`, leafWeight || undefined]),
  ];
}
