// Bundles that no one here wrote: real managers call runt, and what a process sees inside is compared with the same call on runc.
// AppArmor stays off: loading a manager's profile takes seconds under emulation; ../vm/apparmor.vmtest.ts has it.
import { mkdirSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { busyboxImage, must, runt, sh } from '../vm/guest.ts';
import { note, suite } from '../vm/tap.ts';

const runc = '/usr/sbin/runc';

/** What a process sees: mounts without ids and without the container's own directories, ids, capabilities, limits, devices, environment. */
const report = [
  'cut -d" " -f5- /proc/self/mountinfo | sed -E "s/ (shared|master):[0-9]+//g; s/(upperdir|workdir|lowerdir)=[^ ,]*//g; s/ino=[0-9]+//"',
  'grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)" /proc/self/status',
  'cat /proc/self/limits /proc/self/oom_score_adj',
  'ls -ln /dev | sed -E "s/[A-Z][a-z]{2} +[0-9]+ +[0-9:]+ //"',
  'env | grep -v HOSTNAME | sort',
  'umask; pwd; cat /proc/sys/net/ipv4/ping_group_range',
].join('; ');

/** Where runt differs from runc on purpose, or in what no process can use; everything else must be the same. */
const argued: readonly (readonly [RegExp, string])[] = [
  // Masks: an empty tmpfs that is also nosuid, nodev and noexec, and the host's /dev/null, never the container's (CVE-2025-31133).
  [/^(\/proc\/\w+|\/sys\/firmware) (?:ro|rw),\S+ - (?:tmpfs none rw,size=4k|tmpfs tmpfs ro|devtmpfs \S+ |tmpfs tmpfs rw,size=65536k).*$/gm, '$1 masked'],
  // Without a cgroup namespace the host's cgroup2 mount is bound: a new one would wait for RCU and give it other options.
  [/^(\/sys\/fs\/cgroup \S+ - cgroup2) .*$/gm, '$1'],
  // The directory of message queues belongs to whoever made the ipc namespace: clone3 makes it together with the user namespace.
  [/^(drwxrwxrwt +2) +(?:0|65534) +65534 +40 mqueue$/gm, '$1 mqueue'],
  // A root that becomes read-only keeps nosuid and nodev; runc's remount drops them.
  [/^(\/ ro),nosuid,nodev( - tmpfs)/gm, '$1$2'],
  // Which of two mounts of one overlay names its uuid.
  [/,uuid=on/g, ''],
];

function normal(text: string): string[] {
  const plain = text.replace(/[0-9a-f]{32,}/g, 'ID').replace(/total \d+/, '').replace(/\r/g, '');
  return argued.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), plain).split('\n').sort();
}

/** The same call with both runtimes; `command` has RUNTIME where the path belongs and ends before the command of the container. */
function compare(command: (runtime: string) => string): void {
  const call = (runtime: string): string => must(`${command(runtime)} sh -c '${report.replaceAll("'", `'\\''`)}'`, 180);
  const expected = normal(call(runc));
  assert.ok(expected.length > 40, 'runc reported too little to compare');
  same(normal(call(runt)), expected);
}

/** Only what differs is worth reading, of some hundred lines. */
function same(found: readonly string[], expected: readonly string[]): void {
  const only = (these: readonly string[], those: readonly string[]): string[] => these.filter((line) => !those.includes(line));
  assert.equal({ runt: only(found, expected), runc: only(expected, found) }, { runt: [], runc: [] });
}

const podman = suite('podman');
const base = (runtime: string): string => `podman --cgroup-manager cgroupfs --runtime ${runtime} run --rm --security-opt apparmor=unconfined`;
podman.before(() => void must(`podman load -q -i ${busyboxImage}`));
podman('run', () => compare((runtime) => `${base(runtime)} busybox`));
podman('run --privileged', () => compare((runtime) => `${base(runtime)} --privileged busybox`));
podman('run with limits, user, tmpfs, volumes, read-only', () =>
  compare((runtime) => `mkdir -p /tmp/volume; ${base(runtime)} --memory 64m --cpus 0.5 --pids-limit 40 --user 1000:1000 --read-only --tmpfs /scratch:size=1m,mode=1777 -v /tmp/volume:/data:ro --cap-drop all --cap-add net_bind_service --ulimit nofile=512:1024 --security-opt no-new-privileges -e A=b -w /home busybox`));
podman('run with a user namespace', () => compare((runtime) => `${base(runtime)} --uidmap 0:200000:5000 --gidmap 0:200000:5000 busybox`));
podman('exit codes 126 and 127, and that of the process, as with runc', () => {
  assert.equal(['/nothing', '/etc', 'nothing', 'false'].map((word) => sh(`${base(runt)} busybox ${word}`).code), [127, 126, 127, 1]);
});
podman('run -d, logs, top of its state, stop, rm', () => {
  must(`podman --cgroup-manager cgroupfs --runtime ${runt} run -d --name web --security-opt apparmor=unconfined busybox sh -c "trap 'exit 7' TERM; echo ready; sleep 10000 & wait"`);
  must('for i in $(seq 100); do podman logs web | grep -q ready && exit; sleep 0.2; done; exit 1');
  assert.is(must('podman inspect -f "{{.State.Status}}" web').trim(), 'running');
  must(`podman --runtime ${runt} stop web`);
  assert.is(must('podman inspect -f "{{.State.ExitCode}}" web').trim(), '7');
  must(`podman --runtime ${runt} rm web`);
});
podman.run();

const others = suite('managers');
others('they are here, and an image for them', () => {
  for (const line of ['podman --version', 'buildah --version', 'docker --version', 'dockerd --version', 'ctr --version', 'containerd --version', 'skopeo --version', 'umoci --version']) note(must(line));
  assert.match(must(`skopeo inspect docker-archive:${busyboxImage}`), /"Architecture": "amd64"/);
});
others('buildah run', () => {
  const made = must(`buildah from docker-archive:${busyboxImage}`).trim().split('\n').at(-1)!;
  compare((runtime) => `buildah run --runtime ${runtime} --isolation oci ${made} --`);
});
others('containerd: ctr run', () => {
  must(`systemctl start containerd && ctr image import ${busyboxImage}`);
  compare((runtime) => `ctr run --rm --runc-binary ${runtime} docker.io/library/busybox:latest one`);
});
others('docker run, --privileged, and with limits', () => {
  mkdirSync('/etc/docker', { recursive: true });
  writeFileSync('/etc/docker/daemon.json', JSON.stringify({ 'exec-opts': ['native.cgroupdriver=cgroupfs'], runtimes: { one: { path: runt }, two: { path: runc } } }));
  must(`systemctl start docker && docker load -i ${busyboxImage}`, 180);
  const docker = (runtime: string): string => `docker run --rm --runtime ${runtime === runt ? 'one' : 'two'} --security-opt apparmor=unconfined --hostname boxed`;
  compare((runtime) => `${docker(runtime)} busybox`);
  compare((runtime) => `${docker(runtime)} --privileged busybox`);
  compare((runtime) => `${docker(runtime)} --read-only --tmpfs /scratch --memory 64m --cpus 0.5 --pids-limit 40 --cap-drop all --ulimit nofile=512:1024 --sysctl net.ipv4.ping_group_range="0 5" busybox`);
});
others('umoci unpack of an OCI image, and the config.json of runc spec and crun spec', () => {
  must(`rm -rf /tmp/oci /tmp/b; skopeo copy -q docker-archive:${busyboxImage} oci:/tmp/oci:busybox && umoci unpack --image /tmp/oci:busybox /tmp/b`);
  const specs = ['true', 'rm config.json; runc spec', 'rm config.json; crun spec', 'rm config.json; runc spec --rootless'];
  for (const make of specs) {
    must(`cd /tmp/b && ${make}`);
    // The only change: no terminal and a command, because nobody types here.
    must(`cd /tmp/b && node -e 'const f=require("fs"),c=JSON.parse(f.readFileSync("config.json"));c.process.terminal=false;c.process.args=["sh","-c",process.argv[1]];f.writeFileSync("config.json",JSON.stringify(c))' '${report.replaceAll("'", `'\\''`)}'`);
    note(make);
    same(normal(must(`${runt} run --bundle /tmp/b one`)), normal(must(`${runc} run --bundle /tmp/b two`)));
  }
});
others.run();
