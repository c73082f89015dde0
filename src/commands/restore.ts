// `runt restore`.
import { restoreContainer } from '../container/restore.ts';
import { valueOf, type Command } from './command.ts';
import { createFlags, createOptions } from './create.ts';
import { criuFlags, criuOptions } from './criu-flags.ts';
import { stayFlags, stayOptions } from './run.ts';

const taken = ['bundle', 'console-socket', 'pid-file', 'no-pivot'];

export const command: Command = {
  name: 'restore', summary: 'make a container again from a checkpoint (CRIU)', words: 'CONTAINER', least: 1, most: 1,
  flags: [
    ...createFlags.filter(({ name }) => taken.includes(name)),
    ...stayFlags,
    ...criuFlags,
    { name: 'lsm-profile', value: 'TYPE:NAME', help: 'another AppArmor or SELinux label, as selinux:LABEL' },
    { name: 'lsm-mount-context', value: 'CONTEXT', help: 'another SELinux context of mounts' },
  ],
  examples: ['runt restore --detach --image-path /var/lib/web --bundle /tmp/web web'],
  run: (call) => restoreContainer({
    ...createOptions(call), ...criuOptions(call), ...stayOptions(call),
    lsmProfile: valueOf(call, 'lsm-profile') || undefined, lsmMountContext: valueOf(call, 'lsm-mount-context') || undefined,
  }, call.warn),
};
