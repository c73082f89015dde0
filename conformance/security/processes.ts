// What a process in the container gets and what it can reach: descriptors, binaries, capabilities, ids.
import { spawnSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle } from '../harness.ts';
import { fresh, ownRootfs, temporary } from './bundles.ts';
import type { Check } from './checks.ts';
import { join } from 'node:path';

const O_PATH = 0o10000000;
const HIGHEST = 12;
const busybox = existsSync('/bin/busybox') ? '/bin/busybox' : '/usr/bin/busybox';

export const processes: readonly Check[] = [
  {
    about: 'CVE-2024-21626, invariant 1', holds: 'no descriptor of the host but stdio reaches the process',
    check: ({ runtime }) => {
      const bundle = makeBundle(baseConfig('/bin/sh', '-c', 'ls /proc/self/fd | tr "\\n" " "'));
      const script = 'exec 5</etc/passwd 9</etc/group 17</; exec "$@"';
      const done = spawnSync('/bin/bash', ['-c', script, 'bash', runtime.path, '--root', runtime.root, 'run', '--bundle', bundle, fresh()], { encoding: 'utf8', input: '', env: { PATH: process.env['PATH'] } });
      assert.is(done.stdout.trim(), '0 1 2 3', done.stderr); // 3 is ls's own
    },
  },
  {
    about: 'CVE-2024-21626', holds: 'a working directory that is a leaked descriptor leads nowhere, for run and exec',
    check: (subject) => {
      const mark = temporary('mark-');
      writeFileSync(join(mark, 'secret'), 'of the host');
      const up = `${'../'.repeat(12)}${mark.slice(1)}/secret`;
      for (let fd = 3; fd <= HIGHEST; fd++) {
        const config = baseConfig('/bin/sh', '-c', `cat ${up} 2>/dev/null; true`);
        config.process['cwd'] = `/proc/self/fd/${fd}`;
        assert.not.match(subject.run(config).stdout, /of the host/, `run with cwd /proc/self/fd/${fd}`);
      }
      subject.running(baseConfig('/bin/sleep', '1000'), (id) => {
        for (let fd = 3; fd <= HIGHEST; fd++) assert.not.match(subject.runtime.run(['exec', '--cwd', `/proc/self/fd/${fd}`, id, '/bin/sh', '-c', `cat ${up}`]).stdout, /of the host/, `exec with cwd /proc/self/fd/${fd}`);
      });
    },
  },
  {
    about: 'CVE-2024-21626', holds: 'a program named through a descriptor of the runtime is not executed',
    check: (subject) => {
      const mark = temporary('mark-');
      spawnSync('cp', [busybox, join(mark, 'echo')]);
      for (let fd = 3; fd <= HIGHEST; fd++) assert.not.match(subject.run(baseConfig(`/proc/self/fd/${fd}${'/..'.repeat(12)}${mark}/echo`, 'of the host')).stdout, /of the host/, `descriptor ${fd}`);
    },
  },
  {
    about: 'CVE-2019-5736, invariant 2', holds: 'the runtime’s binary cannot be written through /proc/PID/exe of init',
    check: (subject) => subject.running(baseConfig('/bin/sleep', '1000'), (id, pid) => {
      const exe = openSync(`/proc/${pid}/exe`, O_PATH);
      try {
        assert.is(subject.runtime.run(['start', id]).code, 0);
        // The very bytes that are there: a runtime that fails this is not damaged by it.
        let written = 0;
        try {
          const fd = openSync(`/proc/self/fd/${exe}`, constants.O_RDWR);
          const byte = Buffer.alloc(1);
          readSync(fd, byte, 0, 1, 0);
          written = writeSync(fd, byte, 0, 1, 0);
          closeSync(fd);
        } catch { /* refused, as it must be */ }
        assert.is(written, 0, 'it was written');
      } finally {
        closeSync(exe);
      }
    }, false),
  },
  {
    about: 'CVE-2019-5736', holds: '/proc/self/exe as the program, or as the interpreter of a script, is no way to the runtime’s binary',
    check: (subject) => {
      const root = ownRootfs();
      writeFileSync(join(root, 'script'), '#!/proc/self/exe\n', { mode: 0o755 });
      const sum = (): string => spawnSync('sha256sum', [subject.runtime.path], { encoding: 'utf8' }).stdout;
      const before = sum();
      for (const program of ['/proc/self/exe', '/script']) {
        const config = baseConfig(program, 'version');
        config.root['path'] = root;
        const { stdout } = subject.run(config);
        assert.not.match(stdout, /spec:|rundir/, `${program} ran the runtime inside`);
      }
      assert.is(sum(), before);
    },
  },
  {
    about: 'CVE-2016-9962', holds: 'a process that enters shows the container no descriptor of the host',
    check: (subject) => {
      const config = baseConfig('/bin/sh', '-c', 'while :; do for l in /proc/[0-9]*/fd/*; do case $l in */[0-2]|/proc/1/*) continue ;; esac; t=$(readlink $l) && case $t in /dev/*|/proc/*|/bin/*|pipe:*|socket:*|anon_inode:*|/memfd:*) ;; *) echo "$l $t" ;; esac; done 2>/dev/null; done');
      subject.running(config, (id) => {
        for (let i = 0; i < 12; i++) assert.is(subject.runtime.run(['exec', id, '/bin/true']).code, 0);
        assert.is(subject.runtime.output(id), '');
      });
    },
  },
  {
    about: 'CVE-2022-29162, CVE-2022-27650, CVE-2025-27612', holds: 'exec --cap adds nothing to the inheritable set',
    check: (subject) => subject.running(baseConfig('/bin/sleep', '1000'), (id) => {
      const { stdout } = subject.runtime.run(['exec', '--cap', 'CAP_NET_RAW', id, 'cat', '/proc/self/status']);
      assert.match(stdout, /CapInh:\t0{16}/);
    }),
  },
  {
    about: 'CVE-2016-8867, invariant 4', holds: 'an ordinary user in the container has no effective and no ambient capability',
    check: (subject) => assert.match(subject.sh('cat /proc/self/status', (config) => void (config.process['user'] = { uid: 1000, gid: 1000 })), /CapInh:\t0{16}\nCapPrm:\t0{16}\nCapEff:\t0{16}\n.*\nCapAmb:\t0{16}/),
  },
  {
    about: 'CVE-2022-24769', holds: 'the configuration that `spec` writes has no inheritable capability',
    check: ({ runtime }) => {
      const directory = temporary();
      runtime.run(['spec'], { cwd: directory });
      const { stdout } = spawnSync('cat', [join(directory, 'config.json')], { encoding: 'utf8' });
      assert.not.ok((JSON.parse(stdout) as { process: { capabilities: { inheritable?: string[] } } }).process.capabilities.inheritable?.length);
    },
  },
  {
    about: 'CVE-2016-3697', holds: 'a number is an id, whatever the image’s passwd calls by it',
    check: (subject) => {
      const root = ownRootfs();
      writeFileSync(join(root, 'etc/passwd'), '1000:x:0:0::/:/bin/sh\nroot:x:0:0::/:/bin/sh\n');
      assert.is(subject.sh('id -u', (config) => {
        config.root['path'] = root;
        config.process['user'] = { uid: 1000, gid: 1000 };
      }), '1000');
    },
  },
  {
    about: 'CVE-2026-30892, CVE-2026-46680', holds: 'exec --user takes numbers as they are or refuses them; nothing odd becomes root',
    check: (subject) => subject.running(baseConfig('/bin/sleep', '1000'), (id) => {
      for (const text of ['1x', '-1', '4294967296', '18446744073709551616', '0x10', '1:2:3', ':1', 'x', '1 ', '99999999999999999999']) {
        const { code, stdout } = subject.runtime.run(['exec', '--user', text, id, 'id', '-u']);
        assert.ok(code !== 0 || Number(stdout) === Number(text.split(':')[0]), `--user ${JSON.stringify(text)} ran as ${stdout.trim()}`);
      }
      assert.is(subject.runtime.run(['exec', '--user', '1000', id, 'id', '-u']).stdout, '1000\n');
    }),
  },
];
