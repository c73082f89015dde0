#!/bin/sh
# test.sh [--managers | --all | TESTFILE...]: runs test files (*.ts with uvu, *.sh; which: files.sh) in the virtual machine, more than three
# in two of them at once; TAP on standard output. RUNT_MANAGERS=full: all of the managers' operations of a file, not the core. RUNT_VM_LIMIT
# and RUNT_VM_FILE_LIMIT are the seconds a boot and a file may take, RUNT_VM_MACHINES how many machines share the files.
set -u
unset NODE_EXTRA_CA_CERTS
here=conformance/vm
cd "$(dirname "$0")/../.." || exit 1
files=$(sh $here/files.sh "$@") || exit
set -- $files
sh $here/host.sh qemu-system-x86_64 mke2fs flock unshare node || exit 1
case " $*" in *.vmlong.*) : "${RUNT_VM_LIMIT:=21600}" ;; esac
image=$(sh $here/image.sh) || exit 1

run=${RUNT_VM_CACHE:-${HOME:-/root}/.cache/runt-vm}/run.$$
mkdir -p "$run"
began=$(date +%s)
pids=
trap '[ -n "$pids" ] && kill $pids 2>/dev/null; rm -f "$run/payload" "$run/stream"' EXIT
trap 'exit 130' INT TERM HUP
sh $here/payload.sh "$run/payload" "$@" || { echo "the tests could not be packed" >&2; exit 1; }

# Emulation keeps one processor busy with one test: two machines share the files, each about half of the time that durations tells.
machines=${RUNT_VM_MACHINES:-$([ $# -gt 3 ] && [ "$(nproc)" -gt 1 ] && echo 2 || echo 1)}
[ "$machines" -le $# ] || machines=$#
mkfifo "$run/stream"
awk -v expected=$# -v machines="$machines" -f $here/tap.awk <"$run/stream" &
judge=$!
exec 4>"$run/stream"
number=0
printf '%s\n' "$@" | awk -v machines="$machines" -f $here/share.awk $here/durations - >"$run/share"
while read -r files; do
	number=$((number + 1))
	mkdir "$run/$number"
	sh $here/boots.sh "$run/$number" $number "$files" sh $here/boot.sh "$image" "$run/payload" runt-vm-test.service "${RUNT_VM_LIMIT:-2700}" -serial "file:$run/$number/console" \
		-chardev "file,id=results,path=$run/$number/results" -device virtserialport,chardev=results,name=results \
		-chardev "file,id=report,path=$run/$number/report,append=on" -device virtserialport,chardev=report,name=report >&4 </dev/null &
	pids="$pids $!"
done <"$run/share"
exec 4>&-
wait $judge
status=$?
wait $pids
pids=
times >"$run/times" # the last line: user and system, of what this shell has waited for
echo "# vm: $(($(date +%s) - began)) s; processors: $(tail -n 1 "$run/times")" >&2
for report in "$run"/*/report; do [ -s "$report" ] && echo "# what tests handed out: $report" >&2; done
# The newest runs' logs stay, and those of a run that goes on (run.PID); of a good one nobody wants to see the console.
for old in $(ls -1dt "${run%/*}"/run.* | tail -n +6); do kill -0 "${old##*.}" 2>/dev/null || rm -rf "$old"; done
if [ $status -ne 0 ]; then
	for one in "$run"/*/console; do
		{ cat "${one%/*}/qemu"; tail -n 30 "$one" | tr -d '\r\033' | sed 's/^/# console: /'; echo "# the whole console: $one"; } >&2
	done
fi
exit $status
