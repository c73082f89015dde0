// The flight recorder of containers that failed: their program file outlives them, the newest few, for `runt trace`.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { removedWithContainer } from '../compile/intel-rdt.ts';
import { RuntimeError } from '../errors.ts';
import { formatError } from '../log.ts';
import { openImage, readRecords, readText, type RecordView } from '../program/decode.ts';
import { status } from '../program/layout.ts';

const KEPT = 16;

const failedDirectory = (root: string): string => `${root}/.failed`;

/** Keeps the program of a container that is about to be removed, and what the user was told. Never an error: the failure itself is what counts. */
export function keepFailedRecord(root: string, id: string, directory: string, error: unknown): void {
  try {
    if (!existsSync(`${directory}/program`)) return;
    const kept = failedDirectory(root);
    mkdirSync(kept, { recursive: true, mode: 0o700 });
    renameSync(`${directory}/program`, `${kept}/${id}`);
    if (error instanceof RuntimeError) writeFileSync(toldPath(root, id), formatError(error, `${id}: `), { mode: 0o600 });
    for (const { name } of keptRecords(root).slice(KEPT)) for (const path of [`${kept}/${name}`, toldPath(root, name)]) rmSync(path, { force: true });
  } catch {
    // a full disk, most likely
  }
}

/** Ids never begin with a dot. */
const toldPath = (root: string, id: string): string => `${failedDirectory(root)}/.${id}`;

/** Ids and times, the newest first. */
function keptRecords(root: string): readonly { readonly name: string; readonly time: number }[] {
  const kept = failedDirectory(root);
  const names = readdirSync(kept).filter((name) => !name.startsWith('.'));
  return names.map((name) => ({ name, time: statSync(`${kept}/${name}`).mtimeMs })).sort((a, b) => b.time - a.time);
}

/** What the user was told when the container failed; undefined for one that did not. */
export function toldOf(root: string, id: string): string | undefined {
  try {
    return existsSync(`${root}/${id}/program`) ? undefined : readFileSync(toldPath(root, id), 'utf8');
  } catch {
    return undefined;
  }
}

/** The program file of a container, living or failed; undefined when there is none. */
export function findRecord(root: string, id: string): string | undefined {
  return [`${root}/${id}/program`, `${failedDirectory(root)}/${id}`].find((path) => existsSync(path));
}

/** The id of the container that failed last. */
export function lastFailed(root: string): string | undefined {
  try {
    return keptRecords(root)[0]?.name;
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

/** Directories of resctrl that a program made for its container alone, innermost first. */
export function recordedResctrl(directory: string): readonly string[] {
  try {
    const image = openImage(readFileSync(`${directory}/program`))!;
    const made = readRecords(image).filter(({ op, pointer, status: outcome }) => op === 'mkdirat' && removedWithContainer.includes(pointer) && outcome === status.done);
    return made.map(({ args }) => readText(image.bytes, Number(args[1]!.value) - image.base)).reverse();
  } catch {
    return [];
  }
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
