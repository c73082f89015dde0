// What checkpoint and restore ask of CRIU alike: directories, its configuration file, external namespaces, and the words of the command line.
import { closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import type { Config } from '../../spec/config.ts';
import { cgroupsMode, networkLock, type Options } from '../criu/messages.ts';
import { RuntimeError } from '../errors.ts';

/** Flags that both verbs have. */
export interface CriuOptions {
  readonly imagePath: string;
  readonly workPath: string | undefined;
  readonly tcpEstablished: boolean;
  readonly tcpClose: boolean;
  readonly extUnixSk: boolean;
  readonly shellJob: boolean;
  readonly lazyPages: boolean;
  readonly fileLocks: boolean;
  readonly cgroupsMode: string;
  readonly emptyNetwork: boolean;
  readonly autoDedup: boolean;
  readonly networkLock: string | undefined;
}

const LOG_EVERYTHING = 4;
const CLONE_NEWNET = 0x4000_0000;

export interface Directories {
  readonly images: number;
  readonly work: number;
  /** The path of CRIU's log. */
  readonly log: string;
  readonly close: () => void;
}

/** Opens the directories of images and logs; that of images is made, with this mode, unless there is none to be made. Throws RuntimeError. */
export function openDirectories({ imagePath, workPath }: CriuOptions, log: string, mode?: number): Directories {
  const images = openDirectory(posix.resolve(imagePath), mode);
  try {
    const work = openDirectory(posix.resolve(workPath ?? imagePath), 0o700);
    return { images, work, log: posix.join(posix.resolve(workPath ?? imagePath), log), close: () => [images, work].forEach((fd) => closeSync(fd)) };
  } catch (error) {
    closeSync(images);
    throw error;
  }
}

function openDirectory(path: string, mode: number | undefined): number {
  try {
    if (mode !== undefined) mkdirSync(path, { mode, recursive: true });
    if (!statSync(path).isDirectory()) throw new RuntimeError(`${path} is not a directory`);
    return openSync(path, 'r');
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    throw new RuntimeError(`cannot open the directory of the checkpoint ${path}: ${(error as NodeJS.ErrnoException).code}`, { hint: '--image-path DIR' });
  }
}

/**
 * The same directories on the mounts of a process in a mount namespace of its own. CRIU makes one of them its working
 * directory, and from one on the mounts of another namespace it could mount nothing (mount(2), EINVAL). Those that were
 * open already where that process has ended.
 */
export function openWithin(pid: number, options: CriuOptions, directories: Directories): Directories {
  const opened: number[] = [];
  const close = (): void => opened.forEach((fd) => closeSync(fd));
  try {
    for (const path of [options.imagePath, options.workPath ?? options.imagePath]) opened.push(openSync(`/proc/${pid}/root${posix.resolve(path)}`, 'r'));
    return { images: opened[0]!, work: opened[1]!, log: directories.log, close };
  } catch {
    close();
    return { ...directories, close: () => {} };
  }
}

/** Options by CRIU's names. Throws RuntimeError for a word it does not know. */
export function commonOptions(options: CriuOptions, config: Config, directories: Directories): Options {
  const mode = cgroupsMode[options.cgroupsMode];
  if (mode === undefined) throw new RuntimeError(`invalid manage-cgroups-mode value: ${JSON.stringify(options.cgroupsMode)}`, { hint: Object.keys(cgroupsMode).join(', ') });
  const lock = options.networkLock === undefined ? undefined : networkLock[options.networkLock];
  if (options.networkLock !== undefined && lock === undefined) throw new RuntimeError(`invalid network-lock value: ${JSON.stringify(options.networkLock)}`, { hint: Object.keys(networkLock).join(', ') });
  return {
    images_dir_fd: directories.images,
    work_dir_fd: directories.work,
    log_level: LOG_EVERYTHING,
    log_file: posix.basename(directories.log),
    manage_cgroups: true,
    manage_cgroups_mode: mode,
    notify_scripts: true,
    orphan_pts_master: true,
    shell_job: options.shellJob,
    tcp_established: options.tcpEstablished,
    tcp_close: options.tcpClose || undefined,
    ext_unix_sk: options.extUnixSk,
    file_locks: options.fileLocks,
    empty_ns: options.emptyNetwork ? CLONE_NEWNET : 0,
    auto_dedup: options.autoDedup,
    lazy_pages: options.lazyPages,
    network_lock: lock,
    config_file: configFile(config),
  };
}

/** The annotation org.criu.config names CRIU's own file; empty means none. Without it that of runt, or else that of runc. */
function configFile({ annotations }: Config): string | undefined {
  const asked = annotations?.['org.criu.config'];
  if (asked !== undefined) return asked === '' ? undefined : asked;
  return ['/etc/criu/runt.conf', '/etc/criu/runc.conf'].find((path) => existsSync(path));
}

/** Namespaces with a path that CRIU leaves to whoever made them: their type and the key by which restore hands them in. */
export function externalNamespaces(config: Config): readonly { readonly type: 'net' | 'pid'; readonly path: string; readonly key: string; readonly at: string }[] {
  return (config.linux?.namespaces ?? []).flatMap(({ type, path }, index) => {
    if (!path || (type !== 'network' && type !== 'pid')) return [];
    const short = type === 'network' ? 'net' : 'pid';
    return [{ type: short, path, key: `extRoot${short === 'net' ? 'Net' : 'Pid'}NS`, at: `/linux/namespaces/${index}` } as const];
  });
}

/** Binds of config.json: where they are in the container, and where they come from. */
export function bindMounts(config: Config, bundle: string): readonly { readonly destination: string; readonly source: string }[] {
  return (config.mounts ?? []).filter(({ type, options }) => type === 'bind' || options?.some((word) => word === 'bind' || word === 'rbind')).map(({ destination, source = '' }) => ({
    destination: posix.resolve('/', destination),
    source: source.startsWith('/') ? source : posix.join(bundle, source),
  }));
}
