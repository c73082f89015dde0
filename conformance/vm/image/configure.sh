#!/bin/sh
# Runs in the chroot: packages, then what makes the guest start fast and be ready for managers and ordinary users.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
here=/tmp/image

# A small initrd: QEMU's emulation unpacks a full one for ten seconds. Before the kernel, so that it is made once.
mkdir -p /etc/initramfs-tools/conf.d
printf 'MODULES=list\nCOMPRESS=gzip\n' >/etc/initramfs-tools/conf.d/vm
printf '%s\n' virtio_pci virtio_blk ext4 crc32c-intel >/etc/initramfs-tools/modules
apt-get update
apt-get install -y $(grep -v '^#' "$here/packages")
apt-get clean
rm -rf /var/lib/apt/lists/*

echo runt-vm >/etc/hostname
printf '127.0.0.1 localhost runt-vm\n' >/etc/hosts
passwd -d root
echo 'LABEL=root / ext4 rw 0 1' >/etc/fstab

# An ordinary user with a systemd of its own from the start, as rootless podman wants it.
useradd --create-home --uid 1000 --shell /bin/bash tester
grep -q '^tester:' /etc/subuid || echo 'tester:100000:65536' >>/etc/subuid
grep -q '^tester:' /etc/subgid || echo 'tester:100000:65536' >>/etc/subgid
mkdir -p /var/lib/systemd/linger
touch /var/lib/systemd/linger/tester

# Each unit costs a second or more under emulation. Managers stay installed and are started by the test that wants them.
for unit in getty@.service serial-getty@.service getty-static.service console-getty.service \
	systemd-random-seed.service systemd-timesyncd.service systemd-networkd-wait-online.service systemd-rfkill.service \
	systemd-pstore.service systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-journal-flush.service \
	systemd-journal-catalog-update.service systemd-hwdb-update.service ldconfig.service systemd-machine-id-commit.service \
	systemd-firstboot.service systemd-boot-random-seed.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service \
	e2scrub_reap.service e2scrub_all.timer fstrim.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
	systemd-tmpfiles-clean.timer keyboard-setup.service console-setup.service networking.service nftables.service \
	podman-auto-update.timer podman-auto-update.service podman-clean-transient.service podman-restart.service; do
	ln -sf /dev/null "/etc/systemd/system/$unit"
done
for unit in docker.service containerd.service podman.service podman.socket netavark-dhcp-proxy.service; do systemctl disable "$unit" 2>/dev/null || true; done
systemctl --global mask dirmngr.socket gpg-agent.socket gpg-agent-browser.socket gpg-agent-extra.socket gpg-agent-ssh.socket keyboxd.socket podman.socket
systemctl set-default multi-user.target
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nStorage=volatile\n' >/etc/systemd/journald.conf.d/vm.conf
# Of Debian's hundred AppArmor profiles those of programs that are here: loading the others takes four seconds.
for profile in /etc/apparmor.d/*; do
	[ -f "$profile" ] || continue
	case ${profile##*/} in
		buildah | busybox | crun | runc | podman | rootlesskit | slirp4netns | unprivileged_userns | unix-chkpwd | usr.bin.passt | usr.bin.pasta) ;;
		*) rm "$profile" ;;
	esac
done
# A frozen id: without one systemd takes this for a first boot and sets everything up again.
echo 0123456789abcdef0123456789abcdef >/etc/machine-id

mkdir -p /work/runt
echo 'PATH=/work/runt/dist:$PATH; [ -d /work/runt/conformance ] && cd /work/runt' >/etc/profile.d/runt-vm.sh
install -m 644 "$here"/runt-vm-*.service /etc/systemd/system/
sh "$here/busybox-image.sh" /opt/busybox.tar
# Newer than /usr, or systemd takes this boot for the first after an update.
touch /etc/.updated /var/.updated
