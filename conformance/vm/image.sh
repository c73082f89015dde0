#!/bin/sh
# Prints the directory with the guest's disk, kernel and initrd; builds them first unless this recipe was built before.
# The name of the directory is a hash of the recipe: an image is never changed, only replaced.
set -eu
cd "$(dirname "$0")"
cache=${RUNT_VM_CACHE:-${HOME:-/root}/.cache/runt-vm}
suite=trixie
key=$(cat image.sh image/* | sha256sum | cut -c1-16)
image=$cache/$key
say() { echo "# vm: $*" >&2; }

mkdir -p "$cache"
exec 9>"$cache/lock"
flock -w 1800 9 || { say "another build holds $cache/lock"; exit 1; }
if [ -s "$image/disk" ]; then echo "$image"; exit; fi

sh host.sh debootstrap mke2fs || exit 1
# The host's own mirror: what reaches it from here is known to work.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
	grep -oE 'https?://[^ ]+/debian/?( |$)' | head -1 | tr -d ' ' || true)
mirror=${RUNT_VM_MIRROR:-${mirror:-http://deb.debian.org/debian}}
rm -rf --one-file-system "$cache"/build.* # what a killed build left: the lock is ours
work=$cache/build.$$
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$work/root/etc/apt/apt.conf.d" "$work/root/etc/dpkg/dpkg.cfg.d" "$work/out"
# How the host reaches its mirror (proxies, leniency about clocks) holds for the guest's packages too.
apt-config dump | grep -iE '^Acquire::(https?::(Proxy|Verify|CAInfo)|Check-)' >"$work/root/etc/apt/apt.conf.d/90host" || true
printf '%s\n' 'APT::Install-Recommends "false";' 'Acquire::Languages "none";' 'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";' >"$work/root/etc/apt/apt.conf.d/91vm"
# Nobody reads manuals in the guest, and the disk is made anew from each file that is left.
printf '%s\n' force-unsafe-io 'path-exclude /usr/share/doc/*' 'path-exclude /usr/share/man/*' 'path-exclude /usr/share/locale/*' 'path-exclude /usr/share/info/*' >"$work/root/etc/dpkg/dpkg.cfg.d/vm"

say "debootstrap $suite from $mirror (log: $cache/log)"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
unset TMPDIR
# A mount namespace of its own: what is mounted for the chroot leaves with it, also after a failure.
if ! timeout 1500 unshare -m --propagation private sh -eu -c '
	suite=$1 mirror=$2 root=$3/root out=$3/out
	debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror"
	mount -t proc proc "$root/proc"
	mount -t tmpfs tmpfs "$root/tmp"
	cp -r image "$root/tmp/image"
	# Packages that start services on installation are told not to: there is no systemd in the chroot.
	printf "#!/bin/sh\nexit 101\n" >"$root/usr/sbin/policy-rc.d"; chmod 755 "$root/usr/sbin/policy-rc.d"
	chroot "$root" sh -eu /tmp/image/configure.sh
	rm "$root/usr/sbin/policy-rc.d"
	umount "$root/tmp" "$root/proc"
	cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
	cp "$root"/boot/initrd.img-* "$out/initrd"
	# criu and people read the configuration in there; nothing reads the rest.
	rm "$root"/boot/vmlinuz-* "$root"/boot/initrd.img-* "$root"/boot/System.map-*
	mke2fs -q -t ext4 -L root -m 0 -E lazy_itable_init=1,lazy_journal_init=1 -d "$root" "$out/disk" 6G
' sh "$suite" "$mirror" "$work" >"$cache/log" 2>&1 </dev/null; then
	tail -30 "$cache/log" >&2
	say "the image could not be built"
	exit 1
fi
mv "$work/out" "$image"
# One older image stays, for a branch beside this one; a machine that is running a removed one keeps its open files.
for old in $(ls -1dt "$cache"/????????????????/ | tail -n +3); do rm -rf --one-file-system "$old"; done
say "built $image"
echo "$image"
