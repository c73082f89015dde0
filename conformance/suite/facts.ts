// What the probe prints (conformance/probe), as types, and ways to look into it.
import { Failure } from './check.ts';

type Pair = readonly [string, string];
export interface Facts {
  readonly pid: number; readonly ppid: number; readonly pgid: number; readonly sid: number;
  readonly uid: readonly [number, number, number]; readonly gid: readonly [number, number, number]; readonly groups: readonly number[]; readonly umask: number;
  readonly cwd: string | null; readonly args: readonly string[]; readonly env: readonly string[];
  readonly hostname: string; readonly domainname: string; readonly machine: string;
  readonly capabilities: { readonly effective: string; readonly permitted: string; readonly inheritable: string; readonly bounding: string; readonly ambient: string };
  readonly noNewPrivileges: number; readonly securebits: number; readonly keepCapabilities: number; readonly dumpable: number; readonly parentDeathSignal: number; readonly subreaper: number; readonly personality: number;
  readonly rlimits: Readonly<Record<string, Pair>>;
  readonly scheduler: { readonly policy: number; readonly flags: number; readonly nice: number; readonly priority: number; readonly runtime: number; readonly deadline: number; readonly period: number };
  readonly ioprio: number; readonly affinity: readonly number[]; readonly clocks: { readonly monotonic: number; readonly boottime: number };
  readonly terminals: readonly [number, number, number]; readonly window: readonly [number, number]; readonly controllingTerminal: number; readonly sessionKeyring: number;
  readonly namespaces: Readonly<Record<string, string | null>>; readonly descriptors: Readonly<Record<string, string | null>>; readonly exe: string | null;
  readonly oomScoreAdj: string | null; readonly status: string | null; readonly mountinfo: string | null; readonly cgroup: string | null;
  readonly uidMap: string | null; readonly gidMap: string | null; readonly setgroups: string | null; readonly timeOffsets: string | null;
}

export interface Stat {
  readonly errno: string; readonly type?: string; readonly mode?: number; readonly uid?: number; readonly gid?: number; readonly size?: number;
  readonly major?: number; readonly minor?: number; readonly link?: string; readonly inode?: string;
}

/** One line of the probe; which keys are there depends on the command. */
export interface Line {
  readonly facts?: Facts; readonly stat?: Readonly<Record<string, Stat>>; readonly list?: readonly string[] | string; readonly content?: string | null;
  readonly read?: string; readonly write?: string; readonly mkdir?: string; readonly unlink?: string; readonly umount?: string; readonly mount?: string; readonly chown?: string; readonly mknod?: string; readonly sethostname?: string;
  readonly errno?: string; readonly status?: number; readonly forks?: number; readonly memory?: string; readonly milliseconds?: number; readonly input?: string; readonly say?: string; readonly ready?: number; readonly signal?: number; readonly hook?: string;
  readonly syscall?: { readonly result?: number; readonly errno?: string; readonly signal: number };
  readonly statfs?: { readonly errno: string; readonly type?: number; readonly flags?: number; readonly size?: number; readonly files?: number };
  readonly count?: number; readonly terminal?: number; readonly data?: string; readonly link?: string;
}

export interface Mount {
  readonly id: number; readonly parent: number; readonly root: string; readonly point: string; readonly options: readonly string[];
  readonly propagation: string; readonly type: string; readonly source: string; readonly data: readonly string[];
}

/** The lines of /proc/self/mountinfo (proc_pid_mountinfo(5)). */
export function parseMounts(text: string): readonly Mount[] {
  return text.trim().split('\n').map((line) => {
    const words = line.split(' '), dash = words.indexOf('-');
    return {
      id: Number(words[0]), parent: Number(words[1]), root: words[3]!, point: words[4]!, options: words[5]!.split(','), propagation: words.slice(6, dash).join(' '),
      type: words[dash + 1]!, source: words[dash + 2]!, data: (words[dash + 3] ?? '').split(','),
    };
  });
}

/** The mount one sees at a path: the last line that names it. Throws Failure where there is none. */
export function mountAt(facts: Facts, path: string): Mount {
  const found = parseMounts(facts.mountinfo ?? '').findLast((one) => one.point === path);
  if (found === undefined) throw new Failure(`nothing is mounted at ${path}`);
  return found;
}

/** A field of /proc/self/status. */
export function statusField(facts: Facts, name: string): string {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(facts.status ?? '')?.[1]?.trim() ?? '';
}

/** Lines of JSON; what is none is left out. */
export function parseLines(text: string): readonly Line[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line.startsWith('{') ? [JSON.parse(line) as Line] : [];
    } catch {
      return [];
    }
  });
}
