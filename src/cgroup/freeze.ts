// The freezer of cgroup v2 (kernel doc cgroup-v2, cgroup.freeze): asked for, then waited for.
import { readFileSync, writeFileSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';
import { sleep } from '../sleep.ts';

const PATIENCE = 10_000;
const PAUSE = 2;

/** Freezes or thaws a cgroup and what is below. Throws RuntimeError when the kernel has not done it within ten seconds. */
export function setFrozen(path: string, frozen: boolean): void {
  const wanted = `frozen ${frozen ? 1 : 0}`;
  try {
    writeFileSync(`${path}/cgroup.freeze`, frozen ? '1' : '0');
    for (let waited = 0; !readFileSync(`${path}/cgroup.events`, 'latin1').includes(wanted); waited += PAUSE) {
      if (waited >= PATIENCE) throw new RuntimeError(`cgroup ${path} is not ${wanted} after ten seconds`, { hint: 'a process in an uninterruptible sleep' });
      sleep(PAUSE);
    }
  } catch (error) {
    if (error instanceof RuntimeError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new RuntimeError(`cannot ${frozen ? 'freeze' : 'thaw'} ${path}: ${code}`, { errno: code });
  }
}
