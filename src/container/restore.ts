// `restore`: CRIU makes the processes of a checkpoint again; what comes back is a container as any other.
import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync } from 'node:fs';
import { posix } from 'node:path';
import { F_DUPFD_CLOEXEC, PR_SET_CHILD_SUBREAPER, SOCK_CLOEXEC } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { call, SOCK_SEQPACKET, socketpair, waitStatus } from '../../native/linux/syscalls.ts';
import type { Config } from '../../spec/config.ts';
import { findCgroupMount } from '../cgroup/locate.ts';
import type { CgroupHost, Context } from '../compile/context.ts';
import { compileRestore } from '../compile/restore.ts';
import { requestType, type Options } from '../criu/messages.ts';
import { criuEnvironment, findCriu, SOCKET, talk } from '../criu/talk.ts';
import { RuntimeError } from '../errors.ts';
import { beginExecution, executeProgram, type Execution } from '../execute/execute.ts';
import { writeProgram } from '../execute/program-file.ts';
import { setSlot } from '../execute/records.ts';
import { readBundle, type Bundle } from './bundle.ts';
import { chooseCgroup } from './cgroup.ts';
import { DESCRIPTORS } from './checkpoint.ts';
import { consoleOf } from './console.ts';
import { createHandlers } from './create-handlers.ts';
import { initialState } from './create.ts';
import { bindMounts, commonOptions, externalNamespaces, openDirectories, openWithin, type CriuOptions, type Directories } from './criu-options.ts';
import { writeFacts } from './facts.ts';
import { prepareDeviceFilter } from './filters.ts';
import { beginForeground } from './foreground.ts';
import { sendDescriptor } from './giving.ts';
import { gatherHost } from './host.ts';
import { runHook } from './hooks.ts';
import type { RunOptions } from './options.ts';
import { writePidFile } from './pid-file.ts';
import { stay } from './run.ts';
import { alreadyExists, containerExists, createStateDirectory, hookState, processStartTime, writeState, type ContainerState } from './state.ts';
import { loadSystemd } from './systemd.ts';
import { undo } from './undo.ts';

export interface RestoreOptions extends RunOptions, CriuOptions {
  readonly lsmProfile: string | undefined;
  readonly lsmMountContext: string | undefined;
}

/** Restores a container; resolves to the exit status runt is to end with, as run. Throws RuntimeError; then nothing of it is left. */
export async function restoreContainer(options: RestoreOptions, warn: (message: string) => void): Promise<number> {
  if (!options.detach && !options.noSubreaper) call('prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (options.cgroupManager === 'systemd') await loadSystemd();
  const foreground = options.detach ? undefined : await beginForeground(true);
  const { state, terminal } = restore(options);
  return stay(options, { state, terminal }, foreground, warn);
}

interface Restored {
  readonly state: ContainerState;
  /** The master of its terminal where the runtime keeps it, or -1. */
  readonly terminal: number;
}

function restore(options: RestoreOptions): Restored {
  if (containerExists(options.root, options.id)) throw alreadyExists(options.root, options.id);
  const bundle = readBundle(options.bundle);
  const console = consoleOf(bundle.config.process?.terminal === true, options.detach, options.consoleSocket);
  const criu = findCriu();
  const directories = openDirectories(options, 'restore.log');
  const given = giveNamespaces(bundle);
  const cgroup = chooseCgroup(bundle.config, options);
  const state = initialState(options, bundle, cgroup);
  const directory = createStateDirectory(options.root, state, bundle.bytes);
  let execution: Execution | undefined;
  try {
    const streams = readStreams(options.imagePath);
    const pair = socketpair(SOCK_SEQPACKET | SOCK_CLOEXEC);
    if (typeof pair === 'number') throw new RuntimeError(`socketpair: ${errnoName(-pair)}`);
    const context = contextOf(options, bundle, directory, console, 1 + given.length, cgroup);
    const root = `${directory}/criu-root`;
    mkdirSync(root, { mode: 0o755 });
    const compiled = compileRestore(context, { criu, environment: criuEnvironment(), socket: SOCKET, root });
    const program = writeProgram(`${directory}/program`, compiled, { id: options.id, command: 'restore', started: BigInt(Date.now()) * 1_000_000n });
    execution = beginExecution(program);
    const pid = executeProgram(execution, program, {
      handlers: createHandlers(context, state, bundle, execution).handlers,
      firstDescriptor: SOCKET + 1 + given.length, inherited: Object.keys(compiled.inherited), stdio: [0, 1, 2, pair[1], ...given.map(({ fd }) => fd)],
    });
    for (const fd of [program.fd, execution.channel, pair[1], ...given.map((one) => one.fd)]) closeSync(fd);
    execution.channel = -1;
    const restored = converse(options, bundle, { socket: pair[0], criu: pid, root, given, streams, directories, execution, state });
    writeState(directory, restored.state);
    writeFacts(directory, restored.state, execution.image, bundle.config);
    if (options.pidFile !== undefined) writePidFile(posix.resolve(options.pidFile), restored.state.pid);
    rmdirSync(root);
    return restored;
  } catch (error) {
    throw undo(options, directory, state, execution, error, bundle.position);
  } finally {
    directories.close();
  }
}

function contextOf(options: RestoreOptions, bundle: Bundle, directory: string, console: Context['request']['console'], preservedFds: number, cgroup: CgroupHost | undefined): Context {
  return {
    config: bundle.config,
    host: gatherHost(bundle.config, bundle.path, bundle.rootfs, cgroup),
    request: {
      id: options.id, bundle: bundle.path, rootfs: bundle.rootfs, stateDirectory: directory, gateDirectory: directory, pidFile: undefined, pidfdSocket: undefined,
      noPivot: options.noPivot, noNewKeyring: true, preservedFds, listenFds: 0, listenFdNames: undefined, console, filter: undefined,
      deviceFilter: cgroup === undefined ? undefined : prepareDeviceFilter(bundle.config),
    },
  };
}

interface Talk {
  readonly socket: number;
  readonly criu: number;
  readonly root: string;
  readonly given: readonly Given[];
  readonly streams: readonly string[];
  readonly directories: Directories;
  readonly execution: Execution;
  readonly state: ContainerState;
}

/** Tells CRIU where everything is; the slot `init` then names what it made, or nothing, so that a failure ends that. */
function converse(options: RestoreOptions, bundle: Bundle, { socket, criu, root, given, streams, directories, execution, state }: Talk): Restored {
  const { config } = bundle;
  let restored = state;
  let terminal = -1;
  const within = openWithin(criu, options, directories);
  try {
    const request: Options = {
      ...commonOptions(options, config, within),
      root,
      cg_root: cgroupRoot(state),
      evasive_devices: true,
      rst_sibling: true,
      lsm_profile: options.lsmProfile,
      lsm_mount_context: options.lsmMountContext,
      inherit_fd: [...given.map(({ key, number }) => ({ 1: key, 2: number })), ...streams.flatMap((name, fd) => (/^(pipe:|file)\[/.test(name) ? [{ 1: name, 2: fd }] : []))],
      join_ns: joinedNamespaces(config),
      ext_mnt: externalMounts(config, state.bundle),
    };
    talk({
      socket, type: requestType.restore, options: request, log: directories.log,
      notified: (script, pid, fds) => {
        if (script === 'setup-namespaces') runCreateHooks(bundle, state, pid);
        else if (script === 'orphan-pts-master') terminal = takeTerminal(options.consoleSocket, fds[0]);
        else if (script === 'post-restore') {
          restored = { ...state, pid, startTime: processStartTime(pid) ?? '', status: 'created' };
        }
      },
    });
  } finally {
    within.close();
    closeSync(socket);
    waitStatus(criu);
    setSlot(execution.image, 'init', restored.pid, 'runtime');
  }
  if (restored.pid === 0) throw new RuntimeError('criu failed: it did not say what it restored');
  return { state: restored, terminal };
}

/** config.md#createruntime-hooks, where create runs them: namespaces are there, the process is not. */
function runCreateHooks({ config, path }: Bundle, state: ContainerState, pid: number): void {
  for (const kind of ['prestart', 'createRuntime'] as const) {
    for (const [index, hook] of (config.hooks?.[kind] ?? []).entries()) runHook(kind, index, hook, hookState(state, config.annotations, 'creating', pid), path);
  }
}

/** The caller gets it, or the runtime keeps it; talk closes the one it came as. */
function takeTerminal(consoleSocket: string | undefined, master: number | undefined): number {
  if (master === undefined) return -1;
  if (consoleSocket === undefined) return call('fcntl', master, F_DUPFD_CLOEXEC, SOCKET);
  const sent = sendDescriptor('/process/terminal', consoleSocket, master, Buffer.from('/dev/ptmx'));
  if (sent < 0) throw new RuntimeError(`cannot send the terminal to ${consoleSocket}: ${errnoName(-sent)}`);
  return -1;
}

interface Given {
  readonly key: string;
  readonly fd: number;
  /** Its number in CRIU. */
  readonly number: number;
}

/** Network and pid namespaces of others are handed in, open. Throws RuntimeError when one is gone. */
function giveNamespaces({ config, position }: Bundle): readonly Given[] {
  return externalNamespaces(config).map(({ path, key, at }, index) => {
    try {
      return { key, fd: openSync(path, 'r'), number: SOCKET + 1 + index };
    } catch (error) {
      throw new RuntimeError(`the namespace ${path} cannot be opened: ${(error as NodeJS.ErrnoException).code}`, { pointer: at, position: position(at) });
    }
  });
}

/** The images have the cgroup of the container that was; this one may have another. */
function cgroupRoot({ cgroup }: ContainerState): readonly Record<number, string>[] {
  const mount = findCgroupMount();
  return cgroup === null || mount === undefined ? [] : [{ 1: '', 2: cgroup.path.slice(mount.length) }];
}

/** Other namespaces with a path CRIU joins by itself. */
function joinedNamespaces(config: Config): readonly Record<number, string>[] {
  return (config.linux?.namespaces ?? []).flatMap(({ type, path }, index) => {
    if (!path || type === 'network' || type === 'pid') return [];
    if (type === 'cgroup' || type === 'time') throw new RuntimeError(`CRIU cannot join a ${type} namespace`, { pointer: `/linux/namespaces/${index}` });
    return [{ 1: type === 'mount' ? 'mnt' : type, 2: path }];
  });
}

function externalMounts(config: Config, bundle: string): readonly Record<number, string>[] {
  const devices = ['null', 'zero', 'full', 'random', 'urandom', 'tty', ...(config.linux?.devices ?? []).map(({ path }) => posix.basename(path))].map((name) => `/dev/${name}`);
  return [...bindMounts(config, bundle).map(({ destination, source }) => ({ 1: destination, 2: source })), ...[...new Set(devices)].map((path) => ({ 1: path, 2: path }))];
}

/** What checkpoint wrote beside the images. */
function readStreams(imagePath: string): readonly string[] {
  const path = posix.join(posix.resolve(imagePath), DESCRIPTORS);
  try {
    const streams: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (Array.isArray(streams) && streams.every((one) => typeof one === 'string')) return streams;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined) throw new RuntimeError(`cannot read ${path}: ${code}`, { hint: '--image-path names the directory of a checkpoint' });
  }
  throw new RuntimeError(`${path} is not what checkpoint writes`);
}
