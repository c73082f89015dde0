// The state directory of a container, <root>/<id>: state.json, program, config.json, and the gate while it is `created`.
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { RuntimeError } from '../errors.ts';
import { GATE } from '../prepared/facts.ts';

/** state.json, version 1. */
export interface ContainerState {
  readonly version: 1;
  readonly ociVersion: string;
  readonly id: string;
  /** Absolute. */
  readonly bundle: string;
  readonly rootfs: string;
  /** RFC 3339. */
  readonly created: string;
  /** Uid of who created it. */
  readonly owner: number;
  /** 0 until init exists. */
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, in clock ticks: with the pid it names one process for good. */
  readonly startTime: string;
  /** With the systemd unit that holds it, and whether that is a user's. */
  readonly cgroup: { readonly path: string; readonly unit?: string; readonly isUser?: boolean } | null;
  readonly status: 'creating' | 'created';
  readonly privatePidNamespace: boolean;
  /** --no-new-keyring of create: exec then leaves the caller's session keyring as well. */
  readonly noNewKeyring?: boolean;
  /** linux.intelRdt made directories; which ones, the flight recorder knows. */
  readonly resctrl?: true;
  readonly hooks: { readonly startContainer: boolean; readonly poststart: boolean; readonly poststop: boolean };
}

/** Where the gate's socket is while a container is `created`. */
export const gateOf = (stateDirectory: string): string => `${stateDirectory}/${GATE}`;

/** The state a hook reads from its standard input (runtime.md#state). */
export interface HookState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: string;
  readonly pid: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const LONGEST_ID = 1024;
/** Reads of a state file that is not there while its directory is: another container of that name is coming. */
const ATTEMPTS = 3;

/** runc's rule, and no id may begin with a dot: those names are ours. Throws RuntimeError. */
export function validateContainerId(id: string): void {
  if (!/^[\w+.-]+$/.test(id) || id.startsWith('.') || id.length > LONGEST_ID) {
    throw new RuntimeError(`invalid container ID format: ${JSON.stringify(id.slice(0, 80))}`, { hint: 'letters, digits, and _ + . - ; no dot in front' });
  }
}

/** Makes <root>/<id>, 0700, with config.json and its first state.json in it: who finds the directory can read them. Throws RuntimeError when the container exists. */
export function createStateDirectory(root: string, state: ContainerState, config: Uint8Array): string {
  validateContainerId(state.id);
  const directory = `${root}/${state.id}`;
  const [hidden] = outOfSight(directory);
  try {
    mkdirSync(root, { recursive: true, mode: 0o711 });
    mkdirSync(hidden, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && existsSync(hidden)) throw alreadyExists(root, state.id);
    throw new RuntimeError(`cannot make the state directory ${directory}: ${code}`, { errno: code });
  }
  try {
    writeFileSync(`${hidden}/config.json`, config, { mode: 0o600 });
    writeState(hidden, state);
    renameSync(hidden, directory);
  } catch (error) {
    rmSync(hidden, { recursive: true, force: true });
    if (existsSync(directory)) throw alreadyExists(root, state.id);
    const { code } = error as NodeJS.ErrnoException;
    throw new RuntimeError(`cannot make the state directory ${directory}: ${code}`, { errno: code });
  }
  return directory;
}

/** The error for an id that nobody has. */
export const doesNotExist = (root: string): RuntimeError => new RuntimeError('container does not exist', { hint: `looked in ${root}` });

/** The error for an id that is taken. */
export function alreadyExists(root: string, id: string): RuntimeError {
  return new RuntimeError('container with given ID already exists', { hint: `runt --root ${root} delete ${id}, or another id` });
}

export function containerExists(root: string, id: string): boolean {
  validateContainerId(id);
  return existsSync(`${root}/${id}`);
}

/** Reads state.json. Throws RuntimeError: no such container, or a file that is not what this runtime wrote. */
export function readState(root: string, id: string): ContainerState {
  validateContainerId(id);
  const path = `${root}/${id}/state.json`;
  const { text, owner } = openedState(path, `${root}/${id}`, id);
  if (owner !== process.geteuid!() && owner !== 0) throw new RuntimeError(`state file ${path} belongs to uid ${owner}`, { hint: 'it is not trusted' });
  return parseState(text, path, id);
}

/** Read by descriptor: delete may take the file away, and a create bring another, at any time. */
function openedState(path: string, directory: string, id: string): { readonly text: string; readonly owner: number } {
  for (let attempt = 0; ; attempt++) {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') throw new RuntimeError(`cannot read ${path}: ${code}`, { errno: code });
      if (!existsSync(directory)) throw doesNotExist(posix.dirname(directory));
      if (attempt < ATTEMPTS) continue;
      throw new RuntimeError(`state file ${path} is missing: create was interrupted`, { hint: `delete --force ${id} clears it` });
    }
    try {
      return { text: readFileSync(fd, 'utf8'), owner: fstatSync(fd).uid };
    } finally {
      closeSync(fd);
    }
  }
}

function parseState(text: string, path: string, id: string): ContainerState {
  let state: Partial<ContainerState> | null;
  try {
    state = JSON.parse(text) as Partial<ContainerState> | null;
  } catch {
    throw new RuntimeError(`state file ${path} is damaged (${text.length} bytes)`, { hint: `delete --force ${id} clears it` });
  }
  if (state === null || typeof state !== 'object' || state.version !== 1 || typeof state.pid !== 'number' || state.id !== id || typeof state.hooks !== 'object') {
    throw new RuntimeError(`state file ${path} is not one of this version`, { hint: `delete --force ${id} clears it` });
  }
  return state as ContainerState;
}

/** Writes state.json whole or not at all. */
export function writeState(directory: string, state: ContainerState): void {
  writeFileSync(`${directory}/state.json.new`, JSON.stringify(state), { mode: 0o600 });
  renameSync(`${directory}/state.json.new`, `${directory}/state.json`);
}

/** Where a state directory is while it is made, and while it is removed: no id begins with a dot or has these ends. */
const outOfSight = (directory: string): readonly [made: string, removed: string] => [posix.join(posix.dirname(directory), `.${posix.basename(directory)}~`), posix.join(posix.dirname(directory), `.${posix.basename(directory)}^`)];

/** Removes it: first out of sight, so that nobody meets half a container. */
export function removeStateDirectory(directory: string): void {
  const [, removed] = outOfSight(directory);
  rmSync(removed, { recursive: true, force: true });
  try {
    renameSync(directory, removed);
  } catch {
    return; // gone already
  }
  rmSync(removed, { recursive: true, force: true });
}

/** Whether a delete has taken a container out of sight and not removed it. */
export const isHalfRemoved = (directory: string): boolean => existsSync(outOfSight(directory)[1]);

/** Removes what a create or delete of this id left out of sight when it was killed. */
export function sweepStateDirectory(root: string, id: string): void {
  for (const left of outOfSight(`${root}/${id}`)) rmSync(left, { recursive: true, force: true });
}

/** Ids of all containers below a root, sorted. A root that does not exist has none. */
export function containerIds(root: string): readonly string[] {
  try {
    return readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map((entry) => entry.name).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** When a process started: field 22 of /proc/PID/stat (proc_pid_stat(5)). Undefined when it is gone or a zombie. */
export function processStartTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** The state a hook or a seccomp agent is told (runtime.md#state). Annotations are config.json's: state.json has none. */
export function hookState({ ociVersion, id, bundle }: ContainerState, annotations: HookState['annotations'], status: string, pid: number): HookState {
  return { ociVersion, id, status, pid, bundle, ...(annotations === undefined ? {} : { annotations }) };
}
