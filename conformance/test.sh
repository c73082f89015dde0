#!/bin/bash
# Everything that must hold: types, unit tests, then black-box tests of both engines in a private v2 view. Installs and builds first.
set -u
cd "$(dirname "$0")/.."
unset NODE_EXTRA_CA_CERTS
need() { command -v "$1" >/dev/null 2>&1 || { echo "missing $1: apt-get install $2" >&2; exit 1; }; }
need cc "gcc libc6-dev"; need unshare util-linux; need busybox busybox-static; need ip iproute2; need python3 python3
[ "$(id -u)" = 0 ] || { echo "the black-box tests need root" >&2; exit 1; }
[ -d node_modules/koffi ] || npm ci --no-audit --no-fund --loglevel=error || exit 1
native/build/build.sh || exit 1

passed=0 failed=0 skipped=0
count() { # NAME LOG STATUS
	local p s t
	t=$(awk '/^  Total:/ {n+=$2} END {print n+0}' "$2"); p=$(awk '/^  Passed:/ {n+=$2} END {print n+0}' "$2"); s=$(awk '/^  Skipped:/ {n+=$2} END {print n+0}' "$2")
	local f=$((t - p)) # uvu leaves skipped tests out of its total
	[ "$3" -ne 0 ] && [ "$f" -eq 0 ] && f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-52s %4d passed %3d failed\n' "$1" "$p" "$f"
	[ "$f" -ne 0 ] && cat "$2"
}
log=$(mktemp)
node_modules/.bin/tsc -p . >"$log" 2>&1; status=$?
if [ $status -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); cat "$log"; fi
for file in $(find spec src native conformance/vm -name '*.test.ts' | sort); do
	conformance/v2-view.sh node_modules/.bin/tsx "$file" >"$log" 2>&1; count "$file" "$log" $?
done
for runtime in dist/runt bin/runt; do
	for file in conformance/*.test.ts conformance/security/*.test.ts; do
		RUNTIMES=$runtime conformance/v2-view.sh node_modules/.bin/tsx "$file" >"$log" 2>&1; count "$file ($runtime)" "$log" $?
	done
done
for script in "cycles.ts dist/runt 60" "many.ts dist/runt 10,60"; do
	conformance/v2-view.sh node_modules/.bin/tsx conformance/stress/$script >"$log" 2>&1
	if [ $? -eq 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); cat "$log"; fi
done
rm -f "$log"
if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ $failed -eq 0 ]
