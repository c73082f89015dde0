#!/bin/sh
# Runs in the guest: each file of tests.list in turn, what it prints to the results port. \001 marks the lines that are ours.
limit=$(sed -n 's/.*runt\.limit=\([0-9]*\).*/\1/p' /proc/cmdline)
exec 3>/dev/virtio-ports/results
cd /work/runt || exit 1
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 NO_COLOR=1
out=$(mktemp -d)/out
failed=0
while read -r file; do
	case $file in *.mjs) name=${file%.mjs}.ts ;; *) name=$file ;; esac
	printf '\001file %s\n' "$name" >&3
	: >"$out"
	case $file in
		*.mjs) set -- node --no-warnings "$file" ;;
		*) set -- sh "$file" ;;
	esac
	# Through a file: the port can be opened once only, and a pipe would be held open by whatever a test leaves running.
	timeout -k 10 "${limit:-600}" "$@" >"$out" 2>&1 </dev/null 3>&- &
	tail -n +1 -s 0.3 -f --pid=$! "$out" >&3
	wait $!
	status=$?
	printf '\n\001exit %s\n' "$status" >&3
	[ $status = 0 ] || failed=1
done <conformance/vm/tests.list
# What systemd and the kernel have to say goes to the console's log, which the host keeps.
[ $failed = 0 ] || journalctl -b --no-pager -n 60 >/dev/console
printf '\001end\n' >&3
