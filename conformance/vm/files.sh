#!/bin/sh
# files.sh [--managers | --all | TESTFILE...]: the test files of a run, a line each. Without words what runt itself does in the machine:
# *.vmtest.* of this directory without those that --managers has, which compare with runc what managers, their containers and captured
# bundles see. --all: both, for CI, which boots no machine more for them. Exits 2 for a file that is none of this repository.
set -u
here=conformance/vm
cd "$(dirname "$0")/../.." || exit 1
managers="conformance/managers/inside.vmtest.ts conformance/managers/containerd.vmtest.ts $here/bundles.vmtest.ts $here/exec.vmtest.ts $here/managers-systemd.vmtest.ts"
own() { for file in $here/*.vmtest.*; do case " $managers " in *" $file "*) ;; *) echo "$file" ;; esac; done; }
case "$*" in
	'') set -- $(own) ;;
	--managers) set -- $managers ;;
	--all) set -- $managers $(own) ;;
esac
for file in "$@"; do
	case $file in /* | ../*) false ;; *) [ -f "$file" ] ;; esac || { echo "$file: no such test file; paths are relative to the repository" >&2; exit 2; }
done
printf '%s\n' "$@"
