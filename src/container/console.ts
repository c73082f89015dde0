// Where the master of a pty goes: to a console socket, or to the runtime where that stays.
import type { Request } from '../compile/context.ts';
import { RuntimeError } from '../errors.ts';

/** Throws RuntimeError, in runc's words, where nobody would hold the terminal, or where nobody asked for one. */
export function consoleOf(terminal: boolean, detach: boolean, socket: string | undefined): Request['console'] {
  const refuse = (message: string, hint?: string): never => {
    throw new RuntimeError(message, { pointer: '/process/terminal', hint });
  };
  if (socket !== undefined && !(terminal && detach)) refuse('cannot use console socket if runt will not detach or allocate tty');
  if (!terminal) return { kind: 'none' };
  if (socket !== undefined) return { kind: 'socket', path: socket };
  if (detach) refuse('cannot allocate tty if runt will detach without setting console socket', '--console-socket PATH, or "terminal": false');
  return { kind: 'foreground' };
}
