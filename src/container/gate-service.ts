// What `start` does at the gate when init has something to say: most say nothing, so it is loaded only then.
import { closeSync, openSync, readSync } from 'node:fs';
import { errnoName } from '../../native/linux/errno.ts';
import { mapFile, mappedBytes } from '../../native/linux/syscalls.ts';
import type { Config } from '../../spec/config.ts';
import { RuntimeError } from '../errors.ts';
import { beginExecution, followChannel, StepFailure, type Message } from '../execute/execute.ts';
import { describeFailure } from '../execute/failure.ts';
import { openImage, type Image } from '../program/decode.ts';
import { header } from '../program/layout.ts';
import { prepareFilter } from './filters.ts';
import { runHookInside } from './hooks-inside.ts';
import { gatherHost } from './host.ts';
import { killInit } from './kill.ts';
import type { Running } from './start.ts';
import { hookState, type ContainerState } from './state.ts';
import { storedConfig, storedPosition } from './stored-config.ts';

/** Hand-overs of startContainer hooks, and the report of a failed execve. */
export function serve(socket: number, directory: string, state: ContainerState, root: string, first: Message, running: Running | undefined): void {
  const image = running?.image ?? mapProgram(`${directory}/program`);
  const config = storedConfig(directory);
  try {
    followChannel(beginExecution({ image, fd: -1 }), socket, {
      handlers: {
        hook: (args) => {
          const index = args[1]!;
          const hook = config.hooks!.startContainer![index]!;
          runHookInside(hookContext(config, directory, state, root), { kind: 'startContainer', init: state.pid, index }, index, hook, hookState(state, config.annotations, 'created', state.pid));
          return 0;
        },
      },
      watch: running?.watch,
    }, first);
  } catch (error) {
    killInit(state);
    if (error instanceof StepFailure) throw describeFailure(image, error, storedPosition(directory));
    throw error;
  }
}

function hookContext(config: Config, directory: string, state: ContainerState, root: string): Parameters<typeof runHookInside>[0] {
  const host = gatherHost(config, state.bundle, state.rootfs, undefined);
  const request = {
    id: state.id, bundle: state.bundle, rootfs: state.rootfs, stateDirectory: directory, gateDirectory: directory, pidFile: undefined, pidfdSocket: undefined, noPivot: false,
    noNewKeyring: true, preservedFds: 0, listenFds: 0, listenFdNames: undefined, console: { kind: 'none' }, filter: prepareFilter(config, root), deviceFilter: undefined,
  } as const;
  return { config, host, request };
}

function mapProgram(path: string): Image {
  const fd = openSync(path, 'r+');
  try {
    const head = Buffer.alloc(header.bytes);
    readSync(fd, head, 0, head.length, 0);
    const base = Number(head.readBigUInt64LE(header.base));
    const size = head.readUInt32LE(header.size);
    const result = mapFile(fd, base, size);
    if (result < 0) throw new RuntimeError(`mmap(${path}): ${errnoName(-result)}`);
    const image = openImage(mappedBytes(base, size));
    if (image === undefined) throw new RuntimeError(`${path} is not a program of this version`);
    return image;
  } finally {
    closeSync(fd);
  }
}

