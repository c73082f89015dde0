// A session keyring of the container's own (session-keyring(7)): the caller's keys are not inherited.
import { KEYCTL_JOIN_SESSION_KEYRING, KEYCTL_SETPERM } from '../../native/linux/constants.ts';
import { part, slot, stepsFor, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

/** KEY_POS_ALL, and view, read, search and link for its user: without search a second exec could not join it. */
const PERMISSIONS = 0x3f1b_0000;

export function keyring(context: Context): readonly Step[] {
  return stepsFor(joinKeyring(context), (join) => [join, part('container', '')('keyctl', [KEYCTL_SETPERM, slot('keyring'), PERMISSIONS, 0, 0], '')]);
}

/** The keyring of this name, which is made where there is none. */
export function joinKeyring({ request }: Context): readonly Step[] {
  if (request.noNewKeyring) return [];
  return [part('container', '')('keyctl', [KEYCTL_JOIN_SESSION_KEYRING, `_ses.${request.id}`, 0, 0, 0], 'keys of the caller stay with the caller', { result: 'keyring', tolerate: ['ENOSYS'] })];
}
