// The systemd driver's connection: loaded only for containers that need it, made once.
import { isInitialUserNamespace } from './user-namespace.ts';
import { readState } from './state.ts';

type Systemd = typeof import('../systemd/manager.ts');

let loaded: Systemd | undefined;
let manager: InstanceType<Systemd['Manager']> | undefined;

/** To be awaited before systemd() may be called. */
export async function loadSystemd(): Promise<void> {
  loaded ??= await import('../systemd/manager.ts');
}

/** The same, for a container that has a unit; one whose state cannot be read is known by its flight recorder. */
export async function loadSystemdFor(root: string, id: string): Promise<void> {
  let hasUnit: boolean;
  try {
    hasUnit = readState(root, id).cgroup?.unit !== undefined;
  } catch {
    hasUnit = (await import('./record.ts')).recordedUnit(`${root}/${id}`) !== undefined;
  }
  if (hasUnit) await loadSystemd();
}

/** Whether containers of ours belong to a user's systemd. */
export const isUserSystemd = (): boolean => loaded!.isUserManager(process.geteuid!() === 0 && isInitialUserNamespace());

/** The manager of the system, or the user's. Throws RuntimeError when there is none. */
export function systemd(isUser = isUserSystemd()): InstanceType<Systemd['Manager']> {
  return (manager ??= loaded!.Manager.connect(isUser));
}

/** Ends the connection once nothing more is asked: systemd would keep its signals for as long as `run` stays in the foreground. */
export function closeSystemd(): void {
  manager?.close();
  manager = undefined;
}
