// What prepared `update`s have changed (prepared/limits.ts): laid over config.json where somebody asks for the limits a container has.
import { closeSync, existsSync, openSync, readFileSync, unlinkSync } from 'node:fs';
import { O_WRONLY } from '../../native/linux/constants.ts';
import { call } from '../../native/linux/syscalls.ts';
import type { Config, Resources } from '../../spec/config.ts';
import { fact } from '../prepared/facts.ts';
import { limitBytes, LIMITS, limits } from '../prepared/limits.ts';
import { bytesOf } from '../size.ts';
import { mergeResources } from './merge-resources.ts';
import { storedConfig } from './stored-config.ts';

/** config.json as it was at create, with all that `update` has changed since. */
export function currentConfig(directory: string): Config {
  const changed = changedLimits(directory); // first: who writes it into config.json removes it afterwards
  const config = storedConfig(directory);
  return changed === undefined ? config : { ...config, linux: { ...config.linux, resources: mergeResources(config.linux?.resources ?? {}, changed) } };
}

/** Whether there is more than config.json has; then it is to be written there, and forgotten, before anything newer is. */
export const hasChangedLimits = (directory: string): boolean => existsSync(`${directory}/${LIMITS}`);

export function forgetChangedLimits(directory: string): void {
  unlinkSync(`${directory}/${LIMITS}`);
}

function changedLimits(directory: string): Resources | undefined {
  if (!hasChangedLimits(directory)) return undefined;
  const bytes = readFileSync(`${directory}/${LIMITS}`);
  const changed: Record<string, Record<string, unknown>> = {};
  limits.forEach(({ controller, key, kind }, index) => {
    const text = bytes.toString('latin1', index * limitBytes, (index + 1) * limitBytes).split('\0', 1)[0]!;
    if (text !== '') (changed[controller] ??= {})[key] = kind === 'list' ? text : kind === 'size' ? bytesOf(text) : Number(text);
  });
  return changed as Resources;
}

/** From now on each change is the engine's. Those that are made without an engine wait meanwhile: the lock is held. */
export function leaveLimitsToEngine(directory: string): void {
  if (!existsSync(`${directory}/facts`)) return;
  const fd = openSync(`${directory}/facts`, O_WRONLY);
  call('pwrite64', fd, Buffer.alloc(1), 1, fact.limitsPlainly);
  closeSync(fd);
}
