// `exec`: another process in a container that exists; in the foreground runt stays and ends as the process ends.
import { closeSync, existsSync, readFileSync, unlinkSync } from 'node:fs';
import { basename, posix } from 'node:path';
import { exitCode, waitStatusAsync } from '../../native/linux/syscalls.ts';
import type { Config } from '../../spec/config.ts';
import { decodeConfig, JsonError, locate, parseJson } from '../../spec/json.ts';
import { checkSemantics } from '../../spec/semantic.ts';
import { validateConfig } from '../../spec/validate.ts';
import { findCgroupMount, ownCgroup } from '../cgroup/locate.ts';
import type { CgroupHost, Context, Request } from '../compile/context.ts';
import { firstDescriptor } from '../compile/descriptors.ts';
import { compileExec } from '../compile/exec.ts';
import { RuntimeError } from '../errors.ts';
import { abandon, beginExecution, executeProgram, StepFailure, type Execution } from '../execute/execute.ts';
import { describeFailure } from '../execute/failure.ts';
import { writeProgram } from '../execute/program-file.ts';
import { issuesError } from './bundle.ts';
import { createHandlers, writePidFile } from './create-handlers.ts';
import { prepareFilter } from './filters.ts';
import { gatherHost } from './host.ts';
import type { ExecOptions } from './options.ts';
import { storedConfig } from './start.ts';
import { processStartTime, readState, type ContainerState } from './state.ts';
import { currentStatus } from './status.ts';

type Process = NonNullable<Config['process']>;

/** Runs a process in a container; resolves to the exit status runt is to end with. Throws RuntimeError when it could not be run. */
export async function execInContainer(options: ExecOptions): Promise<number> {
  const { root, id } = options;
  const directory = `${root}/${id}`;
  const state = readState(root, id);
  checkStatus(currentStatus(state, directory), options);
  const stored = storedConfig(directory);
  const { process, position } = processOf(options, stored);
  const config: Config = { ...stored, process };
  const cgroup = state.cgroup === null ? undefined : cgroupOf(state, options);
  const context: Context = {
    config,
    host: { ...gatherHost({ ...config, mounts: config.mounts?.filter(({ destination }) => destination === '/etc/passwd') ?? [] }, state.bundle, state.rootfs, undefined), cgroup },
    request: requestOf(options, config, state),
  };
  const { pid, terminal } = enterContainer(context, state, position);
  if (options.pidFile !== undefined) writePidFile(posix.resolve(options.pidFile), pid);
  if (options.detach) return 0;
  const { foreground } = await import('./foreground.ts');
  const proxy = await foreground({ ...state, pid, startTime: processStartTime(pid) ?? '' }, terminal);
  const status = exitCode(await waitStatusAsync(pid));
  await proxy.finish();
  return status;
}

/** runtime.md has no exec: the states and their words are runc's. */
function checkStatus(status: string, { ignorePaused }: ExecOptions): void {
  if (status === 'stopped') throw new RuntimeError('cannot exec in a stopped container');
  if (status === 'creating') throw new RuntimeError('cannot exec in a container that is still being created');
  if (status === 'paused' && !ignorePaused) throw new RuntimeError('cannot exec in a paused container (use --ignore-paused to override)');
}

/** Runs the program up to execve. The file of the program has no name any more when the process runs. */
function enterContainer(context: Context, state: ContainerState, position: (pointer: string) => string | undefined): { readonly pid: number; readonly terminal: number } {
  const compiled = compileExec(context, state.pid);
  const path = `${context.request.stateDirectory}/exec-${process.pid}.program`;
  const program = writeProgram(path, compiled, { id: state.id, command: 'exec', started: BigInt(Date.now()) * 1_000_000n });
  let execution: Execution | undefined;
  try {
    unlinkSync(path);
    execution = beginExecution(program);
    const { handlers, result } = createHandlers(context, state, undefined);
    const pid = executeProgram(execution, program, { handlers, firstDescriptor: firstDescriptor(context), inherited: Object.keys(compiled.inherited) });
    closeSync(execution.channel);
    return { pid, terminal: result.terminal };
  } catch (error) {
    if (execution === undefined) throw error;
    const described = error instanceof StepFailure ? describeFailure(execution.image, error, position) : error;
    abandon(execution);
    throw described;
  } finally {
    closeSync(program.fd);
  }
}

function requestOf(options: ExecOptions, config: Config, state: ContainerState): Request {
  const listenFds = /^\d{1,4}$/.test(process.env['LISTEN_FDS'] ?? '') ? Number(process.env['LISTEN_FDS']) : 0;
  const directory = `${options.root}/${options.id}`;
  return {
    id: options.id,
    bundle: state.bundle,
    rootfs: state.rootfs,
    stateDirectory: directory,
    gateDirectory: directory,
    pidFile: undefined,
    noPivot: false,
    noNewKeyring: false,
    preservedFds: listenFds + options.preserveFds,
    listenFds,
    listenFdNames: process.env['LISTEN_FDNAMES'],
    console: consoleOf(options, config.process?.terminal === true),
    filter: prepareFilter(config, options.root),
    deviceFilter: undefined,
  };
}

function consoleOf({ detach, consoleSocket }: ExecOptions, terminal: boolean): Request['console'] {
  if (consoleSocket !== undefined && (!terminal || !detach)) throw new RuntimeError('cannot use console socket if runt will not detach or allocate tty');
  if (!terminal) return { kind: 'none' };
  if (consoleSocket !== undefined) return { kind: 'socket', path: consoleSocket };
  if (detach) throw new RuntimeError('cannot allocate tty if runt will detach without setting console socket', { hint: '--console-socket PATH' });
  return { kind: 'foreground' };
}

/** Where the process is born: the container's cgroup, one below it (--cgroup), or init's own where a tree of init's has grown. */
function cgroupOf(state: ContainerState, { cgroup }: ExecOptions): CgroupHost | undefined {
  const mount = findCgroupMount();
  const base = state.cgroup!.path;
  if (mount === undefined || !existsSync(base)) return undefined;
  const at = (path: string): CgroupHost => ({ mount, path, missing: [], enable: [], controllers: [] });
  if (cgroup !== undefined) {
    if (cgroup.includes(':')) throw new RuntimeError(`invalid --cgroup ${cgroup}`, { hint: 'cgroup v2 has one hierarchy: give a path alone' });
    const path = posix.join(base, cgroup);
    if (path !== base && !path.startsWith(`${base}/`)) throw new RuntimeError(`--cgroup ${cgroup}: not below the container's cgroup`);
    if (!existsSync(path)) throw new RuntimeError(`--cgroup ${cgroup}: no such cgroup below ${base}`);
    return at(path);
  }
  const isInner = readFileSync(`${base}/cgroup.subtree_control`, 'utf8').trim() !== '';
  return at(isInner ? posix.join(mount, ownCgroup(state.pid)) : base);
}

/** The process to run, and where a pointer into it is: a line of --process FILE, or nowhere for flags. */
function processOf(options: ExecOptions, stored: Config): { readonly process: Process; readonly position: (pointer: string) => string | undefined } {
  if (options.processFile === undefined) return { process: fromFlags(options, stored), position: () => undefined };
  const name = basename(options.processFile);
  let text: string;
  let process: unknown;
  try {
    text = decodeConfig(readFileSync(options.processFile));
    process = parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) throw new RuntimeError(`${options.processFile} is not JSON: ${error.message}`, { position: `${name}:${error.line}:${error.column}` });
    throw new RuntimeError(`cannot read ${options.processFile}: ${(error as NodeJS.ErrnoException).code}`);
  }
  const position = (pointer: string): string => {
    const { line, column } = locate(text, pointer.replace(/^\/process/, ''));
    return `${name}:${line}:${column}`;
  };
  check({ ...stored, process: process as Process }, position);
  return { process: process as Process, position };
}

function check(config: Config, position: (pointer: string) => string): void {
  const mine = (issues: ReturnType<typeof validateConfig>): ReturnType<typeof validateConfig> => issues.filter(({ severity, pointer }) => severity === 'error' && pointer.startsWith('/process'));
  let issues = mine(validateConfig(config));
  if (issues.length === 0) issues = mine(checkSemantics(config));
  if (issues.length > 0) throw issuesError(issues, position);
}

/** The container's own process, changed by the flags as runc changes it. */
function fromFlags(options: ExecOptions, { process: own }: Config): Process {
  if (options.args.length === 0) throw new RuntimeError('process args cannot be empty', { hint: 'runt exec CONTAINER COMMAND [ARGUMENT...], or --process FILE' });
  if (own === undefined) throw new RuntimeError('the container has no process to take user and environment from', { hint: '--process FILE' });
  const more = (set: readonly string[] | undefined): readonly string[] => [...(set ?? []), ...options.capabilities];
  const { capabilities } = own;
  const withCapabilities = options.capabilities.length === 0 ? capabilities : { ...capabilities, bounding: more(capabilities?.bounding), effective: more(capabilities?.effective), permitted: more(capabilities?.permitted) };
  return {
    ...own,
    args: options.args,
    terminal: options.tty,
    cwd: options.cwd ?? own.cwd,
    env: [...(own.env ?? []), ...options.env],
    noNewPrivileges: options.noNewPrivileges || own.noNewPrivileges === true,
    user: { ...own.user, ...options.user, additionalGids: [...(own.user?.additionalGids ?? []), ...options.additionalGids] } as NonNullable<Process['user']>,
    ...(withCapabilities === undefined ? {} : { capabilities: withCapabilities }),
  } as Process;
}
