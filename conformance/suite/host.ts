// What this host has, for cases that a host may be unable to show.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statfsSync } from 'node:fs';

const CGROUP2 = 0x63677270;

/** Where cgroup v2 is mounted: alone, or beside v1. */
export const cgroupRoot: string = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) => existsSync(path) && statfsSync(path).type === CGROUP2) ?? '/sys/fs/cgroup';
export const isUnified: boolean = cgroupRoot === '/sys/fs/cgroup';

/** Controllers that cgroup v2 offers here. */
export const controllers: readonly string[] = existsSync(`${cgroupRoot}/cgroup.controllers`) ? readFileSync(`${cgroupRoot}/cgroup.controllers`, 'utf8').trim().split(' ').filter((one) => one !== '') : [];

export const kernel: readonly [number, number] = ((): readonly [number, number] => {
  const [major, minor] = readFileSync('/proc/sys/kernel/osrelease', 'utf8').split('.').map((word) => Number.parseInt(word, 10));
  return [major ?? 0, minor ?? 0];
})();

export const machine: string = execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim();

/** Processes whose environment names a token; threads of the kernel and processes of others that are gone are passed over. */
export function processesWith(token: string): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(token);
    } catch {
      return false;
    }
  });
}

/** Cgroups whose path names a token, deepest first. */
export function cgroupsWith(token: string, directory: string = cgroupRoot, depth = 0): readonly string[] {
  let names: string[] = [];
  try {
    names = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => `${directory}/${entry.name}`);
  } catch {
    return [];
  }
  return names.flatMap((path) => [...(depth < 5 ? cgroupsWith(token, path, depth + 1) : []), ...(path.includes(token) ? [path] : [])]);
}

/** Mount points of this process's namespace whose path names a token, last first. */
export function mountsWith(token: string): readonly string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => line.split(' ')[4] ?? '').filter((point) => point.includes(token)).reverse();
}

/** The pid is of a process that runs: no zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
