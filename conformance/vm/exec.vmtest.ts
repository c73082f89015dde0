// exec as managers call it: Podman through conmon, Docker and ctr through the shim, with a terminal and without.
import { mkdirSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { busyboxImage, must, runt, sh } from './guest.ts';
import { note, suite } from './tap.ts';

const runc = '/usr/sbin/runc';
const both = (command: (runtime: string) => string): void => assert.is(must(command(runt), 120).replace(/\r/g, ''), must(command(runc), 120).replace(/\r/g, ''));
// Without a loop: a process each tenth of a second is a third of an emulated processor.
const wait = "'trap \"exit 0\" TERM; sleep 10000 & wait'";

const podman = suite('podman exec');
const on = (runtime: string): string => `podman --cgroup-manager cgroupfs --runtime ${runtime}`;
podman.before(() => {
  must(`podman load -q -i ${busyboxImage}`);
  for (const [name, runtime] of [['one', runt], ['two', runc]] as const) must(`${on(runtime)} run -d --name ${name} --security-opt apparmor=unconfined busybox sh -c ${wait}`);
});
podman.after(() => void sh(`${on(runt)} rm -ft0 one; ${on(runc)} rm -ft0 two`));
const named = (runtime: string): string => (runtime === runt ? 'one' : 'two');
podman('status, ids, environment, directory', () =>
  both((runtime) => `${on(runtime)} exec --user 1000:100 -e A=b -w /tmp ${named(runtime)} sh -c 'id; pwd; echo $A; grep -E "^(Cap|Groups|NoNew|Seccomp:)" /proc/self/status'`));
podman('with a terminal', () => both((runtime) => `script -qec "${on(runtime)} exec -it ${named(runtime)} sh -c 'tty; stty size >/dev/null && echo sized; sleep 1'" /dev/null </dev/null`));
podman('exit codes', () => {
  const codes = ['nothing', '/etc', 'sh -c "exit 5"', 'sh -c "kill -9 \\$\\$"'].map((words) => sh(`${on(runt)} exec ${named(runt)} ${words}`).code);
  assert.equal(codes, [127, 126, 5, 137]); // with runc 1.1.15 Podman says 255 for a directory, the others are the same
});
podman('standard input goes through', () => both((runtime) => `printf 'a\\nb\\n' | ${on(runtime)} exec -i ${named(runtime)} wc -l`));
podman('a health check runs in the container', () => {
  must(`${on(runt)} run -d --name healthy --security-opt apparmor=unconfined --health-cmd 'test -d /proc' --health-interval disable busybox sh -c ${wait}`);
  must(`${on(runt)} healthcheck run healthy`);
  must(`${on(runt)} rm -ft0 healthy`);
});
podman.run();

const others = suite('shim exec');
others('ctr task exec', () => {
  must(`systemctl start containerd && ctr image import ${busyboxImage}`);
  for (const [name, runtime] of [['c1', runt], ['c2', runc]] as const) must(`ctr run -d --runc-binary ${runtime} docker.io/library/busybox:latest ${name} sh -c ${wait}`);
  both((runtime) => `ctr task exec --exec-id e --user 5:6 --cwd /tmp ${runtime === runt ? 'c1' : 'c2'} sh -c 'id -u; pwd; ls /proc/self/fd | wc -l'`);
  assert.is(sh('ctr task exec --exec-id f c1 sh -c "exit 4"').code, 4);
  sh('ctr task kill -s KILL c1; ctr task kill -s KILL c2; sleep 1; ctr task rm c1 c2; ctr container rm c1 c2');
});
others('docker exec', () => {
  mkdirSync('/etc/docker', { recursive: true });
  writeFileSync('/etc/docker/daemon.json', JSON.stringify({ 'exec-opts': ['native.cgroupdriver=cgroupfs'], runtimes: { one: { path: runt }, two: { path: runc } } }));
  must(`systemctl restart docker && docker load -i ${busyboxImage}`, 180);
  for (const [name, runtime] of [['d1', 'one'], ['d2', 'two']]) must(`docker run -d --name ${name} --runtime ${runtime} --security-opt apparmor=unconfined busybox sh -c ${wait}`);
  const of = (runtime: string): string => (runtime === runt ? 'd1' : 'd2');
  both((runtime) => `docker exec -u 1000 -e A=b -w /tmp ${of(runtime)} sh -c 'id; pwd; echo $A; grep -E "^(Cap|NoNew|Seccomp:)" /proc/self/status'`);
  // Input stays open until the terminal's name is there: with an input that has ended, Docker drops what was written (seen with runc).
  const ttyOf = (runtime: string): string => sh(`: >/tmp/tty; for i in $(seq 150); do grep -qs pts /tmp/tty && break; sleep 0.2; done | script -qec "docker exec -it ${of(runtime)} sh -c 'tty; sleep 2'" /dev/null >/tmp/tty; grep -o '/dev/pts/[0-9]*' /tmp/tty`).stdout;
  assert.is(ttyOf(runt), '/dev/pts/0\n');
  note(`runc: ${ttyOf(runc).trim()}`);
  const codes = (runtime: string): (number | null)[] => ['nothing', 'sh -c "exit 5"'].map((words) => sh(`docker exec ${of(runtime)} ${words}`).code);
  assert.equal(codes(runt), codes(runc));
  sh('docker rm -f d1 d2');
});
others.run();
