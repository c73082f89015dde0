// linux.maskedPaths: a file is covered by the host's /dev/null, a directory by one empty read-only tmpfs shared by all.
import {
  AT_EMPTY_PATH, AT_FDCWD, FSCONFIG_CMD_CREATE, FSCONFIG_SET_STRING, FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH, O_CLOEXEC, O_DIRECTORY, O_PATH, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE,
} from '../../native/linux/constants.ts';
import { part, slot, stepsFor, type Step } from '../program/step.ts';
import { has, type Context } from './context.ts';
import { openInRoot, relativePath } from './paths.ts';

const wanted = ({ config }: Context): readonly string[] => (has(config, 'mount') ? (config.linux?.maskedPaths ?? []) : []);

/**
 * The tmpfs and /dev/null that masks are cloned from. Only an attached mount can be cloned before Linux 6.15, so the
 * tmpfs is attached where the rootfs will cover it, and goes away with the old root. The host's /dev/null is taken,
 * never the container's (CVE-2025-31133).
 */
export function anchorMask(context: Context): readonly Step[] {
  if (wanted(context).length === 0) return [];
  const step = part('container', '/linux/maskedPaths');
  const attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  return [
    step('openat', [AT_FDCWD, '/dev/null', O_PATH | O_CLOEXEC, 0], 'the host’s, never the container’s (CVE-2025-31133)', { result: 'null' }),
    step('fsopen', ['tmpfs', FSOPEN_CLOEXEC], 'one super block for all masked directories', { result: 'mask.fs' }),
    step('fsconfig', [slot('mask.fs'), FSCONFIG_SET_STRING, 'nr_inodes', '2', 0], 'empty, and stays so'),
    step('fsconfig', [slot('mask.fs'), FSCONFIG_SET_STRING, 'nr_blocks', '1', 0], ''),
    step('fsconfig', [slot('mask.fs'), FSCONFIG_CMD_CREATE, null, null, 0], ''),
    step('fsmount', [slot('mask.fs'), FSMOUNT_CLOEXEC, attributes], '', { result: 'mask' }),
    step('close', [slot('mask.fs')], ''),
    step('move_mount', [slot('mask'), '', AT_FDCWD, context.request.rootfs, MOVE_MOUNT_F_EMPTY_PATH], 'only an attached mount can be cloned; the rootfs covers it'),
  ];
}

/** Beyond this many the descriptors are closed one by one, lest RLIMIT_NOFILE be reached; before, execve closes them. */
const MANY = 64;

export function maskedPaths(context: Context): readonly Step[] {
  const seen = new Set<string>();
  const isMany = wanted(context).length > MANY;
  return stepsFor(wanted(context), (path, index) => {
    const relative = relativePath(path);
    if (relative === '' || seen.has(relative)) return [];
    seen.add(relative);
    const at = `/linux/maskedPaths/${index}`;
    const directory = `maskdir${index}`;
    const file = `maskfile${index}`;
    const missing = ['ENOENT', 'EACCES', 'ELOOP'];
    return [
      openInRoot(at, directory, relative, O_PATH | O_DIRECTORY, 'a directory, or else a file, or nothing to hide', { tolerate: [...missing, 'ENOTDIR'] }),
      openInRoot(at, file, relative, O_PATH, '', { tolerate: [...missing, 'ENOTDIR'], unless: directory }),
      ...cover(at, 'mask', directory, index, isMany),
      ...cover(at, 'null', file, index, isMany),
    ];
  });
}

function cover(at: string, source: string, target: string, index: number, isMany: boolean): readonly Step[] {
  const step = part('container', at);
  const clone = `${source}${index}`;
  return [
    step('open_tree', [slot(source), '', OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH], '', { result: clone, needs: target }),
    step('move_mount', [slot(clone), '', slot(target), '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH], ''),
    ...(isMany ? [step('close', [slot(clone)], ''), step('close', [slot(target)], '')] : []),
  ];
}
