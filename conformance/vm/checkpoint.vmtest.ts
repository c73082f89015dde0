// checkpoint and restore with Debian's CRIU: by hand, with a terminal, under another name, and through Podman.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import type { Json } from '../harness.ts';
import { bundleOf, count, counter, detached, directory, goesOn, status } from './counter.ts';
import { busyboxImage, must, runt, sh } from './guest.ts';
import { note, suite } from './tap.ts';

const test = suite('checkpoint, restore');
test.before(() => void mkdirSync(directory, { recursive: true }));
test('a counter goes on where it was, in the same cgroup, and is a container as any other', () => {
  const bundle = bundleOf('one');
  detached(`run --detach --bundle ${bundle} one`);
  must(`until [ "$(${runt} exec one cat /tmp/n)" -gt 3 ]; do sleep 0.2; done`);
  const before = count('one');
  must(`${runt} checkpoint --image-path ${bundle}/images one`);
  assert.match(sh(`${runt} state one`).stderr, /does not exist/);
  assert.is(sh('test -d /sys/fs/cgroup/one').code, 1);
  detached(`restore --detach --image-path ${bundle}/images --bundle ${bundle} --pid-file ${bundle}/pid one`);
  assert.is(status('one'), 'running');
  goesOn('one', before);
  const pid = readFileSync(`${bundle}/pid`, 'utf8');
  assert.match(pid, /^\d+$/);
  assert.match(must(`cat /proc/${pid}/cgroup`), /^0::\/one$/m);
  assert.is(sh('grep criu-root /proc/mounts').code, 1);
  must(`${runt} kill one KILL; until ${runt} delete one; do sleep 0.5; done`);
});
test('--leave-running leaves it, and the images make a second one under another name and cgroup', () => {
  const bundle = bundleOf('two');
  detached(`run --detach --bundle ${bundle} two`);
  must(`until [ "$(${runt} exec two cat /tmp/n)" -gt 1 ]; do sleep 0.2; done`);
  must(`${runt} checkpoint --leave-running --image-path ${bundle}/images two`);
  goesOn('two', 1);
  must(`${runt} delete --force two`);
  const other = bundleOf('three');
  detached(`restore --detach --image-path ${bundle}/images --bundle ${other} three`);
  goesOn('three', 1);
  assert.is(must(`${runt} ps --format json three`).trim().startsWith('['), true);
  const { pid } = JSON.parse(must(`${runt} state three`)) as Json;
  assert.match(must(`cat /proc/${pid}/cgroup`), /^0::\/three$/m);
  must(`${runt} delete --force three`);
});
test('in the foreground: the terminal comes back, the exit status is the process’s, nothing is left', () => {
  const bundle = bundleOf('four', (config) => {
    config.process['terminal'] = true;
    config.process['args'] = ['/bin/sh', '-c', 'while [ ! -e /tmp/go ]; do sleep 0.2; done; tty; exit 7'];
  });
  const python = 'import os,pty,sys\npid,fd=pty.fork()\nif pid==0: os.execv(sys.argv[1],sys.argv[1:])\ntry:\n  while True: sys.stdout.buffer.write(os.read(fd,4096)); sys.stdout.flush()\nexcept OSError: pass\nprint("code",os.waitstatus_to_exitcode(os.waitpid(pid,0)[1]))';
  writeFileSync(`${directory}/onpty.py`, python);
  if (sh('command -v python3').code !== 0) return note('no python3 in this image: the terminal is not tested');
  must(`(python3 ${directory}/onpty.py ${runt} run --bundle ${bundle} four >${bundle}/first 2>&1 &) ; until [ "$(${runt} state four | grep -c running)" = 1 ]; do sleep 0.3; done; sleep 1; ${runt} checkpoint --image-path ${bundle}/images four`);
  must(`(python3 ${directory}/onpty.py ${runt} restore --image-path ${bundle}/images --bundle ${bundle} four >${bundle}/second 2>&1 &) ; until [ "$(${runt} state four 2>/dev/null | grep -c running)" = 1 ]; do sleep 0.3; done; ${runt} exec four touch /tmp/go; until grep code ${bundle}/second; do sleep 0.3; done`);
  assert.match(readFileSync(`${bundle}/second`, 'utf8'), /\/dev\/(pts\/0|console)[\s\S]*code 7/);
});
test('in the foreground without a terminal the launcher waits, forwards signals, and deletes it', () => {
  const bundle = bundleOf('five', (config) => void (config.process['args'] = ['/bin/sh', '-c', 'trap "exit 7" TERM; while :; do sleep 0.2; done']));
  detached(`run --detach --bundle ${bundle} five`);
  must(`sleep 1; ${runt} checkpoint --image-path ${bundle}/images five`);
  const said = must(`${runt} restore --image-path ${bundle}/images --bundle ${bundle} five </dev/null >${bundle}/second 2>&1 & pid=$!
    until [ "$(${runt} state five 2>/dev/null | grep -c running)" = 1 ]; do sleep 0.3; done
    until [ "$(readlink /proc/$pid/exe)" = "$(readlink -f ${runt})" ]; do sleep 0.1; done
    kill -TERM $pid; wait $pid; echo code $?; ${runt} state five 2>&1 || true`);
  assert.match(said, /^code 7$[^]*does not exist/m);
});
test('podman container checkpoint and restore', () => {
  must(`podman load -q -i ${busyboxImage}`);
  const podman = `podman --cgroup-manager cgroupfs --runtime ${runt}`;
  must(`${podman} run -d --name our --network none --security-opt apparmor=unconfined busybox sh -c '${counter}'`);
  for (const step of ['container checkpoint our', 'container restore our', 'exec our cat /tmp/n']) must(`${podman} ${step}`, 180);
  must(`${podman} rm -ft0 our`);
});
test.run();
