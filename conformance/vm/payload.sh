#!/bin/sh
# payload.sh DISK TESTFILE...: the second disk: this repository as built, and each test as one JavaScript file beside its source,
# because starting tsx takes a minute under emulation. Made anew for each run, in about two seconds.
set -eu
cd "$(dirname "$0")/../.."
disk=$1
shift
[ -d node_modules/esbuild ] || npm ci --no-audit --no-fund --loglevel=error >&2
[ -x dist/runt ] || native/build/build.sh >&2
stage=$(mktemp -d "${disk%/*}/stage.XXXXXX")
trap 'rm -rf "$stage"' EXIT
# A copy first: a build that runs beside this one replaces the files of dist/ one by one.
cp -a --reflink=auto bin dist spec conformance package.json "$stage/"
rm -f "$stage"/dist/*/snapshot # the host's serves on the host; guest.sh takes the guest's
echo /usr/bin/node >"$stage/dist/node/engine"
: >"$stage/conformance/vm/tests.list"
for file in "$@"; do
	case $file in
		*.ts)
			# Any uvu test reports TAP here: uvu's own module is exchanged for ours, its assertions stay.
			node_modules/.bin/esbuild "$file" --bundle --platform=node --target=node20 --format=esm --log-level=warning \
				--alias:uvu/assert=./node_modules/uvu/assert/index.mjs --alias:uvu/diff=./node_modules/uvu/diff/index.mjs --alias:uvu=./conformance/vm/tap.ts \
				--outfile="$stage/${file%.ts}.mjs" >&2
			echo "${file%.ts}.mjs" ;;
		*) mkdir -p "$stage/${file%/*}" && cp "$file" "$stage/$file" && echo "$file" ;;
	esac >>"$stage/conformance/vm/tests.list"
done
size=$(($(du -sm "$stage" | cut -f1) * 11 / 10 + 32))
PATH=$PATH:/usr/sbin:/sbin
mke2fs -q -t ext4 -L payload -O ^has_journal -E root_owner=0:0 -m 0 -d "$stage" "$disk" "${size}M" </dev/null >/dev/null
