// A context for tests: a host that is always the same, so that programs are too.
import type { Config } from '../../spec/config.ts';
import type { Context, Request } from './context.ts';

const config: Config = {
  ociVersion: '1.3.0',
  root: { path: 'rootfs' },
  process: { args: ['sh'], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } },
  linux: { namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
};

/** The minimal bundle with a part of config.json replaced. */
export function testContext(change: Partial<Record<keyof Config, unknown>>, request: Partial<Request> = {}): Context {
  return {
    config: { ...config, ...change } as Config,
    host: { euid: 0, isPrivileged: true, files: new Set(['/file']), plainNames: new Set(['dev', 'tmp']), hasKcore: true, hasSelinux: true, home: '/root', rootfsMountPoint: '/', cgroup: { mount: '/sys/fs/cgroup', path: '/sys/fs/cgroup/c1', missing: ['/sys/fs/cgroup/c1'], enable: [], controllers: ['cpu', 'memory', 'pids'], threaded: [], delegate: ['cgroup.procs'] }, cgroupMount: '/sys/fs/cgroup' },
    request: {
      id: 'c1', bundle: '/b', rootfs: '/b/rootfs', stateDirectory: '/run/runt/c1', gateDirectory: '/run/runt/c1', pidFile: undefined, pidfdSocket: undefined, noPivot: false, noNewKeyring: false, preservedFds: 0,
      listenFds: 0, listenFdNames: undefined, console: { kind: 'none' }, filter: undefined, deviceFilter: undefined, ...request,
    },
  };
}
