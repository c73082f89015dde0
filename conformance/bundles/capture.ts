// Runs inside the virtual machine (capture.sh): managers are given a runtime that keeps the config.json of each create or run
// and then is runc. What it kept is printed, for capture.sh to write into this directory.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { asTester, busyboxImage, must, sh } from '../vm/guest.ts';
import { note, suite } from '../vm/tap.ts';

const kept = '/tmp/kept';
const wrapper = '/usr/local/bin/keeping-runc';
writeFileSync(wrapper, `#!/bin/sh
case " $* " in *" create "* | *" run "*)
	bundle=.
	for word; do
		case $previous in -b | --bundle) bundle=$word ;; esac
		previous=$word
	done
	n=$(ls ${kept} | wc -l)
	cp "$bundle/config.json" ${kept}/$n.json
	echo "$*" >${kept}/$n.words ;;
esac
exec /usr/sbin/runc "$@"
`);
chmodSync(wrapper, 0o755);

const test = suite('capture');
const chosen = existsSync('conformance/bundles/.only') ? readFileSync('conformance/bundles/.only', 'utf8').trim().split(/\s+/) : [];

/** Runs a command line that makes containers and prints each config.json that came of it. */
function capture(name: string, command: string, as: 'root' | 'tester' = 'root'): void {
  if (chosen.length > 0 && !chosen.includes(name)) return;
  test(name, () => {
    rmSync(kept, { recursive: true, force: true });
    mkdirSync(kept);
    chmodSync(kept, 0o777);
    const { code, stderr, stdout } = as === 'root' ? sh(command, 180) : asTester(command, 240);
    const found = readdirSync(kept).filter((file) => file.endsWith('.json')).sort();
    if (found.length === 0) throw new Error(`no config.json: exit status ${code}\n${stdout}${stderr}`);
    if (code !== 0) note(`exit status ${code}\n${stderr}`);
    found.forEach((file, index) => {
      const words = readFileSync(`${kept}/${file.replace('json', 'words')}`, 'utf8').trim();
      note(`captured ${index === 0 ? name : `${name}-${index + 1}`} ${Buffer.from(JSON.stringify({ command: command.replaceAll(wrapper, 'RUNTIME'), words, config: readFileSync(`${kept}/${file}`, 'utf8') })).toString('base64')}`);
    });
  });
}

const image = 'docker.io/library/busybox:latest';
test.before(() => {
  must(`podman load -q -i ${busyboxImage}`);
  mkdirSync('/etc/docker', { recursive: true });
  writeFileSync('/etc/docker/daemon.json', JSON.stringify({ 'exec-opts': ['native.cgroupdriver=cgroupfs'], runtimes: { keeping: { path: wrapper } } }));
  must(`systemctl start docker containerd && docker load -i ${busyboxImage} && ctr image import ${busyboxImage}`, 240);
  mkdirSync('/srv/volume', { recursive: true });
  note(must('podman --version; docker --version; ctr --version; buildah --version; umoci --version; runc --version | head -1; crun --version | head -1; uname -r'));
});

/** Whether managers find AppArmor, as they do on Debian, or not, as on a kernel without it: then config.json has no profile. */
function withAppArmor(isOn: boolean): void {
  test(`AppArmor ${isOn ? 'on' : 'off'}`, () => {
    const enabled = '/sys/module/apparmor/parameters/enabled';
    if (isOn) sh(`umount ${enabled}`);
    else must(`echo N >/tmp/N; mount --bind /tmp/N ${enabled}`);
    must('systemctl restart containerd docker', 120);
  });
}

const podman = `podman --cgroup-manager cgroupfs --runtime ${wrapper} run --rm`;
// Limits that need neither a controller nor CAP_SYS_RESOURCE: such a bundle runs on any machine.
const plain = '--ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --pids-limit 0';
const docker = 'docker run --rm --runtime keeping';
withAppArmor(true);
capture('podman-apparmor', `podman --runtime ${wrapper} run --rm busybox true`);
capture('podman-limits', `${podman} --memory 64m --cpus 0.5 --pids-limit 40 --sysctl net.ipv4.ping_group_range='0 5' --device /dev/fuse --init busybox true`);
capture('docker-apparmor', `${docker} busybox true`);
withAppArmor(false);
capture('podman', `${podman} ${plain} busybox true`);
capture('podman-terminal', `script -qec '${podman} ${plain} -it busybox true' /dev/null </dev/null`);
capture('podman-privileged', `${podman} ${plain} --privileged busybox true`);
capture('podman-read-only', `${podman} ${plain} --read-only --tmpfs /scratch:size=1m,mode=1777 --cap-drop all --cap-add net_bind_service --user 1000:1000 -v /srv/volume:/data:ro -e A=b -w /home --security-opt no-new-privileges busybox true`);
capture('podman-user-namespace', `${podman} ${plain} --uidmap 0:200000:5000 --gidmap 0:200000:5000 busybox true`);
capture('podman-host-namespaces', `${podman} ${plain} --network host --pid host --ipc host --uts host busybox true`);
capture('podman-pod', `${podman.replace(' run --rm', '')} pod create --name pod --share net,ipc,uts --infra-image busybox --infra-command /bin/true; podman --cgroup-manager cgroupfs --runtime ${wrapper} pod start pod; podman pod rm -ft0 pod`);
capture('podman-rootless', `podman load -q -i ${busyboxImage}; podman --cgroup-manager cgroupfs --runtime ${wrapper} run --rm ${plain} --network none busybox true`, 'tester');
capture('buildah', `c=$(buildah from --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 docker-archive:${busyboxImage} | tail -1); buildah run --runtime ${wrapper} --isolation oci $c -- true; buildah rm $c`);
capture('buildah-host-network', `c=$(buildah from --ulimit nofile=1024:1024 --ulimit nproc=4096:4096 docker-archive:${busyboxImage} | tail -1); buildah run --runtime ${wrapper} --isolation oci --network host --user 1000 -v /srv/volume:/data $c -- true; buildah rm $c`);
capture('ctr', `ctr run --rm --runc-binary ${wrapper} ${image} one true`);
capture('ctr-privileged', `ctr run --rm --privileged --net-host --mount type=bind,src=/srv/volume,dst=/data,options=rbind:ro --runc-binary ${wrapper} ${image} two true`);
capture('ctr-limits', `ctr run --rm --memory-limit 67108864 --cpus 0.5 --read-only --cwd /tmp --user 1000 --env A=b --seccomp --rootfs-propagation slave --runc-binary ${wrapper} ${image} three true`);
capture('docker', `${docker} busybox true`);
capture('docker-privileged', `${docker} --privileged busybox true`);
capture('docker-read-only', `${docker} --network none --read-only --tmpfs /scratch --cap-drop all --user 1000 --ulimit nofile=512:1024 -v /srv/volume:/data:ro,rslave -w /home busybox true`);
capture('docker-host-namespaces', `${docker} --network host --pid host --ipc host --uts host --cgroupns host --device /dev/fuse busybox true`);
capture('docker-limits', `${docker} --memory 64m --cpus 0.5 --pids-limit 40 --sysctl net.ipv4.ping_group_range='0 5' --init --shm-size 1m busybox true`);
capture('docker-terminal', `script -qec '${docker} -it busybox sh -c "sleep 2"' /dev/null </dev/null`);
test('umoci', () => {
  must(`rm -rf /tmp/oci /tmp/b /tmp/r; skopeo copy -q docker-archive:${busyboxImage} oci:/tmp/oci:busybox && umoci unpack --image /tmp/oci:busybox /tmp/b`);
  must(`cp -r /tmp/oci /home/tester/oci; chown -R tester /home/tester/oci`);
  const rootless = asTester('umoci unpack --rootless --image oci:busybox r');
  for (const [name, file, command] of [['umoci', '/tmp/b/config.json', 'umoci unpack --image oci:busybox b'], ['umoci-rootless', '/home/tester/r/config.json', 'umoci unpack --rootless --image oci:busybox r']] as const) {
    if (!existsSync(file)) throw new Error(rootless.stderr);
    note(`captured ${name} ${Buffer.from(JSON.stringify({ command, words: '', config: readFileSync(file, 'utf8') })).toString('base64')}`);
  }
});
const specs = [['runc-spec', 'runc spec'], ['runc-spec-rootless', 'runc spec --rootless'], ['crun-spec', 'crun spec'], ['crun-spec-rootless', 'crun spec --rootless']] as const;
test('spec', () => {
  for (const [name, command] of specs) {
    const { stderr, stdout, code } = asTester(`mkdir ${name} && cd ${name} && ${command} && cat config.json`);
    if (code !== 0) throw new Error(stderr);
    note(`captured ${name} ${Buffer.from(JSON.stringify({ command: `${command}, by uid 1000`, words: '', config: stdout })).toString('base64')}`);
  }
});
test.run();
