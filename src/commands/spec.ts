// `runt spec`: a config.json to begin with.
import { writeFileSync } from 'node:fs';
import { RuntimeError } from '../errors.ts';
import { isOn, valueOf, type Command } from './command.ts';

const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

/** The template; rootless has a user namespace with the caller's ids and only what an ordinary user may mount. */
export function specTemplate(rootless: boolean, uid: number, gid: number): Record<string, unknown> {
  const cgroup = { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'relatime', 'ro'] };
  const sysfs = rootless
    ? { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] }
    : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] };
  const types = ['pid', ...(rootless ? [] : ['network']), 'ipc', 'uts', 'mount', 'cgroup', ...(rootless ? ['user'] : [])];
  return {
    ociVersion: '1.3.0',
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'runt',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
      { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...(rootless ? [] : ['gid=5'])] },
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=65536k'] },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
      sysfs,
      ...(rootless ? [] : [cgroup]),
    ],
    linux: {
      ...(rootless ? { uidMappings: [{ containerID: 0, hostID: uid, size: 1 }], gidMappings: [{ containerID: 0, hostID: gid, size: 1 }] } : { resources: { devices: [{ allow: false, access: 'rwm' }] } }),
      namespaces: types.map((type) => ({ type })),
      maskedPaths: ['/proc/acpi', '/proc/asound', '/proc/kcore', '/proc/keys', '/proc/latency_stats', '/proc/timer_list', '/proc/timer_stats', '/proc/sched_debug', '/sys/firmware', '/proc/scsi'],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

export const command: Command = {
  name: 'spec', summary: 'write a config.json to begin with', words: '', least: 0, most: 0,
  flags: [
    { name: 'bundle', short: 'b', value: 'DIR', help: 'where to write it (default: the working directory)' },
    { name: 'rootless', help: 'for a user without privileges' },
  ],
  examples: ['runt spec', 'runt spec --rootless --bundle /tmp/web'],
  run: (call) => {
    const path = `${valueOf(call, 'bundle') ?? process.cwd()}/config.json`;
    const template = specTemplate(isOn(call, 'rootless'), process.geteuid!(), process.getegid!());
    try {
      writeFileSync(path, `${JSON.stringify(template, null, '\t')}\n`, { flag: 'wx', mode: 0o666 });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST') throw new RuntimeError('File config.json exists. Remove it first');
      throw new RuntimeError(`cannot write ${path}: ${code}`);
    }
    return 0;
  },
};
