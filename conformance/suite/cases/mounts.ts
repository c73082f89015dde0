// config.md, root and mounts.
import { chownSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { group } from '../case.ts';
import { differ, equal, excludes, fail, includes, match, ok, skip } from '../check.ts';
import { bind, mapped, tmpfs } from '../config.ts';
import { mountAt, parseMounts } from '../facts.ts';

const test = group('mounts');

test('config.md#root/directory', 'the root is the directory of root.path', async (box) => includes((await box.probe(['list', '/']))[0]?.list ?? [], 'probe', 'the root'));
test('config.md#root/directory', 'a file as root is refused', async (box) => void (await box.refused((config) => (config.root['path'] = 'config.json'))));
test('config.md#root/relative', 'an absolute path', async (box) => {
  const other = box.bundle([]);
  includes((await box.probe(['list', '/'], (config) => (config.root['path'] = `${other}/rootfs`)))[0]?.list ?? [], 'probe', 'the root');
});
test('config.md#root/relative', 'a relative path is below the bundle, wherever the caller is', async (box) => {
  const bundle = box.bundle(['list', '/']);
  equal((await box.must(['run', '--bundle', bundle, box.id()], { cwd: '/' })).code, 0, 'exit status');
});
for (const readonly of [true, false]) {
  test('config.md#root/readonly', `readonly ${readonly}`, async (box) => equal((await box.probe(['write', '/file', 'x'], (config) => (config.root['readonly'] = readonly)))[0]?.write, readonly ? 'EROFS' : '0', 'writing a file'));
}
test('config.md#root/readonly', 'a readonly root leaves mounts writable', async (box) => equal((await box.probe(['write', '/tmp/file', 'x'], (config) => {
  config.root['readonly'] = true;
  config.mounts.push(tmpfs('/tmp'));
}))[0]?.write, '0', 'writing a file of the mount'));
test('config.md#root/readonly', 'readonly is absent', async (box) => equal((await box.probe(['write', '/file', 'x'], (config) => delete config.root['readonly']))[0]?.write, '0', 'writing a file'));
test('config.md#root/readonly', 'a readonly root does not make the source read-only', async (box) => {
  const bundle = box.bundle(['facts'], (config) => (config.root['readonly'] = true));
  await box.must(['run', '--bundle', bundle, box.id()]);
  writeFileSync(`${bundle}/rootfs/after`, '');
});
test('config.md#mounts/order', 'later mounts cover earlier ones', async (box) => {
  for (const name of ['first', 'second']) writeFileSync(`${box.folder(name)}/${name}`, '');
  equal((await box.probe(['list', '/data'], (config) => config.mounts.push(bind(box.path('first'), '/data'), bind(box.path('second'), '/data'))))[0]?.list, ['second'], 'the list');
});
test('config.md#mounts/order', 'a mount below a mount', async (box) => {
  writeFileSync(`${box.folder('inner')}/file`, '');
  equal((await box.probe(['list', '/data/a/b'], (config) => config.mounts.push(tmpfs('/data'), tmpfs('/data/a'), bind(box.path('inner'), '/data/a/b'))))[0]?.list, ['file'], 'the list');
});
test('config.md#mounts/order', 'twenty mounts appear in order', async (box) => {
  const facts = await box.facts((config) => {
    for (let index = 0; index < 20; index++) config.mounts.push(tmpfs(`/m${index}`));
  });
  const seen = parseMounts(facts.mountinfo ?? '').map((one) => one.point).filter((point) => /^\/m\d+$/.test(point));
  equal(seen, Array.from({ length: 20 }, (_, index) => `/m${index}`), 'mounts');
});
test('config.md#mounts/destination-absolute', 'a directory that is missing is made', async (box) => ok(mountAt(await box.facts((config) => config.mounts.push(tmpfs('/new/deep/place'))), '/new/deep/place'), 'mount'));
test('config.md#mounts/destination-relative', 'a relative destination is below the root, or refused', async (box) => {
  const bundle = box.bundle(['facts'], (config) => config.mounts.push(tmpfs('relative')));
  const result = await box.call(['run', '--bundle', bundle, box.id()]);
  if (result.code === 0) match(result.stdout, / \/relative /, 'mounts');
  else match(result.stderr, /relative|absolute/, 'the message');
});
test('config.md#mounts/bind-source', 'a relative source is below the bundle', async (box) => {
  const bundle = box.bundle(['list', '/data'], (config) => config.mounts.push(bind('beside', '/data')));
  mkdirSync(`${bundle}/beside`);
  writeFileSync(`${bundle}/beside/file`, '');
  includes((await box.must(['run', '--bundle', bundle, box.id()], { cwd: '/' })).stdout, '["file"]', 'the list');
});
test('config.md#mounts/bind-source', 'a file', async (box) => {
  writeFileSync(box.path('file'), 'content');
  equal((await box.probe(['content', '/data/file'], (config) => config.mounts.push(bind(box.path('file'), '/data/file'))))[0]?.content, 'content', 'content');
});
test('config.md#mounts/bind-source', 'what is written arrives at the source', async (box) => {
  box.folder('source');
  await box.probe(['write', '/data/file', 'text'], (config) => config.mounts.push(bind(box.path('source'), '/data')));
  equal(readFileSync(box.path('source/file'), 'utf8'), 'text', 'the file');
});
test('config.md#mounts/bind-source', 'a source that is missing is refused', async (box) => void (await box.refused((config) => config.mounts.push(bind(box.path('nothing'), '/data')))));
for (const option of ['bind', 'rbind']) {
  test('config.md#mounts/bind-type', `${option} with type none`, async (box) => {
    writeFileSync(`${box.folder('source')}/file`, '');
    equal((await box.probe(['list', '/data'], (config) => config.mounts.push({ destination: '/data', type: 'none', source: box.path('source'), options: [option] })))[0]?.list, ['file'], 'the list');
  });
  test('config.md#mounts/bind-type', `${option} ${option === 'rbind' ? 'takes' : 'leaves out'} mounts below the source`, async (box) => {
    mkdirSync(`${box.folder('source')}/below`);
    const mounted = await box.spawn('/usr/bin/mount', ['-t', 'tmpfs', 'tmpfs', box.path('source/below')]).done;
    if (mounted.code !== 0) skip(`mount: ${mounted.stderr.trim()}`);
    writeFileSync(box.path('source/below/file'), '');
    equal((await box.probe(['list', '/data/below'], (config) => config.mounts.push(bind(box.path('source'), '/data', option))))[0]?.list, option === 'rbind' ? ['file'] : [], 'the list');
  });
}
test('config.md#mounts/bind-type', 'no type at all', async (box) => {
  writeFileSync(`${box.folder('source')}/file`, '');
  equal((await box.probe(['list', '/data'], (config) => config.mounts.push({ destination: '/data', source: box.path('source'), options: ['bind'] })))[0]?.list, ['file'], 'the list');
});
for (const [type, destination] of [['tmpfs', '/tmp'], ['proc', '/proc'], ['sysfs', '/sys'], ['mqueue', '/dev/mqueue'], ['devpts', '/dev/pts']] as const) {
  test('config.md#mounts/type', type, async (box) => equal(mountAt(await box.facts((config) => type === 'tmpfs' && config.mounts.push(tmpfs('/tmp'))), destination).type, type, `type of ${destination}`));
}
test('config.md#mounts/type', 'an unknown type is refused', async (box) => void (await box.refused((config) => config.mounts.push({ destination: '/x', type: 'nosuchfs', source: 'x' }))));
test('config.md#mounts/type', 'overlay', async (box) => {
  const base = `/dev/shm/${box.token}`;
  const made = await box.spawn('/bin/sh', ['-c', `mkdir -p ${base}/low ${base}/up ${base}/work && echo 1 > ${base}/low/file`]).done;
  if (made.code !== 0) skip(made.stderr);
  try {
    const [line] = await box.probe(['content', '/data/file', ',', 'write', '/data/new', 'x'], (config) => config.mounts.push({ destination: '/data', type: 'overlay', source: 'overlay', options: [`lowerdir=${base}/low`, `upperdir=${base}/up`, `workdir=${base}/work`] }));
    equal([line?.content, existsSync(`${base}/up/new`)], ['1\n', true], 'lower and upper');
  } finally {
    await box.spawn('/bin/rm', ['-rf', base]).done;
  }
});
for (const [option, key, wanted] of [['mode=1750', 'mode', 0o1750], ['uid=77', 'uid', 77], ['gid=88', 'gid', 88]] as const) {
  test('config.md#mounts/unknown-option', `tmpfs ${option}`, async (box) => equal((await box.probe(['stat', '/data'], (config) => config.mounts.push(tmpfs('/data', option))))[0]?.stat?.['/data']?.[key], wanted, key));
}
test('config.md#mounts/unknown-option', 'tmpfs size', async (box) => equal((await box.probe(['statfs', '/data'], (config) => config.mounts.push(tmpfs('/data', 'size=1m'))))[0]?.statfs?.size, 1 << 20, 'size'));
test('config.md#mounts/unknown-option', 'tmpfs nr_inodes', async (box) => equal((await box.probe(['statfs', '/data'], (config) => config.mounts.push(tmpfs('/data', 'nr_inodes=1000'))))[0]?.statfs?.files, 1000, 'files'));
for (const option of ['size=banana', 'nosuchoption=1', 'nosuchflag']) test('config.md#linux-mount-options/fail', `tmpfs ${option} is refused`, async (box) => void (await box.refused((config) => config.mounts.push(tmpfs('/data', option)))));

/** Option, a word that must be among the options of the mount, a word that must not. */
const flags: readonly (readonly [string, string, string])[] = [['ro', 'ro', 'rw'], ['rw', 'rw', 'ro'], ['nosuid', 'nosuid', ''], ['suid', '', 'nosuid'], ['nodev', 'nodev', ''], ['dev', '', 'nodev'], ['noexec', 'noexec', ''], ['exec', '', 'noexec'],
  ['noatime', 'noatime', ''], ['atime', '', 'noatime'], ['nodiratime', 'nodiratime', ''], ['diratime', '', 'nodiratime'], ['relatime', 'relatime', ''], ['norelatime', '', 'nodiratime'], ['strictatime', '', 'relatime'], ['nostrictatime', '', 'nodiratime'], ['defaults', 'rw', 'nosuid']];
for (const [option, wanted, unwanted] of flags) {
  test('config.md#linux-mount-options/required', `tmpfs ${option}`, async (box) => {
    const { options } = mountAt(await box.facts((config) => config.mounts.push(tmpfs('/data', option))), '/data');
    if (wanted !== '') includes(options, wanted, 'options');
    if (unwanted !== '') excludes(options, unwanted, 'options');
  });
}
for (const [option, wanted] of [['ro', 'ro'], ['nosuid', 'nosuid'], ['nodev', 'nodev'], ['noexec', 'noexec'], ['noatime', 'noatime'], ['nodiratime', 'nodiratime']] as const) {
  test('config.md#linux-mount-options/required', `bind ${option}`, async (box) => includes(mountAt(await box.facts((config) => config.mounts.push(bind(box.folder('source'), '/data', option))), '/data').options, wanted, 'options'));
}
for (const [option, word] of [['sync', 'sync'], ['dirsync', 'dirsync']] as const) test('config.md#linux-mount-options/required', `tmpfs ${option}`, async (box) => includes(mountAt(await box.facts((config) => config.mounts.push(tmpfs('/data', option))), '/data').data, word, 'options of the filesystem'));
test('config.md#linux-mount-options/required', 'tmpfs async', async (box) => excludes(mountAt(await box.facts((config) => config.mounts.push(tmpfs('/data', 'async'))), '/data').data, 'sync', 'options of the filesystem'));
test('config.md#linux-mount-options/required', 'the last of two opposite options counts', async (box) => {
  const { options } = mountAt(await box.facts((config) => config.mounts.push(tmpfs('/data', 'nosuid', 'suid', 'exec', 'noexec'))), '/data');
  equal([options.includes('nosuid'), options.includes('noexec')], [false, true], 'nosuid and noexec');
});
test('config.md#linux-mount-options/required', 'ro of a bind mount is felt', async (box) => equal((await box.probe(['write', '/data/file', 'x'], (config) => config.mounts.push(bind(box.folder('source'), '/data', 'ro'))))[0]?.write, 'EROFS', 'writing'));
test('config.md#linux-mount-options/required', 'noexec is felt', async (box) => {
  const [line] = await box.probe(['execute', '/data/probe', 'exit'], (config) => config.mounts.push(bind(`${box.bundle([])}/rootfs`, '/data', 'noexec')));
  equal(line?.errno, 'EACCES', 'executing');
});
test('config.md#linux-mount-options/required', 'nodev is felt', async (box) => {
  const [, line] = await box.probe(['mknod', '/data/null', 'c', '1', '3', ',', 'put', '/data/null', 'x'], (config) => {
    config.process['capabilities'] = { bounding: ['CAP_MKNOD'], effective: ['CAP_MKNOD'], permitted: ['CAP_MKNOD'] };
    config.mounts.push(tmpfs('/data', 'nodev'));
  });
  equal(line?.write, 'EACCES', 'opening');
});
for (const option of ['iversion', 'noiversion', 'lazytime', 'nolazytime', 'mand', 'nomand', 'silent', 'loud']) {
  test('config.md#linux-mount-options/iversion', `${option} is understood`, async (box) => ok(mountAt(await box.facts((config) => config.mounts.push(tmpfs('/data', option))), '/data'), 'mount'));
}
test('config.md#linux-mount-options/remount', 'remount changes a mount', async (box) => includes(mountAt(await box.facts((config) => config.mounts.push(tmpfs('/data'), { destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['remount', 'ro'] })), '/data').options, 'ro', 'options'));
for (const [option, pattern] of [['private', /^$/], ['shared', /shared:/], ['unbindable', /unbindable/], ['rprivate', /^$/], ['rshared', /shared:/], ['runbindable', /unbindable/]] as const) {
  test('config.md#linux-mount-options/propagation', option, async (box) => match(mountAt(await box.facts((config) => config.mounts.push(tmpfs('/data', option))), '/data').propagation, pattern, 'propagation'));
}
for (const option of ['slave', 'rslave']) {
  test('config.md#linux-mount-options/propagation', option, async (box) => {
    const facts = await box.facts((config) => config.mounts.push(bind(box.folder('source'), '/data', option)));
    excludes(mountAt(facts, '/data').propagation, 'shared:', 'propagation');
  });
}
for (const [option, word] of [['rro', 'ro'], ['rnosuid', 'nosuid'], ['rnodev', 'nodev'], ['rnoexec', 'noexec'], ['rnoatime', 'noatime'], ['rnodiratime', 'nodiratime']] as const) {
  test('config.md#linux-mount-options/recursive', option, async (box) => {
    mkdirSync(`${box.folder('source')}/below`);
    const mounted = await box.spawn('/usr/bin/mount', ['-t', 'tmpfs', 'tmpfs', box.path('source/below')]).done;
    if (mounted.code !== 0) skip(`mount: ${mounted.stderr.trim()}`);
    const facts = await box.facts((config) => config.mounts.push(bind(box.path('source'), '/data', 'rbind', option)));
    for (const path of ['/data', '/data/below']) includes(mountAt(facts, path).options, word, `options of ${path}`);
  });
}
for (const option of ['rrw', 'rsuid', 'rdev', 'rexec', 'rdiratime', 'rrelatime', 'rnorelatime', 'ratime', 'rstrictatime', 'rnostrictatime']) {
  test('config.md#linux-mount-options/recursive', `${option} is understood`, async (box) => ok(mountAt(await box.facts((config) => config.mounts.push(bind(box.folder('source'), '/data', 'rbind', option))), '/data'), 'mount'));
}
test('config.md#linux-mount-options/symfollow', 'nosymfollow', async (box) => {
  writeFileSync(`${box.folder('source')}/file`, 'x');
  symlinkSync('file', box.path('source/link'));
  equal((await box.probe(['read', '/data/link'], (config) => config.mounts.push(bind(box.path('source'), '/data', 'nosymfollow'))))[0]?.read, 'ELOOP', 'reading through a link');
});
test('config.md#linux-mount-options/tmpcopyup', 'tmpcopyup', async (box) => {
  const [list, content] = await box.probe(['list', '/etc', ',', 'content', '/etc/group'], (config) => config.mounts.push(tmpfs('/etc', 'tmpcopyup')));
  equal([[...(list?.list ?? [])].sort(), content?.content?.includes('root')], [['group', 'passwd'], true], 'what was covered');
});
for (const option of ['idmap', 'ridmap']) {
  test('config.md#linux-mount-options/idmap', option, async (box) => {
    const source = `/dev/shm/${box.token}`;
    mkdirSync(source);
    try {
      writeFileSync(`${source}/file`, '');
      chownSync(`${source}/file`, 1000, 1000);
      const bundle = box.bundle(['stat', '/data/file'], (config) => {
        mapped(config);
        config.mounts.push(bind(source, '/data', option === 'ridmap' ? 'rbind' : 'bind', option));
      });
      const result = await box.call(['run', '--bundle', bundle, box.id()]);
      if (result.code !== 0) fail(result.stderr.trim());
      match(result.stdout, /"uid":1000,"gid":1000/, 'the owner inside');
      equal(statSync(`${source}/file`).uid, 1000, 'the owner outside');
    } finally {
      await box.spawn('/bin/rm', ['-rf', source]).done;
    }
  });
}
test('config.md#mounts/same-mapping', 'uidMappings and gidMappings of a mount', async (box) => {
  const source = `/dev/shm/${box.token}`;
  mkdirSync(source);
  try {
    writeFileSync(`${source}/file`, '');
    chownSync(`${source}/file`, 1000, 1000);
    const [line] = await box.probe(['stat', '/data/file'], (config) => config.mounts.push({ ...bind(source, '/data'), uidMappings: [{ containerID: 1000, hostID: 4242, size: 1 }], gidMappings: [{ containerID: 1000, hostID: 4243, size: 1 }] }));
    equal([line?.stat?.['/data/file']?.uid, line?.stat?.['/data/file']?.gid], [4242, 4243], 'the owner inside');
  } finally {
    await box.spawn('/bin/rm', ['-rf', source]).done;
  }
});
test('config.md#mounts/mapping-both', 'a mapping of users alone is refused', async (box) => void (await box.refused((config) => config.mounts.push({ ...bind(box.folder('source'), '/data'), uidMappings: [{ containerID: 0, hostID: 1, size: 1 }] }))));
test('config.md#mounts/bind-source', 'the mounts of the host are not changed', async (box) => {
  await box.facts((config) => config.mounts.push(bind(box.folder('source'), '/data', 'ro', 'noexec')));
  const seen = await box.spawn('/usr/bin/findmnt', ['-n', box.path('source')]).done;
  equal(seen.stdout, '', 'a mount at the source');
  differ(seen.code, 0, 'findmnt');
});
