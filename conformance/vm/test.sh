#!/bin/sh
# test.sh [TESTFILE...]: runs test files (*.ts with uvu, *.sh) in one boot of the virtual machine (more if its kernel dies: boots.sh); TAP on standard output.
# Without names: all of conformance/vm/*.vmtest.{ts,sh} and what managers' containers see. RUNT_MANAGERS=full: all of the managers' operations of a file, not the core. RUNT_VM_LIMIT and RUNT_VM_FILE_LIMIT are the seconds a boot and a file may take.
set -u
unset NODE_EXTRA_CA_CERTS
here=conformance/vm
cd "$(dirname "$0")/../.." || exit 1
sh $here/host.sh qemu-system-x86_64 mke2fs flock unshare node || exit 1
[ $# -gt 0 ] || set -- $(ls $here/*.vmtest.ts $here/*.vmtest.sh conformance/managers/inside.vmtest.ts conformance/managers/containerd.vmtest.ts 2>/dev/null)
for file in "$@"; do
	case $file in /* | ../*) false ;; *) [ -f "$file" ] ;; esac || { echo "$file: no such test file; paths are relative to the repository" >&2; exit 2; }
done
image=$(sh $here/image.sh) || exit 1

run=${RUNT_VM_CACHE:-${HOME:-/root}/.cache/runt-vm}/run.$$
mkdir -p "$run"
trap 'rm -f "$run/payload"' EXIT
trap 'exit 130' INT TERM HUP
sh $here/payload.sh "$run/payload" "$@" || { echo "the tests could not be packed" >&2; exit 1; }

sh $here/boots.sh "$run" $# sh $here/boot.sh "$image" "$run/payload" runt-vm-test.service "${RUNT_VM_LIMIT:-2700}" -serial "file:$run/console" \
	-chardev "file,id=results,path=$run/results" -device virtserialport,chardev=results,name=results | awk -v expected=$# -f $here/tap.awk
status=$?
# The newest runs' logs stay; of a good one nobody wants to see the console.
for old in $(ls -1dt "${run%/*}"/run.* | tail -n +6); do rm -rf "$old"; done
if [ $status -ne 0 ]; then
	{ cat "$run/qemu"; tail -n 30 "$run/console" | tr -d '\r\033' | sed 's/^/# console: /'; echo "# the whole console: $run/console"; } >&2
fi
exit $status
