// The way back after any runtime: processes, cgroups and mounts that name a case's token are ended, in that order.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { sleep } from './command.ts';
import { cgroupsWith, mountsWith, processesWith } from './host.ts';

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** Kills processes whose environment holds the words. */
export async function endProcesses(words: string): Promise<void> {
  for (let round = 0; round < 3; round++) {
    const pids = processesWith(words).filter((pid) => pid !== process.pid);
    if (pids.length === 0) return;
    pids.forEach(kill);
    await sleep(10);
  }
}

/** Kills what is in cgroups whose path holds the token, thaws and removes them. */
export async function endCgroups(token: string): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const paths = cgroupsWith(token);
    if (paths.length === 0) return;
    for (const path of paths) {
      try {
        if (existsSync(`${path}/cgroup.freeze`)) writeFileSync(`${path}/cgroup.freeze`, '0');
        for (const pid of readFileSync(`${path}/cgroup.procs`, 'utf8').split('\n').filter((line) => line !== '')) kill(Number(pid));
        rmdirSync(path);
      } catch {
        // Busy until its processes are gone: the next round.
      }
    }
    await sleep(20);
  }
}

/** Unmounts what is mounted below a directory. */
export async function unmountAll(directory: string): Promise<void> {
  for (const point of mountsWith(directory)) spawnSync('umount', ['-l', point], { stdio: 'ignore' });
  await Promise.resolve();
}
