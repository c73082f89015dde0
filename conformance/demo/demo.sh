#!/bin/sh
# `npm run demo`: installs, builds, runs a real container and shows what happened, step by step, with times.
set -eu
cd "$(dirname "$0")/../.."
unset NODE_EXTRA_CA_CERTS
[ -d node_modules/koffi ] || npm ci --no-audit --no-fund --loglevel=error
native/build/build.sh
[ "$(id -u)" = 0 ] || { echo "the demo needs root: it makes namespaces, mounts and a cgroup" >&2; exit 1; }
work=$(mktemp -d)
trap 'dist/runt --root "$work/state" delete --force demo 2>/dev/null; rm -rf "$work"' EXIT
mkdir -p "$work/bundle/rootfs/bin"
for name in proc dev sys tmp etc; do mkdir -p "$work/bundle/rootfs/$name"; done
if busybox=$(command -v busybox) && [ -z "$(ldd "$busybox" 2>/dev/null | grep '=>')" ]; then
	cp "$busybox" "$work/bundle/rootfs/bin/busybox"
	for name in sh echo id hostname ps; do ln -s busybox "$work/bundle/rootfs/bin/$name"; done
	args='["sh", "-c", "echo I am $(id -u) on $(hostname), pid $$, and these are all the processes I see:; ps"]'
else
	cc -static -Os -o "$work/bundle/rootfs/bin/hello" conformance/demo/hello.c || { echo "a static C library is missing: apt-get install libc6-dev" >&2; exit 1; }
	args='["/bin/hello"]'
fi
dist/runt spec --bundle "$work/bundle"
sed -i 's/"terminal": true/"terminal": false/; s/"hostname": "runt"/"hostname": "demo"/' "$work/bundle/config.json"
node -e 'const fs=require("fs"),p=process.argv[1],c=JSON.parse(fs.readFileSync(p));c.process.args=JSON.parse(process.argv[2]);fs.writeFileSync(p,JSON.stringify(c,null,2))' "$work/bundle/config.json" "$args"
echo; echo "== runt explain (first lines of the sequence this bundle compiles to)"
dist/runt explain "$work/bundle" | head -24
echo "   … $(dist/runt explain "$work/bundle" | wc -l) lines in all"
echo; echo "== runt run --keep demo"
dist/runt --root "$work/state" run --keep --bundle "$work/bundle" demo
echo; echo "== runt trace demo (the ten slowest steps as they happened; r: runtime, c: container)"
dist/runt --root "$work/state" trace demo | sort -k2 -rn | head -10
echo; echo "the container ran; nothing is left of it after runt delete"
