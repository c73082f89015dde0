// The two compiled filters of a container, prepared before its program is compiled: seccomp (cached) and devices.
import type { Config } from '../../spec/config.ts';
import { compileDeviceFilter } from '../bpf/device-filter.ts';
import type { Request } from '../compile/context.ts';
import { cachedFilter } from './filter-cache.ts';

/** Compiles, or takes from the cache below the state root, the filter of linux.seccomp; `debug` is told the names it skips, which profiles of managers always have. */
export function prepareFilter(config: Config, root: string, debug?: (text: string) => void): Request['filter'] {
  const seccomp = config.linux?.seccomp;
  if (seccomp === undefined || (seccomp.defaultAction === undefined && seccomp.syscalls === undefined)) return undefined;
  const compiled = cachedFilter(seccomp, `${root}/.filters`);
  if (compiled.unknown.length > 0) debug?.(`seccomp: this libseccomp does not know ${compiled.unknown.join(', ')}: no rule for them`);
  return { program: compiled.filter, flags: compiled.flags, hasListener: compiled.newListener };
}

/** The device rules of linux.resources.devices as eBPF; undefined when there is nothing to deny. */
export function prepareDeviceFilter(config: Config): Uint8Array | undefined {
  return compileDeviceFilter(config.linux?.resources?.devices);
}
