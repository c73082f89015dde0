// The systemd driver: linux.cgroupsPath as slice:prefix:name, and the transient unit that makes the container's cgroup (systemd.scope(5)).
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../../native/linux/constants.ts';
import type { Config, Resources } from '../../spec/config.ts';
import { RuntimeError } from '../errors.ts';
import { part, type Step } from '../program/step.ts';
import { delegation, enableControllers } from './cgroups-path.ts';
import type { Context } from './context.ts';
import { blockWeightToIo, DEFAULT_PERIOD, limits, sharesToWeight, swapMaximum } from './resources.ts';
import { annotationProperties, typeOfAnnotation, type PropertyType } from './unit-properties.ts';

/** Where a container's unit belongs. */
export interface Unit {
  /** As `system.slice`. */
  readonly slice: string;
  /** As `runt-web.scope`. */
  readonly name: string;
  /** Below the root of systemd's own cgroup, as `/system.slice/runt-web.scope`. */
  readonly path: string;
}

const at = '/linux/cgroupsPath';
const isSlice = (name: string): boolean => name.endsWith('.slice');

/** What linux.cgroupsPath means to the systemd driver. Throws RuntimeError when it is not `slice:prefix:name`. */
export function unitOf(cgroupsPath: string | undefined, id: string, isUser: boolean): Unit {
  const [slice = '', prefix = '', name = '', ...rest] = cgroupsPath ? cgroupsPath.split(':') : ['', 'runt', escapeUnitName(id)];
  if (rest.length > 0 || name === '') {
    throw new RuntimeError(`expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "${cgroupsPath}" instead`, { pointer: at, hint: 'as "system.slice:runt:web", or leave it out' });
  }
  const parent = slice || (isUser ? 'user.slice' : 'system.slice');
  if (isSlice(name)) return { slice: parent, name, path: expandSlice(name) };
  const unit = prefix === '' ? `${name}.scope` : `${prefix}-${name}.scope`;
  if (!/^[A-Za-z0-9:_.\\@-]{1,255}$/.test(unit)) throw new RuntimeError(`"${unit}" is no name of a systemd unit`, { pointer: at, hint: 'letters, digits and : - _ . \\ @, 255 at most' });
  return { slice: parent, name: unit, path: `${expandSlice(parent)}/${unit}` };
}

/** A container id may have what a unit name may not: `+` (systemd-escape(1)). */
const escapeUnitName = (id: string): string => id.replace(/[^A-Za-z0-9:_.\\@-]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** `a-b.slice` lies in `a.slice` (systemd.slice(5)): its path, without a slash at the end; `-.slice` is the root. Throws RuntimeError. */
export function expandSlice(slice: string): string {
  const name = slice.replace(/\.slice$/, '');
  if (name === '-' && isSlice(slice)) return '';
  if (!isSlice(slice) || !/^[A-Za-z0-9:_.\\@]+(-[A-Za-z0-9:_.\\@]+)*$/.test(name)) throw new RuntimeError(`invalid slice name: ${slice}`, { pointer: at, hint: 'as "machine.slice", or "a-b.slice" for one in a.slice' });
  const parts = name.split('-');
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join('-')}.slice`).join('');
}

/** Properties of the unit as `NAME=value`, in the order they are set. Throws RuntimeError for an annotation that may not set one. */
export function unitProperties({ slice, name }: Unit, id: string, config: Config): readonly string[] {
  return [
    `Description=runt container ${id}`,
    ...(isSlice(name) ? [`Wants=${slice}`] : [`Slice=${slice}`, 'Delegate=yes']),
    'DefaultDependencies=no', 'CPUAccounting=yes', 'MemoryAccounting=yes', 'IOAccounting=yes', 'TasksAccounting=yes',
    ...resourceProperties(config.linux?.resources),
    ...(config.linux?.resources?.unified?.['memory.oom.group'] === undefined ? [] : [`OOMPolicy=${config.linux.resources.unified['memory.oom.group'].trim() === '1' ? 'kill' : 'continue'}`]),
    ...annotatedProperties(config.annotations ?? {}),
  ];
}

const maximum = (value: number | bigint | string): string => (String(value).startsWith('-') || value === 'max' ? 'infinity' : String(value));

/** Limits that systemd knows by a property of its own: it writes them again whenever it sees fit, so it must be told. The others are cgroupfs's alone. */
export function resourceProperties(resources: Resources | undefined): readonly string[] {
  const found: string[] = [];
  const add = (name: string, value: number | bigint | string): void => void found.push(`${name}=${value}`);
  const { cpu, memory, pids, blockIO, unified } = resources ?? {};
  if (memory?.limit !== undefined && Number(memory.limit) !== 0) add('MemoryMax', maximum(memory.limit));
  if (memory?.reservation !== undefined && Number(memory.reservation) !== 0) add('MemoryLow', maximum(memory.reservation));
  const swap = swapMaximum(memory);
  if (swap !== undefined) add('MemorySwapMax', maximum(swap));
  if (cpu?.idle === 1) add('CPUWeight', 0); // "idle", since systemd 252
  else if (cpu?.shares !== undefined && Number(cpu.shares) !== 0) add('CPUWeight', sharesToWeight(Number(cpu.shares)));
  bandwidth(Number(cpu?.quota ?? 0), Number(cpu?.period ?? 0), add);
  if (cpu?.cpus) add('AllowedCPUs', cpu.cpus);
  if (cpu?.mems) add('AllowedMemoryNodes', cpu.mems);
  if (pids?.limit !== undefined && pids.limit !== null) add('TasksMax', Number(pids.limit) === 0 ? 'infinity' : maximum(pids.limit));
  if (blockIO?.weight) add('IOWeight', blockWeightToIo(blockIO.weight));
  for (const [file, value] of Object.entries(unified ?? {})) unifiedProperty(file, value.trim(), add);
  return found;
}

/** systemd counts quota in whole percents: rounded up, so that what it writes is never below what was asked for. */
function bandwidth(quota: number, period: number, add: (name: string, value: number | string) => void): void {
  if (period > 0) add('CPUQuotaPeriodUSec', period);
  if (quota === 0 && period === 0) return;
  const perSecond = (quota * 1_000_000) / (period > 0 ? period : DEFAULT_PERIOD);
  add('CPUQuotaPerSecUSec', quota > 0 ? Math.ceil(perSecond / 10_000) * 10_000 : 'infinity');
}

const unifiedNames: Readonly<Record<string, string>> = {
  'cpu.weight': 'CPUWeight', 'cpuset.cpus': 'AllowedCPUs', 'cpuset.mems': 'AllowedMemoryNodes', 'memory.min': 'MemoryMin', 'memory.low': 'MemoryLow',
  'memory.high': 'MemoryHigh', 'memory.max': 'MemoryMax', 'memory.swap.max': 'MemorySwapMax', 'pids.max': 'TasksMax',
};

/** What is not plainly a number or a list is left to the write to the file itself. */
function unifiedProperty(file: string, value: string, add: (name: string, value: number | string) => void): void {
  const name = unifiedNames[file];
  if (file === 'cpu.idle' && value === '1') add('CPUWeight', 0);
  else if (file === 'cpu.max') {
    const match = /^(max|\d+)(?: (\d+))?$/.exec(value);
    if (match !== null) bandwidth(match[1] === 'max' ? -1 : Number(match[1]), Number(match[2] ?? 0), add);
  } else if (name?.startsWith('Allowed')) {
    if (/^\d[\d,-]*$/.test(value)) add(name, value);
  } else if (name !== undefined && /^(max|\d+)$/.test(value)) add(name, maximum(value));
}

const PREFIX = 'org.systemd.property.';

/** `org.systemd.property.TimeoutStopUSec: "uint64 5000000"`, or …Sec: "5"; the value is GVariant text, as runc and crun take it. */
function annotatedProperties(annotations: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(annotations).flatMap(([key, text]) => {
    if (!key.startsWith(PREFIX)) return [];
    const pointer = `/annotations/${key}`;
    const seconds = /^(\w+[^U])Sec$/.exec(key.slice(PREFIX.length));
    const name = seconds === null ? key.slice(PREFIX.length) : `${seconds[1]}USec`;
    const type = typeOfAnnotation(name);
    if (type === undefined) throw new RuntimeError(`an annotation may not set the property ${name} of a unit`, { pointer, hint: `one of ${Object.keys(annotationProperties).join(' ')}` });
    const value = plainValue(text);
    const number = seconds === null ? value : String(Math.round(Number(value) * 1_000_000));
    if (number === undefined || !fits(type, number)) throw new RuntimeError(`${JSON.stringify(text)} is no value of a property`, { pointer, hint: `a number, true or false, 'text' in quotes, or ['a', 'b']` });
    return [`${name}=${number}`];
  });
}

function fits(type: PropertyType, value: string): boolean {
  if (type === 't' || type === 'u') return /^(\d{1,20}|infinity)$/.test(value);
  if (type === 'i') return /^-?\d{1,10}$/.test(value);
  return type !== 'b' || value === 'true' || value === 'false';
}

/** GVariant text of the few types that properties have, without its type and quotes; a list is joined by spaces. */
function plainValue(text: string): string | undefined {
  const value = text.trim().replace(/^(?:boolean|byte|u?int(?:16|32|64)|string|double|@[a-z]+)\s+/, '');
  const quoted = (word: string): string | undefined => /^(?:'([^']*)'|"([^"]*)")$/.exec(word)?.slice(1).find((part) => part !== undefined);
  if (/^(true|false|-?\d+(\.\d+)?)$/.test(value)) return value;
  if (!value.startsWith('[')) return quoted(value);
  const words = value.slice(1, -1).split(',').map((word) => word.trim()).filter((word) => word !== '').map(quoted);
  return value.endsWith(']') && words.every((word) => word !== undefined) ? words.join(' ') : undefined;
}

/**
 * Runtime-side, between the interpreter's start and init's birth: a scope is made around a process that exists, and that
 * is the interpreter's first one, which ends once init is born in the same cgroup. If the runtime dies, it ends too, and
 * systemd removes the empty scope.
 */
export function scope(context: Context): readonly Step[] {
  const { config, host } = context;
  if (host.cgroup?.unit === undefined) return [];
  const { unit, properties } = host.cgroup.unit;
  const step = part('runtime', config.linux?.cgroupsPath ? at : '');
  return [
    step('start_unit', [unit, { words: properties }], 'StartTransientUnit, then wait for its job: systemd makes the cgroup'),
    ...enableControllers(context),
    step('openat', [AT_FDCWD, host.cgroup.path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], 'for CLONE_INTO_CGROUP: where systemd put it', { result: 'cgroup' }),
    ...delegation(context),
    ...limits(context),
  ];
}
