#!/bin/sh
# build.sh DIRECTORY: runt-snapshot, which takes the snapshot of the engines beside it (take.c), and what it has them load (pause.c).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
compile() { "${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -O2 -s "$@"; }
compile -static -o "$1/runt-snapshot.new" "$here/take.c"
compile -fPIC -shared -fno-stack-protector -Wl,-z,nodelete -o "$1/runt-pause.so.new" "$here/pause.c"
for file in runt-snapshot runt-pause.so; do mv "$1/$file.new" "$1/$file"; done
