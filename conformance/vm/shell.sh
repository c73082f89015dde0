#!/bin/sh
# A root shell in the virtual machine, on this terminal. Leaving it, or Ctrl-A X, ends the machine; nothing in it is kept.
set -u
unset NODE_EXTRA_CA_CERTS
here=conformance/vm
cd "$(dirname "$0")/../.." || exit 1
sh $here/host.sh qemu-system-x86_64 mke2fs flock unshare node || exit 1
image=$(sh $here/image.sh) || exit 1
payload=$(mktemp -d) || exit 1
trap 'rm -rf "$payload"' EXIT
trap 'exit 130' INT TERM HUP
sh $here/payload.sh "$payload/disk" $(ls $here/*.vmtest.* conformance/managers/*.vmtest.ts conformance/*.test.ts) || exit 1
echo "# vm: half a minute to the shell; runt is in /work/runt/dist, a test runs as: node conformance/vm/smoke.vmtest.mjs" >&2
sh $here/boot.sh "$image" "$payload/disk" runt-vm-shell.service 86400 -serial mon:stdio
