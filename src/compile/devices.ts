// linux.devices, the devices every container has, and the links of /dev (config-linux.md#default-devices).
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE, S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFREG, STATX_TYPE } from '../../native/linux/constants.ts';
import type { Config, Device, Mount } from '../../spec/config.ts';
import { mountsWith } from '../../spec/mount-runs.ts';
import { part, slot, stepsFor, type Step } from '../program/step.ts';
import { has, type Context } from './context.ts';
import { makePath, openInRoot, relativePath } from './paths.ts';

const standard = (path: string, major: number, minor: number): Device => ({ path, type: 'c', major, minor, fileMode: 0o666 });

const defaultDevices: readonly Device[] = [
  standard('/dev/null', 1, 3), standard('/dev/zero', 1, 5), standard('/dev/full', 1, 7),
  standard('/dev/random', 1, 8), standard('/dev/urandom', 1, 9), standard('/dev/tty', 5, 0),
];

const EEXIST = 17;
const typeBits: Readonly<Record<string, number>> = { c: S_IFCHR, u: S_IFCHR, b: S_IFBLK, p: S_IFIFO };

/** makedev(3). */
export function deviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 0x100 + (minor >>> 8) * 0x10_0000 + Math.floor(major / 0x1000) * 0x1000_0000_0000;
}

/** With the host's /dev bound there is nothing to make: it would be made on the host. */
export function hasOwnDev({ config }: Context): boolean {
  return has(config, 'mount') && !mountsOfDev(config).some((mount) => isBind(mount.type, mount.options));
}

/** The mounts on /dev, however that is written. */
const mountsOfDev = ({ mounts }: Config): readonly Mount[] => mountsWith(mounts, 'dev').filter(({ destination }) => relativePath(destination) === 'dev');

const isBind = (type: string | undefined, options: readonly string[] | undefined): boolean => type === 'bind' || (options ?? []).some((word) => word === 'bind' || word === 'rbind');

const isInDev = (words: readonly string[]): boolean => words.length === 2 && words[0] === 'dev';

export function devices(context: Context): readonly Step[] {
  if (!hasOwnDev(context)) return [];
  const { config, host } = context;
  const listed = config.linux?.devices ?? [];
  const overridden = new Set(listed.map((device) => relativePath(device.path)));
  const all = [
    ...defaultDevices.filter((device) => !overridden.has(relativePath(device.path))).map((device) => ({ device, at: '' })),
    ...listed.map((device, index) => ({ device, at: `/linux/devices/${index}` })),
  ];
  const dev = openInRoot('', 'dev', 'dev', O_PATH | O_DIRECTORY, 'in-root: the rootfs’s /dev may be a symlink (CVE-2026-41579)');
  const isMapped = has(config, 'user') || !host.isPrivileged;
  // On a tmpfs of its own /dev begins empty: nothing of the image can be in the way.
  const isFresh = listed.filter((device) => !isInDev(relativePath(device.path).split('/'))).length === 0 && mountsOfDev(config).some(({ type }) => type === 'tmpfs');
  return [
    openInRoot('', 'dev', 'dev', O_PATH | O_DIRECTORY, 'in-root: the rootfs’s /dev may be a symlink (CVE-2026-41579)', { tolerate: ['ENOENT'] }),
    ...makePath('', 'dev', 'dev', false),
    { ...dev, unless: 'dev' },
    ...stepsFor(all, ({ device, at }, index) => oneDevice(device, at, index, isMapped, at !== '' && !isFresh)),
    ...links(host.hasKcore),
  ];
}

function oneDevice(device: Device, at: string, index: number, isMapped: boolean, mayExist: boolean): readonly Step[] {
  const path = relativePath(device.path);
  const words = path.split('/');
  const name = words.at(-1)!;
  const isDirect = isInDev(words);
  const parent = isDirect ? 'dev' : `devdir${index}`;
  const step = part('container', at);
  const steps: Step[] = [];
  if (!isDirect) {
    const directory = words.slice(0, -1).join('/') || '.';
    const found = openInRoot(at, parent, directory, O_PATH | O_DIRECTORY, 'in-root', { tolerate: ['ENOENT'] });
    steps.push(found);
    if (directory !== '.') steps.push(...makePath(at, parent, directory, false), { ...found, unless: parent, tolerate: [] });
  }
  if (isMapped && device.type !== 'p') steps.push(...boundDevice(at, device.path, parent, name, index));
  else {
    const bits = typeBits[device.type] ?? S_IFCHR;
    const mode = Number(device.fileMode ?? 0o666) & 0o7777;
    const number = device.type === 'p' ? 0 : deviceNumber(Number(device.major ?? 0), Number(device.minor ?? 0));
    const made = mayExist ? { result: `made${index}` } : {};
    steps.push(step('mknodat', [slot(parent), name, bits | mode, number], 'umask is 0: the mode is exact', { tolerate: ['EEXIST'], ...made }));
    if (mayExist) steps.push(...isThatDevice(device, at, parent, name, index));
    const uid = Number(device.uid ?? 0);
    const gid = Number(device.gid ?? 0);
    if (uid !== 0 || gid !== 0) steps.push(step('fchownat', [slot(parent), name, uid, gid, AT_SYMLINK_NOFOLLOW], ''));
  }
  if (!isDirect) steps.push(step('close', [slot(parent)], ''));
  return steps;
}

const STATX_MODE_OFFSET = 28; // struct statx, stx_mode
const STATX_RDEV_OFFSET = 128; // stx_rdev_major and stx_rdev_minor

/** A file that was there before must be the device asked for (config-linux.md#devices). */
function isThatDevice({ type, major, minor }: Device, at: string, parent: string, name: string, index: number): readonly Step[] {
  const step = part('container', at);
  const options = { unless: `made${index}` };
  const memory = { out: `device${index}`, size: 256 };
  const number = BigInt(major ?? 0) | (BigInt(minor ?? 0) << 32n);
  return [
    step('statx', [slot(parent), name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, memory], 'what the image has there', options),
    step('expect', [{ ...memory, offset: STATX_MODE_OFFSET }, 2, S_IFMT, typeBits[type] ?? S_IFCHR, EEXIST], 'not a file of another kind', options),
    ...(type === 'p' ? [] : [step('expect', [{ ...memory, offset: STATX_RDEV_OFFSET }, 8, 0xffff_ffff_ffff_ffffn, number, EEXIST], 'nor another device', options)]),
  ];
}

/** mknod(2) is refused in a user namespace: the host's node is bound on an empty file. */
function boundDevice(at: string, path: string, parent: string, name: string, index: number): readonly Step[] {
  const step = part('container', at);
  const source = `devsource${index}`;
  const target = `devtarget${index}`;
  return [
    step('open_tree', [AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC], 'the host’s node: mknod(2) is refused in a user namespace', { result: source }),
    step('mknodat', [slot(parent), name, S_IFREG | 0o666, 0], 'a file to bind on', { tolerate: ['EEXIST'] }),
    step('openat', [slot(parent), name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0], '', { result: target }),
    step('move_mount', [slot(source), '', slot(target), '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH], ''),
    step('close', [slot(source)], ''),
    step('close', [slot(target)], ''),
  ];
}

function links(hasKcore: boolean): readonly Step[] {
  const step = part('container', '');
  const link = (target: string, name: string): Step => step('symlinkat', [target, slot('dev'), name], 'config-linux.md#dev-symbolic-links', { tolerate: ['EEXIST'] });
  return [
    link('/proc/self/fd', 'fd'), link('/proc/self/fd/0', 'stdin'), link('/proc/self/fd/1', 'stdout'), link('/proc/self/fd/2', 'stderr'),
    ...(hasKcore ? [link('/proc/kcore', 'core')] : []),
    step('unlinkat', [slot('dev'), 'ptmx', 0], 'what the image brought', { tolerate: ['ENOENT'] }),
    step('symlinkat', ['pts/ptmx', slot('dev'), 'ptmx'], 'the container’s own devpts instance'),
  ];
}
