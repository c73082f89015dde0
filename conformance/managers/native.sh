#!/bin/bash
# native.sh [FILE...]: runs files of this folder on this host instead of in the virtual machine, ten times as fast: in a private view of
# cgroup v2, with storage of its own. TAP on standard output. What needs a controller or a right that this host lacks is skipped, and
# says so; it has to fail with the peer too. What a failed operation leaves running ends with a pid namespace. Without names: all but rootless, which needs the user of the machine.
# Needs Debian's podman, containerd, docker.io, runc, runit, tini, busybox-static, systemd and the host's node.
set -u
cd "$(dirname "$0")/../.."
unset NODE_EXTRA_CA_CERTS
here=conformance/managers
[ $# -gt 0 ] || set -- $here/podman.vmtest.ts $here/containerd.vmtest.ts $here/docker.vmtest.ts $here/machines.vmtest.ts $here/replays.vmtest.ts
work=${RUNT_NATIVE_WORK:-/var/tmp/runt-managers}
rm -rf "$work"
mkdir -p "$work/podman" "$work/containerd" "$work/docker-runt" "$work/docker-peer"
[ -f /opt/busybox.tar ] || sh conformance/vm/image/busybox-image.sh /opt/busybox.tar || exit 1
export RUNT=$PWD/dist/runt RUNT_PEER=/usr/sbin/runc PATH=/usr/sbin:/sbin:/usr/bin:/bin:$PATH
# No CAP_SYS_RESOURCE and no controllers: limits as they are, none asked for.
export RUNT_CONTAINERS_CONF='default_ulimits = ["nofile=1000:1000", "nproc=1000:1000", "memlock=65536:65536"]
pids_limit = 0'
export RUNT_DOCKER_CONF='{"storage-driver": "overlay2", "default-ulimits": {"nofile": {"Name": "nofile", "Hard": 1000, "Soft": 1000}}}'
all() {
	for file in "$@"; do
		printf '\001file %s\n' "$file"
		node_modules/.bin/esbuild "$file" --bundle --platform=node --target=node20 --format=esm --log-level=warning \
			--alias:uvu/assert=./node_modules/uvu/assert/index.mjs --alias:uvu/diff=./node_modules/uvu/diff/index.mjs --alias:uvu=./conformance/vm/tap.ts --outfile="$work/native.mjs" &&
		conformance/v2-view.sh unshare --pid --fork --kill-child --mount-proc sh -c '
			work=$1
			mkdir -p /run/lock /run/containers /var/lib/containers; mount --bind "$work/podman" /var/lib/containers
			for side in runt peer; do mkdir -p /var/lib/docker-$side; mount --bind "$work/docker-$side" /var/lib/docker-$side; done
			containerd --root "$work/containerd" >"$work/containerd.log" 2>&1 & daemon=$!
			for i in $(seq 100); do [ -S /run/containerd/containerd.sock ] && break; sleep 0.1; done
			node "$work/native.mjs"; status=$?
			kill $daemon; wait $daemon 2>/dev/null; exit $status' sh "$work" </dev/null
		printf '\n\001exit %s\n' $?
	done
	printf '\001end\n'
}
all "$@" 2>&1 | awk -v expected=$# -f conformance/vm/tap.awk
status=$?
for side in runt peer; do ip link delete br-$side 2>/dev/null; done
exit $status
