// `create`: a bundle becomes a container that waits for `start` (runtime.md#create). On failure nothing remains but its record.
import { closeSync, rmdirSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { O_CLOEXEC, O_PATH } from '../../native/linux/constants.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import { compileCreate } from '../compile/create.ts';
import type { Context, Request } from '../compile/context.ts';
import { firstDescriptor } from '../compile/descriptors.ts';
import { RuntimeError } from '../errors.ts';
import { abandon, beginExecution, executeProgram, StepFailure, type Execution } from '../execute/execute.ts';
import { describeFailure } from '../execute/failure.ts';
import { writeProgram } from '../execute/program-file.ts';
import { readRecords, readText, type Image } from '../program/decode.ts';
import { status } from '../program/layout.ts';
import { readBundle, type Bundle } from './bundle.ts';
import { createHandlers } from './create-handlers.ts';
import { gatherHost } from './host.ts';
import { chooseCgroup } from './cgroup.ts';
import { prepareFilter, prepareDeviceFilter } from './filters.ts';
import type { CreateOptions } from './options.ts';
import { keepFailedRecord } from './record.ts';
import { alreadyExists, containerExists, createStateDirectory, removeStateDirectory, writeState, type ContainerState } from './state.ts';

/** A container that has been created: what `run` needs to go on with it. */
export interface Created {
  readonly state: ContainerState;
  readonly bundle: Bundle;
  /** The master of the container's pty, when it is the runtime that keeps it; -1 otherwise. */
  readonly terminal: number;
}

/** Creates a container. Throws RuntimeError; then no process, mount, cgroup or state is left. */
export function createContainer(options: CreateOptions, keepsTerminal = false): Created {
  if (containerExists(options.root, options.id)) throw alreadyExists(options.root, options.id);
  const bundle = readBundle(options.bundle);
  checkConsole(options, bundle, keepsTerminal);
  const cgroup = chooseCgroup(bundle.config, options);
  const directory = createStateDirectory(options.root, options.id);
  let request: Request;
  let context: Context;
  let state: ContainerState;
  try {
    request = requestOf(options, bundle, directory, keepsTerminal, cgroup !== undefined);
    context = { config: bundle.config, host: gatherHost(bundle.config, bundle.path, bundle.rootfs, cgroup), request };
    state = initialState(options, bundle, cgroup?.path);
    writeFileSync(`${directory}/config.json`, bundle.bytes, { mode: 0o600 });
    writeState(directory, state);
  } catch (error) {
    removeStateDirectory(directory);
    throw error;
  }
  return runProgram(options, bundle, context, state, keepsTerminal);
}

function runProgram(options: CreateOptions, bundle: Bundle, context: Context, state: ContainerState, keepsTerminal: boolean): Created {
  const directory = context.request.stateDirectory;
  let execution: Execution | undefined;
  let program: ReturnType<typeof writeProgram> | undefined;
  try {
    const compiled = compileCreate(context);
    program = writeProgram(`${directory}/program`, compiled, { id: options.id, command: 'create', started: BigInt(Date.now()) * 1_000_000n });
    execution = beginExecution(program);
    const { handlers, result } = createHandlers(context, state, bundle);
    executeProgram(execution, program, {
      handlers,
      firstDescriptor: firstDescriptor(context),
      inherited: Object.keys(compiled.inherited),
    });
    closeSync(program.fd);
    if (!keepsTerminal && result.terminal >= 0) closeSync(result.terminal);
    closeSync(execution.channel);
    return { state: result.state, bundle, terminal: keepsTerminal ? result.terminal : -1 };
  } catch (error) {
    const described = error instanceof StepFailure && execution !== undefined ? describeFailure(execution.image, error, bundle.position) : located(error, bundle);
    if (execution !== undefined) {
      abandon(execution);
      removeMade(execution.image);
    }
    keepFailedRecord(options.root, options.id, directory);
    removeStateDirectory(directory);
    throw described;
  }
}

/** An error that knows its pointer but not its line: thrown by the compiler or by a runtime-side operation. */
function located(error: unknown, bundle: Bundle): unknown {
  if (!(error instanceof RuntimeError) || !error.details.pointer || error.details.position !== undefined) return error;
  return new RuntimeError(error.message, { ...error.details, position: bundle.position(error.details.pointer) });
}

/** Removes the cgroups this create made, as its recorder has them, innermost first; what another uses by now stays (EBUSY). */
function removeMade(image: Image): void {
  const made = readRecords(image).filter(({ op, side, status: outcome }) => op === 'mkdirat' && side === 'runtime' && outcome === status.done);
  for (const path of made.map(({ args }) => readText(image.bytes, Number(args[1]!.value) - image.base)).reverse()) {
    for (let attempt = 0; attempt < 50; attempt++) {
      try {
        rmdirSync(path);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EBUSY') break;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      }
    }
  }
}

function checkConsole(options: CreateOptions, bundle: Bundle, keepsTerminal: boolean): void {
  const terminal = bundle.config.process?.terminal === true;
  const refuse = (message: string, hint?: string): never => {
    throw new RuntimeError(message, { pointer: '/process/terminal', position: bundle.position('/process/terminal'), hint });
  };
  if (options.consoleSocket !== undefined && (!terminal || keepsTerminal)) refuse('cannot use console socket if runt will not detach or allocate tty');
  if (terminal && !keepsTerminal && options.consoleSocket === undefined) {
    refuse('cannot allocate tty if runt will detach without setting console socket', '--console-socket PATH, or "terminal": false');
  }
}

/** sun_path holds 107 bytes (unix(7)); a longer state directory is reached through a descriptor. */
const LONGEST_GATE_DIRECTORY = 107 - '/start.sock'.length;

function requestOf(options: CreateOptions, bundle: Bundle, directory: string, keepsTerminal: boolean, hasCgroup: boolean): Request {
  const terminal = bundle.config.process?.terminal === true;
  const console = !terminal ? ({ kind: 'none' } as const) : keepsTerminal ? ({ kind: 'foreground' } as const) : ({ kind: 'socket', path: options.consoleSocket! } as const);
  const listenFds = /^\d{1,4}$/.test(process.env['LISTEN_FDS'] ?? '') ? Number(process.env['LISTEN_FDS']) : 0;
  return {
    id: options.id,
    bundle: bundle.path,
    rootfs: bundle.rootfs,
    stateDirectory: directory,
    gateDirectory: gateDirectory(directory),
    pidFile: options.pidFile === undefined ? undefined : posix.resolve(options.pidFile),
    noPivot: options.noPivot,
    noNewKeyring: options.noNewKeyring,
    preservedFds: listenFds + options.preserveFds,
    listenFds,
    listenFdNames: process.env['LISTEN_FDNAMES'],
    console,
    filter: prepareFilter(bundle.config, options.root),
    deviceFilter: hasCgroup ? prepareDeviceFilter(bundle.config) : undefined,
  };
}

/** The state directory under a name short enough for a socket address. */
export function gateDirectory(directory: string): string {
  if (Buffer.byteLength(directory) <= LONGEST_GATE_DIRECTORY) return directory;
  const fd = call('openat', -100, text(directory), O_PATH | O_CLOEXEC, 0);
  if (fd < 0) throw new RuntimeError(`cannot open ${directory}`);
  return `/proc/self/fd/${fd}`;
}

function initialState(options: CreateOptions, bundle: Bundle, cgroup: string | undefined): ContainerState {
  const { config } = bundle;
  return {
    version: 1,
    ociVersion: config.ociVersion,
    id: options.id,
    bundle: bundle.path,
    rootfs: bundle.rootfs,
    created: new Date().toISOString(),
    owner: process.geteuid!(),
    pid: 0,
    startTime: '',
    ...(config.annotations === undefined ? {} : { annotations: config.annotations }),
    cgroup: cgroup === undefined ? null : { path: cgroup },
    status: 'creating',
    privatePidNamespace: config.linux?.namespaces?.some(({ type }) => type === 'pid') ?? false,
    hooks: {
      startContainer: (config.hooks?.startContainer?.length ?? 0) > 0,
      poststart: (config.hooks?.poststart?.length ?? 0) > 0,
      poststop: (config.hooks?.poststop?.length ?? 0) > 0,
    },
  };
}

