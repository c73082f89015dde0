// root, linux.rootfsPropagation and pivot_root: how the rootfs becomes `/`.
import {
  AT_EMPTY_PATH, AT_FDCWD, AT_RECURSIVE, MNT_DETACH, MOUNT_ATTR_RDONLY, MOVE_MOUNT_F_EMPTY_PATH, MS_PRIVATE, MS_REC, MS_SHARED, MS_SLAVE,
  MS_UNBINDABLE, O_CLOEXEC, O_DIRECTORY, O_PATH, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE,
} from '../../native/linux/constants.ts';
import { part, slot, type Step } from '../program/step.ts';
import { has, type Context } from './context.ts';
import { anchorMask } from './masked-paths.ts';

const propagationFlags: Readonly<Record<string, number>> = { shared: MS_SHARED, slave: MS_SLAVE, private: MS_PRIVATE, unbindable: MS_UNBINDABLE };

/** `rslave` → MS_SLAVE and whether it is recursive; undefined for a word that is none. */
export function propagation(word: string): { readonly flag: number; readonly recursive: boolean } | undefined {
  const recursive = word.startsWith('r');
  const name = recursive ? word.slice(1) : word;
  return Object.hasOwn(propagationFlags, name) ? { flag: propagationFlags[name]!, recursive } : undefined;
}

const asksFor = ({ config }: Context, flag: number): boolean => propagation(config.linux?.rootfsPropagation ?? '')?.flag === flag;

/** True when mount events are to travel from the container to the host. */
export const sharesWithHost = (context: Context): boolean => asksFor(context, MS_SHARED);

/** A clone of the rootfs's mount, opened with the host's rights; not attached anywhere yet. */
export function rootSource(context: Context): readonly Step[] {
  const { config, request } = context;
  if (!has(config, 'mount')) return [];
  const step = part('container', '/root/path');
  return [
    step('open_tree', [AT_FDCWD, request.rootfs, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE], 'pivot_root(2) wants a mount point: a bind of the rootfs', { result: 'root' }),
    receiveOnly(context, 'root', '/root/path'), // also where the root is to be shared: what is mounted below it is nobody's but the container's
  ];
}

/** Mounts made on a clone would appear on the host when its source is shared: it only receives, or not even that, unless asked otherwise. */
export function keepEvents(context: Context, name: string, at: string): readonly Step[] {
  return sharesWithHost(context) ? [] : [receiveOnly(context, name, at)];
}

const slave = { struct: 'mount_attr', members: { propagation: MS_SLAVE } } as const;
const isolated = { struct: 'mount_attr', members: { propagation: MS_PRIVATE } } as const;

function receiveOnly(context: Context, name: string, at: string): Step {
  const isPrivate = asksFor(context, MS_PRIVATE);
  return part('container', at)('mount_setattr', [slot(name), '', AT_EMPTY_PATH | AT_RECURSIVE, isPrivate ? isolated : slave, 32], isPrivate ? 'events neither come from the host nor go there' : 'events come from the host and never go there');
}

/** In the new mount namespace: nothing propagates back, and the rootfs is attached where it lies. */
export function prepareRoot(context: Context): readonly Step[] {
  const { config, host, request } = context;
  if (!has(config, 'mount')) return openOnly(request.rootfs);
  const wanted = propagation(config.linux?.rootfsPropagation ?? 'rslave') ?? { flag: MS_SLAVE, recursive: true };
  const flag = wanted.flag === MS_UNBINDABLE ? MS_SLAVE : wanted.flag;
  const step = part('container', config.linux?.rootfsPropagation === undefined ? '' : '/linux/rootfsPropagation');
  const steps = [step('mount', [null, '/', null, MS_REC | flag, null], 'mounts of the container do not reach the host')];
  if (flag === MS_SHARED && host.rootfsMountPoint !== undefined) {
    steps.push(step('mount', [null, host.rootfsMountPoint, null, MS_PRIVATE, null], 'pivot_root(2) refuses a shared parent'));
  }
  const root = part('container', '/root/path');
  return [
    ...steps,
    ...anchorMask(context),
    root('move_mount', [slot('root'), '', AT_FDCWD, request.rootfs, MOVE_MOUNT_F_EMPTY_PATH], 'where it lies, so that hooks find it'),
  ];
}

function openOnly(rootfs: string): readonly Step[] {
  return [part('container', '/root/path')('openat', [AT_FDCWD, rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], 'no mount namespace: the rootfs is entered by chroot', { result: 'root' })];
}

export function rootReadonly({ config }: Context): readonly Step[] {
  if (config.root?.readonly !== true) return [];
  const attributes = { struct: 'mount_attr', members: { attr_set: MOUNT_ATTR_RDONLY } } as const;
  return [part('container', '/root/readonly')('mount_setattr', [slot('root'), '', AT_EMPTY_PATH, attributes, 32], 'after everything that is created in it')];
}

/** pivot_root(2) NOTES: with both arguments `.` no directory for the old root is needed. */
export function pivotRoot(context: Context): readonly Step[] {
  const { config, request } = context;
  const step = part('container', '/root/path');
  const enter = step('fchdir', [slot('root')], 'by descriptor: the path may have changed');
  if (!has(config, 'mount')) {
    return [enter, step('chroot', ['.'], 'without a mount namespace there is nothing to pivot'), step('chdir', ['/'], '')];
  }
  if (request.noPivot) {
    return [
      enter,
      step('move_mount', [slot('root'), '', AT_FDCWD, '/', MOVE_MOUNT_F_EMPTY_PATH], '--no-pivot: an initramfs cannot be pivoted away'),
      step('chroot', ['.'], 'the moved mount becomes the root'),
      step('chdir', ['/'], ''),
    ];
  }
  const [before, after] = sharesWithHost(context) ? [
    [step('openat', [AT_FDCWD, '/', O_PATH | O_DIRECTORY | O_CLOEXEC, 0], 'the old root, whose mounts are peers of the host’s', { result: 'old' })],
    [step('fchdir', [slot('old')], ''), step('mount', [null, '.', null, MS_REC | MS_SLAVE, null], 'the host’s own must not be unmounted with it'), step('close', [slot('old')], '')],
  ] : [[], []];
  return [
    ...before,
    enter,
    step('pivot_root', ['.', '.'], 'stacks the old root on the new one'),
    ...after,
    step('umount2', ['.', MNT_DETACH], 'the host’s tree is gone from here'),
    step('chdir', ['/'], 'the working directory was the old root'),
  ];
}

/** Exactly what was asked, on the new root. */
export function rootPropagation({ config }: Context): readonly Step[] {
  const asked = config.linux?.rootfsPropagation;
  if (asked === undefined || asked === '' || !has(config, 'mount')) return [];
  const wanted = propagation(asked);
  if (wanted === undefined || (wanted.flag !== MS_SHARED && wanted.flag !== MS_UNBINDABLE)) return [];
  const step = part('container', '/linux/rootfsPropagation');
  return [step('mount', [null, '/', null, wanted.flag | (wanted.recursive ? MS_REC : 0), null], 'after pivot_root, which refuses it')];
}
