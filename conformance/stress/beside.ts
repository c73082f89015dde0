// Random bundles, run by a runtime and by a reference beside it: `conformance/v2-view.sh tsx conformance/stress/beside.ts [RUNTIME] [REFERENCE] [ROUNDS] [SEED]`.
// Says where one runs what the other refuses, and what a process sees of its container that it does not see in the other's; each difference once.
// What remains beside Debian's runc 1.1 is argued in ARCHITECTURE.md: atime words together, mounts and sysfs in a user namespace, which runc refuses.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { differences, normal, observe } from '../bundles/compare.ts';
import type { Json } from '../harness.ts';
import { random as randomFrom } from '../security/mutate.ts';
import { tmpfs, type Config } from '../within.ts';

const [runtime = 'dist/runt', reference = '/usr/sbin/runc', rounds = '100', seed = '1'] = process.argv.slice(2);
const next = randomFrom(Number(seed));
const random = (below: number): number => Math.floor(next() * below);
const one = <T>(of: readonly T[]): T => of[random(of.length)]!;

const base = JSON.parse(readFileSync(join(import.meta.dirname, '../bundles/runc-spec/config.json'), 'utf8')) as Config;
const capabilities = ['CAP_KILL', 'CAP_CHOWN', 'CAP_NET_RAW', 'CAP_SYS_ADMIN', 'CAP_SETUID', 'CAP_MKNOD', 'CAP_DAC_OVERRIDE'];
const bind = (destination: string, source: string, ...options: string[]) => ({ destination, type: 'bind', source, options });
const maps = [[{ containerID: 0, hostID: 100000, size: 65536 }], [{ containerID: 0, hostID: 0, size: 4000 }]];

/** What may be asked of a container, each change by itself; the first number is how seldom: one in so many bundles. */
const changes: Readonly<Record<string, readonly [odds: number, change: (config: Config) => void]>> = {
  user: [3, ({ process: p }) => void (p['user'] = { uid: one([0, 1, 1000]), gid: one([0, 5, 1000]), ...one([{}, { additionalGids: [7, 4] }]), ...one([{}, { umask: 0o77 }, { umask: 0 }]) })],
  env: [3, ({ process: p }) => void (p['env'] = one([['PATH=/bin', 'A=b', 'A=c'], ['PATH=/bin', 'HOME='], ['PATH=/bin', 'HOME=/tmp'], ['PATH=/nowhere:/bin', 'é=ü']]))],
  cwd: [3, ({ process: p }) => void (p['cwd'] = one(['/tmp', '/made/up', '/etc/..', '/home/user']))],
  capabilities: [3, ({ process: p }) => {
    const some = capabilities.filter(() => random(2) === 0);
    p['capabilities'] = one([{ bounding: some, effective: some, permitted: some }, { bounding: capabilities, effective: some, permitted: capabilities, inheritable: some, ambient: some }, { bounding: some }, {}]);
  }],
  'no capabilities': [12, ({ process: p }) => void delete p['capabilities']],
  'new privileges': [3, ({ process: p }) => void (p['noNewPrivileges'] = p['noNewPrivileges'] !== true)],
  limits: [3, ({ process: p }) => void (p['rlimits'] = one([[{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }], [{ type: 'RLIMIT_CORE', soft: 0, hard: 0 }], []]))],
  score: [3, ({ process: p }) => void (p['oomScoreAdj'] = one([0, 5, 1000]))],
  'read-only root': [3, ({ root }) => void (root['readonly'] = root['readonly'] !== true)],
  propagation: [3, ({ linux }) => void (linux['rootfsPropagation'] = one(['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared']))],
  masked: [3, ({ linux }) => void (linux['maskedPaths'] = one([[], ['/proc/kcore', '/sys/firmware', '/nope', '/etc/hosts'], ['/proc/keys']]))],
  'read-only paths': [3, ({ linux }) => void (linux['readonlyPaths'] = one([[], ['/proc/sys', '/etc', '/nope'], ['/tmp', '/dev/shm']]))],
  devices: [3, ({ linux }) => void (linux['devices'] = one([[{ path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o666, uid: 0, gid: 0 }], [{ path: '/dev/a/b', type: 'c', major: 1, minor: 3 }, { path: '/dev/blk', type: 'b', major: 7, minor: 0, fileMode: 0o600, gid: 6 }], [{ path: '/dev/fifo', type: 'p', fileMode: 0o640, uid: 3 }]]))],
  'device rules': [3, ({ linux }) => void (linux['resources'] = one<Json>([{}, { devices: [{ allow: true, access: 'rwm' }] }, { devices: [{ allow: false, access: 'rwm' }, { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' }] }]))],
  namespaces: [3, (config) => {
    const namespaces = ['pid', 'network', 'ipc', 'uts', 'mount', 'cgroup'].filter((type) => type === 'mount' || random(4) > 0).map((type) => ({ type }));
    config.linux['namespaces'] = namespaces;
    if (!namespaces.some(({ type }) => type === 'uts')) delete config['hostname'];
  }],
  'user namespace': [5, ({ linux }) => {
    (linux['namespaces'] as Json[]).push({ type: 'user' });
    linux['uidMappings'] = linux['gidMappings'] = one(maps);
    delete linux['devices'];
  }],
  'words of mounts': [3, ({ mounts }) => {
    for (const mount of mounts) if (random(4) === 0) mount['options'] = [...((mount['options'] as string[] | undefined) ?? []), one(['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime', 'rw', 'suid', 'exec', 'rprivate', 'slave'])];
  }],
  'fewer mounts': [3, (config) => void (config.mounts = config.mounts.filter((mount) => mount['destination'] === '/proc' || random(4) > 0))],
  'more mounts': [3, ({ mounts }) => {
    for (let i = 1 + random(4); i > 0; i--) {
      mounts.push(one([
        tmpfs(`/tmp/t${i}`, one(['nosuid', 'ro', 'mode=711', 'size=1m', 'noexec', 'uid=5'])), tmpfs('/data', 'tmpcopyup'), tmpfs('/etc', 'tmpcopyup'), tmpfs('/run'),
        bind(`/tmp/b${i}`, '/usr/share', one(['bind', 'rbind']), one(['ro', 'rw', 'nosuid', 'rprivate', 'rslave', 'rshared', 'noexec', 'nodev'])), bind(`/f${i}`, '/etc/passwd', 'bind', one(['ro', 'rw'])),
        bind('/dev/shm', '/usr', 'rbind', 'ro'), { destination: `/deep/a/b/${i}`, type: 'ramfs', source: 'ramfs' },
      ]));
    }
  }],
};

const directory = mkdtempSync(join(tmpdir(), 'beside-'));
const file = join(directory, 'config.json');
const said = new Set<string>();
const count = { ran: 0, refused: 0, different: 0 };

/** Each difference once, whatever numbers are in it. */
function say(round: number, asked: string, words: string): void {
  const key = words.replace(/\d+/g, 'N');
  if (said.has(key)) return;
  said.add(key);
  count.different++;
  console.log(`${round} (${asked}): ${words}`);
}

for (let round = 0; round < Number(rounds); round++) {
  const config = structuredClone(base);
  config.process['terminal'] = false;
  const asked = Object.entries(changes).filter(([, [odds]]) => random(odds) === 0);
  for (const [, [, change]] of asked) change(config);
  const names = asked.map(([name]) => name).join(', ');
  writeFileSync(file, JSON.stringify(config));
  const [ours, theirs] = [runtime, reference].map((path) => observe(`beside${process.pid}`, file, resolve(path)));
  if (ours!.code !== theirs!.code) {
    say(round, names, `exit status ${ours!.code}: ${ours!.stderr.split('\n')[0]}; ${reference} ${theirs!.code}: ${theirs!.stderr.trim().split('\n').at(-1)}`);
    continue;
  }
  count[ours!.code === 0 ? 'ran' : 'refused']++;
  if (ours!.code !== 0) continue;
  const { found, expected } = differences(normal(ours!.stdout), normal(theirs!.stdout));
  for (const line of found) say(round, names, `only ${runtime}: ${line}`);
  for (const line of expected) say(round, names, `only ${reference}: ${line}`);
}
rmSync(directory, { recursive: true });
console.log(JSON.stringify(count));
