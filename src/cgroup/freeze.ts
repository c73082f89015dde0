// The freezer of cgroup v2 (kernel doc cgroup-v2, cgroup.freeze): asked for, then waited for.
import { readFileSync, writeFileSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';
import { sleep } from '../sleep.ts';

const PATIENCE = 10_000;
const FIRST_PAUSE = 0.1; // most are frozen at once
const LONGEST_PAUSE = 5;

/** Freezes or thaws a cgroup and what is below. Throws RuntimeError when the kernel has not done it within ten seconds. */
export function setFrozen(path: string, frozen: boolean): void {
  const wanted = `frozen ${frozen ? 1 : 0}`;
  try {
    writeFileSync(`${path}/cgroup.freeze`, frozen ? '1' : '0');
    const deadline = Date.now() + PATIENCE;
    for (let pause = FIRST_PAUSE; !readFileSync(`${path}/cgroup.events`, 'latin1').includes(wanted); pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      if (Date.now() > deadline) throw new RuntimeError(`cgroup ${path} is not ${wanted} after ten seconds`, { hint: 'a process in an uninterruptible sleep' });
      sleep(pause);
    }
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new RuntimeError(`cannot ${frozen ? 'freeze' : 'thaw'} ${path}: ${code}`, { errno: code });
  }
}
