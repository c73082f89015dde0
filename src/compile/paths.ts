// Finding and making paths below the rootfs, by descriptor and in-root: what the rootfs holds cannot redirect us.
import { AT_EMPTY_PATH, O_CLOEXEC, O_DIRECTORY, O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, S_IFREG } from '../../native/linux/constants.ts';
import { part, slot, type Arg, type Slot, type Step, type StepOptions } from '../program/step.ts';

export interface Target {
  /** JSON pointer of what asked for it. */
  readonly at: string;
  /** The slot that will hold its descriptor (O_PATH). */
  readonly name: string;
  /** The path in the container; `..` and `.` are resolved as text, symlinks in-root. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'any';
  /** No symlink anywhere: for procfs and sysfs (CVE-2019-19921). */
  readonly noSymlinks?: boolean;
  /** What is to happen with a target that was there before. */
  readonly found?: readonly Step[];
}

/** `/a/./b//c/..` → `a`, `b`: relative to the root, `..` never above it. None for the root itself. */
export function wordsOf(path: string): string[] {
  const parts: string[] = [];
  const words = path.split('/');
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '' || word === '.') continue;
    if (word === '..') parts.pop();
    else parts.push(word);
  }
  return parts;
}

/** The same as a path, empty for the root itself. */
export const relativePath = (path: string): string => wordsOf(path).join('/');

/** openat2(2) below $root; a symlink in the way is followed inside the root, or with noSymlinks refused. */
export function openInRoot(at: string, name: string, path: string, flags: number, why: string, options?: StepOptions, noSymlinks = false): Step {
  return { side: 'container', op: 'openat2', args: [root, path === '' ? '.' : path, openHow(flags, noSymlinks), 24], at, why, result: name, ...options };
}

const root = slot('root');

const hows = new Map<number, Arg>();

/** One structure for all steps with equal flags: a long list of mounts has thousands of them. */
function openHow(flags: number, noSymlinks: boolean): Arg {
  const key = flags * 2 + Number(noSymlinks);
  let how = hows.get(key);
  if (how === undefined) {
    const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (noSymlinks ? RESOLVE_NO_SYMLINKS : 0);
    hows.set(key, (how = { struct: 'open_how', members: { flags: flags | O_CLOEXEC, resolve } }));
  }
  return how;
}

/** Opens a mount target, making it and its parents where they are missing. The descriptor is to be closed by the caller. */
export function openTarget(target: Target): readonly Step[] {
  const { at, name, kind } = target;
  const path = relativePath(target.path);
  const flags = O_PATH | (kind === 'directory' ? O_DIRECTORY : 0);
  if (path === '') return [openInRoot(at, name, path, flags, 'the root itself')];
  return [
    openInRoot(at, name, path, flags, 'in-root and by descriptor (CVE-2021-30465)', mayBeMissing, target.noSymlinks),
    ...(target.found ?? []),
    ...makePath(at, name, path, kind === 'file'),
    openInRoot(at, name, path, flags, 'now that it is made', { unless: name }, target.noSymlinks),
  ];
}

const mayBeMissing: StepOptions = { tolerate: ['ENOENT'] };
const mayBeThere = ['EEXIST'];

/** Makes a directory, or a file to bind a file on. */
export function makeOne(step: ReturnType<typeof part>, parent: Slot, name: string, isFile: boolean, why: string, options: StepOptions = { tolerate: mayBeThere }): Step {
  return isFile ? step('mknodat', [parent, name, S_IFREG | 0o644, 0], 'a file is bound on a file', options) : step('mkdirat', [parent, name, 0o755], why, options);
}

/** Makes a path below the root, skipped when `unless` is set. Something made by another at the same time is as good (EEXIST). */
export function makePath(at: string, unless: string, path: string, isFile: boolean): readonly Step[] {
  const step = part('container', at);
  const words = path.split('/');
  const steps: Step[] = [];
  const once = { unless };
  const made = { tolerate: mayBeThere, unless };
  let above = '';
  for (let depth = 0; depth < words.length; depth++) {
    const word = words[depth]!;
    // The same for all targets: what is in it from an earlier one is never used, because all three are skipped together.
    const parent = depth === 0 ? root : slot(`parent.${depth}`);
    if (depth > 0) steps.push(openInRoot(at, parent.slot, above, O_PATH | O_DIRECTORY, 'a symlinked parent stays inside the root', once));
    steps.push(makeOne(step, parent, word, isFile && depth === words.length - 1, 'missing', made));
    if (depth > 0) steps.push(step('close', [parent], '', once));
    above = depth === 0 ? word : `${above}/${word}`;
  }
  return steps;
}

/** The arguments that name a descriptor itself: `fd, "", AT_EMPTY_PATH`. */
export const itself = (name: string): readonly Arg[] => [slot(name), '', AT_EMPTY_PATH];
