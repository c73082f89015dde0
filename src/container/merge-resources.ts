// What limits become of those a container has and those it is given.
import type { Resources } from '../../spec/config.ts';

/** Key by key within each controller, device by device within its lists; 0 and "" leave what there was, and so does an empty list of devices. */
export function mergeResources(old: Resources, change: Resources): Resources {
  const merged: Record<string, unknown> = { ...old };
  for (const [key, value] of Object.entries(change)) {
    if (key === 'devices') {
      if (!Array.isArray(value) || value.length > 0) merged[key] = value;
    } else if (isRecord(value)) merged[key] = mergeController((merged[key] ?? {}) as Values, value, key);
    else merged[key] = value;
  }
  const resources = merged as { memory?: Record<string, unknown>; cpu?: Record<string, unknown> };
  // Unlimited memory means unlimited swap; an idle cgroup has no weight.
  if (Number(change.memory?.limit) === -1 && !change.memory?.swap) delete resources.memory!['swap'];
  if (Number(change.cpu?.idle) === 1 && !change.cpu?.shares) delete resources.cpu!['shares'];
  return merged as Resources;
}

type Values = Readonly<Record<string, unknown>>;
export const isRecord = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Managers send 0 and "" for what nobody changed. These two mean it: a limit of pids, and an end to idleness or burst. */
const meansZero = new Set(['idle', 'burst']);

function mergeController(old: Values, change: Values, controller: string): Values {
  const merged: Record<string, unknown> = { ...old };
  for (const [key, value] of Object.entries(change)) {
    const isUnset = (value === 0 || value === '') && controller !== 'pids' && controller !== 'unified' && !meansZero.has(key);
    if (isUnset && old[key] !== undefined) continue;
    merged[key] = Array.isArray(value) && Array.isArray(old[key]) && controller === 'blockIO' ? mergeDevices(old[key] as Numbered[], value as Numbered[]) : value;
  }
  return merged;
}

interface Numbered {
  readonly major: number;
  readonly minor: number;
}

/** What is given for a device takes the place of what there was for it, as in runc ≥ 1.3.3. */
function mergeDevices(old: readonly Numbered[], change: readonly Numbered[]): readonly Numbered[] {
  return [...old.filter(({ major, minor }) => !change.some((device) => device?.major === major && device.minor === minor)), ...change];
}
