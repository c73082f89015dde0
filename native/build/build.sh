#!/bin/sh
# Builds dist/: the Bun executable, the Node build, koffi's addon, the interpreter and the conformance suite. Says which Debian package is missing.
set -eu
cd "$(dirname "$0")/../.."
unset NODE_EXTRA_CA_CERTS
need() { command -v "$1" >/dev/null 2>&1 || { echo "runt: $1 is missing: apt-get install $2" >&2; exit 1; }; }
need cc "gcc libc6-dev"
need node nodejs
[ -d node_modules/koffi ] && [ -d node_modules/bun ] || npm ci --no-audit --no-fund --loglevel=error
case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) echo "runt: x86-64 and aarch64 only" >&2; exit 1 ;; esac
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)

mkdir -p dist/node dist/engine
node_modules/.bin/tsx spec/build-validator.ts
node_modules/.bin/tsx native/interpreter/generate.ts --check
RUNT_DUMP=1 native/interpreter/build.sh dist
cp "node_modules/@koromix/koffi-linux-$arch/linux_$arch/koffi.node" dist/koffi.node.new
mv dist/koffi.node.new dist/koffi.node
native/engine/build.sh dist dist/koffi.node
if [ $arch = x64 ]; then native/snapshot/build.sh dist; fi

bun=node_modules/@oven/bun-linux-$arch/bin/bun
[ -x "$bun" ] || bun=node_modules/.bin/bun
# Split: a verb loads its own chunks; the bytecode of all of them cost 2 ms of every call.
# esbuild first, because it can exchange node:fs and node:path for ours, which load in no time (native/engine).
bundle="--bundle --minify --platform=node --format=esm --splitting --log-level=warning --define:RUNT_COMMIT=\"$commit\""
rm -rf dist/bun && mkdir -p dist/bun
node_modules/.bin/esbuild bin/runt.ts $bundle --target=esnext --outdir=dist/bun --define:RUNT_EXECUTABLE=true \
	--alias:node:fs=./native/engine/fs.ts --alias:node:path=./native/engine/path.ts
"$bun" build --compile --minify --bytecode --splitting --min-chunk-size=4096 --format=esm --target="bun-linux-$arch" \
	--no-compile-autoload-dotenv --no-compile-autoload-bunfig --no-compile-autoload-tsconfig --no-compile-autoload-package-json \
	dist/bun/runt.js --outfile dist/engine/runt.new >/dev/null
mv dist/engine/runt.new dist/engine/runt
mv dist/runt.new dist/runt
rm -rf dist/bun
[ ! -x dist/runt-snapshot ] || dist/runt-snapshot || true # without it commands are slower

rm -rf dist/node/*
node_modules/.bin/esbuild bin/start.ts --bundle --minify --platform=node --format=cjs --log-level=warning "--define:RUNT_COMMIT=\"$commit\"" --target=node20 --outfile=dist/node/main.js \
	--define:RUNT_EXECUTABLE=false --define:import.meta.dirname=__dirname
# It is read byte by byte (node.cjs): esbuild escapes whatever is not ASCII, but for regular expressions.
if LC_ALL=C grep -q '[^ -~[:cntrl:]]' dist/node/main.js; then echo "runt: a character beyond ASCII in a regular expression" >&2; exit 1; fi
cp native/engine/node.cjs dist/node/runt.cjs
mv dist/node-launcher.new dist/node/launcher
sample=$(mktemp -d)
node dist/node/runt.cjs spec --bundle "$sample"
mkdir -p "$sample/rootfs/bin" "$sample/root/gone"
: >"$sample/rootfs/bin/sh"; chmod +x "$sample/rootfs/bin/sh"
cp "$sample/config.json" "$sample/root/gone/"
printf '{"version":1,"ociVersion":"1.3.0","id":"gone","bundle":"%s","rootfs":"%s","created":"2026-01-01T00:00:00.000Z","owner":0,"pid":1,"startTime":"none","cgroup":null,"status":"created","privatePidNamespace":true,"hooks":{"startContainer":false,"poststart":false,"poststop":false}}' "$sample" "$sample" >"$sample/root/gone/state.json"
for cache in programs main; do node --no-warnings dist/node/runt.cjs --make-cache "dist/node/$cache.cache" "$sample" >/dev/null 2>&1; done
rm -r "$sample"
for part in main:runt-conformance broken/wrap:runt-conformance-wrap; do
	node_modules/.bin/esbuild "conformance/suite/${part%:*}.ts" --bundle --platform=node --target=node20 --format=esm --outfile="dist/${part#*:}.js" --log-level=warning --banner:js='#!/usr/bin/env node'
	chmod +x "dist/${part#*:}.js"
done
conformance/probe/build.sh dist
echo '{"type":"module"}' > dist/package.json
echo '{"type":"commonjs"}' > dist/node/package.json
command -v node > dist/node/engine
[ ! -x dist/runt-snapshot ] || dist/runt-snapshot --node || true
echo "built dist/runt (Bun) and dist/node (Node, started by bin/runt)"
