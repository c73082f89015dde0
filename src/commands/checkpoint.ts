// `runt checkpoint`.
import { checkpointContainer, type CheckpointOptions } from '../container/checkpoint.ts';
import { loadSystemdFor } from '../container/systemd.ts';
import { RuntimeError } from '../errors.ts';
import { isOn, valueOf, type Call, type Command } from './command.ts';
import { criuFlags, criuOptions } from './criu-flags.ts';

export const command: Command = {
  name: 'checkpoint', summary: 'write the processes of a container to files (CRIU)', words: 'CONTAINER', least: 1, most: 1,
  flags: [
    ...criuFlags,
    { name: 'leave-running', help: 'the container goes on' },
    { name: 'pre-dump', help: 'memory alone, while it runs; a later checkpoint names it by --parent-path' },
    { name: 'parent-path', value: 'DIR', help: 'images of an earlier --pre-dump, relative to --image-path' },
    { name: 'page-server', value: 'ADDRESS:PORT', help: 'memory goes there' },
    { name: 'status-fd', value: 'FD', help: 'gets one byte when --lazy-pages can be asked' },
    { name: 'tcp-skip-in-flight', help: 'leave out connections that are being made' },
    { name: 'link-remap', help: 'allow open files that are deleted, by a link' },
  ],
  examples: ['runt checkpoint --image-path /var/lib/web web', 'runt checkpoint --leave-running web'],
  run: async (call) => {
    await loadSystemdFor(call.globals.root, call.words[0]!);
    await checkpointContainer(checkpointOptions(call), call.warn);
    return 0;
  },
};

function checkpointOptions(call: Call): CheckpointOptions {
  return {
    ...criuOptions(call),
    root: call.globals.root,
    id: call.words[0]!,
    parentPath: valueOf(call, 'parent-path') || undefined,
    leaveRunning: isOn(call, 'leave-running'),
    preDump: isOn(call, 'pre-dump'),
    tcpSkipInFlight: isOn(call, 'tcp-skip-in-flight'),
    linkRemap: isOn(call, 'link-remap'),
    statusFd: statusFdOf(valueOf(call, 'status-fd')),
    pageServer: pageServerOf(valueOf(call, 'page-server')),
  };
}

function statusFdOf(text: string | undefined): number | undefined {
  if (!text || text === '-1') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new RuntimeError(`invalid value "${text}" for -status-fd`, { hint: 'the number of a descriptor' });
  return Number(text);
}

function pageServerOf(text: string | undefined): CheckpointOptions['pageServer'] {
  if (!text) return undefined;
  const parts = /^(.+):(\d{1,5})$/.exec(text);
  if (parts === null) throw new RuntimeError('Use --page-server ADDRESS:PORT to specify page server');
  return { address: parts[1]!, port: Number(parts[2]) };
}
