// --inject STEP=ERRNO: a step that is not made and fails, on either side, as if the kernel had refused it.
import { errnoName, errnoNumber } from '../../native/linux/errno.ts';
import { RuntimeError } from '../errors.ts';
import type { Image } from '../program/decode.ts';
import { injectErrno } from '../program/select.ts';
import { chooseStep } from './choose.ts';

/** Readies a program for what was asked; the first step that STEP names fails. Throws RuntimeError, also for what is no STEP=ERRNO. */
export function injecting(asked: readonly string[]): (image: Image) => void {
  const pairs = asked.map(parse);
  return (image) => {
    for (const { step, errno } of pairs) injectErrno(image, chooseStep(image, step, '--inject').index, errno);
  };
}

function parse(text: string): { readonly step: string; readonly errno: string } {
  const at = text.lastIndexOf('=');
  const given = text.slice(at + 1);
  const errno = /^\d{1,3}$/.test(given) ? errnoName(Number(given)) : given.toUpperCase();
  if (at < 1) throw new RuntimeError(`invalid value ${JSON.stringify(text)} for --inject`, { hint: 'STEP=ERRNO, as pivot_root=EPERM, /mounts/3=ENOSPC or 17=EIO' });
  try {
    errnoNumber(errno);
  } catch {
    throw new RuntimeError(`--inject: no such errno: ${given}`, { hint: 'a name as in errno(3), or its number' });
  }
  return { step: text.slice(0, at), errno };
}
