// `update`: new limits for a container that exists. What is given is laid over what config.json had; only those controllers are written.
// The schema, the device filter and systemd are loaded where a change needs them: most change a few numbers.
import { renameSync, writeFileSync } from 'node:fs';
import type { Config, Resources } from '../../spec/config.ts';
import { stringifyJson } from '../../spec/json.ts';
import { resources as checkResources } from '../../spec/resources.ts';
import { readCgroupFile } from '../cgroup/files.ts';
import { cgroupWrites, controllersOf, type CgroupWrite } from '../compile/resources.ts';
import { RuntimeError } from '../errors.ts';
import { arePlain } from '../prepared/limits.ts';
import { currentConfig, forgetChangedLimits, hasChangedLimits, leaveLimitsToEngine } from './limits.ts';
import { withLock } from './lock.ts';
import { isRecord, mergeResources } from './merge-resources.ts';
import { cgroupOf } from './pause.ts';
import { readState, type ContainerState } from './state.ts';
import { currentStatus } from './status.ts';

/** Applies resources to a container and keeps them in its state. Device rules that are given replace all there were. Throws RuntimeError. */
export async function updateContainer(root: string, id: string, change: Resources): Promise<void> {
  const directory = `${root}/${id}`;
  const state = readState(root, id);
  await withLock(directory, async () => {
    if (currentStatus(state, directory) === 'stopped') throw new RuntimeError('container not running');
    const cgroup = cgroupOf(state);
    const config = settledConfig(directory);
    const merged = mergeResources(config.linux?.resources ?? {}, change);
    if (!isPlain(change)) await checkSchema(merged, config.ociVersion);
    await checkRules(merged);
    refuseBelowUsage(merged, change, cgroup);
    const touched = withoutDevices(merged, change);
    const writes = cgroupWrites(touched);
    checkEnabled(cgroup, writes);
    if (!arePlain(merged)) leaveLimitsToEngine(directory);
    // systemd first: it writes what it is told itself, and rounds; the exact values come last.
    await tellSystemd(state.cgroup!, touched);
    writeLimits(cgroup, writes);
    if (change.devices?.length) await exchangeDevices(cgroup, merged);
    writeConfig(directory, { ...config, linux: { ...config.linux, resources: merged } });
  });
}

/** What prepared `update`s have changed goes into config.json first: laid over it later, it would be newer than what comes now. */
function settledConfig(directory: string): Config {
  const config = currentConfig(directory);
  if (hasChangedLimits(directory)) {
    writeConfig(directory, config);
    forgetChangedLimits(directory);
  }
  return config;
}

function writeConfig(directory: string, config: Config): void {
  writeFileSync(`${directory}/config.json.new`, stringifyJson(config), { mode: 0o600 });
  renameSync(`${directory}/config.json.new`, `${directory}/config.json`);
}

/** What is now asked of the controllers that a change names. */
function withoutDevices(merged: Resources, change: Resources): Resources {
  const touched: Record<string, unknown> = {};
  for (const key of Object.keys(change)) if (key !== 'devices') touched[key] = merged[key as keyof Resources];
  return touched as Resources;
}

async function tellSystemd({ unit, isUser }: NonNullable<ContainerState['cgroup']>, touched: Resources): Promise<void> {
  if (unit === undefined) return;
  const [{ loadSystemd, systemd }, { resourceProperties }] = await Promise.all([import('./systemd.ts'), import('../compile/scope.ts')]);
  await loadSystemd();
  systemd(isUser).setProperties(unit, resourceProperties(touched));
}

async function exchangeDevices(cgroup: string, { devices }: Resources): Promise<void> {
  const [{ compileDeviceFilter }, { replaceDeviceFilter }] = await Promise.all([import('../bpf/device-filter.ts'), import('../cgroup/device-program.ts')]);
  replaceDeviceFilter(cgroup, compileDeviceFilter(devices));
}

/** Members that the schema lets be any integer, or any text without NUL. */
const numbers = new Set(['memory/limit', 'memory/reservation', 'memory/swap', 'cpu/shares', 'cpu/quota', 'cpu/period', 'cpu/burst', 'pids/limit']);
const texts = new Set(['cpu/cpus', 'cpu/mems']);

/** Whether a change fits the schema whatever it is laid over: the schema costs more than the rest of `update`, and is then not loaded. */
export function isPlain(change: Resources): boolean {
  return Object.entries(change).every(([controller, values]) => isRecord(values) && Object.entries(values).every(([key, value]) => {
    if (typeof value === 'string') return controller === 'unified' || (texts.has(`${controller}/${key}`) && !value.includes('\0'));
    return numbers.has(`${controller}/${key}`) && Number.isSafeInteger(value);
  }));
}

async function checkSchema(resources: Resources, ociVersion: string): Promise<void> {
  const { validateConfig } = await import('../../spec/validate.ts');
  // Nothing else of config.json has changed, and all of it costs a millisecond.
  const problem = validateConfig({ ociVersion, linux: { resources } }).find(({ pointer }) => pointer.startsWith('/linux/resources'));
  if (problem !== undefined) throw new RuntimeError(`${problem.expected}: got ${problem.found}`, { pointer: problem.pointer, hint: problem.hint });
}

/** The rules between fields, which take their types for granted. */
async function checkRules(resources: Resources): Promise<void> {
  let problem: { readonly pointer: string; readonly found: unknown; readonly expected: string; readonly hint: string | undefined } | undefined;
  checkResources({ linux: { resources } } as Config, (pointer, found, expected, hint) => void (problem ??= { pointer, found, expected, hint }));
  if (problem === undefined) return;
  const { pointer, found, expected, hint } = problem as NonNullable<typeof problem>;
  const { show } = await import('../../spec/validate.ts');
  throw new RuntimeError(`${expected}: got ${typeof found === 'string' ? found : show(found)}`, { pointer, hint });
}

/** memory.checkBeforeUpdate (config-linux.md#memory): the kernel would kill, not refuse. */
function refuseBelowUsage({ memory }: Resources, change: Resources, cgroup: string): void {
  if (memory?.checkBeforeUpdate !== true || change.memory === undefined) return;
  const text = readCgroupFile(`${cgroup}/memory.current`);
  if (text === undefined) return;
  const usage = BigInt(text);
  for (const [name, limit] of [['memory+swap', memory.swap], ['memory', memory.limit]] as const) {
    if (limit !== undefined && BigInt(limit) > 0n && BigInt(limit) <= usage) throw new RuntimeError(`rejecting ${name} limit ${limit} <= usage ${usage}`, { hint: 'memory.checkBeforeUpdate is set' });
  }
}

/** Before anything is written: a container with half of its new limits helps nobody. */
function checkEnabled(cgroup: string, writes: readonly CgroupWrite[]): void {
  const enabled = (readCgroupFile(`${cgroup}/cgroup.controllers`) ?? '').split(' ');
  const missing = controllersOf(writes).find((controller) => !enabled.includes(controller));
  if (missing === undefined) return;
  const { file, at } = writes.find((write) => write.file.startsWith(`${missing}.`))!;
  throw new RuntimeError(`controller ${missing} is not available to ${cgroup}, ${file} cannot be set`, { hint: `asked for by ${at}; available: ${enabled.join(' ') || 'none'}` });
}

function writeLimits(cgroup: string, writes: readonly CgroupWrite[]): void {
  const succeeded = new Set<string>();
  for (const write of writes) {
    if (write.unless !== undefined && succeeded.has(write.unless)) continue;
    if (writeLimit(cgroup, write) && write.result !== undefined) succeeded.add(write.result);
  }
}

/** True when it was written, false when its failure is tolerated. */
function writeLimit(cgroup: string, { file, value, at, tolerate }: CgroupWrite): boolean {
  try {
    writeFileSync(`${cgroup}/${file}`, value, { flag: 'r+' });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (tolerate?.includes(String(code)) === true) return false;
    const controller = file.split('.')[0]!;
    throw new RuntimeError(`write(${cgroup}/${file}, ${JSON.stringify(value)}): ${code}`, { errno: code, hint: code === 'ENOENT' ? `controller ${controller} is not enabled for this cgroup` : `asked for by ${at}` });
  }
}
