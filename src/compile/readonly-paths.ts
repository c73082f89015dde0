// linux.readonlyPaths: each is bound on itself, read-only; a path that does not exist needs no protection.
import { AT_EMPTY_PATH, AT_RECURSIVE, MOUNT_ATTR_RDONLY, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH, O_PATH, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE } from '../../native/linux/constants.ts';
import { part, slot, stepsFor, type Step } from '../program/step.ts';
import { has, type Context } from './context.ts';
import { itself, openInRoot, relativePath } from './paths.ts';

export function readonlyPaths({ config }: Context): readonly Step[] {
  const paths = has(config, 'mount') ? (config.linux?.readonlyPaths ?? []) : [];
  return stepsFor(paths, (path, index) => {
    const at = `/linux/readonlyPaths/${index}`;
    const step = part('container', at);
    const target = `rotarget${index}`;
    const clone = `ro${index}`;
    return [
      openInRoot(at, target, relativePath(path), O_PATH, 'what is missing needs no protection', { tolerate: ['ENOENT', 'ENOTDIR', 'EACCES'] }),
      step('open_tree', [slot(target), '', OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE], '', { result: clone }),
      step('mount_setattr', [...itself(clone), { struct: 'mount_attr', members: { attr_set: MOUNT_ATTR_RDONLY } }, 32], ''),
      step('move_mount', [slot(clone), '', slot(target), '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH], ''),
      step('close', [slot(clone)], ''),
      step('close', [slot(target)], ''),
    ];
  });
}
