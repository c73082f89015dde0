// The two compiled filters of a container, prepared before its program is compiled: seccomp (cached) and devices.
import type { Config } from '../../spec/config.ts';
import { compileDeviceFilter } from '../bpf/device-filter.ts';
import type { Request } from '../compile/context.ts';
import { cachedFilter } from './filter-cache.ts';

/** Compiles, or takes from the cache below the state root, the filter of linux.seccomp. */
export function prepareFilter(config: Config, root: string): Request['filter'] {
  const seccomp = config.linux?.seccomp;
  if (seccomp === undefined || (seccomp.defaultAction === undefined && seccomp.syscalls === undefined)) return undefined;
  const compiled = cachedFilter(seccomp, `${root}/.filters`);
  return { program: compiled.filter, flags: compiled.flags, hasListener: compiled.newListener };
}

/** The device rules of linux.resources.devices as eBPF; undefined when there is nothing to deny. */
export function prepareDeviceFilter(config: Config): Uint8Array | undefined {
  return compileDeviceFilter(config.linux?.resources?.devices);
}
