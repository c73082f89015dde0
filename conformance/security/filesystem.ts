// What an image full of traps can do to the host, or to the container's own protection, while its mounts are made.
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle } from '../harness.ts';
import { consoleReceiver, fresh, ownRootfs, sentinel, swap, temporary, type Config, type Subject } from './bundles.ts';
import type { Check } from './checks.ts';

const inRootfs = (root: string, ...args: string[]): Config => {
  const config = baseConfig(...args);
  config.root['path'] = root;
  return config;
};

const withoutDev = (config: Config): void => void (config.mounts = config.mounts.filter(({ destination }) => !String(destination).startsWith('/dev')));

/** How many creates a race is tried for. */
const rounds = Number(process.env['RACE_ROUNDS'] ?? 12);

/**
 * Creates containers while a volume's directory and a symlink to a directory of the host change places: `destination`
 * is below it. Nothing may appear in the host's directory, and no mount on the host.
 */
function race(subject: Subject, isMounted: boolean): void {
  const outside = sentinel();
  const volume = temporary('volume-');
  mkdirSync(join(volume, 'swapped'));
  mkdirSync(join(volume, 'swapped/there'));
  symlinkSync(`../../../../../../..${outside.path}`, join(volume, 'link'));
  const swapping = swap(join(volume, 'swapped'), join(volume, 'link'));
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  const outcomes = { ran: 0, refused: 0 };
  const bundle = makeBundle(baseConfig('/bin/true'));
  const { root } = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8')) as Config;
  try {
    for (let round = 0; round < rounds; round++) {
      const config = baseConfig('/bin/true');
      config.mounts.push({ destination: '/tmp', type: 'bind', source: volume, options: ['rbind', 'rw'] }, isMounted
        ? { destination: '/tmp/swapped/there', type: 'bind', source: '/etc', options: ['rbind', 'ro'] }
        : { destination: `/tmp/swapped/made/${round}`, type: 'tmpfs', source: 'tmpfs' });
      writeFileSync(join(bundle, 'config.json'), JSON.stringify({ ...config, root }));
      outcomes[subject.runBundle(bundle).code === 0 ? 'ran' : 'refused']++;
      assert.ok(outside.isUntouched(), `round ${round}: something was made in a directory of the host`);
      assert.is(readFileSync('/proc/self/mountinfo', 'utf8'), mounts, `round ${round}: a mount on the host`);
    }
    if (process.env['RACE_ROUNDS'] !== undefined) console.error(`${subject.runtime.path}: ${JSON.stringify(outcomes)}`);
  } finally {
    swapping.kill('SIGKILL');
  }
}

export const filesystem: readonly Check[] = [
  {
    about: 'CVE-2019-18837, CVE-2021-30465, invariant 3', holds: 'mount targets that are symlinks out of the rootfs stay inside it',
    check: (subject) => {
      const outside = sentinel();
      const root = ownRootfs();
      symlinkSync(outside.path, join(root, 'absolute'));
      symlinkSync(`${'../'.repeat(12)}${outside.path.slice(1)}`, join(root, 'relative'));
      for (const name of ['absolute', 'relative']) {
        const config = inRootfs(root, '/bin/true');
        config.mounts.push({ destination: `/${name}/deep/er`, type: 'tmpfs', source: 'tmpfs' }, { destination: `/${name}/file`, type: 'bind', source: '/etc/hostname', options: ['bind', 'ro'] });
        subject.run(config);
        assert.ok(outside.isUntouched(), `${name}: made outside`);
      }
    },
  },
  { about: 'CVE-2021-30465', holds: 'a mount target swapped for a symlink while create runs never reaches the host', check: (subject) => race(subject, true) },
  { about: 'CVE-2024-45310', holds: 'directories made for a mount target that is being swapped are never made on the host', check: (subject) => race(subject, false) },
  {
    about: 'CVE-2019-19921, CVE-2023-27561', holds: 'a rootfs whose /proc is a symlink is refused',
    check: (subject) => {
      const root = ownRootfs();
      rmSync(join(root, 'proc'), { recursive: true });
      symlinkSync('/tmp', join(root, 'proc'));
      const { code, stderr } = subject.run(inRootfs(root, '/bin/true'));
      assert.is.not(code, 0);
      assert.ok(stderr.length > 0);
    },
  },
  {
    about: 'CVE-2023-28642', holds: 'a mount whose destination is a symlink into /proc does not cover part of it',
    check: (subject) => {
      const root = ownRootfs();
      const volume = temporary('volume-');
      writeFileSync(join(volume, 'exec'), '');
      symlinkSync('/proc/self/attr', join(root, 'data'));
      symlinkSync('/proc/sys', join(root, 'more'));
      for (const destination of ['/data', '/more', '/data/current']) {
        const config = inRootfs(root, '/bin/awk', '$5 ~ "^/proc/" {print $5}', '/proc/1/mountinfo');
        config.linux['readonlyPaths'] = [];
        config.linux['maskedPaths'] = [];
        config.mounts.push({ destination, type: 'bind', source: volume, options: ['rbind', 'rw'] });
        assert.is(subject.run(config).stdout, '', `${destination} covers part of /proc`);
      }
    },
  },
  {
    about: 'CVE-2019-16884', holds: 'config.json cannot mount over the attributes of processes',
    check: (subject) => {
      for (const mount of [{ destination: '/proc/self/attr', type: 'tmpfs', source: 'tmpfs' }, { destination: '/proc/self/../1/attr', type: 'tmpfs', source: 'tmpfs' }, { destination: '//proc/./sys', type: 'bind', source: '/tmp', options: ['bind'] }, { destination: '/tmp/../proc/sys', type: 'tmpfs', source: 'tmpfs' }]) {
        const config = baseConfig('/bin/true');
        config.mounts.push(mount);
        assert.is.not(subject.run(config).code, 0, JSON.stringify(mount));
      }
    },
  },
  {
    about: 'CVE-2026-41579, CVE-2026-47766', holds: 'devices of an image whose /dev is a symlink are not made outside',
    check: (subject) => {
      const outside = sentinel();
      const root = ownRootfs();
      rmSync(join(root, 'dev'), { recursive: true });
      for (const target of [outside.path, `..${'/..'.repeat(10)}${outside.path}`]) {
        symlinkSync(target, join(root, 'dev'));
        const config = inRootfs(root, '/bin/true');
        withoutDev(config);
        subject.run(config);
        assert.ok(outside.isUntouched());
        unlinkSync(join(root, 'dev'));
      }
    },
  },
  {
    about: 'CVE-2025-31133', holds: 'a masked file is covered by the null device, whatever the image has as /dev/null',
    check: (subject) => {
      for (const decoy of ['symlink', 'file'] as const) {
        const root = ownRootfs();
        writeFileSync(join(root, 'etc/decoy'), 'decoy\n');
        if (decoy === 'symlink') symlinkSync('/etc/decoy', join(root, 'dev/null'));
        else writeFileSync(join(root, 'dev/null'), 'decoy\n');
        const config = inRootfs(root, '/bin/sh', '-c', 'cat /proc/keys; stat -c %F:%t:%T /proc/keys');
        withoutDev(config);
        config.linux['maskedPaths'] = ['/proc/keys'];
        const { code, stdout } = subject.run(config);
        assert.ok(code !== 0 || stdout === 'character special file:1:3\n', `${decoy}: ${stdout}`);
      }
    },
  },
  {
    about: 'CVE-2025-52565', holds: '/dev/console is the container’s own terminal, whatever lies at /dev/pts',
    check: (subject) => {
      const volume = temporary('pts-');
      for (let n = 0; n < 64; n++) symlinkSync('/etc/passwd', join(volume, String(n)));
      writeFileSync(join(volume, 'ptmx'), '');
      const config = baseConfig('/bin/sh', '-c', 'stat -c %F:%t /dev/console > /tmp/seen');
      const seen = temporary('seen-');
      chmodSync(seen, 0o777);
      config.mounts = config.mounts.filter(({ destination }) => destination !== '/dev/pts');
      // A ptmx that works, whose terminals lie elsewhere: what lies at their numbers is the image's.
      config.mounts.push({ destination: '/dev/pts', type: 'bind', source: volume, options: ['rbind'] }, { destination: '/dev/pts/ptmx', type: 'bind', source: '/dev/pts/ptmx', options: ['bind'] }, { destination: '/tmp', type: 'bind', source: seen, options: ['rbind', 'rw'] });
      config.process['terminal'] = true;
      const receiver = consoleReceiver(subject.runtime.root.replace(/\/?$/, '-console'));
      const id = fresh();
      try {
        const { code } = subject.runtime.create(id, makeBundle(config), '--console-socket', receiver.socket);
        if (code !== 0) return;
        subject.runtime.run(['start', id]);
        for (let i = 0; i < 100 && !readSeen(seen); i++) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
        assert.match(readSeen(seen), /^character special file:88\n/);
      } finally {
        receiver.end();
        subject.runtime.run(['delete', '--force', id]);
      }
    },
  },
  {
    about: 'CVE-2023-25809', holds: 'the host’s cgroups cannot be written to from a container in a user namespace without a cgroup namespace',
    check: (subject) => {
      const config = baseConfig('/bin/sh', '-c', 'find /sys/fs/cgroup -maxdepth 1 -type d -exec mkdir {}/escaped \\; 2>/dev/null; find /sys/fs/cgroup -name escaped');
      config.linux['namespaces'] = ['pid', 'ipc', 'uts', 'mount', 'user'].map((type) => ({ type }));
      for (const key of ['uidMappings', 'gidMappings']) config.linux[key] = [{ containerID: 0, hostID: 0, size: 65536 }];
      config.mounts = config.mounts.filter(({ type }) => type !== 'sysfs');
      config.mounts.push({ destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'rro', 'ro', 'nosuid', 'noexec', 'nodev'] }, { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid', 'noexec', 'nodev'] });
      config.linux['maskedPaths'] = [];
      const { stdout } = subject.run(config);
      assert.not.match(stdout, /escaped/);
    },
  },
  {
    about: 'invariant 3', holds: 'the working directory is not made outside the rootfs',
    check: (subject) => {
      const outside = sentinel();
      const root = ownRootfs();
      symlinkSync(outside.path, join(root, 'work'));
      const config = inRootfs(root, '/bin/true');
      config.process['cwd'] = '/work/new/dir';
      subject.run(config);
      assert.ok(outside.isUntouched());
    },
  },
  {
    about: 'invariant 3', holds: 'masked and read-only paths that are symlinks out of the rootfs leave the host as it is',
    check: (subject) => {
      const root = ownRootfs();
      const outside = mkdtempSync('/dev/shm/masked-');
      writeFileSync(join(outside, 'file'), 'of the host');
      symlinkSync(outside, join(root, 'masked'));
      const config = inRootfs(root, '/bin/true');
      config.linux['maskedPaths'] = ['/masked/file', '/masked'];
      config.linux['readonlyPaths'] = ['/masked'];
      subject.run(config);
      assert.is(readFileSync(join(outside, 'file'), 'utf8'), 'of the host');
      assert.ok(lstatSync(join(outside, 'file')).isFile());
      rmSync(outside, { recursive: true });
    },
  },
];

function readSeen(directory: string): string {
  try {
    return readFileSync(join(directory, 'seen'), 'utf8');
  } catch {
    return '';
  }
}
