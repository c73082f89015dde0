// What is measured: commands of a runtime, in the order in which they make sense, and the bundles they need.
import { baseConfig, makeBundle, type Json } from '../harness.ts';
import { engineScenarios } from './engines.ts';
import { defaultProfile } from './profile.ts';

type Config = ReturnType<typeof baseConfig>;

/** Without device rules: Debian 12's crun cannot load a device filter on a machine whose root lacks CAP_SYS_RESOURCE. */
function bundle(change: (config: Config) => void, ...args: string[]): string {
  const config = baseConfig(...args);
  config.linux['resources'] = {};
  change(config);
  return makeBundle(config);
}

const tmpfs = (count: number) => (config: Config): void => {
  for (let index = 0; index < count; index++) config.mounts.push({ destination: `/mnt/m${index}`, type: 'tmpfs', source: 'tmpfs' });
};
const variables = (count: number) => (config: Config): void => void (config.process['env'] = Array.from({ length: count }, (_, index) => `VARIABLE_${index}=${'x'.repeat(50)}`));
const mapped = (config: Config): void => {
  (config.linux['namespaces'] as Json[]).push({ type: 'user' });
  for (const key of ['uidMappings', 'gidMappings']) config.linux[key] = [{ containerID: 0, hostID: 100000, size: 65536 }];
};

export interface Scenario {
  readonly name: string;
  /** Words after --root ROOT; %d is the run's number, %i the id of the runtime's own series. */
  readonly words: readonly string[];
  /** Without --root: the runtime's own binary only. */
  readonly bare?: boolean;
  /** A program of the engine's own in place of the runtime (engines.ts). */
  readonly isEngine?: boolean;
  /** How many at once. */
  readonly parallel?: number;
  /** The rootfs a floor program would enter for the same, where there is one. */
  readonly floor?: boolean;
  /** Makes what the scenario needs by commands that are not measured. */
  readonly before?: readonly (readonly string[])[];
  readonly after?: readonly (readonly string[])[];
}

/** Scenarios, with their bundles made. */
export function scenarios(): readonly Scenario[] {
  const run = (name: string, change: (config: Config) => void, more: Partial<Scenario> = {}): Scenario => ({ name, words: ['run', '--bundle', bundle(change, '/bin/true'), '%ir%d'], ...more });
  const plain = bundle(() => {}, '/bin/true'), sleeper = bundle(() => {}, '/bin/sleep', '1000');
  const runs = ['run', '--bundle', plain, '%ip%d'];
  const running = { before: [['run', '--detach', '--bundle', sleeper, '%ie']], after: [['delete', '--force', '%ie']] };
  return [
    ...engineScenarios.map((name): Scenario => ({ name, words: [], isEngine: true })),
    { name: '--version', words: ['--version'], bare: true },
    { name: 'run', words: ['run', '--bundle', plain, '%ir%d'], floor: true },
    { name: 'create', words: ['create', '--bundle', sleeper, '%ic%d'] }, { name: 'start', words: ['start', '%ic%d'] }, { name: 'state', words: ['state', '%ic%d'] },
    { name: 'kill', words: ['kill', '%ic%d', 'KILL'] }, { name: 'delete', words: ['delete', '%ic%d'] },
    { name: 'exec', words: ['exec', '%ie', '/bin/true'], ...running },
    run('run, 10 more mounts', tmpfs(10)), run('run, 50 more mounts', tmpfs(50)), run('run, 200 more mounts', tmpfs(200)),
    run('run, 100 variables', variables(100)), run('run, 1000 variables', variables(1000)),
    run("run, a manager's seccomp profile", (config) => void (config.linux['seccomp'] = defaultProfile())),
    run('run, user namespace', mapped),
    ...[1, 2, 5, 10, 25, 50].map((parallel) => ({ name: `50 runs, ${parallel} at once`, words: runs, parallel, floor: true })),
  ];
}

/** The commands of one container's life. */
export const lifecycle: readonly string[] = ['create', 'start', 'state', 'kill', 'delete'];
