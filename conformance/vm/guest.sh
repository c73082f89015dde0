#!/bin/sh
# Runs in the guest: the files of tests.list that the kernel's command line names by number, in turn, what it prints to the results port. \001 marks the lines that are ours.
limit=$(sed -n 's/.*runt\.limit=\([0-9]*\).*/\1/p' /proc/cmdline)
files=$(sed -n 's/.*runt\.files=\([0-9,]*\).*/\1/p' /proc/cmdline)
exec 3>/dev/virtio-ports/results
cd /work/runt || exit 1
# As in an installation: a snapshot of the engine is for the libraries and the processor it was taken with. Without one calls are slower.
if [ -x dist/runt-snapshot ] && mount -o remount,rw /work/runt; then
	read -r began idle </proc/uptime
	timeout -k 5 90 dist/runt-snapshot >/dev/console 2>&1 || rm -f dist/*/snapshot dist/*/snapshot.new
	mount -o remount,ro /work/runt
	read -r ended idle </proc/uptime
	echo "the snapshot took from $began to $ended s" >/dev/console
fi
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 NO_COLOR=1
# An event of perf, held open: else each breakpoint that CRIU sets and clears has the kernel rewrite its scheduler's text, and of
# that QEMU's two processors made `Oops: int3 ... __schedule` once (see boots.sh).
python3 -c 'import ctypes, signal
ctypes.CDLL(None).syscall(298, (ctypes.c_uint32 * 32)(1, 128, 9), 0, -1, -1, 0)  # perf_event_open: PERF_COUNT_SW_DUMMY of itself
signal.pause()' 3>&- </dev/null &
out=$(mktemp -d)/out
failed=0
for number in $(echo "$files" | tr , ' '); do
	file=$(sed -n "${number}p" conformance/vm/tests.list)
	case $file in *.mjs) name=${file%.mjs}.ts ;; *) name=$file ;; esac
	printf '\001file %s\n' "$name" >&3
	began=$(date +%s)
	: >"$out"
	case $file in
		*.mjs) set -- node --no-warnings "$file" ;;
		*) set -- sh "$file" ;;
	esac
	case $file in *.vmlong.*) seconds=18000 ;; *) seconds=${limit:-900} ;; esac
	# Through a file: the port can be opened once only, and a pipe would be held open by whatever a test leaves running.
	timeout -k 10 "$seconds" "$@" >"$out" 2>&1 </dev/null 3>&- &
	tail -n +1 -s 0.3 -f --pid=$! "$out" >&3
	wait $!
	status=$?
	printf '\n\001exit %s %s\n' "$status" $(($(date +%s) - began)) >&3
	[ $status = 0 ] || failed=1
done
# What systemd and the kernel have to say goes to the console's log, which the host keeps.
[ $failed = 0 ] || journalctl -b --no-pager -n 60 >/dev/console
printf '\001end\n' >&3
