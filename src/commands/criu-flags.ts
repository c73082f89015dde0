// Flags of checkpoint and restore, and what they say.
import type { CriuOptions } from '../container/criu-options.ts';
import { RuntimeError } from '../errors.ts';
import { isOn, valueOf, valuesOf, type Call, type Flag } from './command.ts';

/** Flags that checkpoint and restore share, in runc's words; --tcp-close and --network-lock are crun's. */
export const criuFlags: readonly Flag[] = [
  { name: 'image-path', value: 'DIR', help: 'directory of the image files (default: ./checkpoint)' },
  { name: 'work-path', value: 'DIR', help: 'directory of CRIU’s log and other files (default: that of the images)' },
  { name: 'tcp-established', help: 'keep open TCP connections' },
  { name: 'tcp-close', help: 'close TCP connections' },
  { name: 'ext-unix-sk', help: 'allow unix sockets whose other end is outside' },
  { name: 'shell-job', help: 'allow a terminal of the caller' },
  { name: 'lazy-pages', help: 'memory comes when it is touched (userfaultfd)' },
  { name: 'file-locks', help: 'keep file locks' },
  { name: 'manage-cgroups-mode', value: 'MODE', help: 'soft, full, strict or ignore (default: soft)' },
  { name: 'empty-ns', value: 'network', many: true, help: 'make this namespace, but leave it empty' },
  { name: 'auto-dedup', help: 'drop memory from an image as soon as it is elsewhere' },
  { name: 'network-lock', value: 'METHOD', help: 'iptables, nftables or skip' },
];

/** Throws RuntimeError for a namespace that cannot be left empty. */
export function criuOptions(call: Call): CriuOptions {
  for (const name of valuesOf(call, 'empty-ns')) if (name !== 'network') throw new RuntimeError(`namespace ${JSON.stringify(name)} is not supported by --empty-ns`, { hint: 'network' });
  return {
    imagePath: valueOf(call, 'image-path') || 'checkpoint',
    workPath: valueOf(call, 'work-path') || undefined,
    tcpEstablished: isOn(call, 'tcp-established'),
    tcpClose: isOn(call, 'tcp-close'),
    extUnixSk: isOn(call, 'ext-unix-sk'),
    shellJob: isOn(call, 'shell-job'),
    lazyPages: isOn(call, 'lazy-pages'),
    fileLocks: isOn(call, 'file-locks'),
    cgroupsMode: valueOf(call, 'manage-cgroups-mode') || 'soft',
    emptyNetwork: valuesOf(call, 'empty-ns').length > 0,
    autoDedup: isOn(call, 'auto-dedup'),
    networkLock: valueOf(call, 'network-lock') || undefined,
  };
}
