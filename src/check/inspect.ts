// What config.json asked for beside what the kernel has now, row by row: of a container's init, by files of /proc and cgroupfs.
import { existsSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import type { Config } from '../../spec/config.ts';
import { nameTables } from '../../native/linux/constants.ts';
import { capabilityNumbers } from '../compile/capabilities.ts';
import { cgroupWrites } from '../compile/resources.ts';
import { keepsGroups } from '../compile/user.ts';
import type { ContainerState } from '../container/state.ts';
import { hardLimit, softLimit, text } from './facts.ts';
import { mountRows } from './inspect-mounts.ts';

export interface InspectRow {
  readonly section: string;
  readonly what: string;
  /** JSON pointer of what asked; empty for what nothing asked for. */
  readonly at: string;
  /** In words; undefined where config.json says nothing. */
  readonly asked: string | undefined;
  readonly actual: string;
  readonly differs: boolean;
}

/** Adds a row; it differs when it was asked for and is not so. */
export type AddRow = (section: string, what: string, at: string, asked: string | undefined, actual: string, isSame?: boolean) => void;

/** All rows for a container whose init lives. */
export function inspectRows(state: ContainerState, config: Config): readonly InspectRow[] {
  const rows: InspectRow[] = [];
  const add: AddRow = (section, what, at, asked, actual, isSame = asked === actual) => {
    rows.push({ section, what, at, asked, actual, differs: asked !== undefined && !isSame });
  };
  const status = new Map((text(`/proc/${state.pid}/status`) ?? '').split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const));
  processRows(state.pid, config, status, add);
  capabilityRows(config, status, add);
  limitRows(state.pid, config, add);
  namespaceRows(state.pid, config, add);
  mapRows(state.pid, config, add);
  mountRows(state, config, add);
  cgroupRows(state, config, add);
  descriptorRows(state.pid, add);
  return rows;
}

function processRows(pid: number, config: Config, status: ReadonlyMap<string, string>, add: AddRow): void {
  const { process } = config;
  const uids = (status.get('Uid') ?? '').split('\t');
  const gids = (status.get('Gid') ?? '').split('\t');
  add('process', 'uid', '/process/user/uid', mapped(config.linux?.uidMappings, process?.user?.uid ?? 0), uids[1] ?? '');
  add('process', 'gid', '/process/user/gid', mapped(config.linux?.gidMappings, process?.user?.gid ?? 0), gids[1] ?? '');
  const groups = (process?.user?.additionalGids ?? []).map((gid) => mapped(config.linux?.gidMappings, gid)).sort().join(' ');
  const actualGroups = (status.get('Groups') ?? '').split(' ').filter((gid) => gid !== '').sort().join(' ');
  add('process', 'groups', '/process/user/additionalGids', process?.user?.additionalGids === undefined || keepsGroups(config) ? undefined : groups, actualGroups);
  add('process', 'umask', '/process/user/umask', process?.user?.umask === undefined ? undefined : process.user.umask.toString(8).padStart(4, '0'), status.get('Umask') ?? '');
  add('process', 'noNewPrivileges', '/process/noNewPrivileges', String(process?.noNewPrivileges ?? false), String(status.get('NoNewPrivs') === '1'));
  add('process', 'seccomp', '/linux/seccomp', config.linux?.seccomp === undefined ? undefined : 'filter', { 0: 'none', 1: 'strict', 2: 'filter' }[status.get('Seccomp') ?? ''] ?? '?');
  add('process', 'oomScoreAdj', '/process/oomScoreAdj', process?.oomScoreAdj === undefined ? undefined : String(process.oomScoreAdj), (text(`/proc/${pid}/oom_score_adj`) ?? '').trim());
  const profile = (text(`/proc/${pid}/attr/apparmor/current`) ?? text(`/proc/${pid}/attr/current`) ?? '').replace(/\0|\n/g, '');
  const wanted = process?.apparmorProfile || process?.selinuxLabel;
  if (wanted || profile !== '') add('process', 'label', process?.apparmorProfile ? '/process/apparmorProfile' : '/process/selinuxLabel', wanted || undefined, profile, wanted === undefined || profile.startsWith(wanted));
  add('process', 'cwd', '/process/cwd', process?.cwd === undefined ? undefined : process.cwd.replace(/(.)\/+$/, '$1'), link(`/proc/${pid}/cwd`));
  add('process', 'args', '/process/args', (process?.args ?? []).join(' '), (text(`/proc/${pid}/cmdline`) ?? '').replace(/\0$/, '').split('\0').join(' '));
}

/** An id of the container as the host sees it. */
function mapped(map: NonNullable<Config['linux']>['uidMappings'], id: number): string {
  const range = map?.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return String(range === undefined ? id : range.hostID + id - range.containerID);
}

const sets = [['bounding', 'CapBnd'], ['effective', 'CapEff'], ['permitted', 'CapPrm'], ['inheritable', 'CapInh'], ['ambient', 'CapAmb']] as const;

function capabilityRows(config: Config, status: ReadonlyMap<string, string>, add: AddRow): void {
  const names = Object.entries(nameTables.capability.names);
  const words = (numbers: readonly number[]): string => numbers.map((number) => names.find(([, one]) => one === number)?.[0].replace('CAP_', '') ?? String(number)).join(' ') || '(none)';
  const asked = config.process?.capabilities ?? {}; // none where there is no such key
  const rootId = mapped(config.linux?.uidMappings, 0);
  for (const [set, field] of sets) {
    const bits = BigInt(`0x${status.get(field) ?? '0'}`);
    const actual = Array.from({ length: 64 }, (_, number) => number).filter((number) => (bits >> BigInt(number)) & 1n);
    // Ambient ones must be inheritable: the kernel takes no others (capabilities(7)).
    const wanted = set === 'ambient' ? capabilityNumbers(asked.ambient).filter((number) => capabilityNumbers(asked.inheritable).includes(number)) : capabilityNumbers(asked[set]);
    // execve(2) of a user that is not root keeps the ambient ones only (capabilities(7)).
    const isLost = (set === 'effective' || set === 'permitted') && status.get('CapEff') === status.get('CapAmb') && (status.get('Uid') ?? '').split('\t')[1] !== rootId;
    const shown = actual.length > 38 ? 'all' : words(actual);
    add('capabilities', set, `/process/capabilities/${set}`, words(wanted), isLost && words(wanted) !== shown ? `${shown}, as execve leaves them to a user that is not root` : shown, isLost || words(wanted) === shown);
  }
}

function limitRows(pid: number, config: Config, add: AddRow): void {
  const limits = text(`/proc/${pid}/limits`) ?? '';
  const word = (value: bigint | undefined): string => (value === undefined ? '?' : value === (1n << 64n) - 1n ? 'unlimited' : String(value));
  (config.process?.rlimits ?? []).forEach(({ type, soft, hard }, index) => {
    const asked = `${word(BigInt.asUintN(64, BigInt(soft)))} ${word(BigInt.asUintN(64, BigInt(hard)))}`;
    add('limits', type, `/process/rlimits/${index}`, asked, `${word(softLimit(limits, type))} ${word(hardLimit(limits, type))}`);
  });
}

const files: readonly (readonly [string, string])[] = [['mount', 'mnt'], ['pid', 'pid'], ['network', 'net'], ['ipc', 'ipc'], ['uts', 'uts'], ['user', 'user'], ['cgroup', 'cgroup'], ['time', 'time']];

function namespaceRows(pid: number, config: Config, add: AddRow): void {
  for (const [type, file] of files) {
    const index = config.linux?.namespaces?.findIndex((one) => one.type === type) ?? -1;
    const path = index < 0 ? undefined : config.linux!.namespaces![index]!.path;
    const [actual, ours] = [link(`/proc/${pid}/ns/${file}`), link(`/proc/self/ns/${file}`)];
    if (actual === '') continue;
    const asked = index < 0 ? 'the runtime’s' : path ? `that of ${path}` : 'a new one';
    // Which one is joined by a path may have changed since: then there is nothing to compare with.
    const isSame = index < 0 ? actual === ours : path ? !existsSync(path) || inode(path) === inode(`/proc/${pid}/ns/${file}`) : actual !== ours;
    add('namespaces', type, index < 0 ? '' : `/linux/namespaces/${index}`, asked, `${actual}${actual === ours ? ' the runtime’s' : ''}`, isSame);
  }
}

function mapRows(pid: number, config: Config, add: AddRow): void {
  for (const [key, file] of [['uidMappings', 'uid_map'], ['gidMappings', 'gid_map']] as const) {
    const map = config.linux?.[key];
    const actual = (text(`/proc/${pid}/${file}`) ?? '').trim().split('\n').map((line) => line.trim().split(/\s+/).join(' ')).join(', ');
    add('id maps', key, `/linux/${key}`, map === undefined ? undefined : map.map(({ containerID, hostID, size }) => `${containerID} ${hostID} ${size}`).join(', '), actual);
  }
}

function cgroupRows(state: ContainerState, config: Config, add: AddRow): void {
  const actual = (text(`/proc/${state.pid}/cgroup`) ?? '').split('\n').find((line) => line.startsWith('0::'))?.slice(3) ?? '';
  const path = state.cgroup?.path;
  add('cgroup', 'path', '/linux/cgroupsPath', path, actual, path === undefined || path.endsWith(actual));
  if (path === undefined) return;
  for (const { file, value, at, unless } of cgroupWrites(config.linux?.resources)) {
    if (unless !== undefined) continue;
    const now = (text(`${path}/${file}`) ?? 'no such file').trim();
    add('cgroup', file, at, value, now.split('\n').join(', '), holds(value, now));
  }
}

/** Whether a cgroup file says what was written: sizes come back as whole pages, and a file may have more lines or words. */
function holds(asked: string, now: string): boolean {
  if (asked === now || now.split('\n').some((line) => asked.split(' ').every((word) => line.split(' ').includes(word)))) return true;
  if (/^\d+$/.test(asked) && /^\d+$/.test(now)) return BigInt(asked) - BigInt(now) >= 0n && BigInt(asked) - BigInt(now) < 4096n;
  return now === `default ${asked}`;
}

function descriptorRows(pid: number, add: AddRow): void {
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) add('descriptors', fd, '', undefined, link(`/proc/${pid}/fd/${fd}`));
  } catch {
    // another user's process
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function inode(path: string): number {
  try {
    return statSync(path).ino;
  } catch {
    return 0;
  }
}
