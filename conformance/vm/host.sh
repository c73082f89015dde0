#!/bin/sh
# host.sh COMMAND...: makes sure the host has these commands, from Debian packages; installs what is missing where it may.
set -u
package() {
	case $1 in
		debootstrap) echo debootstrap ;;
		qemu-system-x86_64) echo qemu-system-x86 ;;
		mke2fs) echo e2fsprogs ;;
		flock | unshare) echo util-linux ;;
		*) echo "$1" ;;
	esac
}
PATH=$PATH:/usr/sbin:/sbin
missing=
for name in "$@"; do command -v "$name" >/dev/null 2>&1 || missing="$missing $(package "$name")"; done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "# vm: apt-get install$missing" >&2
	export DEBIAN_FRONTEND=noninteractive
	{ timeout 120 apt-get update -qq; timeout 600 apt-get install -y -qq --no-install-recommends $missing; } </dev/null >/dev/null 2>&1
fi
status=0
for name in "$@"; do
	command -v "$name" >/dev/null 2>&1 || { echo "$name is missing: apt-get install $(package "$name")" >&2; status=1; }
done
exit $status
