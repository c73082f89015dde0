// Standard input, output and error are inherited as they are; only their owner becomes process.user, who may then open /dev/stdout.
import { AT_EMPTY_PATH } from '../../native/linux/constants.ts';
import { part, stepsFor, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

const RDEV_OFFSET = 128; // struct statx, stx_rdev_major and stx_rdev_minor
const NULL_DEVICE = 3n << 32n | 1n;
const ENODEV = 19;

/** As runc: pipes and files of the caller, never the host's /dev/null. */
export function ownStdio({ config }: Context): readonly Step[] {
  const uid = Number(config.process?.user?.uid ?? 0);
  if (uid === 0 || config.process?.terminal === true) return [];
  const step = part('container', '/process/user/uid');
  return stepsFor([0, 1, 2], (fd) => {
    const memory = { out: 'stdio', size: 256 };
    return [
      step('statx', [fd, '', AT_EMPTY_PATH, 0, memory], 'which device it is', { tolerate: ['EBADF'], result: `stdio${fd}` }),
      step('expect', [{ ...memory, offset: RDEV_OFFSET }, 8, 0xffff_ffff_ffff_ffffn, NULL_DEVICE, ENODEV], 'the host’s /dev/null is everyone’s', { needs: `stdio${fd}`, tolerate: ['ENODEV'], result: `stdio${fd}.null` }),
      step('fchown', [fd, uid, -1], 'the user may open it again by its name', { needs: `stdio${fd}`, unless: `stdio${fd}.null`, tolerate: ['EPERM', 'EINVAL', 'EROFS'] }),
    ];
  });
}
