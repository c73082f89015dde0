// Keys of config.json, facts about the host and requests in combinations that nobody thought of: each becomes a program, or is refused in words.
// ROUNDS is how many (400), SEED where they start.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { random as randomFrom } from '../../conformance/security/mutate.ts';
import { writeCopies } from '../../native/interpreter/copies.ts';
import { checkConfig } from '../../spec/check.ts';
import type { Config, Mount } from '../../spec/config.ts';
import { RuntimeError } from '../errors.ts';
import { encodeProgram } from '../program/encode.ts';
import type { Program } from '../program/step.ts';
import type { Context, Host, Request } from './context.ts';
import { compileCreate } from './create.ts';
import { complete } from './every-key.samples.ts';
import { compileExec } from './exec.ts';
import { compileRestore } from './restore.ts';
import { testContext } from './testing.ts';

const rounds = Number(process.env['ROUNDS'] ?? 400);
const seed = Number(process.env['SEED'] ?? 1);
const next = randomFrom(seed);
const random = (below: number): number => Math.floor(next() * below);
const one = <T>(of: readonly T[]): T => of[random(of.length)]!;
/** Most members of an object, or few. */
const some = (object: object | undefined, ofFour: number): Record<string, unknown> => Object.fromEntries(Object.entries(object ?? {}).filter(() => random(4) < ofFour));

const mapping = [{ containerID: 0, hostID: 1000, size: 70_000 }];
const mountKinds: readonly Mount[] = [
  { destination: '/proc', type: 'proc', source: 'proc' }, { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['ro'] }, { destination: '/dev/pts', type: 'devpts', source: 'devpts' },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['ro'] }, { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup' }, { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue' },
  { destination: '/c', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] }, { destination: '/c', type: 'none', source: 'x', options: ['remount', 'ro'] }, { destination: '/b', type: 'bind', source: '/file', options: ['rbind', 'idmap'] },
  { destination: '/b/c/d', type: 'bind', source: 'rel', options: ['bind', 'rprivate', 'ro', 'rnosuid'] }, { destination: '/i', type: 'bind', source: '/s', options: ['ridmap'], uidMappings: mapping, gidMappings: mapping },
  { destination: '/i', type: 'bind', source: '/s', options: ['remount'], uidMappings: mapping, gidMappings: mapping }, { destination: '/o', type: 'overlay', source: 'overlay', options: [`lowerdir=${'x'.repeat(300)}`] },
  { destination: '/dev', type: 'bind', source: '/dev', options: ['rbind'] }, { destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup', 'ro', `size=${'1'.repeat(260)}`] },
  { destination: '/b', type: 'bind', source: '/s', options: ['bind', 'remount', 'ro'] }, { destination: '/r', type: 'ramfs', source: 'ramfs', options: ['silent', 'ro'] }, { destination: '/x/../y/./z', type: 'bind', source: '/file' },
  { destination: '/many', type: 'tmpfs', source: 'tmpfs', options: Array.from({ length: 80 }, (_, uid) => `uid=${uid}`) },
];

/** A few mounts; of long lists some kinds come by the dozen. */
function mounts(): readonly Mount[] {
  const isLong = random(4) === 0;
  return mountKinds.filter(() => random(isLong ? 2 : 3) === 0).flatMap((mount) => (isLong && random(2) === 0 ? Array.from({ length: 12 + random(30) }, (_, i) => ({ ...mount, destination: random(12) === 0 ? mount.destination : `${mount.destination}/${i}` })) : [mount]));
}

function config(): Config {
  const { hooks, process, linux, ...rest } = complete['plain']!;
  const namespaces = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup', 'time', 'user'].flatMap((type) => {
    const kind = random(type === 'mount' ? 24 : 5);
    return kind === 0 ? [] : [{ type, ...(kind === 1 ? { path: `/proc/9/ns/${type}` } : {}) }];
  });
  const isNew = (type: string): boolean => namespaces.some((namespace) => namespace.type === type && !('path' in namespace));
  const document = {
    ...some(rest, 3), ...(random(2) === 0 ? {} : { hooks: some(hooks, 2) }), ociVersion: '1.3.0', root: { path: 'rootfs', readonly: random(2) === 0 },
    process: { args: ['/bin/sh'], cwd: '/', user: { uid: 0, gid: 0 }, ...some(process, 3) },
    linux: { ...some(linux, 2), ...(linux?.resources === undefined || random(2) === 0 ? {} : { resources: some(linux.resources, 2) }), namespaces, ...(isNew('user') ? { uidMappings: mapping, gidMappings: mapping } : {}) },
    mounts: mounts(),
  } as Record<string, unknown> & { linux: Record<string, unknown> };
  // What the rules would refuse nearly every time.
  if (!isNew('time')) delete document.linux['timeOffsets'];
  if (!isNew('uts')) for (const key of ['hostname', 'domainname']) delete document[key];
  if (!isNew('network')) for (const key of ['netDevices', 'sysctl']) delete document.linux[key];
  return JSON.parse(JSON.stringify(document)) as Config;
}

function context(): Context {
  const { host, request } = testContext({});
  const unit = random(3) === 0 ? { unit: { unit: 'x.scope', properties: ['A=b'] } } : {};
  const cgroup = { ...host.cgroup!, ...unit, enable: one([[], [{ path: '/sys/fs/cgroup', controllers: ['cpu'] }]]), threaded: one([[], ['/sys/fs/cgroup/c1']]), missing: one([[], ['/sys/fs/cgroup/a', '/sys/fs/cgroup/c1']]) };
  const facts: Partial<Host> = { euid: one([0, 0, 1000]), isPrivileged: random(3) > 0, hasKcore: random(2) === 0, hasSelinux: random(5) > 0, rootfsMountPoint: one(['/', '/b']), cgroup: one([cgroup, cgroup, undefined]), resctrl: one(['/sys/fs/resctrl', undefined]), cgroupMount: one(['/sys/fs/cgroup', undefined]) };
  const asked: Partial<Request> = {
    pidFile: one(['/p', undefined]), pidfdSocket: one(['/s', undefined]), noPivot: random(3) === 0, noNewKeyring: random(3) === 0, preservedFds: random(4), listenFds: random(2), listenFdNames: one(['a', undefined]),
    console: one<Request['console']>([{ kind: 'none' }, { kind: 'foreground' }, { kind: 'socket', path: '/c' }]),
    filter: one([undefined, { program: new Uint8Array(16), flags: random(2), hasListener: random(2) === 0 }]), deviceFilter: one([undefined, new Uint8Array(16)]),
  };
  return { config: config(), host: { ...host, ...facts }, request: { ...request, ...asked } };
}

const compilers: Readonly<Record<string, (given: Context) => Program>> = {
  create: compileCreate,
  exec: (given) => compileExec({ ...given, init: { pid: 7, startTime: '4711' }, entersUser: random(2) === 0 }),
  restore: (given) => compileRestore(given, { criu: '/criu', environment: ['A=b'], socket: 3, root: '/tmp/root' }),
};

const test = suite('combinations');

test(`${rounds} combinations from seed ${seed}`, () => {
  const outcomes = { program: 0, refused: 0, broken: 0 };
  for (let round = 0; round < rounds; round++) {
    const given = context();
    if (checkConfig(given.config).some(({ severity }) => severity === 'error')) {
      outcomes.broken++;
      continue;
    }
    for (const [name, compile] of Object.entries(compilers)) {
      try {
        encodeProgram(compile(given), { writeCopies });
        outcomes.program++;
      } catch (error) {
        if (!(error instanceof RuntimeError)) throw new Error(`SEED=${seed}, round ${round}, ${name}: ${String((error as Error).stack)}\n${JSON.stringify(given)}`);
        outcomes.refused++;
      }
    }
  }
  assert.ok(outcomes.program > rounds / 2 && outcomes.refused > rounds / 20 && outcomes.broken > rounds / 20, JSON.stringify(outcomes));
  if (process.env['ROUNDS'] !== undefined) console.log(JSON.stringify(outcomes));
});

test.run();
