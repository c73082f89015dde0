// A foreground that needs no engine any more: the process of 27 MB becomes the launcher, of which 70 KB are in memory while it waits (native/engine/attend.h).
import { installDirectory } from '../../native/linux/koffi.ts';
import { execute } from '../../native/linux/spawn.ts';
import { callersEnvironment } from '../environment.ts';

/**
 * execve(2) of the launcher in place of this process, with its pid, children, streams and blocked signals: it waits for the child `pid`, sends
 * signals on to it, and ends with its status. With `globalWords`, how many words of our command line are global flags, it deletes the container,
 * whose id is the last word, before it ends. Returns only when it could not be executed.
 */
export function leaveToLauncher(pid: number, globalWords: number | undefined): void {
  const env = [`RUNT_ATTEND=${pid}${globalWords === undefined ? '' : ` ${globalWords}`}`];
  for (const [name, value] of Object.entries(callersEnvironment())) env.push(`${name}=${value}`);
  execute(`${installDirectory}/runt`, ['runt', ...process.argv.slice(2)], env);
}
