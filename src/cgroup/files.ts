// Looking into a cgroup: its files, its processes, what is below it. A cgroup may go at any moment: what is gone reads as nothing.
import { readdirSync, readFileSync, type Dirent } from 'node:fs';

/** A file of a cgroup without the newline at its end; undefined when it is not there or cannot be read. */
export function readCgroupFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Pids in a cgroup itself, not below. A threaded one shows its threads only (kernel doc cgroup-v2, Threads): those that lead a process count. */
export function members(path: string): readonly number[] {
  const pids = readCgroupFile(`${path}/cgroup.procs`);
  return pids === undefined ? numbers(readCgroupFile(`${path}/cgroup.threads`)).filter(isLeader) : numbers(pids);
}

const numbers = (text: string | undefined): readonly number[] => (text ?? '').split('\n').filter((line) => line !== '').map(Number);

const isLeader = (tid: number): boolean => new RegExp(`^Tgid:\\s+${tid}$`, 'm').test(readCgroupFile(`/proc/${tid}/status`) ?? '');

function entries(path: string): readonly Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Paths of the cgroups directly below. */
export function children(path: string): readonly string[] {
  return entries(path).filter((entry) => entry.isDirectory()).map((entry) => `${path}/${entry.name}`);
}

/** Names of a cgroup's files: which there are says which controllers it has. */
export function fileNames(path: string): readonly string[] {
  return entries(path).filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** Pids in a cgroup and below, in ascending order. */
export function membersOfTree(path: string): readonly number[] {
  return [...members(path), ...children(path).flatMap(membersOfTree)].sort((a, b) => a - b);
}
