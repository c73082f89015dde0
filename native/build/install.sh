#!/bin/sh
# Installs the executable and what it loads into a root-owned directory, and a link in PATH. PREFIX and DESTDIR are respected. The snapshot of the
# engine is taken there anew, not copied: it belongs to a machine's libraries, and its addresses are nobody else's. Below DESTDIR none is: whoever
# unpacks it runs lib/runt/runt-snapshot.
set -eu
cd "$(dirname "$0")/../.."
[ -x dist/runt ] || native/build/build.sh
prefix=${PREFIX:-/usr/local}
lib=${DESTDIR:-}$prefix/lib/runt
bin=${DESTDIR:-}$prefix/bin
install -d -m 0755 "$lib/engine" "$bin"
rm -f "$lib/engine/snapshot"
for file in engine/runt runt runt-init runt-copies.so koffi-c.so librtstdc++.so runt-snapshot runt-pause.so; do
	[ -e "dist/$file" ] || continue # only x86-64 has the last two
	case $file in *.so) mode=0644 ;; *) mode=0755 ;; esac
	install -m "$mode" "dist/$file" "$lib/$file.new"
	mv -f "$lib/$file.new" "$lib/$file"
done
[ "$(id -u)" != 0 ] || chown -R root:root "$lib"
ln -sfn "$prefix/lib/runt/runt" "$bin/runt"
echo "installed $bin/runt"
[ -n "${DESTDIR:-}" ] || [ ! -x "$lib/runt-snapshot" ] || "$lib/runt-snapshot" || true # without it commands are slower
