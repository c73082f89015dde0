// Compiles a bundle without touching anything: for `explain`, which needs neither root nor a container.
import { compileCreate } from '../compile/create.ts';
import type { CgroupHost, Context } from '../compile/context.ts';
import { unitOf, unitProperties } from '../compile/scope.ts';
import type { Config } from '../../spec/config.ts';
import { cgroupPath, findCgroupMount, ownCgroup } from '../cgroup/locate.ts';
import { imageOf } from '../execute/program-file.ts';
import type { Image } from '../program/decode.ts';
import type { Program } from '../program/step.ts';
import { readBundle } from './bundle.ts';
import { prepareDeviceFilter } from './filters.ts';
import { gatherHost } from './host.ts';

const ofDriver = (path: string, mount: string): CgroupHost => ({ mount, path, missing: [path], enable: [], controllers: [], threaded: [], delegate: [] });

/** The system's systemd, whose units are below the root. */
function ofUnit(config: Config, id: string, mount: string): CgroupHost {
  const unit = unitOf(config.linux?.cgroupsPath, id, false);
  return { ...ofDriver(`${mount}${unit.path}`, mount), missing: [], unit: { unit: unit.name, properties: unitProperties(unit, id, config) } };
}

/** The program that `create` would run for a bundle, as the initial root, with a filter shown by its place only. */
export function explainBundle(directory: string, root: string, id: string, isSystemd = false): { readonly program: Program; readonly image: Image } {
  const bundle = readBundle(directory);
  const { config } = bundle;
  const mount = findCgroupMount() ?? '/sys/fs/cgroup';
  const cgroup = isSystemd ? ofUnit(config, id, mount) : ofDriver(cgroupPath(mount, config.linux?.cgroupsPath, id, ownCgroup()), mount);
  const terminal = config.process?.terminal === true;
  const context: Context = {
    config,
    host: { ...gatherHost(config, bundle.path, bundle.rootfs, cgroup), isPrivileged: true, euid: 0 },
    request: {
      id, bundle: bundle.path, rootfs: bundle.rootfs, stateDirectory: `${root}/${id}`, gateDirectory: `${root}/${id}`, pidFile: undefined, pidfdSocket: undefined, noPivot: false, noNewKeyring: false,
      preservedFds: 0, listenFds: 0, listenFdNames: undefined, console: terminal ? { kind: 'foreground' } : { kind: 'none' },
      filter: config.linux?.seccomp === undefined ? undefined : { program: new Uint8Array(0), flags: 0, hasListener: (config.linux.seccomp.syscalls ?? []).some(({ action }) => action === 'SCMP_ACT_NOTIFY') },
      deviceFilter: prepareDeviceFilter(config),
    },
  };
  const program = compileCreate(context);
  return { program, image: imageOf(program, { id, command: 'explain' }) };
}
