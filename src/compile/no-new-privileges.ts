// process.noNewPrivileges (prctl(2) PR_SET_NO_NEW_PRIVS).
import { PR_SET_NO_NEW_PRIVS } from '../../native/linux/constants.ts';
import { part, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

export function noNewPrivileges({ config }: Context): readonly Step[] {
  if (config.process?.noNewPrivileges !== true) return [];
  return [part('container', '/process/noNewPrivileges')('prctl', [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0], 'execve gives no rights any more')];
}
