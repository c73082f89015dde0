// `runt exec`.
import { execInContainer } from '../container/exec.ts';
import type { ExecOptions } from '../container/options.ts';
import { RuntimeError } from '../errors.ts';
import { isOn, preserveFdsOf, valueOf, valuesOf, type Call, type Command } from './command.ts';

/** What runc ends with when the process could not be run: its own exit status is then free to mean itself. */
const SET_UP_FAILED = 255;
const LARGEST_ID = 0xffff_fffe;

export const command: Command = {
  name: 'exec', summary: 'run another process in a container', words: 'CONTAINER [COMMAND [ARGUMENT...]]', least: 1, most: Infinity,
  flags: [
    { name: 'process', short: 'p', value: 'FILE', help: 'a process object (config.md#process); other flags of the process are then ignored' },
    { name: 'detach', short: 'd', help: 'return as soon as the process runs' },
    { name: 'tty', short: 't', help: 'give it a terminal' },
    { name: 'console-socket', value: 'PATH', help: 'unix socket that receives the master of the pty' },
    { name: 'pid-file', value: 'FILE', help: 'write its pid to FILE' },
    { name: 'cwd', value: 'DIR', help: 'working directory in the container' },
    { name: 'env', short: 'e', value: 'NAME=VALUE', many: true, help: 'added to the environment; may be repeated' },
    { name: 'user', short: 'u', value: 'UID[:GID]', help: 'numbers' },
    { name: 'additional-gids', short: 'g', value: 'GID', many: true, help: 'may be repeated' },
    { name: 'cap', short: 'c', value: 'CAP_NAME', many: true, help: 'added to bounding, effective and permitted; may be repeated' },
    { name: 'no-new-privs', help: 'execve gives no rights any more' },
    { name: 'preserve-fds', value: 'N', help: 'pass N further descriptors, from 3 on' },
    { name: 'cgroup', value: 'PATH', many: true, help: 'a cgroup below the container’s' },
    { name: 'ignore-paused', help: 'also into a paused container; the process then waits' },
    { name: 'apparmor', value: 'PROFILE', help: 'AppArmor profile of the process' },
    { name: 'process-label', value: 'LABEL', help: 'SELinux label of the process' },
    { name: 'pidfd-socket', value: 'PATH', help: 'unix socket that receives a pidfd of the process' },
    { name: 'no-subreaper', help: 'accepted: the process is a child of runt itself', hidden: true },
  ],
  examples: ['runt exec web ps', 'runt exec --tty web sh', 'runt exec --process process.json --detach --pid-file /run/one.pid web'],
  run: async (call) => {
    try {
      return await execInContainer(execOptions(call));
    } catch (error) {
      if (error instanceof RuntimeError) throw new RuntimeError(error.message, { ...error.details, exitCode: SET_UP_FAILED });
      throw error;
    }
  },
};

function execOptions(call: Call): ExecOptions {
  const env = valuesOf(call, 'env');
  for (const entry of env) if (!/^[^=]+=/.test(entry)) throw new RuntimeError(`invalid environment variable: ${JSON.stringify(entry)}`, { hint: 'NAME=VALUE' });
  const cwd = valueOf(call, 'cwd') || undefined;
  if (cwd !== undefined && !cwd.startsWith('/')) throw new RuntimeError(`Cwd must be an absolute path: --cwd ${JSON.stringify(cwd)}`);
  return {
    root: call.globals.root,
    id: call.words[0]!,
    args: call.words.slice(1),
    processFile: valueOf(call, 'process') || undefined,
    detach: isOn(call, 'detach'),
    tty: isOn(call, 'tty'),
    consoleSocket: valueOf(call, 'console-socket') || undefined,
    pidFile: valueOf(call, 'pid-file') || undefined,
    pidfdSocket: valueOf(call, 'pidfd-socket') || undefined,
    cwd,
    env,
    user: userOf(valueOf(call, 'user')),
    additionalGids: valuesOf(call, 'additional-gids').map((gid) => idOf(gid, '-additional-gids')),
    capabilities: valuesOf(call, 'cap'),
    noNewPrivileges: isOn(call, 'no-new-privs'),
    apparmorProfile: valueOf(call, 'apparmor') || undefined,
    selinuxLabel: valueOf(call, 'process-label') || undefined,
    preserveFds: preserveFdsOf(call),
    cgroups: valuesOf(call, 'cgroup'),
    ignorePaused: isOn(call, 'ignore-paused'),
    warn: call.warn,
  };
}

/** `1000` or `1000:100`; names are not looked up, as in runc. Anything else is refused, not guessed (CVE-2026-30892). */
function userOf(text: string | undefined): ExecOptions['user'] {
  if (text === undefined) return {};
  const [uid, gid, ...others] = text.split(':');
  if (others.length > 0) throw new RuntimeError(`invalid value "${text}" for -user`, { hint: 'UID or UID:GID' });
  return { uid: idOf(uid!, '-user'), ...(gid === undefined ? {} : { gid: idOf(gid, '-user') }) };
}

function idOf(text: string, flag: string): number {
  const id = Number(text);
  if (!/^\d{1,10}$/.test(text) || id > LARGEST_ID) throw new RuntimeError(`invalid value "${text}" for ${flag}`, { hint: 'a number' });
  return id;
}
