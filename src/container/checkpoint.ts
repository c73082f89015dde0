// `checkpoint`: CRIU writes the processes of a container to image files; afterwards the container is gone, unless it is to go on.
import { closeSync, fstatSync, lstatSync, readFileSync, readlinkSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { posix } from 'node:path';
import { F_DUPFD_CLOEXEC, SOCK_CLOEXEC } from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { spawn } from '../../native/linux/spawn.ts';
import { call, SOCK_SEQPACKET, socketpair, waitStatus } from '../../native/linux/syscalls.ts';
import type { Config } from '../../spec/config.ts';
import { has } from '../compile/context.ts';
import { requestType, type Options } from '../criu/messages.ts';
import { criuEnvironment, findCriu, SOCKET, talk } from '../criu/talk.ts';
import { RuntimeError } from '../errors.ts';
import { bindMounts, commonOptions, externalNamespaces, openDirectories, type CriuOptions } from './criu-options.ts';
import { removeContainer } from './delete.ts';
import { withLock } from './lock.ts';
import { readState, type ContainerState } from './state.ts';
import { currentStatus } from './status.ts';
import { storedConfig } from './stored-config.ts';

export interface CheckpointOptions extends CriuOptions {
  readonly root: string;
  readonly id: string;
  /** Of an earlier --pre-dump, relative to the image directory. */
  readonly parentPath: string | undefined;
  readonly leaveRunning: boolean;
  readonly preDump: boolean;
  readonly tcpSkipInFlight: boolean;
  readonly linkRemap: boolean;
  /** A descriptor of the caller that gets one byte when lazy pages can be asked for. */
  readonly statusFd: number | undefined;
  readonly pageServer: { readonly address: string; readonly port: number } | undefined;
}

/** Which standard streams were pipes or files of the host, for restore: as runc writes it. */
export const DESCRIPTORS = 'descriptors.json';

/** Throws RuntimeError: not running, or CRIU refused; then the container goes on. */
export async function checkpointContainer(options: CheckpointOptions, warn: (message: string) => void): Promise<void> {
  const directory = `${options.root}/${options.id}`;
  await withLock(directory, async () => {
    const state = readState(options.root, options.id);
    const now = currentStatus(state, directory);
    if (now !== 'running' && now !== 'paused') throw new RuntimeError(`Container cannot be checkpointed in ${now} state`);
    checkParent(options.parentPath);
    checkStatusFd(options.statusFd);
    dump(options, state, storedConfig(directory));
    if (!options.leaveRunning && !options.preDump) await removeContainer(directory, state, warn);
  });
}

function checkParent(path: string | undefined): void {
  if (path !== undefined && path.startsWith('/')) throw new RuntimeError('--parent-path must be relative', { hint: 'to the directory of --image-path' });
}

function checkStatusFd(fd: number | undefined): void {
  if (fd === undefined) return;
  try {
    fstatSync(fd);
  } catch (error) {
    throw new RuntimeError(`invalid --status-fd argument ${fd}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function dump(options: CheckpointOptions, state: ContainerState, config: Config): void {
  const criu = findCriu();
  // The root of a user namespace goes through it to the images, which are handed to it open.
  const directories = openDirectories(options, 'dump.log', has(config, 'user') ? 0o711 : 0o700);
  try {
    const streams = options.preDump ? [] : standardStreams(state.pid);
    if (!options.preDump) writeFileSync(posix.join(posix.resolve(options.imagePath), DESCRIPTORS), JSON.stringify(streams), { mode: 0o600 });
    const request: Options = {
      ...commonOptions(options, config, directories),
      root: state.rootfs,
      pid: state.pid,
      leave_running: options.leaveRunning,
      tcp_skip_in_flight: options.tcpSkipInFlight,
      link_remap: options.linkRemap,
      freeze_cgroup: state.cgroup?.path,
      ps: options.pageServer === undefined ? undefined : { 1: options.pageServer.address, 2: options.pageServer.port },
      parent_img: options.parentPath,
      track_mem: options.preDump || options.parentPath !== undefined,
      external: [...externalNamespaces(config).map(({ type, path, key }) => `${type}[${statSync(path).ino}]:${key}`), ...streams.filter((stream) => stream.startsWith('file['))],
      ext_mnt: options.preDump ? undefined : externalMounts(config, state),
    };
    converse(criu, (socket) => talk({
      socket, type: options.preDump ? requestType.preDump : requestType.dump, options: request, log: directories.log,
      notified: (script) => {
        if (script === 'status-ready' && options.statusFd !== undefined) writeSync(options.statusFd, '\0');
      },
    }));
  } finally {
    directories.close();
  }
}

/** Starts CRIU, speaks to it, and waits for its end. */
function converse(criu: string, body: (socket: number) => unknown): void {
  const pair = socketpair(SOCK_SEQPACKET | SOCK_CLOEXEC);
  if (typeof pair === 'number') throw new RuntimeError(`socketpair: ${errnoName(-pair)}`);
  const [ours, theirs] = pair;
  const moved = call('fcntl', theirs, F_DUPFD_CLOEXEC, SOCKET + 1); // spawn wants it outside the numbers of the new process
  closeSync(theirs);
  const pid = spawn({ path: criu, args: ['criu', 'swrk', String(SOCKET)], env: criuEnvironment(), fds: new Map([[0, 0], [1, 1], [2, 2], [SOCKET, moved]]) });
  closeSync(moved);
  try {
    if (pid < 0) throw new RuntimeError(`cannot execute ${criu}: ${errnoName(-pid)}`);
    body(ours);
  } finally {
    closeSync(ours); // CRIU ends with the conversation
    if (pid > 0) waitStatus(pid);
  }
}

/** What is bound from the host; CRIU is told, because it cannot know where it came from. A masked file is the host's /dev/null. */
function externalMounts(config: Config, { bundle, pid }: ContainerState): readonly Record<number, string>[] {
  const isMaskedFile = (path: string): boolean => {
    try {
      return !lstatSync(`/proc/${pid}/root${path}`).isDirectory();
    } catch {
      return false;
    }
  };
  const masked = new Set((config.linux?.maskedPaths ?? []).map((path) => posix.resolve('/', path)));
  return [
    ...bindMounts(config, bundle).map(({ destination }) => ({ 1: destination, 2: destination })),
    ...[...masked].filter(isMaskedFile).map((path) => ({ 1: path, 2: '/dev/null' })),
    ...boundDevices(pid).map((path) => ({ 1: path, 2: path })),
  ];
}

/** With a user namespace device nodes are the host's, bound (mounts of one file below /dev). */
function boundDevices(pid: number): readonly string[] {
  return mountsOf(pid).filter(({ point, type, root }) => type === 'devtmpfs' && root !== '/' && /^\/dev\/[^/]+$/.test(point)).map(({ point }) => point);
}

/** proc_pid_mountinfo(5), as far as it is needed. */
function mountsOf(pid: number): readonly { readonly id: number; readonly root: string; readonly point: string; readonly type: string }[] {
  return readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n').filter(Boolean).map((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [id, , , root = '', point = ''] = left.split(' ');
    return { id: Number(id), root, point, type: right.split(' ')[0]! };
  });
}

/** `pipe:[7]` for a pipe; `file[MOUNT:INODE]`, as CRIU names it, for what lies on no mount of the container; the path otherwise. */
function standardStreams(pid: number): readonly string[] {
  const ids = new Set(mountsOf(pid).map(({ id }) => id));
  return [0, 1, 2].map((fd) => {
    try {
      const name = readlinkSync(`/proc/${pid}/fd/${fd}`);
      if (!name.startsWith('/')) return name;
      const mount = Number(/^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'))?.[1] ?? 0);
      return ids.has(mount) ? name : `file[${mount.toString(16)}:${statSync(`/proc/${pid}/fd/${fd}`).ino.toString(16)}]`;
    } catch {
      return '';
    }
  });
}
