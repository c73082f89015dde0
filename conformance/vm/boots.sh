#!/bin/sh
# boots.sh DIRECTORY FILES COMMAND...: prints what the guest says in DIRECTORY/results, over as many boots as it takes. COMMAND
# is one boot: a machine that runs the test files from number RUNT_VM_FROM on, and writes DIRECTORY/results and DIRECTORY/console.
# QEMU before 8.1 may run kernel text while the other processor rewrites it, and the guest's kernel dies of it, once in many
# runs. So after a panic it is booted again, twice at most, and goes on with the file it died in. Nothing else is tried again.
set -u
run=$1 files=$2
shift 2
machine= boot=1 from=1 died=0
trap '[ -n "$machine" ] && kill "$machine" 2>/dev/null' EXIT
trap 'exit 130' INT TERM HUP
ours() { grep -ac "^$(printf '\001')$1" "$run/results"; }
while :; do
	: >"$run/results"
	RUNT_VM_BOOT=$boot RUNT_VM_FROM=$from "$@" </dev/null >"$run/qemu" 2>&1 &
	machine=$!
	tail -n +1 -s 0.5 -f --pid=$machine "$run/results"
	wait $machine
	machine=
	[ "$(ours end)" -gt 0 ] && break
	grep -qs 'Kernel panic - not syncing' "$run/console" || break
	begun=$(ours 'file ') ended=$(ours 'exit ')
	[ "$ended" -gt 0 ] && died=0
	from=$((from + ended))
	[ "$begun" -gt "$ended" ] && died=$((died + 1))
	if [ $died -ge 2 ]; then
		printf '\n\001twice\n'
		from=$((from + 1)) died=0
		[ $from -gt "$files" ] && { printf '\001end\n'; break; }
	fi
	[ $boot -lt 3 ] || break
	mv "$run/console" "$run/console.$boot"
	boot=$((boot + 1))
	printf '\n\001again %s\n' "$run/console.$((boot - 1))"
done
