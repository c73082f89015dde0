// --pid-file: managers parse it as it is, and take its presence for success.
import { renameSync, writeFileSync } from 'node:fs';
import { posix } from 'node:path';
import { RuntimeError } from '../errors.ts';

/** The file appears whole or not at all: written beside, then renamed; no newline. Throws RuntimeError. */
export function writePidFile(path: string, pid: number): void {
  const beside = posix.join(posix.dirname(path), `.${posix.basename(path)}.${process.pid}`);
  try {
    writeFileSync(beside, String(pid), { flag: 'wx', mode: 0o666 });
    renameSync(beside, path);
  } catch (error) {
    throw new RuntimeError(`cannot write the pid file ${path}: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  }
}
