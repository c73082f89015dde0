// `runt update`.
import { readFileSync } from 'node:fs';
import { decodeConfig, JsonError, parseJson } from '../../spec/json.ts';
import type { Resources } from '../../spec/config.ts';
import { updateContainer } from '../container/update.ts';
import { RuntimeError } from '../errors.ts';
import { bytesOf } from '../size.ts';
import { valueOf, type Call, type Command } from './command.ts';

/** Flag → place in linux.resources, and how its text is read. */
const limits: readonly (readonly [flag: string, group: 'cpu' | 'memory' | 'pids' | 'blockIO', key: string, kind: 'number' | 'size' | 'text', help: string])[] = [
  ['blkio-weight', 'blockIO', 'weight', 'number', 'share of block I/O, 10 to 1000'],
  ['cpu-period', 'cpu', 'period', 'number', 'microseconds'],
  ['cpu-quota', 'cpu', 'quota', 'number', 'microseconds in a period'],
  ['cpu-burst', 'cpu', 'burst', 'number', 'microseconds that may be saved up'],
  ['cpu-share', 'cpu', 'shares', 'number', 'share of CPU, 2 to 262144'],
  ['cpu-rt-period', 'cpu', 'realtimePeriod', 'number', 'cgroup v1 only'],
  ['cpu-rt-runtime', 'cpu', 'realtimeRuntime', 'number', 'cgroup v1 only'],
  ['cpu-idle', 'cpu', 'idle', 'number', '1: runs only when nothing else does'],
  ['cpuset-cpus', 'cpu', 'cpus', 'text', 'as 0-3,7'],
  ['cpuset-mems', 'cpu', 'mems', 'text', 'memory nodes, as 0-1'],
  ['memory', 'memory', 'limit', 'size', 'bytes, or with k, m, g; -1: none'],
  ['memory-reservation', 'memory', 'reservation', 'size', 'protected memory'],
  ['memory-swap', 'memory', 'swap', 'size', 'memory and swap together; -1: none'],
  ['pids-limit', 'pids', 'limit', 'number', '-1: none'],
];

export const command: Command = {
  name: 'update', summary: 'change the limits of a container', words: 'CONTAINER', least: 1, most: 1,
  flags: [
    { name: 'resources', short: 'r', value: 'FILE|-', help: 'linux.resources as JSON; other flags are then ignored' },
    ...limits.map(([name, , , kind, help]) => ({ name, value: kind === 'text' ? 'LIST' : kind === 'size' ? 'SIZE' : 'N', help })),
    { name: 'kernel-memory', value: 'SIZE', help: 'no longer in the kernel', hidden: true },
    { name: 'kernel-memory-tcp', value: 'SIZE', help: 'no longer in the kernel', hidden: true },
  ],
  examples: ['runt update --memory 64m --pids-limit 100 web', "echo '{\"cpu\":{\"quota\":50000}}' | runt update -r - web"],
  run: async (call) => {
    for (const flag of ['kernel-memory', 'kernel-memory-tcp']) if (valueOf(call, flag) !== undefined) call.warn(`--${flag} is ignored: the kernel has no such limit any more`);
    const file = valueOf(call, 'resources');
    const change = file === undefined ? fromFlags(call) : fromFile(file);
    if (Object.keys(change).length > 0) await updateContainer(call.globals.root, call.words[0]!, change);
    return 0;
  },
};

function fromFlags(call: Call): Resources {
  const change: Record<string, Record<string, unknown>> = {};
  for (const [flag, group, key, kind] of limits) {
    const text = valueOf(call, flag);
    if (text === undefined || text === '') continue;
    (change[group] ??= {})[key] = kind === 'text' ? text : kind === 'size' ? sizeOf(text, flag) : numberOf(text, flag);
  }
  return change as Resources;
}

function fromFile(file: string): Resources {
  try {
    const document = parseJson(decodeConfig(readFileSync(file === '-' ? 0 : file)));
    if (typeof document === 'object' && document !== null && !Array.isArray(document)) return document as Resources;
    throw new RuntimeError(`${file}: expected an object as linux.resources`);
  } catch (error) {
    if (error instanceof JsonError) throw new RuntimeError(`${file === '-' ? 'standard input' : file} is not JSON: ${error.message}`, { position: `${file}:${error.line}:${error.column}` });
    if (error instanceof RuntimeError) throw error;
    throw new RuntimeError(`cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function numberOf(text: string, flag: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new RuntimeError(`invalid value "${text}" for -${flag}`, { hint: 'a whole number' });
  return Number(text);
}

/** Bytes. Throws RuntimeError. */
function sizeOf(text: string, flag: string): number {
  const bytes = bytesOf(text);
  if (bytes === undefined) throw new RuntimeError(`invalid value "${text}" for -${flag}`, { hint: 'bytes, or a number with k, m, g' });
  return bytes;
}
