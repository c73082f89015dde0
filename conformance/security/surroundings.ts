// What lies around the runtime: a bundle directory, an environment, a state root and a /tmp that someone prepared.
import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { baseConfig, makeBundle } from '../harness.ts';
import { fresh, sentinel, temporary } from './bundles.ts';
import type { Check } from './checks.ts';

/** What an engine or a loader might read from a working directory; each would say so in a file of its own. */
function prepare(directory: string, mark: string): void {
  const says = `require('fs').writeFileSync(${JSON.stringify(mark)}, 'read')`;
  const files: Record<string, string> = {
    '.env': 'NODE_OPTIONS=--require ./evil.js\nBUN_OPTIONS=--preload ./evil.js\nLD_PRELOAD=./libc.so.6\nPATH=/nowhere',
    '.env.local': 'PATH=/nowhere', '.env.production': 'PATH=/nowhere', 'bunfig.toml': 'preload = ["./evil.js"]', '.bunfig.toml': 'preload = ["./evil.js"]', '.npmrc': 'prefix=.', '.node-version': '4',
    'package.json': '{"type": "module", "imports": {"#x": "./evil.js"}, "main": "evil.js"}', 'tsconfig.json': '{"compilerOptions": {"paths": {"*": ["./evil.js"]}, "baseUrl": "."}}', 'jsconfig.json': '{}',
    'evil.js': says, 'evil.cjs': says, 'index.js': says, 'libc.so.6': 'not a library', 'libseccomp.so.2': 'not a library', [`${'koffi'}.node`]: 'not an addon', 'runt-init': '#!/bin/false\n', 'runt.js': says,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text, { mode: 0o755 });
  for (const name of ['koffi', 'minimist', 'ajv', 'node:fs', '@koromix/koffi-linux-x64']) {
    mkdirSync(join(directory, 'node_modules', name), { recursive: true });
    writeFileSync(join(directory, 'node_modules', name, 'package.json'), '{"main": "index.js"}');
    writeFileSync(join(directory, 'node_modules', name, 'index.js'), says);
  }
}

const plain = { PATH: process.env['PATH'] };

export const surroundings: readonly Check[] = [
  {
    about: 'hostile bundle directory', holds: 'nothing beside config.json changes what the runtime does',
    check: ({ runtime }) => {
      const mark = join(temporary(), 'mark');
      const config = baseConfig('echo', 'as ever');
      config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['acct'], action: 'SCMP_ACT_ERRNO' }] };
      const bundle = makeBundle(config);
      prepare(bundle, mark);
      for (const words of [['run', fresh()], ['run', '--bundle', '.', fresh()]]) assert.is(runtime.run(words, { cwd: bundle }).stdout, 'as ever\n');
      assert.not(existsSync(mark));
    },
  },
  {
    about: 'hostile environment', holds: 'variables of engines do not reach the runtime, and none of them the container',
    check: ({ runtime }) => {
      const mark = join(temporary(), 'mark');
      const bundle = makeBundle(baseConfig('/bin/sh', '-c', 'env | grep -cE "NODE|BUN|LD_|GCONV|SECRET"; true'));
      prepare(bundle, mark);
      const evil = join(bundle, 'evil.js');
      const env = {
        ...plain, NODE_OPTIONS: `--require ${evil}`, NODE_PATH: join(bundle, 'node_modules'), NODE_EXTRA_CA_CERTS: '/etc/passwd', NODE_REPL_EXTERNAL_MODULE: evil, NODE_V8_COVERAGE: join(bundle, 'coverage'),
        BUN_OPTIONS: `--preload ${evil}`, BUN_CONFIG_FILE: join(bundle, 'bunfig.toml'), BUN_INSPECT: '', BUN_JSC_useJIT: '1', BUN_JSC_noSuchOption: '1', BUN_BE_BUN: '1', BUN_BYTECODE_ORDER_OUT: join(bundle, 'coverage'), NODE_CHANNEL_FD: '2', BUN_TMPDIR: bundle, BUN_INSTALL: bundle, GCONV_PATH: bundle, SECRET: 'of the caller', TMPDIR: '/nonexistent', HOME: bundle, XDG_CONFIG_HOME: bundle, UV_THREADPOOL_SIZE: '0',
      };
      const done = runtime.run(['run', '--bundle', bundle, fresh()], { env });
      assert.is(done.stdout, '0\n', done.stderr);
      assert.not(existsSync(mark));
      assert.not(existsSync(join(bundle, 'coverage')), 'the engine wrote where its environment told it');
    },
  },
  {
    about: 'prepared /tmp', holds: 'a /tmp full of names, or one that nothing can be written to, changes nothing',
    check: ({ runtime }) => {
      if (runtime.path.startsWith('/tmp/')) return; // it would be covered itself
      const outside = sentinel();
      const directory = temporary();
      const bundle = makeBundle(baseConfig('echo', 'as ever'));
      const script = `mkdir -p /dev/shm/kept && cp -a ${bundle} /dev/shm/kept/$$ && mount -t tmpfs -o nr_inodes=200 tmpfs /tmp && for n in runt koffi bun node runt-init seccomp $(seq 100); do ln -s ${outside.path}/$n /tmp/$n; done; mount -o remount,ro /tmp; "$@" --bundle /dev/shm/kept/$$ tmp${process.pid}; s=$?; rm -rf /dev/shm/kept; exit $s`;
      // The rootfs lies in /tmp too: it is bound elsewhere first.
      const root = '/dev/shm/tmp-rootfs';
      mkdirSync(root, { recursive: true });
      const shared = (JSON.parse(spawnSync('cat', [join(bundle, 'config.json')], { encoding: 'utf8' }).stdout) as { root: { path: string } }).root.path;
      const state = '/dev/shm/tmp-state';
      const whole = `mount --bind ${shared} ${root} && sed -i 's#${shared}#${root}#' ${bundle}/config.json && ${script}`;
      const done = spawnSync('unshare', ['-m', 'sh', '-c', whole, 'sh', runtime.path, '--root', state, 'run'], { encoding: 'utf8', input: '', env: plain, cwd: directory });
      assert.is(done.stdout, 'as ever\n', done.stderr);
      assert.ok(outside.isUntouched());
      spawnSync('rm', ['-rf', root, state]);
    },
  },
  {
    about: 'foreign state directory, invariant 6', holds: 'a state file that someone else owns kills no process and removes nothing',
    check: ({ runtime }) => {
      const id = fresh();
      const created = runtime.create(id, makeBundle(baseConfig('/bin/sleep', '1000')));
      assert.is(created.code, 0, created.stderr);
      const victim = spawn('sleep', ['1000'], { stdio: 'ignore' });
      try {
        // Someone's directory with the state of a container whose init is said to be the victim.
        const other = `${id}-other`;
        const start = spawnSync('cut', ['-d', ' ', '-f22', `/proc/${victim.pid}/stat`], { encoding: 'utf8' }).stdout.trim();
        spawnSync('cp', ['-a', join(runtime.root, id), join(runtime.root, other)]);
        const { pid } = runtime.state(id) as { pid: number };
        const own = spawnSync('cut', ['-d', ' ', '-f22', `/proc/${pid}/stat`], { encoding: 'utf8' }).stdout.trim();
        for (const name of readdirSync(join(runtime.root, other))) {
          const file = join(runtime.root, other, name);
          if (!lstatSync(file).isFile()) continue; // a fifo would make us wait
          spawnSync('sed', ['-i', `s/:${pid}\\b/:${victim.pid}/g; s/\\b${own}\\b/${start}/g; s/"${id}"/"${other}"/g`, file]);
        }
        spawnSync('chown', ['-R', '1000:1000', join(runtime.root, other)]);
        for (const words of [['kill', other, 'KILL'], ['delete', '--force', other], ['state', other]]) runtime.run(words);
        assert.is(victim.exitCode, null);
        assert.ok(existsSync(`/proc/${victim.pid}`) && !spawnSync('cat', [`/proc/${victim.pid}/stat`], { encoding: 'utf8' }).stdout.includes(') Z '), 'the victim was killed');
        assert.is((runtime.state(id) as { status: string }).status, 'created', 'the real container was harmed');
      } finally {
        victim.kill('SIGKILL');
        runtime.run(['delete', '--force', id]);
      }
    },
  },
  {
    about: 'log file', holds: 'a log that is a symlink is not followed by an ordinary user’s doing into a file of another',
    check: ({ runtime }) => {
      const directory = temporary();
      spawnSync('chmod', ['1777', directory]);
      const target = join(directory, 'target');
      writeFileSync(target, 'as it was\n');
      symlinkSync(target, join(directory, 'log'));
      spawnSync('chown', ['-h', '1000:1000', join(directory, 'log')]);
      chownSync(target, 0, 0);
      runtime.run(['--log', join(directory, 'log'), 'state', 'nobody']);
      assert.is(spawnSync('cat', [target], { encoding: 'utf8' }).stdout, 'as it was\n');
    },
  },
];
