// What an engine does before its snapshot is taken (native/snapshot/take.c): everything that calls have in common, some times over. Code that
// has run needs no loading, linking or looking up when it runs again. A container that cannot be made here is refused, which is of use as well.
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { installDirectory, isExecutable, koffi } from '../native/linux/koffi.ts';
import { call, waitStatus } from '../native/linux/syscalls.ts';
import { pause } from '../native/snapshot/pause.ts';
import { main } from '../src/main.ts';
import { sleep } from '../src/sleep.ts';

const ROUNDS = 3;
/** Mounts of one kind: so many are copied (compile/mount-copies.ts). */
const MANY = 30;
/** Below are what take.c filled the table of descriptors with, from here on those of the event loops. */
const FIRST_FD = 240;

/** Makes containers below a directory of our own, stands still, and goes on as the process that somebody has called. */
export async function warm(work: string): Promise<void> {
  koffi();
  call('close_range', 3, FIRST_FD - 1, 0);
  const threads = readdirSync('/proc/self/task');
  const descriptors = readdirSync('/proc/self/fd').length;
  const bundle = await makeBundle(work);
  const root = ['--root', `${work}/root`];
  const id = `runt-snapshot-${process.pid}`; // its cgroup lies beside others' containers
  for (let round = 0; round < ROUNDS; round++) {
    await main([...root, 'create', '--bundle', bundle, id]);
    await main([...root, 'exec', '--detach', id, '/init']);
    reap();
    await main([...root, 'update', '--resources', `${work}/resources.json`, id]);
    await main([...root, 'list']);
    await main([...root, 'delete', '--force', id]);
    if (isExecutable) { // V8 would have so much garbage by then that every call collects it
      await main([...root, 'create', '--bundle', `${work}/long`, id]);
      await main([...root, 'delete', '--force', id]);
    }
    await main([...root, 'run', '--bundle', `${work}/none`, 'none']);
  }
  call('close_range', 3, FIRST_FD - 1, 0);
  // Threads are not part of a snapshot. Those from the engine's beginning wait for what runt never asks of them, Bun's scavenger gives memory back: none is missed.
  const missed = readdirSync('/proc/self/task').filter((thread) => !threads.includes(thread)).map((thread) => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim()).filter((name) => name !== 'mi-scavenger');
  if (missed.length > 0 || readdirSync('/proc/self/fd').length !== descriptors) throw new Error(`not as it began: ${missed.join(' ')}`);
  const given = pause();
  if (given === undefined) return;
  Object.defineProperty(process, 'pid', { value: call('getpid') });
  process.argv = ['', ...given.words];
  try {
    process.chdir('.'); // Node remembers where it was
  } catch {
    // gone, which is seen by whoever asks for it
  }
  process.env = Object.fromEntries(given.environment.map((variable) => {
    const name = variable.split('=', 1)[0]!;
    return [name, variable.slice(name.length + 1)];
  }));
}

/** What exec has left is our child: as long as nobody reaps it the kernel keeps the container's init from ending, and delete would wait ten seconds. */
function reap(): void {
  for (let tries = 0; tries < 200 && waitStatus(-1, true) === undefined; tries++) sleep(5);
}

async function makeBundle(work: string): Promise<string> {
  const bundle = `${work}/bundle`;
  mkdirSync(`${bundle}/rootfs`, { recursive: true });
  copyFileSync(`${installDirectory}/runt-init`, `${bundle}/rootfs/init`);
  chmodSync(`${bundle}/rootfs/init`, 0o755);
  await main(['spec', '--bundle', bundle]);
  const path = `${bundle}/config.json`;
  const config = JSON.parse(readFileSync(path, 'utf8')) as { process: { terminal: boolean; args: string[] }; mounts: object[]; linux: { seccomp?: object } };
  config.process.terminal = false;
  config.process.args = ['/init'];
  config.linux.seccomp = { defaultAction: 'SCMP_ACT_ERRNO', architectures: ['SCMP_ARCH_X86_64'], syscalls: [{ names: ['execve', 'exit', 'exit_group', 'read', 'write'], action: 'SCMP_ACT_ALLOW' }] };
  writeFileSync(path, JSON.stringify(config));
  mkdirSync(`${work}/long`);
  const many = Array.from({ length: 2 * MANY }, (_, i) => (i % 2 === 0 ? { destination: `/many/${i}`, type: 'bind', source: `${work}/long`, options: ['rbind', 'ro'] } : { destination: `/many/${i}`, type: 'tmpfs', source: 'tmpfs', options: ['size=64k'] }));
  writeFileSync(`${work}/long/config.json`, JSON.stringify({ ...config, root: { path: `${bundle}/rootfs` }, mounts: [...config.mounts, ...many] }));
  writeFileSync(`${work}/resources.json`, '{}');
  return bundle;
}
