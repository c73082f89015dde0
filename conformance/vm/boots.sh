#!/bin/sh
# boots.sh DIRECTORY NUMBER FILES COMMAND...: prints what machine NUMBER says in DIRECTORY/results, its number before each line, over as
# many boots as it takes. COMMAND is one boot: it runs the files of RUNT_VM_FILES (numbers with commas; at first FILES), and writes
# DIRECTORY/results and DIRECTORY/console.
# QEMU before 8.1 may run kernel text while the other processor rewrites it, and the guest's kernel dies of it, once in many
# runs. So after a panic it is booted again, twice at most, and goes on with the file it died in. Nothing else is tried again.
set -u
run=$1 number=$2 files=$3
shift 3
machine= boot=1 died=0
trap '[ -n "$machine" ] && kill "$machine" 2>/dev/null' EXIT
trap 'exit 130' INT TERM HUP
ours() { grep -ac "^$(printf '\001')$1" "$run/results"; }
say() { printf '%s \001%s\n' "$number" "$1"; }
while :; do
	: >"$run/results"
	RUNT_VM_BOOT=$boot RUNT_VM_FILES=$files "$@" </dev/null >"$run/qemu" 2>&1 &
	machine=$!
	# In the background: a shell that waits hears signals, one that runs a command in the foreground does not.
	tail -n +1 -s 0.3 -f --pid=$machine "$run/results" | sed -u "s/^/$number /" &
	wait $!
	wait $machine
	machine=
	[ "$(ours end)" -gt 0 ] && break
	grep -qs 'Kernel panic - not syncing' "$run/console" || break
	begun=$(ours 'file ') ended=$(ours 'exit ')
	[ "$ended" -gt 0 ] && died=0
	files=$(printf '%s' "$files" | cut -d, -f$((ended + 1))-)
	[ "$begun" -gt "$ended" ] && died=$((died + 1))
	if [ $died -ge 2 ]; then
		say twice
		case $files in *,*) files=${files#*,} died=0 ;; *) say end; break ;; esac
	fi
	[ $boot -lt 3 ] || break
	mv "$run/console" "$run/console.$boot"
	say "again $run/console.$boot"
	boot=$((boot + 1))
done
