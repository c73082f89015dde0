#!/bin/sh
# Runs a command in a private mount namespace whose /sys/fs/cgroup is cgroup v2 only. The host's own mounts stay as they are.
command -v unshare >/dev/null || { echo "unshare is missing: apt-get install util-linux" >&2; exit 1; }
exec unshare -m --propagation private sh -c '
	if [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 1; fi
	mount -t tmpfs tmpfs /run || exit 1
	PRIVATE_VIEW=1 exec "$@"' sh "$@"
