// config.json's mounts, option by option, alone and in long lists, and the propagation of the root.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle, makeRootfs, runtimePaths, type Json } from './harness.ts';
import { tmpfs, within } from './within.ts';

process.setMaxListeners(300);

for (const path of runtimePaths()) {
  const test = suite(`mounts ${path}`);
  const { runtime, fresh, sh, refusal, cases } = within(path, 'mounts');
  /** The line of mountinfo of a mount point: [mount options, optional fields, super block options]. */
  const mountLine = (text: string, point: string): readonly [string, string, string] => {
    const words = text.split('\n').map((line) => line.split(' ')).findLast((line) => line[4] === point);
    assert.ok(words, `${point} is not mounted:\n${text}`);
    const dash = words!.indexOf('-');
    return [words![5]!, words!.slice(6, dash).join(' '), words![dash + 3]!];
  };

  test('every word of a mount that the kernel shows is shown', () => {
    const words: readonly [word: string, part: 0 | 2, seen: RegExp][] = [
      ['ro', 0, /\bro\b/], ['nosuid', 0, /nosuid/], ['nodev', 0, /nodev/], ['noexec', 0, /noexec/], ['noatime', 0, /noatime/], ['nodiratime', 0, /nodiratime/],
      ['relatime', 0, /relatime/], ['strictatime', 0, /^rw$/], ['nosymfollow', 0, /nosymfollow/], ['sync', 2, /sync/], ['dirsync', 2, /dirsync/], ['lazytime', 2, /lazytime/],
      ['rro', 0, /\bro\b/], ['rnosuid', 0, /nosuid/], ['rnodev', 0, /nodev/], ['rnoexec', 0, /noexec/], ['rnoatime', 0, /noatime/], ['rnodiratime', 0, /nodiratime/], ['rstrictatime', 0, /^rw$/], ['rnosymfollow', 0, /nosymfollow/],
    ];
    const without = ['rw', 'suid', 'dev', 'exec', 'atime', 'diratime', 'norelatime', 'nostrictatime', 'symfollow', 'async', 'nolazytime', 'nomand', 'silent', 'loud', 'iversion', 'noiversion', 'defaults', 'rrw', 'rsuid', 'rdev', 'rexec', 'ratime', 'rdiratime', 'rrelatime', 'rnorelatime', 'rnostrictatime', 'rsymfollow'];
    const seen = sh('cat /proc/self/mountinfo', (config) => {
      for (const [word] of words) config.mounts.push(tmpfs(`/tmp/${word}`, word));
      for (const word of without) config.mounts.push(tmpfs(`/tmp/${word}`, word));
      config.mounts.push(tmpfs('/tmp/many', 'nosuid', 'noexec', 'suid', 'noatime', 'relatime', 'exec', 'ro', 'rw', 'sync', 'async'));
    });
    for (const [word, part, expected] of words) assert.match(mountLine(seen, `/tmp/${word}`)[part], expected, word);
    for (const word of without) assert.is(mountLine(seen, `/tmp/${word}`)[0], 'rw,relatime', word);
    assert.is(mountLine(seen, '/tmp/many')[0], 'rw,relatime');
    assert.not.match(mountLine(seen, '/tmp/many')[2], /sync/);
  });

  test('on a bind words set and clear, and r-words reach what is mounted below', () => {
    const source = mkdtempSync(join(tmpdir(), 'below-'));
    assert.is(spawnSync('mount', ['-t', 'tmpfs', '-o', 'nosuid,noexec,noatime', 'tmpfs', source]).status, 0);
    mkdirSync(join(source, 'low'));
    assert.is(spawnSync('mount', ['-t', 'tmpfs', '-o', 'nodev,noatime', 'tmpfs', join(source, 'low')]).status, 0);
    try {
      const seen = sh('cat /proc/self/mountinfo', (config) => {
        const bind = (name: string, ...options: string[]) => config.mounts.push({ destination: `/tmp/${name}`, type: 'bind', source, options });
        bind('same', 'rbind');
        bind('clear', 'rbind', 'suid', 'exec', 'relatime');
        bind('deep', 'rbind', 'rro', 'rdev', 'rstrictatime');
        bind('atime', 'rbind', 'rnoatime', 'ratime');
        bind('one', 'bind', 'ro');
      });
      const at = (name: string): string => mountLine(seen, `/tmp/${name}`)[0];
      assert.is(at('same'), 'rw,nosuid,noexec,noatime');
      assert.is(at('same/low'), 'rw,nodev,noatime');
      assert.is(at('clear'), 'rw,relatime');
      assert.is(at('clear/low'), 'rw,nodev,noatime');
      assert.is(at('deep'), 'ro,nosuid,noexec');
      assert.is(at('deep/low'), 'ro');
      assert.is(at('atime/low'), 'rw,nodev,relatime');
      assert.is(at('one'), 'ro,nosuid,noexec,noatime');
      assert.not.match(seen, / \/tmp\/one\/low /);
    } finally {
      spawnSync('umount', ['-R', source]);
      rmSync(source, { recursive: true });
    }
  });

  test('locked flags: in a user namespace what is listed is added, what is not stays, and clearing one is refused with its place', () => {
    const source = mkdtempSync(join(tmpdir(), 'locked-'));
    chmodSync(source, 0o755);
    assert.is(spawnSync('mount', ['-t', 'tmpfs', '-o', 'nosuid,nodev,noatime,mode=755', 'tmpfs', source]).status, 0);
    const unprivileged = (...options: string[]) => {
      const config = baseConfig('/bin/cat', '/proc/self/mountinfo');
      config.mounts = config.mounts.filter(({ type }) => type === 'proc');
      config.mounts.push({ destination: '/tmp', type: 'bind', source, options });
      config.linux['namespaces'] = ['mount', 'pid', 'user'].map((type) => ({ type }));
      for (const map of ['uidMappings', 'gidMappings']) config.linux[map] = [{ containerID: 0, hostID: 0, size: 1 }];
      delete config.linux['maskedPaths'];
      delete config.linux['readonlyPaths'];
      config['hostname'] = '';
      return spawnSync('unshare', ['-Ur', path, '--root', runtime.root, '--cgroup-manager', 'disabled', 'run', '--bundle', makeBundle(config), fresh()], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
    };
    try {
      const kept = unprivileged('bind', 'ro', 'noexec');
      assert.is(kept.status, 0, kept.stderr);
      assert.is(mountLine(kept.stdout, '/tmp')[0], 'ro,nosuid,nodev,noexec,noatime');
      const cleared = unprivileged('bind', 'suid');
      assert.is(cleared.status, 1);
      assert.match(cleared.stderr, /mounts\[1\]\.options: mount_setattr\(.*MOUNT_ATTR_NOSUID.*EPERM/);
      assert.match(cleared.stderr, /locked/);
    } finally {
      spawnSync('umount', ['-R', source]);
      rmSync(source, { recursive: true });
    }
  });

  test('a tmpfs without mode= has the mode of the directory it covers, and 1777 where it covers none', () => {
    const source = mkdtempSync(join(tmpdir(), 'modes-'));
    mkdirSync(join(source, 'old'));
    chmodSync(join(source, 'old'), 0o2751);
    mkdirSync(join(source, 'copied'));
    chmodSync(join(source, 'copied'), 0o2750);
    const seen = sh('stat -c %a /tmp/old /tmp/told /tmp/new /tmp/copied', (config) => config.mounts.push(
      { destination: '/tmp', type: 'bind', source, options: ['bind'] }, tmpfs('/tmp/old'), tmpfs('/tmp/told', 'mode=700'), tmpfs('/tmp/new'), tmpfs('/tmp/copied', 'tmpcopyup'),
    ));
    assert.is(seen, '2751\n700\n1777\n2750');
    rmSync(source, { recursive: true });
  });

  test('mounts below a new tmpfs go into that one, or into what covers it since', () => {
    const source = mkdtempSync(join(tmpdir(), 'below-'));
    writeFileSync(join(source, 'file'), 'a file\n');
    mkdirSync(join(source, 'links'));
    symlinkSync('/tmp', join(source, 'links/tmp'));
    symlinkSync('../tmp/name', join(source, 'links/deeper'));
    symlinkSync('..', join(source, 'links/up'));
    const bind = (destination: string, from: string, ...options: string[]): Json => ({ destination, type: 'bind', source: join(source, from), options: ['bind', ...options] });
    const links = bind('/root', 'links');
    const find = 'cd /tmp; stat -c "%n %a" *; touch x 2>&1; cut -d" " -f5 /proc/self/mountinfo | grep -c "^/tmp"';
    const stacks: readonly (readonly [seen: string, ...mounts: readonly Json[]])[] = [
      ['d 755\nf 644\nt 700\nu 1777\n5', tmpfs('/tmp', 'mode=755'), bind('/tmp/f', 'file', 'ro'), tmpfs('/tmp/t', 'mode=700'), tmpfs('/tmp/u', 'ro'), bind('/tmp//d/', 'links', 'rprivate')],
      ['f 644\ntouch: x: Read-only file system\n2', tmpfs('/tmp', 'ro', 'size=1m'), bind('/tmp/f', 'file')],
      // A tmpfs over another has its mode.
      ['a 700\n3', tmpfs('/tmp'), tmpfs('/tmp/a', 'mode=700'), tmpfs('/tmp/a')],
      // The same place again, by its name or by a symlink: what is mounted last is seen.
      ['b 644\n4', tmpfs('/tmp'), bind('/tmp/a', 'file'), tmpfs('/tmp'), bind('/tmp/b', 'file')],
      ['b 644\n4', links, tmpfs('/tmp'), bind('/tmp/a', 'file'), tmpfs('/root/tmp'), bind('/tmp/b', 'file')],
      ['a 644\nname 1777\n4', links, tmpfs('/tmp'), bind('/tmp/a', 'file'), tmpfs('/tmp/name'), bind('/root/deeper/b', 'file')],
      // A tmpfs at a path that leads over itself is not where that path leads then.
      ['m 755\n4', tmpfs('/tmp'), bind('/tmp/m', 'links'), tmpfs('/tmp/m/up', 'mode=755'), bind('/tmp/m/up/f', 'file')],
      ['top 755\n3', tmpfs('/top/tmp', 'mode=755'), tmpfs('/top/tmp/top', 'mode=755'), bind('/top/tmp/top/f', 'file')],
      // A mount may bring symlinks to names that others have after it.
      ['a 755\nb 644\n3', tmpfs('/tmp'), bind('/tmp/a', 'links'), bind('/tmp/b', 'file')],
      ['c 644\n4', tmpfs('/tmp'), bind('/tmp/a', 'links'), tmpfs('/tmp/a/tmp'), bind('/tmp/c', 'file')],
    ];
    const rootfs = mkdtempSync(join(tmpdir(), 'linked-'));
    chmodSync(rootfs, 0o755);
    makeRootfs(rootfs);
    symlinkSync('/', join(rootfs, 'top'));
    const seen = (words: string, mounts: readonly Json[]): string => sh(words, (config) => {
      config.root['path'] = rootfs;
      config.mounts.push(...mounts);
    });
    for (const [expected, ...mounts] of stacks) assert.is(seen(find, mounts), expected, JSON.stringify(mounts));
    assert.is(seen('cat /g', [tmpfs('/top'), bind('/top/g', 'file')]), 'a file');
    rmSync(rootfs, { recursive: true });
    assert.match(refusal((config) => config.mounts.push(tmpfs('/tmp', 'nr_inodes=2'), tmpfs('/tmp/a'), tmpfs('/tmp/b'))), /mounts\[8\]\.destination.*mkdirat.*ENOSPC/);
    assert.match(refusal((config) => config.mounts.push(tmpfs('/tmp'), bind(`/tmp/${'n'.repeat(256)}`, 'file'))), /mounts\[7\]\.destination.*ENAMETOOLONG/);
    rmSync(source, { recursive: true });
  });

  test('remount changes what an earlier entry mounted, as a whole or as a bind', () => {
    const seen = sh('cat /proc/self/mountinfo; touch /tmp/x 2>&1; df -m /tmp | tail -1 | tr -s " " | cut -d" " -f2; true', (config) => config.mounts.push(
      tmpfs('/tmp', 'nosuid', 'size=1m'), { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['remount', 'ro', 'noexec', 'size=3m'] },
      tmpfs('/root', 'nosuid', 'noatime'), { destination: '/root', options: ['bind', 'remount', 'ro', 'nodev'] },
    ));
    assert.match(mountLine(seen, '/tmp')[0], /^ro,noexec/);
    assert.match(mountLine(seen, '/tmp')[2], /^ro/);
    assert.match(seen, /Read-only file system\n3$/);
    assert.is(mountLine(seen, '/root')[0], 'ro,nodev,noatime');
    assert.match(mountLine(seen, '/root')[2], /^rw/);
    assert.match(refusal((config) => config.mounts.push({ destination: '/tmp', options: ['bind', 'remount', 'ro'] })), /mounts\[6\].*EINVAL/);
  });

  test('options longer than fsconfig(2) takes, and words that only mount(2) knows together with others', () => {
    const base = mkdtempSync('/dev/shm/long-');
    const lower = Array.from({ length: 4 }, (_, i) => join(base, `${i}${'x'.repeat(90)}`));
    lower.forEach((directory, i) => {
      mkdirSync(directory);
      writeFileSync(join(directory, `f${i}`), '');
    });
    const seen = sh('ls /tmp/o; cat /proc/self/mountinfo', (config) => config.mounts.push(
      { destination: '/tmp/o', type: 'overlay', source: 'overlay', options: [`lowerdir=${lower.join(':')}`, 'nosuid', 'rnodev'] },
      tmpfs('/tmp/t', 'silent', 'sync', 'noexec', 'nosymfollow', 'mode=711', 'rnodev'),
    ));
    assert.match(seen, /^f0\nf1\nf2\nf3\n/);
    assert.match(mountLine(seen, '/tmp/o')[0], /nosuid,nodev/);
    assert.match(mountLine(seen, '/tmp/t').join(' '), /nodev,noexec.*nosymfollow.*sync.*mode=711/);
    rmSync(base, { recursive: true });
  });

  test('of a long list each mount is what it would be alone', () => {
    const source = mkdtempSync(join(tmpdir(), 'many-'));
    const bind = (destination: string, from: string): Json => ({ destination, type: 'bind', source: from, options: ['rbind', 'ro', 'nosuid'] });
    const list: Json[] = [];
    const seen = sh('cat /proc/self/mountinfo; cat /tmp/many/f*', (config) => {
      for (let i = 0; i < 40; i++) {
        const isFile = i % 5 === 3;
        if (isFile) writeFileSync(join(source, `f${i}`), `${i}\n`);
        else mkdirSync(join(source, `d${i}`));
        list.push(bind(i % 7 === 0 ? `/tmp/many/x/../f${i}` : i % 7 === 1 ? `/tmp/deeper/a/b/f${i}` : `/tmp/many/f${i}`, join(source, isFile ? `f${i}` : `d${i}`)));
      }
      for (let i = 0; i < 40; i++) list.push(tmpfs(`/tmp/t/${i}`, 'nosuid', `size=${i === 7 ? 128 : 64}k`));
      for (let i = 0; i < 30; i++) list.push(bind(`/tmp/b/${i}`, join(source, 'd0')), tmpfs(`/tmp/c/${i}`, 'noexec'));
      const args = config.process.args as string[];
      args[2] = args[2]!.replace('/tmp/many/f*', list.filter(({ source: from }) => /\/f\d+$/.test(String(from))).map(({ destination }) => String(destination).replace('/x/..', '')).join(' '));
      config.mounts.push(...list);
    });
    for (const { destination, type, source: from, options } of list) {
      const point = String(destination).replace('/x/..', '');
      const [attributes, , superBlock] = mountLine(seen, point);
      if (type === 'bind') assert.is(attributes, 'ro,nosuid,relatime', point);
      else assert.is(attributes, `rw,${(options as readonly string[])[0]},relatime`, point);
      if (String((options as readonly string[])[1]).startsWith('size')) assert.match(superBlock, new RegExp(String((options as readonly string[])[1])), point);
      if (type === 'bind') assert.ok(seen.split('\n').some((line) => line.split(' ')[4] === point && line.split(' ')[3]!.endsWith(String(from).replace(source, ''))), point);
    }
    assert.match(seen, /\n3\n8\n13\n18\n23\n28\n33\n38$/);
    rmSync(source, { recursive: true });
  });

  test('rootfsPropagation and propagation of single mounts', () => {
    for (const [asked, expected] of cases([['private', /^$/], ['rprivate', /^$/], ['slave', /^(master:\d+)?$/], ['shared', /shared:\d+/], ['rshared', /shared:\d+/], ['unbindable', /unbindable/], ['runbindable', /unbindable/]] as const)) {
      const seen = sh('cat /proc/self/mountinfo', (config) => void (config.linux['rootfsPropagation'] = asked));
      assert.match(mountLine(seen, '/')[1], expected, asked);
    }
    const seen = sh('cat /proc/self/mountinfo', (config) => config.mounts.push(...['shared', 'rshared', 'slave', 'rslave', 'private', 'rprivate', 'unbindable', 'runbindable'].map((word) => tmpfs(`/tmp/${word}`, word))));
    for (const word of ['shared', 'rshared']) assert.match(mountLine(seen, `/tmp/${word}`)[1], /^shared:\d+$/);
    for (const word of ['slave', 'rslave', 'private', 'rprivate']) assert.is(mountLine(seen, `/tmp/${word}`)[1], '');
    for (const word of ['unbindable', 'runbindable']) assert.is(mountLine(seen, `/tmp/${word}`)[1], 'unbindable');
  });

  test.run();
}
