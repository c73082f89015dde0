#!/bin/sh
# mutant.sh DIRECTORY: builds there an executable as the product's, but its compiler of `create` drops the step that mutation.json
# beside it names, or lists all. Only this copy of the sources can do that.
set -eu
cd "$(dirname "$0")/../.."
work=$1
[ -f spec/validator.generated.js ] && [ -x dist/runt-init ] || native/build/build.sh >/dev/null
rm -rf "$work/source"
mkdir -p "$work/source" "$work/dist/engine"
cp -r bin spec src native package.json tsconfig.json "$work/source/"
ln -s "$PWD/node_modules" "$work/source/node_modules"
mv "$work/source/src/compile/create.ts" "$work/source/src/compile/create-whole.ts"
cp conformance/mutation/wrapper.txt "$work/source/src/compile/create.ts"
cp dist/runt dist/runt-init dist/*.so "$work/dist/"
case $(uname -m) in aarch64) arch=arm64 ;; *) arch=x64 ;; esac
cd "$work/source"
node_modules/.bin/bun build --compile --minify --format=esm --target="bun-linux-$arch" \
	--no-compile-autoload-dotenv --no-compile-autoload-bunfig --no-compile-autoload-tsconfig --no-compile-autoload-package-json \
	--define RUNT_EXECUTABLE=true --define 'RUNT_COMMIT="mutant"' bin/runt.ts --outfile ../dist/engine/runt >/dev/null
