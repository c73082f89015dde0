#!/bin/sh
# Makes the guest's kernel panic in its first boot: `npm run test:vm -- conformance/vm/panic.vmlong.sh conformance/vm/smoke.vmtest.ts`
# passes all the same, says that the machine was booted again, and counts "before" once.
echo "ok 1 - before"
sleep 2 # until the host has the line
grep -q 'runt.boot=1 ' /proc/cmdline && echo c >/proc/sysrq-trigger
echo "ok 2 - after"
echo 1..2
