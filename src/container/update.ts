// `update`: new limits for a container that exists. What is given is laid over what config.json had; only those controllers are written.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Config, Resources } from '../../spec/config.ts';
import { stringifyJson } from '../../spec/json.ts';
import { checkSemantics } from '../../spec/semantic.ts';
import { validateConfig } from '../../spec/validate.ts';
import { cgroupWrites, type CgroupWrite } from '../compile/resources.ts';
import { RuntimeError } from '../errors.ts';
import { cgroupOf } from './pause.ts';
import { withLock } from './lock.ts';
import { storedConfig } from './stored-config.ts';
import { readState } from './state.ts';
import { currentStatus } from './status.ts';

/** Applies resources to a container and keeps them in its state. Device rules stay as they are, as in runc. Throws RuntimeError. */
export function updateContainer(root: string, id: string, change: Resources): void {
  const directory = `${root}/${id}`;
  const state = readState(root, id);
  withLock(directory, () => {
    if (currentStatus(state, directory) === 'stopped') throw new RuntimeError('container not running');
    const cgroup = cgroupOf(state);
    const config = storedConfig(directory);
    const merged = mergeResources(config.linux?.resources ?? {}, change);
    const updated: Config = { ...config, linux: { ...config.linux, resources: merged } };
    check(updated);
    const touched = Object.fromEntries(Object.keys(change).filter((key) => key !== 'devices').map((key) => [key, merged[key as keyof Resources]])) as Resources;
    refuseBelowUsage(merged, change, cgroup);
    for (const write of cgroupWrites(touched)) writeLimit(cgroup, write);
    writeFileSync(`${directory}/config.json.new`, stringifyJson(updated), { mode: 0o600 });
    renameSync(`${directory}/config.json.new`, `${directory}/config.json`);
  });
}

/** Key by key within each controller; what one new value makes meaningless is left out. */
export function mergeResources(old: Resources, change: Resources): Resources {
  const merged: Record<string, unknown> = { ...old };
  for (const [key, value] of Object.entries(change)) {
    if (key === 'devices') continue;
    const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
    merged[key] = isRecord ? { ...(merged[key] as object | undefined), ...(value as object) } : value;
  }
  const resources = merged as { memory?: Record<string, unknown>; cpu?: Record<string, unknown> };
  // Unlimited memory means unlimited swap; an idle cgroup has no weight.
  if (Number(change.memory?.limit) === -1 && change.memory?.swap === undefined) delete resources.memory!['swap'];
  if (Number(change.cpu?.idle) === 1 && change.cpu?.shares === undefined) delete resources.cpu!['shares'];
  return merged as Resources;
}

function check(config: Config): void {
  const mine = (issues: ReturnType<typeof validateConfig>): ReturnType<typeof validateConfig> => issues.filter(({ severity, pointer }) => severity === 'error' && pointer.startsWith('/linux/resources'));
  let [problem] = mine(validateConfig(config));
  if (problem === undefined) [problem] = mine(checkSemantics(config)); // rules between fields take their types for granted
  if (problem !== undefined) throw new RuntimeError(`${problem.expected}: got ${problem.found}`, { pointer: problem.pointer, hint: problem.hint });
}

/** memory.checkBeforeUpdate (config-linux.md#memory): the kernel would kill, not refuse. */
function refuseBelowUsage(merged: Resources, change: Resources, cgroup: string): void {
  const limit = change.memory?.limit;
  if (merged.memory?.checkBeforeUpdate !== true || limit === undefined || Number(limit) <= 0) return;
  let usage: bigint;
  try {
    usage = BigInt(readFileSync(`${cgroup}/memory.current`, 'latin1').trim());
  } catch {
    return;
  }
  if (BigInt(limit) <= usage) throw new RuntimeError(`rejecting memory limit ${limit} <= usage ${usage}`, { hint: 'memory.checkBeforeUpdate is set' });
}

function writeLimit(cgroup: string, { file, value, at, tolerate }: CgroupWrite): void {
  try {
    writeFileSync(`${cgroup}/${file}`, value, { flag: 'r+' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (tolerate?.includes(String(code)) === true) return;
    const controller = file.split('.')[0]!;
    throw new RuntimeError(`write(${cgroup}/${file}, ${JSON.stringify(value)}): ${code}`, { errno: code, hint: code === 'ENOENT' ? `controller ${controller} is not enabled for this cgroup` : `asked for by ${at}` });
  }
}
