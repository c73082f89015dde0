// The flight recorder of containers that failed: their program file outlives them, the newest few, for `runt trace`.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { openImage, readRecords, readText, type RecordView } from '../program/decode.ts';

const KEPT = 16;

const failedDirectory = (root: string): string => `${root}/.failed`;

/** Keeps the program of a container that is about to be removed. Never an error: the failure itself is what counts. */
export function keepFailedRecord(root: string, id: string, directory: string): void {
  try {
    if (!existsSync(`${directory}/program`)) return;
    const kept = failedDirectory(root);
    mkdirSync(kept, { recursive: true, mode: 0o700 });
    renameSync(`${directory}/program`, `${kept}/${id}`);
    const others = readdirSync(kept).map((name) => ({ name, time: statSync(`${kept}/${name}`).mtimeMs }));
    others.sort((a, b) => b.time - a.time);
    for (const { name } of others.slice(KEPT)) rmSync(`${kept}/${name}`, { force: true });
  } catch {
    // a full disk, most likely
  }
}

/** The program file of a container, living or failed; undefined when there is none. */
export function findRecord(root: string, id: string): string | undefined {
  return [`${root}/${id}/program`, `${failedDirectory(root)}/${id}`].find((path) => existsSync(path));
}

/** The id of the container that failed last. */
export function lastFailed(root: string): string | undefined {
  try {
    const kept = readdirSync(failedDirectory(root)).map((name) => ({ name, time: statSync(`${failedDirectory(root)}/${name}`).mtimeMs }));
    return kept.sort((a, b) => b.time - a.time)[0]?.name;
  } catch {
    return undefined;
  }
}

/** The cgroup a program made its container in: what `delete --force` goes by when state.json cannot be read. */
export function recordedCgroup(directory: string): string | undefined {
  return recordedText(directory, 1, ({ result, op }) => result === 'cgroup' && op === 'openat');
}

/** The systemd unit a program was to start, if any. */
export function recordedUnit(directory: string): string | undefined {
  return recordedText(directory, 0, ({ op }) => op === 'start_unit');
}

function recordedText(directory: string, argument: number, isIt: (view: RecordView) => boolean): string | undefined {
  try {
    const image = openImage(readFileSync(`${directory}/program`));
    const view = image === undefined ? undefined : readRecords(image).find(isIt);
    return view === undefined ? undefined : readText(image!.bytes, Number(view.args[argument]!.value) - image!.base);
  } catch {
    return undefined;
  }
}
