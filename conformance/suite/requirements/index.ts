// The whole list, by id.
import type { Requirement } from '../requirement.ts';
import { beyond } from './beyond.ts';
import { cgroups } from './cgroups.ts';
import { config } from './config.ts';
import { features } from './features.ts';
import { hooks } from './hooks.ts';
import { linux } from './linux.ts';
import { runtime } from './runtime.ts';
import { seccomp } from './seccomp.ts';

export const requirements: readonly Requirement[] = [...runtime, ...config, ...hooks, ...linux, ...cgroups, ...seccomp, ...features, ...beyond];

const byId = new Map(requirements.map((one) => [one.id, one]));

/** Throws where there is no such requirement: a case that names one is a mistake of ours. */
export function requirement(id: string): Requirement {
  const found = byId.get(id);
  if (found === undefined) throw new Error(`no requirement is called ${id}`);
  return found;
}
