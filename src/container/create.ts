// `create`: a bundle becomes a container that waits for `start` (runtime.md#create). On failure nothing remains but its record.
import { closeSync } from 'node:fs';
import { posix } from 'node:path';
import { ignoredCapabilities } from '../compile/capabilities.ts';
import { compileCreate } from '../compile/create.ts';
import type { CgroupHost, Context, Request } from '../compile/context.ts';
import { firstDescriptor } from '../compile/descriptors.ts';
import { RuntimeError } from '../errors.ts';
import { beginExecution, executeProgram, StepFailure, type Execution } from '../execute/execute.ts';
import { getSlot } from '../execute/records.ts';
import { writeProgram } from '../execute/program-file.ts';
import type { Image } from '../program/decode.ts';
import { readBundle, type Bundle } from './bundle.ts';
import { createHandlers } from './create-handlers.ts';
import { gatherHost } from './host.ts';
import { chooseCgroup } from './cgroup.ts';
import { consoleOf } from './console.ts';
import { prepareFilter, prepareDeviceFilter } from './filters.ts';
import type { CreateOptions } from './options.ts';
import { makeNotifyDirectory, withNotifySocket } from './notify.ts';
import { checkPreserved } from './preserved.ts';
import { gateDirectory } from './socket-path.ts';
import { alreadyExists, containerExists, createStateDirectory, removeStateDirectory, type ContainerState } from './state.ts';
import { isUserSystemd } from './systemd.ts';

/** A container that has been created: what `run` needs to go on with it. */
export interface Created {
  readonly state: ContainerState;
  readonly bundle: Bundle;
  /** The master of the container's pty, when it is the runtime that keeps it; -1 otherwise. */
  readonly terminal: number;
  /** Its program, mapped: it can be mapped once only. */
  readonly image: Image;
}

/** Creates a container. Throws RuntimeError; then no process, mount, cgroup or state is left. */
export async function createContainer(options: CreateOptions, keepsTerminal = false): Promise<Created> {
  if (containerExists(options.root, options.id)) throw alreadyExists(options.root, options.id);
  const bundle = forManager(readBundle(options.bundle), `${options.root}/${options.id}`);
  const console = placed(bundle, () => consoleOf(bundle.config.process?.terminal === true, !keepsTerminal, options.consoleSocket));
  checkPreserved(listenFds() + options.preserveFds);
  const ignored = ignoredCapabilities(bundle.config.process?.capabilities);
  if (ignored !== undefined) options.warn?.(ignored);
  const cgroup = placed(bundle, () => chooseCgroup(bundle.config, options));
  const state = initialState(options, bundle, cgroup);
  const directory = createStateDirectory(options.root, state, bundle.bytes);
  let request: Request;
  let context: Context;
  try {
    request = placed(bundle, () => requestOf(options, bundle, directory, console, cgroup !== undefined));
    context = { config: bundle.config, host: placed(bundle, () => gatherHost(bundle.config, bundle.path, bundle.rootfs, cgroup)), request };
    makeNotifyDirectory(directory);
  } catch (error) {
    removeStateDirectory(directory);
    throw error;
  }
  return runProgram(options, bundle, context, state);
}

async function runProgram(options: CreateOptions, bundle: Bundle, context: Context, state: ContainerState): Promise<Created> {
  const directory = context.request.stateDirectory;
  let execution: Execution | undefined;
  let program: ReturnType<typeof writeProgram> | undefined;
  try {
    const compiled = compileCreate(context);
    program = writeProgram(`${directory}/program`, compiled, { id: options.id, command: 'create', started: BigInt(Date.now()) * 1_000_000n });
    execution = beginExecution(program);
    options.debugging?.prepare(program.image);
    const { handlers, result } = createHandlers(context, state, bundle, execution);
    executeProgram(execution, program, {
      handlers,
      firstDescriptor: firstDescriptor(context),
      inherited: Object.keys(compiled.inherited),
      watch: options.debugging?.watch,
    });
    closeSync(program.fd);
    closeSync(execution.channel);
    closeSync(getSlot(program.image, 'gate')!); // init's end is the only one: when it dies, start hears of it
    return { state: result.state, bundle, terminal: result.terminal(), image: program.image };
  } catch (error) {
    const { undo } = await import('./undo.ts');
    throw undo(options, directory, state, execution, error instanceof StepFailure ? error : located(error, bundle), bundle.position);
  }
}

/** An error that knows its pointer but not its line: thrown by the compiler or by a runtime-side operation. */
function located(error: unknown, bundle: Bundle): unknown {
  if (!(error instanceof RuntimeError) || !error.details.pointer || error.details.position !== undefined) return error;
  return new RuntimeError(error.message, { ...error.details, position: bundle.position(error.details.pointer) });
}

/** What the bundle asks, and what the manager of the host that called us asks besides. */
const forManager = (bundle: Bundle, directory: string): Bundle => ({ ...bundle, config: withNotifySocket(bundle.config, directory) });

/** Looks something up; an error has its place in config.json. */
function placed<T>(bundle: Bundle, look: () => T): T {
  try {
    return look();
  } catch (error) {
    throw located(error, bundle);
  }
}

function requestOf(options: CreateOptions, bundle: Bundle, directory: string, console: Request['console'], hasCgroup: boolean): Request {
  return {
    id: options.id,
    bundle: bundle.path,
    rootfs: bundle.rootfs,
    stateDirectory: directory,
    gateDirectory: gateDirectory(directory),
    pidFile: options.pidFile === undefined ? undefined : posix.resolve(options.pidFile),
    pidfdSocket: options.pidfdSocket,
    noPivot: options.noPivot,
    noNewKeyring: options.noNewKeyring,
    preservedFds: listenFds() + options.preserveFds,
    listenFds: listenFds(),
    listenFdNames: process.env['LISTEN_FDNAMES'],
    console,
    filter: prepareFilter(bundle.config, options.root, options.debug),
    deviceFilter: hasCgroup ? prepareDeviceFilter(bundle.config) : undefined,
  };
}

/** How many descriptors of socket activation are meant for us (sd_listen_fds(3)): as runc, only when LISTEN_PID says so. */
function listenFds(): number {
  const { LISTEN_FDS, LISTEN_PID } = process.env;
  return Number(LISTEN_PID) === process.pid && /^\d{1,4}$/.test(LISTEN_FDS ?? '') ? Number(LISTEN_FDS) : 0;
}

/** state.json as it is before there is a process. */
export function initialState(options: CreateOptions, bundle: Bundle, cgroup: CgroupHost | undefined): ContainerState {
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
    cgroup: cgroup === undefined ? null : { path: cgroup.path, ...(cgroup.unit === undefined ? {} : { unit: cgroup.unit.unit, isUser: isUserSystemd() }) },
    status: 'creating',
    privatePidNamespace: config.linux?.namespaces?.some(({ type }) => type === 'pid') ?? false,
    ...(config.linux?.intelRdt === undefined ? {} : { resctrl: true as const }),
    ...(options.noNewKeyring ? { noNewKeyring: true } : {}),
    hooks: {
      startContainer: (config.hooks?.startContainer?.length ?? 0) > 0,
      poststart: (config.hooks?.poststart?.length ?? 0) > 0,
      poststop: (config.hooks?.poststop?.length ?? 0) > 0,
    },
  };
}

