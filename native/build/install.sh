#!/bin/sh
# Installs the executable and what it loads into a root-owned directory, and a link in PATH. PREFIX and DESTDIR are respected.
set -eu
cd "$(dirname "$0")/../.."
[ -x dist/runt ] || native/build/build.sh
prefix=${PREFIX:-/usr/local}
lib=${DESTDIR:-}$prefix/lib/runt
bin=${DESTDIR:-}$prefix/bin
install -d -m 0755 "$lib/engine" "$bin"
for file in engine/runt runt runt-init koffi-c.so librtstdc++.so; do
	case $file in *.so) mode=0644 ;; *) mode=0755 ;; esac
	install -m "$mode" "dist/$file" "$lib/$file.new"
	mv -f "$lib/$file.new" "$lib/$file"
done
[ "$(id -u)" = 0 ] && chown -R root:root "$lib"
ln -sfn "$prefix/lib/runt/runt" "$bin/runt"
echo "installed $bin/runt"
