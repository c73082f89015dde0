// Machine containers: an init of its own that boots, supervises and shuts down; many containers over one image; runt inside runt.
import { busyboxRootfs, must, runt } from '../vm/guest.ts';
import { operations, type Group } from './operation.ts';
import { podmanSides, runc } from './sides.ts';

/**
 * A root file system with systemd, without a download: the guest's own /usr read-only below an overlay, an empty /etc with what
 * systemd needs, units that would ask for hardware masked.
 */
const machine = '/var/tmp/machine';
must(`
  mkdir -p ${machine}/lower ${machine}/empty && cd ${machine}/lower
  mkdir -p usr etc/systemd/system proc sys dev run tmp var/log var/tmp root; mountpoint -q usr || mount --bind /usr usr
  for d in bin sbin lib lib64; do ln -sfn usr/$d $d; done
  printf 'root:x:0:0:root:/root:/bin/sh\\nmessagebus:x:100:100::/:/bin/false\\nsystemd-network:x:998:998::/:/bin/false\\nnobody:x:65534:65534::/:/bin/false\\n' >etc/passwd
  printf 'root:x:0:\\nadm:x:4:\\ntty:x:5:\\nmessagebus:x:100:\\nsystemd-journal:x:999:\\nsystemd-network:x:998:\\nnogroup:x:65534:\\n' >etc/group
  echo machine >etc/hostname; echo 0123456789abcdef0123456789abcde0 >etc/machine-id; : >etc/fstab
  printf 'PRETTY_NAME=machine\\n' >etc/os-release
  ln -sfn /usr/lib/systemd/system/multi-user.target etc/systemd/system/default.target
  for unit in systemd-sysusers.service systemd-tmpfiles-setup.service systemd-hwdb-update.service ldconfig.service systemd-journal-catalog-update.service systemd-update-done.service \\
    systemd-firstboot.service systemd-resolved.service systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service getty.target console-getty.service systemd-logind.service apparmor.service \\
    podman.service podman.socket docker.service docker.socket containerd.service e2scrub_reap.service networking.service nftables.service systemd-timesyncd.service systemd-pcrphase.service; do ln -sfn /dev/null etc/systemd/system/$unit; done
  printf '[Unit]\\nDescription=says that it is up\\nAfter=basic.target\\n[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/sh -c "echo up >/run/up"\\nExecStop=/bin/sh -c "echo down >/var/down"\\n[Install]\\nWantedBy=multi-user.target\\n' >etc/systemd/system/up.service
  mkdir -p etc/systemd/system/multi-user.target.wants; ln -sfn ../up.service etc/systemd/system/multi-user.target.wants/up.service
`);

const podman = podmanSides('/tmp/machines');
const group = (manager: string, more: Partial<Group> = {}): Group => ({ manager, sides: podman, prologue: '', ...more });

/** An overlay over the shared root, for this side; the work directories on the disk. */
const overlay = (lower: string, name: string): string => `mountpoint -q /var/tmp/${name}-$S/rootfs || rm -rf --one-file-system /var/tmp/${name}-$S; mkdir -p /var/tmp/${name}-$S/up /var/tmp/${name}-$S/work /var/tmp/${name}-$S/rootfs; mountpoint -q /var/tmp/${name}-$S/rootfs || mount -t overlay overlay -o lowerdir=${lower},upperdir=/var/tmp/${name}-$S/up,workdir=/var/tmp/${name}-$S/work /var/tmp/${name}-$S/rootfs`;
/** /usr is a mount of its own below the lower directory: an overlay does not see it. */
const systemdRoot = (name: string): string => `${overlay(`${machine}/lower`, name)}; mountpoint -q /var/tmp/${name}-$S/rootfs/usr || { mount --bind /usr /var/tmp/${name}-$S/rootfs/usr; mount -o remount,bind,ro /var/tmp/${name}-$S/rootfs/usr; }`;

operations(group('systemd under Podman', {
  before: `${systemdRoot('sd')}; podman run -d --name sd-$S --network none --systemd=always --rootfs /var/tmp/sd-$S/rootfs /usr/lib/systemd/systemd`,
  after: `podman rm -ft0 sd-$S; umount /var/tmp/sd-$S/rootfs/usr /var/tmp/sd-$S/rootfs`,
}), [
  ['boots as PID 1 to its default target', `until_ok sh -c "podman exec sd-$S systemctl is-system-running | grep -E 'running|degraded'"; podman exec sd-$S systemctl is-active default.target; podman exec sd-$S cat /run/up; podman exec sd-$S cat /proc/1/comm`, { seconds: 240, core: true }],
  ['no unit of it failed', `podman exec sd-$S systemctl --failed --plain --no-legend | wc -l`, { core: true }],
  ['a unit starts, and is in a cgroup of its own', `podman exec sd-$S systemd-run --quiet --unit job sleep 1000; podman exec sd-$S systemctl is-active job; podman exec sd-$S sh -c 'cat /proc/$(systemctl show -P MainPID job)/cgroup'`],
  ['the journal is written', `podman exec sd-$S journalctl -q -b -u up.service -o cat | grep -c 'says that it is up' | awk '{print ($1 > 0)}'`],
  ['stop: it shuts down cleanly', `podman stop -t 90 sd-$S >/dev/null; podman inspect -f '{{.State.Status}}' sd-$S; cat /var/tmp/sd-$S/up/var/down`, { seconds: 180, core: true }],
  ['start: it boots again', `podman start sd-$S >/dev/null; until_ok podman exec sd-$S test -e /run/up; podman exec sd-$S cat /run/up`, { seconds: 240 }],
]);

/** A plain bundle: config.json by `runc spec`, changed as systemd's container interface asks. */
const bundle = (name: string, args: string): string => `cd /var/tmp/${name}-$S; rm -f config.json out status; /usr/sbin/runc spec; NAME=${name}-$S node -e '
  const fs = require("fs"), c = JSON.parse(fs.readFileSync("config.json"));
  c.process.terminal = false; c.process.args = ${args}; c.process.env.push("container=oci", "PATH=/usr/bin:/usr/sbin:/bin:/sbin"); c.root.readonly = false; c.process.noNewPrivileges = false; delete c.process.rlimits;
  const all = "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE SYS_ADMIN SYS_BOOT".split(" ").map((n) => "CAP_" + n);
  c.process.capabilities = { bounding: all, effective: all, permitted: all };
  c.mounts = c.mounts.filter((m) => m.destination !== "/sys/fs/cgroup");
  c.mounts.push({ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev", "rw"] }, { destination: "/run", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=755"] }, { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777"] });
  if (!c.linux.namespaces.some((n) => n.type === "cgroup")) c.linux.namespaces.push({ type: "cgroup" });
  c.linux.cgroupsPath = "/machines/" + process.env.NAME;
  fs.writeFileSync("config.json", JSON.stringify(c));'`;

const plain: Group['sides'] = [{ name: 'runt', runtime: runt }, { name: 'peer', runtime: runc }];
/** Both the status file and the runtime's own word say when it is over; the runtime is called by a relative of no manager. */
const start = (name: string): string => `setsid sh -c '$RUNTIME run ${name}-$S >/var/tmp/${name}-$S/out 2>&1; echo $? >/var/tmp/${name}-$S/status' </dev/null >/dev/null 2>&1 &`;

operations({ manager: 'a plain bundle', sides: plain, prologue: 'x() { name=$1; shift; $RUNTIME exec $name-$S "$@"; }' }, [
  ['systemd boots to its default target and shuts down cleanly', `${systemdRoot('sp')}; ${bundle('sp', '["/usr/lib/systemd/systemd"]')}; ${start('sp')}
    until_ok sh -c "$RUNTIME exec sp-$S systemctl is-system-running | grep -E 'running|degraded'"; x sp systemctl is-active default.target; x sp cat /proc/1/comm; x sp systemctl --failed --plain --no-legend | wc -l
    $RUNTIME kill sp-$S RTMIN+3 2>/dev/null || $RUNTIME kill sp-$S 37; until_ok test -s status; cat /var/tmp/sp-$S/up/var/down; umount rootfs/usr rootfs`, { seconds: 300, core: true }],
  ['runsvdir supervises several services and ends them', `${overlay(busyboxRootfs, 'sv')}; ${bundle('sv', '["/usr/bin/runsvdir", "-P", "/service"]')}
    for p in runsvdir runsv sv; do mkdir -p up/usr/bin; cp /usr/bin/$p rootfs/usr/bin/$p 2>/dev/null || { mkdir -p rootfs/usr/bin; cp /usr/bin/$p rootfs/usr/bin/$p; }; done
    for l in $(ldd /usr/bin/runsvdir /usr/bin/runsv /usr/bin/sv | grep -o '/[^ ]*' | grep -v : | sort -u); do mkdir -p rootfs$(dirname $l); cp -L $l rootfs$l; done
    for s in one two three; do mkdir -p rootfs/service/$s; printf '#!/bin/sh\\necho %s up\\nexec sleep 1000\\n' $s >rootfs/service/$s/run; chmod 755 rootfs/service/$s/run; done
    ${start('sv')}
    until_ok sh -c "[ \\$($RUNTIME exec sv-$S ps | grep -c 'sleep [1]000') = 3 ]"; sort out; x sv sv status /service/two | grep -o '^run: /service/two'; pid=$(x sv pidof sleep | cut -d' ' -f1); x sv kill -9 $pid; until_ok sh -c "[ \\$(grep -c up out) = 4 ]"; echo restarted
    $RUNTIME kill sv-$S HUP; until_ok test -s status; cat status; umount rootfs`, { seconds: 180, core: true }],
  ['busybox init starts what inittab says, again when it ends, and shuts down', `${overlay(busyboxRootfs, 'bi')}; ${bundle('bi', '["/bin/init"]')}
    printf '%s\\n' '::sysinit:/bin/echo begun' '::respawn:/bin/sh -c "echo up; exec sleep 1000"' '::shutdown:/bin/echo down' >rootfs/etc/inittab; ${start('bi')}
    until_ok grep up out; x bi cat /proc/1/comm; x bi kill -9 $(x bi pidof sleep); until_ok sh -c "[ \\$(grep -c up out) = 2 ]"; $RUNTIME kill bi-$S USR2; until_ok test -s status; cat status; grep -xE 'begun|up|down' out; umount rootfs`, { seconds: 180, core: true }],
  ['a shell as init reaps orphans, and ends with its signal', `${overlay(busyboxRootfs, 'sh')}; ${bundle('sh', '["sh", "-c", "trap \\"echo down; exit 3\\" TERM; (sleep 1000 & exec sleep 1000) & (sleep 0.1 &) ; echo up; while :; do sleep 0.2; done"]')}; ${start('sh')}
    until_ok grep up out; sleep 1; x sh ps -o stat,args | grep -c '^Z' || true; $RUNTIME kill sh-$S TERM; until_ok test -s status; cat out status; umount rootfs`],
  ['tini as init passes signals on', `${overlay(busyboxRootfs, 'ti')}; cp /usr/bin/tini-static /var/tmp/ti-$S/rootfs/tini; ${bundle('ti', '["/tini", "--", "sh", "-c", "trap \\"exit 5\\" USR1; echo up; while :; do sleep 0.1; done"]')}; ${start('ti')}
    until_ok grep up out; x ti cat /proc/1/comm; $RUNTIME kill ti-$S USR1; until_ok test -s status; cat status; umount rootfs`],
  ['ten containers over one image, an overlay each', `for i in 0 1 2 3 4 5 6 7 8 9; do ${overlay(busyboxRootfs, 'ten$i')}; ${bundle('ten$i', '["sh", "-c", "echo mine >/own; sleep 1000"]')}; $RUNTIME run -d ten$i-$S </dev/null >/dev/null 2>&1; done
    until_ok sh -c "[ \\$(cat /var/tmp/ten?-$S/up/own | wc -l) = 10 ]"; $RUNTIME list -q | grep -c "^ten.-$S"; echo "each costs $(($(du -sk /var/tmp/ten?-$S/up | awk '{n += $1} END {print n}') / 10)) KiB of disk"; for i in 0 1 2 3 4 5 6 7 8 9; do $RUNTIME delete --force ten$i-$S; umount /var/tmp/ten$i-$S/rootfs; done; $RUNTIME list -q | grep -c "^ten.-$S" || true`, { seconds: 240, shows: /each costs.*/, core: true }],
  ['a runtime inside a container made by it', `${overlay(busyboxRootfs, 'ne')}; mkdir -p rootfs/inner/rootfs rootfs/runtime; ${bundle('ne', '["sh", "-c", "sleep 1000"]')}; node -e '
    const fs = require("fs"), c = JSON.parse(fs.readFileSync("config.json"));
    for (const d of ["/usr", "/lib", "/lib64"]) c.mounts.push({ destination: d, type: "bind", source: d, options: ["rbind", "ro"] });
    c.mounts.push({ destination: "/runtime", type: "bind", source: require("path").dirname(process.env.RUNTIME), options: ["bind", "ro"] }, { destination: "/inner/rootfs", type: "bind", source: "${busyboxRootfs}", options: ["bind"] });
    c.linux.maskedPaths = []; c.linux.readonlyPaths = []; for (const set of Object.values(c.process.capabilities)) set.push("CAP_NET_ADMIN");
    fs.writeFileSync("config.json", JSON.stringify(c));'; ${start('ne')}
    until_ok $RUNTIME exec ne-$S true; x ne sh -c "cd /inner && /usr/sbin/runc spec && sed -i 's/\\"terminal\\": true/\\"terminal\\": false/; s/\\"sh\\"/\\"sh\\", \\"-c\\", \\"echo nested; id -u; cat \\/proc\\/1\\/comm\\"/' config.json && mkdir -p /sys/fs/cgroup/self && echo 1 >/sys/fs/cgroup/self/cgroup.procs; for p in \\$(cat /sys/fs/cgroup/cgroup.procs); do echo \\$p >/sys/fs/cgroup/self/cgroup.procs; done 2>/dev/null; /runtime/$(basename $RUNTIME) run inside && echo ended"
    $RUNTIME delete --force ne-$S; umount rootfs`, { seconds: 180, core: true }],
]);
