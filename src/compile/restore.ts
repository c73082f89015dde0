// THE ORDER of `restore`: what CRIU needs around it, each part with the reason for its place. The container itself is CRIU's work.
import { AT_FDCWD, CLONE_INTO_CGROUP, CLONE_NEWNS, CLONE_PARENT, MS_BIND, MS_REC, MS_SLAVE, O_CLOEXEC, O_DIRECTORY, O_PATH } from '../../native/linux/constants.ts';
import { part, slot, type Program, type Step } from '../program/step.ts';
import { cgroup } from './cgroups-path.ts';
import { has, type Context } from './context.ts';
import { firstDescriptor, initialDescriptors } from './descriptors.ts';
import { mountPoint } from './mounts.ts';
import { openTarget, relativePath } from './paths.ts';
import { resources } from './resources.ts';
import { scope } from './scope.ts';

export interface RestoreRequest {
  /** Path of the criu executable. */
  readonly criu: string;
  readonly environment: readonly string[];
  /** The number of the descriptor CRIU is spoken to on. */
  readonly socket: number;
  /** An empty directory below which the rootfs is mounted for CRIU alone. */
  readonly root: string;
}

/** The request's preserved descriptors are CRIU's: its socket and namespaces to restore into. */
export function compileRestore(context: Context, restore: RestoreRequest): Program {
  const inherited: Readonly<Record<string, number>> = context.host.cgroup === undefined || context.host.cgroup.unit !== undefined ? {} : { cgroup: firstDescriptor(context) + 2 };
  const steps: Step[] = [
    ...cgroup(context), //                             by the runtime: limits hold before the first process is back
    ...resources(context),

    ...initialDescriptors(context, inherited), //      no host descriptor gets into the container (CVE-2024-21626)
    ...scope(context), //                              systemd makes a cgroup around a process that exists: this one, which CRIU replaces
    ...mountRoot(context, restore), //                 in a mount namespace of CRIU's own: whatever happens, no mount is left
    ...mountPoints(context), //                        a checkpoint has no files of the rootfs: on a fresh one they are missing
    ...birth(context), //                              CRIU starts in the container's cgroup: what it restores is born there
    part('container', '')('execve', [restore.criu, { words: ['criu', 'swrk', String(restore.socket)] }, { words: restore.environment }], 'end of file on the hand-over socket says that it worked'),
  ];
  return { steps, inherited };
}

function mountRoot({ request }: Context, { root }: RestoreRequest): readonly Step[] {
  const step = part('container', '/root/path');
  return [
    step('unshare', [CLONE_NEWNS], 'its mounts leave with it'),
    step('mount', [null, '/', null, MS_REC | MS_SLAVE, null], 'mounts of CRIU do not reach the host'),
    step('mount', [request.rootfs, root, null, MS_BIND | MS_REC, null], 'CRIU wants a mount point whose parent nothing covers'),
    step('openat', [AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], '', { result: 'root' }),
  ];
}

/** As create makes them; those in a tmpfs or below another mount come back with that. */
function mountPoints(context: Context): readonly Step[] {
  const covered = (context.config.mounts ?? []).map(({ destination }) => relativePath(destination));
  return (context.config.mounts ?? []).flatMap((mount, index) => {
    const target = mountPoint(context, mount, index);
    const path = relativePath(mount.destination);
    if (path === '' || covered.some((other) => path.startsWith(`${other}/`))) return [];
    return [...openTarget(target), part('container', target.at)('close', [slot(target.name)], '')];
  });
}

/** A child of the runtime, as what it restores will be (rst_sibling). */
function birth({ config, host }: Context): readonly Step[] {
  const members = host.cgroup === undefined ? { flags: CLONE_PARENT } : { flags: CLONE_PARENT + CLONE_INTO_CGROUP, cgroup: slot('cgroup') };
  const at = has(config, 'cgroup') ? '/linux/cgroupsPath' : '';
  return [part('container', at)('clone3', [{ struct: 'clone_args', members }, 88], 'waited for by the runtime', { result: 'init' })];
}
