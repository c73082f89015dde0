// What must not be possible: traps in a rootfs, leaks of the host, privileges beyond those asked for.
import { chownSync, existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Box } from '../box.ts';
import { group } from '../case.ts';
import { differ, equal, excludes, match, ok } from '../check.ts';
import { bind, mapped, tmpfs, type Change } from '../config.ts';
import { parseMounts, statusField } from '../facts.ts';

const test = group('security');

/** Device and inode of what is at a path; nothing where there is nothing. */
function place(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? '' : `${found.dev}:${found.ino}`;
}

test('security#host/descriptors', 'descriptors of the caller', async (box) => {
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(box.path(name), '');
  const facts = await box.facts(() => {}, { files: ['a', 'b', 'c', 'd'].map((name) => box.path(name)) });
  equal(Object.keys(facts.descriptors), ['0', '1', '2'], 'descriptors');
});
test('security#host/descriptors', 'descriptors of the process that waits for start', async (box) => {
  const made = await box.create(), pid = await box.pid(made.id);
  const forbidden = new Map(['/', '/etc', '/proc', '/sys/fs/cgroup', process.cwd(), box.root, box.settings.runtime].map((path) => [place(path), path]));
  const seen = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => forbidden.get(place(`/proc/${pid}/fd/${fd}`)) ?? []);
  equal(seen, [], 'places of the host');
});
test('security#host/descriptors', 'exec inherits nothing', async (box) => {
  const made = await box.started();
  writeFileSync(box.path('a'), '');
  const { stdout } = await box.must(['exec', made.id, '/probe', 'facts'], { files: [box.path('a'), '/etc'] });
  equal(Object.keys((JSON.parse(stdout.split('\n')[0]!) as { facts: { descriptors: object } }).facts.descriptors), ['0', '1', '2'], 'descriptors');
});
test('security#host/binary', '/proc/self/exe of a container whose program is /proc/self/exe', async (box) => {
  const before = readFileSync(box.settings.runtime).length;
  await box.call(['run', '--bundle', box.bundle([], (config) => (config.process['args'] = ['/proc/self/exe'])), box.id()], { seconds: 8 });
  equal(readFileSync(box.settings.runtime).length, before, 'size of the binary');
});
test('security#host/binary', 'the process that waits for start is no file that can be written', async (box) => {
  const made = await box.create(), exe = readlinkSync(`/proc/${await box.pid(made.id)}/exe`);
  if (exe.startsWith('/') && !exe.startsWith('/memfd:')) {
    // A binary of the host is safe where the mount it is reached through is read-only.
    const wrote = await box.spawn('/bin/sh', ['-c', `: <> /proc/${await box.pid(made.id)}/exe`]).done;
    differ(wrote.code, 0, `opening ${exe} for writing`);
  }
});
test('security#host/environment', 'variables of the caller', async (box) => {
  const facts = await box.facts(() => {}, { env: { PATH: process.env['PATH'], SECRET: 'hidden', NODE_OPTIONS: '', CONFORMANCE: box.token } });
  equal(facts.env.filter((one) => /SECRET|NODE_OPTIONS/.test(one)), [], 'variables');
});
test('security#host/environment', 'variables of the caller in the process that waits for start', async (box) => {
  const bundle = box.bundle(['sleep']), id = box.id();
  await box.launch(['create', '--bundle', bundle, id], { env: { PATH: process.env['PATH'], SECRET: 'hidden', CONFORMANCE: box.token } }).done;
  await box.must(['start', id]);
  const pid = await box.pid(id);
  await box.until('the program runs', () => readFileSync(`/proc/${pid}/environ`, 'utf8').includes('TERM'));
  excludes(readFileSync(`/proc/${pid}/environ`, 'utf8'), 'hidden', 'environment');
});
for (const cwd of ['/proc/self/fd/3', '/proc/self/fd/7', '/proc/1/fd/3']) {
  test('security#host/cwd', `cwd ${cwd}`, async (box) => {
    const result = await box.call(['run', '--bundle', box.bundle(['list', '../../../../..'], (config) => (config.process['cwd'] = cwd)), box.id()], { files: ['/'] });
    if (result.code === 0) excludes(result.stdout, '"boot"', 'what is above the working directory');
  });
}
test('security#host/mounts', 'no mount of the host', async (box) => {
  const facts = await box.facts();
  const points = parseMounts(facts.mountinfo ?? '').map((one) => one.point).filter((point) => !/^\/($|proc|dev|sys)/.test(point));
  equal(points, [], 'mounts');
});
test('security#host/mounts', 'the old root is gone', async (box) => {
  const [line] = await box.probe(['stat', '/../../../../etc/hostname', '/.old', '/oldroot']);
  for (const [path, stat] of Object.entries(line?.stat ?? {})) equal(stat.errno, 'ENOENT', path);
});
test('security#host/keyring', 'a session keyring of its own', async (box) => {
  const keyring = (await box.spawn(box.settings.probe, ['facts']).done).stdout.match(/"sessionKeyring":(-?\d+)/)?.[1];
  differ(String((await box.facts()).sessionKeyring), keyring, 'session keyrings');
});
test('security#host/signals', 'no signal is blocked', async (box) => equal(statusField(await box.facts(), 'SigBlk'), '0000000000000000', 'SigBlk'));
test('security#host/signals', 'no signal is ignored that the caller does not ignore', async (box) => {
  const set = (text: string): bigint => BigInt(`0x${/^SigIgn:\s*(\w+)/m.exec(text)![1]!}`);
  // Node, which runs this suite, ignores SIGPIPE itself; so its children begin with that.
  equal((set((await box.facts()).status!) & ~set(readFileSync('/proc/self/status', 'utf8'))).toString(16), '0', 'SigIgn beyond that of the caller');
});
test('security#host/propagation', 'a mount made inside does not come out', async (box) => {
  const made = await box.started(['mount', 'tmpfs', '/tmp', 'tmpfs', ',', 'say', 'mounted', ',', 'sleep'], (config) => (config.process['capabilities'] = { bounding: ['CAP_SYS_ADMIN'], effective: ['CAP_SYS_ADMIN'], permitted: ['CAP_SYS_ADMIN'] }));
  await box.until('the mount is made', () => made.output().includes('mounted'));
  equal(made.lines()[0]?.mount, '0', 'mount inside');
  excludes(readFileSync('/proc/self/mountinfo', 'utf8'), `${made.bundle}/rootfs/tmp`, 'mounts of the host');
});
test('security#host/death', 'no parent-death signal', async (box) => equal((await box.facts()).parentDeathSignal, 0, 'signal'));
test('security#host/session', 'a session of its own', async (box) => equal((await box.facts()).sid, 1, 'session'));
test('security#host/groups', 'groups of the caller', async (box) => {
  const bundle = box.bundle(['facts'], (config) => (config.process['user'] = { uid: 1000, gid: 1000 }));
  const done = await box.spawn('/usr/bin/setpriv', ['--groups', '4242,4243', box.settings.runtime, '--root', box.root, 'run', '--bundle', bundle, box.id()]).done;
  match(done.stdout, /"groups":\[(1000)?\]/, `output (${done.stderr.trim()})`);
});
test('security#host/affinity', 'affinity of the caller', async (box) => {
  const bundle = box.bundle(['facts']);
  const done = await box.spawn('/usr/bin/taskset', ['1', box.settings.runtime, '--root', box.root, 'run', '--bundle', bundle, box.id()]).done;
  const all = (await box.facts()).affinity;
  match(done.stdout, new RegExp(`"affinity":\\[${all.join(',')}\\]`), 'output');
});

/** A rootfs with a trap, and a directory of the host it leads to, which must stay empty. */
async function trapped(box: Box, set: (rootfs: string, outside: string) => void, change: Change, words: readonly string[] = ['facts']): Promise<{ code: number; stdout: string; stderr: string }> {
  const outside = box.folder('outside'), bundle = box.bundle(words, change);
  set(`${bundle}/rootfs`, outside);
  const result = await box.call(['run', '--bundle', bundle, box.id()]);
  equal(readdirSync(outside), [], 'what was made on the host');
  return result;
}
for (const upwards of ['absolute', 'relative']) {
  const link = (outside: string): string => (upwards === 'absolute' ? outside : `${'../'.repeat(12)}${outside.slice(1)}`);
  test('security#rootfs/symlink', `a destination below an ${upwards} link`, async (box) => void (await trapped(box, (rootfs, outside) => symlinkSync(link(outside), `${rootfs}/out`), (config) => config.mounts.push(tmpfs('/out/target')))));
  test('security#rootfs/symlink', `a file bound below an ${upwards} link`, async (box) => void (await trapped(box, (rootfs, outside) => symlinkSync(link(outside), `${rootfs}/out`), (config) => config.mounts.push(bind('/etc/passwd', '/out/passwd')))));
  test('security#rootfs/dev-link', `/dev is an ${upwards} link`, async (box) => void (await trapped(box, (rootfs, outside) => {
    rmSync(`${rootfs}/dev`, { recursive: true });
    symlinkSync(link(outside), `${rootfs}/dev`);
  }, (config) => (config.mounts = config.mounts.filter((one) => !String(one['destination']).startsWith('/dev'))))));
  test('security#rootfs/cwd-link', `cwd below an ${upwards} link`, async (box) => void (await trapped(box, (rootfs, outside) => symlinkSync(link(outside), `${rootfs}/out`), (config) => (config.process['cwd'] = '/out/new'))));
}
for (const [path, type] of [['proc', 'proc'], ['sys', 'sysfs']] as const) {
  test('security#rootfs/proc-link', `/${path} is a link`, async (box) => {
    const bundle = box.bundle(['facts']);
    rmSync(`${bundle}/rootfs/${path}`, { recursive: true });
    symlinkSync('/tmp', `${bundle}/rootfs/${path}`);
    const result = await box.call(['run', '--bundle', bundle, box.id()]);
    if (result.code === 0) match(result.stdout, new RegExp(` /${path} [^\\\\]*- ${type} `), 'mounts');
  });
}
test('security#rootfs/masked-link', 'a masked path that leads out', async (box) => {
  const bundle = box.bundle(['facts'], (config) => (config.linux['maskedPaths'] = ['/secret']));
  writeFileSync(box.path('file'), 'content');
  symlinkSync(box.path('file'), `${bundle}/rootfs/secret`);
  await box.call(['run', '--bundle', bundle, box.id()]);
  equal(readFileSync(box.path('file'), 'utf8'), 'content', 'the file of the host');
});
test('security#rootfs/masked-link', '/dev/null of the rootfs is a link', async (box) => {
  const bundle = box.bundle(['content', '/etc/passwd'], (config) => {
    config.mounts = config.mounts.filter((one) => !String(one['destination']).startsWith('/dev'));
    config.linux['maskedPaths'] = ['/etc/passwd'];
  });
  symlinkSync('/proc/sys/kernel/core_pattern', `${bundle}/rootfs/dev/null`);
  const result = await box.call(['run', '--bundle', bundle, box.id()]);
  if (result.code === 0) excludes(result.stdout, 'core', 'output');
});
test('security#rootfs/symlink', 'a source of a mount that is a link stays what it is', async (box) => {
  writeFileSync(`${box.folder('real')}/file`, '');
  symlinkSync(box.path('real'), box.path('link'));
  equal((await box.probe(['list', '/data'], (config) => config.mounts.push(bind(box.path('link'), '/data'))))[0]?.list, ['file'], 'the list');
});
test('security#privileges/capabilities', 'inheritable and ambient are empty', async (box) => {
  const { capabilities } = await box.facts();
  equal([capabilities.inheritable, capabilities.ambient], ['0000000000000000', '0000000000000000'], 'sets');
});
test('security#privileges/setuid', 'another user', async (box) => {
  const { capabilities } = await box.facts((config) => (config.process['user'] = { uid: 1000, gid: 1000 }));
  equal([capabilities.effective, capabilities.permitted, capabilities.ambient], Array<string>(3).fill('0000000000000000'), 'sets');
});
test('security#privileges/setuid', 'keep-capabilities and securebits are off', async (box) => {
  const facts = await box.facts((config) => (config.process['user'] = { uid: 1000, gid: 1000 }));
  equal([facts.keepCapabilities, facts.securebits & 0x10], [0, 0], 'bits');
});
test('security#privileges/setuid', 'another user cannot become root', async (box) => equal((await box.probe(['syscall', 'setuid', '0'], (config) => (config.process['user'] = { uid: 1000, gid: 1000 })))[0]?.syscall?.errno, 'EPERM', 'setuid(0)'));
test('security#privileges/no-raise', 'a setuid program gains nothing', async (box) => {
  const bundle = box.bundle(['execute', '/suid', 'facts'], (config) => (config.process['user'] = { uid: 1000, gid: 1000 }));
  await box.spawn('/bin/cp', [`${bundle}/rootfs/probe`, `${bundle}/rootfs/suid`]).done;
  chownSync(`${bundle}/rootfs/suid`, 0, 0);
  await box.spawn('/bin/chmod', ['4755', `${bundle}/rootfs/suid`]).done;
  match((await box.must(['run', '--bundle', bundle, box.id()])).stdout, /"uid":\[1000,1000,1000\]/, 'ids of the program');
});
for (const [title, words] of [['unmounting a mask', ['umount', '/proc/keys']], ['unmounting /proc', ['umount', '/proc']], ['mounting', ['mount', 'tmpfs', '/tmp', 'tmpfs']]] as const) {
  test('security#privileges/sysfs', title, async (box) => {
    const [line] = await box.probe(words);
    match(line?.umount ?? line?.mount ?? '', /EPERM|EINVAL/, 'errno');
  });
}
for (const path of ['/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/sys/kernel/uevent_helper']) {
  test('security#privileges/sysfs', `writing ${path}`, async (box) => {
    const [line] = await box.probe(['put', path, ''], (config) => (config.linux['readonlyPaths'] = ['/proc/sys', '/proc/sysrq-trigger']));
    match(line?.write ?? '', /EROFS|EACCES|EPERM|ENOENT/, 'errno');
  });
}
test('security#privileges/dumpable', 'the process that waits for start, in a user namespace', async (box) => {
  const made = await box.create(['sleep'], mapped), pid = await box.pid(made.id);
  const read = await box.spawn('/usr/bin/setpriv', ['--reuid', '100000', '--regid', '100000', '--clear-groups', '/bin/cat', `/proc/${pid}/environ`]).done;
  ok(read.code !== 0 || !read.stdout.includes('SECRET'), 'its environment');
});
test('security#privileges/devices', 'no device beyond the default ones', async (box) => {
  const [line] = await box.probe(['list', '/dev']);
  const known = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'pts', 'shm', 'mqueue', 'fd', 'stdin', 'stdout', 'stderr', 'core', 'console'];
  equal((line?.list as readonly string[]).filter((name) => !known.includes(name)), [], 'others in /dev');
  ok(existsSync('/dev'), '/dev of the host');
});
test('security#rootfs/dev-link', 'a device at a path that leads out', async (box) => {
  const outside = box.folder('outside');
  const bundle = box.bundle(['facts'], (config) => (config.linux['devices'] = [{ path: '/out/own', type: 'c', major: 1, minor: 3, fileMode: 0o666 }]));
  symlinkSync(outside, `${bundle}/rootfs/out`);
  await box.call(['run', '--bundle', bundle, box.id()]);
  equal(readdirSync(outside), [], 'what was made on the host');
  mkdirSync(`${outside}/own`);
});
