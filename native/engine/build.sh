#!/bin/sh
# build.sh DIRECTORY ADDON: what stands around the engines: their launchers, as runt.new and node-launcher.new (the engine belongs there first),
# and for the executable koffi's addon, which loads our libstdc++.c in place of libstdc++ and libgcc_s.
set -eu
out=$1 addon=$2
here=$(cd "$(dirname "$0")" && pwd)
"$here/../../node_modules/.bin/tsx" "$here/generate.ts"
# Where no engine has anything: it is to lie beside the launcher's own pages (native/snapshot).
place=-Wl,-Ttext-segment=0x70000000
launcher() {
	"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -Os -ffreestanding -fno-builtin -fno-stack-protector -fno-asynchronous-unwind-tables -fno-pie -nostdlib -static -no-pie $place \
		-Wl,--build-id=none,-z,noexecstack -s "$@" "$here/launcher.c"
}
launcher -o "$out/runt.new"
launcher -DNODE -o "$out/node-launcher.new"
# Names of the same length, NUL for the rest: nothing of libgcc_s is used, and libm is loaded already.
LC_ALL=C sed -e 's/koffi\.node\x00/koffi-c.so\x00/' -e 's/libstdc++\.so\.6/librtstdc++.so/' -e 's/libgcc_s\.so\.1/libm.so.6\x00\x00\x00\x00/' "$addon" >"$out/koffi-c.so.new"
mv "$out/koffi-c.so.new" "$out/koffi-c.so"
"${CC:-cc}" -std=c11 -Wall -Wextra -Werror -O2 -D_GNU_SOURCE -fPIC -fno-stack-protector -shared -s -o "$out/librtstdc++.so" "$here/libstdc++.c" \
	-Wl,--disable-new-dtags,-soname,librtstdc++.so,--version-script="$here/libstdc++.map",-rpath,'$ORIGIN',-z,relro,--no-as-needed,--allow-shlib-undefined -L"$out" -l:koffi-c.so
# RPATH, not RUNPATH: LD_LIBRARY_PATH must not come first. What the engine gives is missing here; whatever else is missing a newer koffi has begun to use.
missing=$(ldd -r "$out/librtstdc++.so" 2>&1 | grep -E 'undefined symbol|not found' | grep -vE 'symbol: (napi|node_api|uv)_' || true)
[ -z "$missing" ] || { echo "runt: koffi needs more of libstdc++ than native/engine/libstdc++.c has:" >&2; echo "$missing" >&2; exit 1; }
