// `exec`: another process in a container that exists; in the foreground runt stays and ends as the process ends.
import { closeSync } from 'node:fs';
import { posix } from 'node:path';
import { errnoNumber } from '../../native/linux/errno.ts';
import { call, waitStatus } from '../../native/linux/syscalls.ts';
import type { Config } from '../../spec/config.ts';
import { ignoredCapabilities } from '../compile/capabilities.ts';
import { has } from '../compile/context.ts';
import { firstDescriptor } from '../compile/descriptors.ts';
import type { ExecContext } from '../compile/enter.ts';
import { compileExec } from '../compile/exec.ts';
import { RuntimeError } from '../errors.ts';
import { abandon, beginExecution, executeProgram, StepFailure, type Execution } from '../execute/execute.ts';
import { writeProgram } from '../execute/program-file.ts';
import { getSlot, type Handler } from '../execute/records.ts';
import { consoleOf } from './console.ts';
import { execCgroup } from './exec-cgroup.ts';
import { execProcess } from './exec-process.ts';
import { prepareFilter } from './filters.ts';
import { beginForeground } from './foreground.ts';
import { givingHandlers, textOf } from './giving.ts';
import { hasSelinux, homeIn, isOurNamespace, mountPointOfType, needsHome, readInRoot } from './host.ts';
import { isInitialUserNamespace } from './user-namespace.ts';
import type { ExecOptions } from './options.ts';
import { checkPreserved } from './preserved.ts';
import { processStartTime, readState, type ContainerState } from './state.ts';
import { currentStatus } from './status.ts';
import { storedConfig } from './stored-config.ts';
import { closeSystemd, loadSystemd, systemd } from './systemd.ts';
import { writePid } from './kernel-file.ts';

/** Runs a process in a container; resolves to the exit status runt is to end with. Throws RuntimeError when it could not be run. */
export async function execInContainer(options: ExecOptions): Promise<number> {
  const { root, id, detach } = options;
  const directory = `${root}/${id}`;
  const state = readState(root, id);
  checkStatus(currentStatus(state, directory), options);
  const stored = storedConfig(directory);
  const { process, position } = await execProcess(options, stored);
  const ignored = ignoredCapabilities(process.capabilities);
  if (ignored !== undefined) options.warn?.(ignored);
  checkPreserved(options.preserveFds);
  const context = contextOf(options, state, { ...stored, process });
  if (context.host.cgroup?.unit !== undefined) await loadSystemd();
  const foreground = detach ? undefined : await beginForeground(true);
  const { pid, terminal } = await enterContainer(context, state, position);
  try {
    if (options.pidFile !== undefined) (await import('./pid-file.ts')).writePidFile(posix.resolve(options.pidFile), pid);
    if (foreground === undefined) return 0;
    await foreground.attach(pid, terminal);
    foreground.leave();
    return await foreground.ended();
  } catch (error) {
    foreground?.restore();
    call('kill', pid, 9);
    waitStatus(pid);
    throw error;
  }
}

/** runtime.md has no exec: the states and their words are runc's. */
function checkStatus(status: string, { ignorePaused }: ExecOptions): void {
  if (status === 'stopped') throw new RuntimeError('cannot exec in a stopped container');
  if (status === 'creating') throw new RuntimeError('cannot exec in a container that is still being created');
  if (status === 'paused' && !ignorePaused) throw new RuntimeError('cannot exec in a paused container (use --ignore-paused to override)');
}

function contextOf(options: ExecOptions, state: ContainerState, config: Config): ExecContext {
  const euid = process.geteuid!();
  const isPrivileged = euid === 0 && isInitialUserNamespace();
  const directory = `${options.root}/${options.id}`;
  return {
    config,
    init: state,
    entersUser: has(config, 'user') && !isOurNamespace('user', state.pid),
    host: {
      euid, isPrivileged, files: new Set(), plainNames: new Set(), hasKcore: false, hasSelinux: hasSelinux(config.process), rootfsMountPoint: undefined,
      home: needsHome(config.process) ? homeIn(readInRoot(`/proc/${state.pid}/root`, 'etc/passwd'), config.process) : '/',
      cgroup: execCgroup(state, options.cgroups, isPrivileged),
      ...(state.resctrl === true ? { resctrl: mountPointOfType('resctrl') } : {}),
      cgroupMount: undefined,
    },
    request: {
      id: options.id, bundle: state.bundle, rootfs: state.rootfs, stateDirectory: directory, gateDirectory: directory, pidFile: undefined,
      pidfdSocket: options.pidfdSocket, noPivot: false, noNewKeyring: state.noNewKeyring === true,
      preservedFds: options.preserveFds, listenFds: 0, listenFdNames: undefined,
      console: consoleOf(config.process?.terminal === true, options.detach, options.consoleSocket),
      filter: prepareFilter(config, options.root), deviceFilter: undefined,
    },
  };
}

/** Runs the program up to execve. Throws RuntimeError; then nothing of it is left. */
async function enterContainer(context: ExecContext, state: ContainerState, position: (pointer: string) => string | undefined): Promise<{ readonly pid: number; readonly terminal: number }> {
  const compiled = compileExec(context);
  const program = writeProgram(undefined, compiled, { id: state.id, command: 'exec', started: BigInt(Date.now()) * 1_000_000n });
  const execution: Execution = beginExecution(program);
  const given = givingHandlers(state, context.config.annotations, 'running');
  try {
    const handlers: Record<string, Handler> = {
      ...given.handlers,
      open_init: (args, _view, image) => openInit(args[0]!, textOf(image, args[1]!)),
      write_pid: (args, _view, image) => writePid(textOf(image, args[0]!), getSlot(image, 'init') ?? 0),
      attach_to_unit: (args, _view, image) => attachToUnit(textOf(image, args[0]!), state, execution.interpreter),
    };
    const pid = executeProgram(execution, program, { handlers, firstDescriptor: firstDescriptor(context), inherited: Object.keys(compiled.inherited) });
    closeSync(execution.channel);
    return { pid, terminal: given.terminal() };
  } catch (error) {
    abandon(execution);
    if (!(error instanceof StepFailure)) throw error;
    throw (await import('../execute/failure.ts')).describeFailure(execution.image, error, position);
  } finally {
    closeSync(program.fd);
  }
}

function attachToUnit(unit: string, state: ContainerState, pid: number): number {
  try {
    systemd(state.cgroup?.isUser).attachProcess(unit, pid);
    closeSystemd();
    return 0;
  } catch (error) {
    if (error instanceof RuntimeError) return -errnoNumber('EPERM');
    throw error;
  }
}

/** Compared after it is open: from then on it names one process for good. */
function openInit(pid: number, startTime: string): number {
  const pidfd = call('pidfd_open', pid, 0);
  if (pidfd < 0 || processStartTime(pid) === startTime) return pidfd;
  closeSync(pidfd);
  return -errnoNumber('ESRCH');
}
