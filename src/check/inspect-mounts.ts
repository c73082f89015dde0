// The mounts of a container beside those of config.json, by its mountinfo (proc_pid_mountinfo(5)).
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import type { Config } from '../../spec/config.ts';
import type { ContainerState } from '../container/state.ts';
import { text } from './facts.ts';
import type { AddRow } from './inspect.ts';

interface Mounted {
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
  readonly super: string;
}

/** Flags that are the mount's own, and that config.json names by the same word. */
const flags = ['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'nosymfollow'];

/** What each mount, masked and read-only path became; mounts that nothing asked for come last. */
export function mountRows(state: ContainerState, config: Config, add: AddRow): void {
  const mounted = mountsOf(state.pid);
  const seen = new Set<Mounted>();
  const last = (path: string): Mounted | undefined => {
    const found = mounted.filter(({ point }) => point === path).at(-1);
    if (found !== undefined) seen.add(found);
    return found;
  };
  const root = last('/');
  add('mounts', '/', '/root/readonly', config.root?.readonly === true ? 'ro' : 'rw', root === undefined ? '?' : `${root.type} ${root.options.join(',')}`, root?.options.includes(config.root?.readonly === true ? 'ro' : 'rw') === true);
  (config.mounts ?? []).forEach((mount, index) => {
    const path = posix.normalize(`/${mount.destination}`).replace(/(.)\/$/, '$1');
    const options = mount.options ?? [];
    const isBind = mount.type === 'bind' || options.includes('bind') || options.includes('rbind');
    const type = isBind ? 'bind' : mount.type === 'cgroup' ? 'cgroup2' : (mount.type ?? '');
    const wanted = flags.filter((flag) => options.lastIndexOf(flag) > options.lastIndexOf(opposite(flag)));
    const actual = last(path);
    const isSame = actual !== undefined && (isBind || type === 'cgroup2' || actual.type === type) && wanted.every((flag) => actual.options.includes(flag));
    add('mounts', path, `/mounts/${index}`, [type, ...(isBind ? [mount.source ?? ''] : []), wanted.join(',')].filter((word) => word !== '').join(' '), actual === undefined ? 'not mounted (or below a symlink)' : `${actual.type} ${actual.options.join(',')} ${actual.super}`.trimEnd(), isSame);
  });
  for (const [key, word] of [['maskedPaths', 'masked'], ['readonlyPaths', 'read-only']] as const) {
    (config.linux?.[key] ?? []).forEach((path, index) => {
      const actual = last(posix.normalize(path));
      const isThere = existsSync(`/proc/${state.pid}/root${path}`);
      const isSame = !isThere || (actual !== undefined && (key === 'maskedPaths' || actual.options.includes('ro')));
      add('mounts', path, `/linux/${key}/${index}`, word, actual !== undefined ? `${actual.type} ${actual.options.join(',')}` : isThere ? 'not covered' : 'there is no such path', isSame);
    });
  }
  for (const one of mounted) if (!seen.has(one)) add('mounts', one.point, '', undefined, `${one.type} ${one.options.join(',')} ${one.super}`);
}

const opposite = (flag: string): string => ({ ro: 'rw', nosymfollow: 'symfollow' })[flag] ?? flag.replace(/^no/, '');

function mountsOf(pid: number): readonly Mounted[] {
  const rows = (text(`/proc/${pid}/mountinfo`) ?? '').trim().split('\n').map((line) => line.split(' '));
  return rows.filter((fields) => fields.length > 6).map((fields) => {
    const dash = fields.indexOf('-');
    const point = fields[4]!.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    return { point, type: fields[dash + 1] ?? '', options: fields[5]!.split(','), super: fields[dash + 3] ?? '' };
  });
}
