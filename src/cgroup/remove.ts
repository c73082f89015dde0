// Ends everything in a cgroup and removes it with what is below (kernel doc cgroup-v2: cgroup.kill, since Linux 5.14).
import { existsSync, rmdirSync, writeFileSync } from 'node:fs';
import { call } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import { sleep } from '../sleep.ts';
import { children, members, membersOfTree } from './files.ts';

const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 100;
const PATIENCE = 5000;

/** Kills every process of the cgroup and below, frozen ones too. A cgroup that is gone is done. */
export function killCgroup(path: string): void {
  try {
    writeFileSync(`${path}/cgroup.kill`, '1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EOPNOTSUPP' || code === 'ENOTSUP') signalTree(path, SIGKILL); // a threaded cgroup is killed process by process
    else if (code !== 'ENOENT' && code !== 'ENODEV') throw error;
  }
}

const SIGKILL = 9;

/** Signals every process of the cgroup and below. What is gone already is done. */
export function signalTree(path: string, signal: number): void {
  for (const pid of membersOfTree(path)) call('kill', pid, signal);
}

/** Removes a cgroup and those below it. EBUSY while the last process is still leaving is waited for, five seconds at most. */
export function removeCgroup(path: string): void {
  const deadline = Date.now() + PATIENCE;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
    try {
      return rmdirSync(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENODEV') return;
      // A read-only cgroupfs, as a rootless runtime in a container sees: what was never made need not go.
      if (code === 'EROFS' && !existsSync(path)) return;
      if (code !== 'EBUSY') throw error;
    }
    for (const below of children(path)) removeCgroup(below);
    if (Date.now() > deadline) throw new RuntimeError(`cannot remove cgroup ${path}: EBUSY`, { hint: `processes in it: ${members(path).join(', ') || 'none'}` });
    sleep(pause);
  }
}
