// Podman and Docker with the driver they take by default where systemd runs: their containers' scopes, limits, exec and end, and the
// AppArmor profiles they set by themselves.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { asTester, busyboxImage, must, runt, sh } from './guest.ts';
import { note, suite } from './tap.ts';

const test = suite('managers, systemd driver');
const wait = "sh -c \"trap 'exit 7' TERM; sleep 10000 & wait\"";
const read = (cgroup: string, file: string): string => readFileSync(`/sys/fs/cgroup${cgroup}/${file}`, 'utf8').trim();
const units = (pattern: string): string => must(`systemctl list-units --all --no-legend --plain '${pattern}'; systemctl --failed --no-legend --plain | grep -E '${pattern.replace('*', '.*')}'; true`);

test('podman run, exec, pause, update, stop, rm, and its AppArmor profile', () => {
  must(`podman load -q -i ${busyboxImage}`);
  assert.is(must('podman info -f "{{.Host.CgroupManager}}"').trim(), 'systemd');
  must(`podman --runtime ${runt} run -d --name web --memory 64m --cpus 0.5 --pids-limit 40 --security-opt apparmor=unconfined busybox ${wait}`);
  const cgroup = must('podman inspect -f "{{.State.CgroupPath}}" web').trim();
  note(cgroup);
  assert.match(cgroup, /^\/machine\.slice\/libpod-[0-9a-f]{64}\.scope/);
  assert.equal(['memory.max', 'cpu.max', 'pids.max'].map((file) => read(cgroup, file)), ['67108864', '50000 100000', '40']);
  assert.match(must(`podman exec web cat /proc/self/cgroup`), /^0::\/$/m);
  must('podman pause web && podman unpause web && podman update --pids-limit 50 web');
  assert.is(read(cgroup, 'pids.max'), '50');
  must('podman stop web');
  assert.is(must('podman inspect -f "{{.State.ExitCode}}" web').trim(), '7');
  must('podman rm web');
  assert.not.ok(existsSync(`/sys/fs/cgroup${cgroup}`));
  assert.match(must(`podman --runtime ${runt} run --rm busybox cat /proc/self/attr/current`, 180), /^containers-default-\S+ \(enforce\)\n$/);
  assert.is(units('libpod-*').replace(/^libpod-conmon.*\n/gm, ''), '');
});
test('docker run, exec, update, stop, rm, and its AppArmor profile', () => {
  mkdirSync('/etc/docker', { recursive: true });
  writeFileSync('/etc/docker/daemon.json', JSON.stringify({ runtimes: { one: { path: runt } } }));
  must(`systemctl restart docker && docker load -i ${busyboxImage}`, 180);
  assert.is(must('docker info -f "{{.CgroupDriver}}"').trim(), 'systemd');
  const id = must(`docker run -d --name web --runtime one --memory 64m --cpus 0.5 --pids-limit 40 --security-opt apparmor=unconfined busybox ${wait}`).trim();
  const cgroup = `/system.slice/docker-${id}.scope`;
  assert.equal(['memory.max', 'cpu.max', 'pids.max'].map((file) => read(cgroup, file)), ['67108864', '50000 100000', '40']);
  assert.match(must('docker exec web cat /proc/self/cgroup'), /^0::\/$/m);
  must('docker update --memory 80m --memory-swap 80m web');
  assert.is(read(cgroup, 'memory.max'), '83886080');
  must('docker stop web');
  assert.is(must('docker inspect -f "{{.State.ExitCode}}" web').trim(), '7');
  must('docker rm web');
  assert.is(must('docker run --rm --runtime one busybox cat /proc/self/attr/current', 180), 'docker-default (enforce)\n');
  assert.is(units('docker-*'), '');
  sh('systemctl stop docker docker.socket containerd');
});
test('rootless podman run, in her own systemd', () => {
  const { code, stdout, stderr } = asTester(`podman load -q -i ${busyboxImage} >/dev/null 2>&1; podman info -f '{{.Host.CgroupManager}}'; podman --runtime ${runt} run --rm --network none --pids-limit 33 --memory 64m busybox sh -c 'cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory.max'`, 200);
  assert.is(stdout, 'systemd\n33\n67108864\n', stderr);
  assert.is(code, 0);
});
test.run();
