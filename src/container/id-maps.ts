// Id maps written from outside (user_namespaces(7)), and user namespaces that exist only to hold one (mount_setattr(2) MOUNT_ATTR_IDMAP).
import { existsSync, rmSync } from 'node:fs';
import { CLONE_NEWUSER, CLONE_PARENT, O_CLOEXEC } from '../../native/linux/constants.ts';
import { errnoNumber } from '../../native/linux/errno.ts';
import { spawn } from '../../native/linux/spawn.ts';
import { call, exitCode, text, waitStatus } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';
import { abandon } from '../execute/execute.ts';
import { getSlot } from '../execute/records.ts';
import { runShortProgram } from '../execute/short-program.ts';
import type { Image } from '../program/decode.ts';
import { part } from '../program/step.ts';
import { writeOnce } from './kernel-file.ts';

/** Writes a map; where the kernel refuses that (an ordinary user may map only itself) by newuidmap(1) or newgidmap(1), which `tool` names. Returns 0 or -errno. */
export function writeIdMap(pid: number, path: string, address: number, length: number, tool: { readonly name: string; readonly map: string; readonly pointer: string } | undefined): number {
  const written = writeOnce(path, address, length);
  return tool !== undefined && written === -errnoNumber('EPERM') ? runMapTool(tool, pid) : written;
}

const DIRECTORIES = ['/usr/bin', '/bin', '/usr/local/bin', '/usr/sbin'];

/** The set-uid helpers of shadow-utils; found without PATH, which a manager may not have given. */
function runMapTool({ name, map, pointer }: { readonly name: string; readonly map: string; readonly pointer: string }, pid: number): number {
  const directory = DIRECTORIES.find((candidate) => existsSync(`${candidate}/${name}`));
  if (directory === undefined) {
    throw new RuntimeError(`${name} is not installed`, { pointer, hint: 'mapping more than your own id needs it: apt-get install uidmap' });
  }
  const words = map.split(/\s+/).filter((word) => word !== '');
  const child = spawn({ path: `${directory}/${name}`, args: [name, String(pid), ...words], env: [], fds: new Map([[0, 0], [1, 1], [2, 2]]) });
  const ended = child < 0 ? child : waitStatus(child);
  if (typeof ended === 'object' && exitCode(ended.status) === 0) return 0;
  throw new RuntimeError(`${name} ${pid} ${words.join(' ')} failed`, { pointer, hint: 'are these ids yours in /etc/subuid and /etc/subgid?' });
}

let count = 0;

/** A descriptor of a new user namespace with these maps: a process is born in it, mapped, and ended. Returns it or -errno. */
export function mapUserNamespace(directory: string, uids: string, gids: string): number {
  const path = `${directory}/idmap-${count++}.program`;
  const step = part('container', '');
  const hold = part('runtime', '');
  let userns = -1;
  try {
    return runShortProgram({
      path,
      program: {
        steps: [
          step('close_range', [5, 0xffff_ffff, 0], 'nothing of the runtime'),
          step('clone3', [{ struct: 'clone_args', members: { flags: CLONE_NEWUSER + CLONE_PARENT } }, 88], 'only a process can make a user namespace', { result: 'init' }),
          hold('write_file', ['gid_map', gids, gids.length], ''),
          hold('publish', ['uid_map', null], 'the last map, and a descriptor of the namespace while it lives'),
        ],
        inherited: {},
      },
      options: {
        firstDescriptor: 3,
        inherited: [],
        handlers: {
          write_file: (_args, _view, image) => writeInProc(image, 'gid_map', gids),
          publish: (_args, _view, image) => {
            const written = writeInProc(image, 'uid_map', uids);
            if (written < 0) return written;
            userns = call('openat', -100, text(inProc(image, 'ns/user')), O_CLOEXEC, 0);
            return Math.min(userns, 0);
          },
        },
      },
      done: (_pid, execution) => {
        abandon(execution);
        return userns;
      },
    });
  } finally {
    rmSync(path, { force: true });
  }
}

const inProc = (image: Image, name: string): string => `/proc/${getSlot(image, 'init')}/${name}`;

function writeInProc(image: Image, name: string, value: string): number {
  const bytes = Buffer.from(value);
  return writeOnce(inProc(image, name), bytes, bytes.length);
}
