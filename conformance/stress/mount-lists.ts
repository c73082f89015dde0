// Random lists of mounts on a rootfs full of symlinks, by two builds of runt, one of them from before a change:
// `conformance/v2-view.sh tsx conformance/stress/mount-lists.ts RUNTIME REFERENCE [ROUNDS] [SEED]`. Says where mounts lie elsewhere.
// Other runtimes are no reference: they make mount points through read-only binds, and refuse more.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeRootfs } from '../harness.ts';
import { random as randomFrom } from '../security/mutate.ts';

const [runtime, reference, rounds = '300', seed = '1'] = process.argv.slice(2);
if (runtime === undefined || reference === undefined) {
  console.error('usage: mount-lists.ts RUNTIME REFERENCE [ROUNDS] [SEED]');
  process.exit(2);
}
const next = randomFrom(Number(seed));
const random = (below: number): number => Math.floor(next() * below);
const one = <T>(of: readonly T[]): T => of[random(of.length)]!;

interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

const directory = mkdtempSync(join(tmpdir(), 'lists-'));
const rootfs = join(directory, 'rootfs');
const source = join(directory, 'source');

/** As new: a runtime makes mount points in both. */
function prepare(): void {
  for (const made of [rootfs, source]) rmSync(made, { recursive: true, force: true });
  makeRootfs(rootfs);
  for (const path of ['a/b/c', 'e']) mkdirSync(join(rootfs, path), { recursive: true });
  for (const [name, target] of [['l', '/a'], ['m', 'a/b'], ['a/s', '../e'], ['d', '/nowhere/x'], ['u', '.'], ['y', '/']] as const) symlinkSync(target, join(rootfs, name));
  for (const path of ['b/c', 'x']) mkdirSync(join(source, path), { recursive: true });
  for (const [name, target] of [['l', '/a'], ['u', '..'], ['y', 'b']] as const) symlinkSync(target, join(source, name));
  writeFileSync(join(source, 'f'), 'f');
}

const names = ['a', 'b', 'c', 'l', 'm', 's', 'e', 'u', 'y', 'x', 'd'];

/** Often below one of the last; sometimes many at once, which differ in their paths alone. */
function list(): readonly Mount[] {
  const mounts: Mount[] = [];
  for (let count = 1 + random(7); count > 0; count--) {
    const above = mounts.length > 0 && random(3) > 0 ? one(mounts.slice(-3)).destination : ['', ...Array.from({ length: random(3) }, () => one(names))].join('/');
    const mount = one<(destination: string) => Mount>([
      (destination) => ({ destination, type: 'bind', source: join(source, 'f'), options: ['bind'] }),
      (destination) => ({ destination, type: 'bind', source, options: one([['rbind'], ['rbind', 'ro']]) }),
      (destination) => ({ destination, type: 'ramfs', source: 'ramfs', options: [] }),
      (destination) => ({ destination, type: 'tmpfs', source: 'tmpfs', options: one([[], ['mode=755'], ['mode=700', 'rprivate'], ['mode=1777', 'ro']]) }),
      (destination) => ({ destination, type: 'tmpfs', source: 'tmpfs', options: [] }),
      (destination) => ({ destination, type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] }),
    ]);
    mounts.push(mount(`${above}/${one(names)}`));
    if (random(6) === 0) for (let i = 3 + random(40); i > 0; i--) mounts.push(mount(random(40) === 0 ? one(mounts).destination : `${above}/${one(['n', one(names)])}${i}`));
  }
  return mounts;
}

/** Where a process finds its mounts, or how the runtime ended. */
function seen(path: string, mounts: readonly Mount[]): readonly string[] {
  prepare();
  const config = {
    ociVersion: '1.0.2', root: { path: rootfs }, mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }, ...mounts], linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }] },
    process: { args: ['/bin/cut', '-d', ' ', '-f', '4,5', '/proc/self/mountinfo'], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 }, capabilities: {} },
  };
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  const done = spawnSync(resolve(path), ['--root', join(directory, 'state'), 'run', '--bundle', directory, `lists${process.pid}`], { encoding: 'utf8', timeout: 20_000 });
  return done.status === 0 ? done.stdout.split('\n') : ['it is refused'];
}

const count = { ran: 0, refused: 0, different: 0 };
for (let round = 0; round < Number(rounds); round++) {
  const mounts = list();
  const [ours, theirs] = [runtime, reference].map((path) => seen(path, mounts));
  count[ours![0] === 'it is refused' ? 'refused' : 'ran']++;
  const only = (some: readonly string[], others: readonly string[]): string => some.filter((line) => !others.includes(line)).join(', ');
  if (ours!.join('\n') === theirs!.join('\n')) continue;
  count.different++;
  console.log(`${round}: ${mounts.map(({ destination, type }) => `${type} ${destination}`).join(', ')}\n  only ${runtime}: ${only(ours!, theirs!)}\n  only ${reference}: ${only(theirs!, ours!)}`);
}
rmSync(directory, { recursive: true });
console.log(JSON.stringify(count));
process.exit(count.different === 0 ? 0 : 1);
