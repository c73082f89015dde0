#!/bin/sh
# Builds the interpreter and the dump tool into a directory: build.sh DIRECTORY [CC]
# Freestanding and static: the container's init is this file, so it must hold nothing it does not need.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
cc=${2:-${CC:-cc}}
mkdir -p "$out"
"$cc" -Os -Wall -Wextra -Werror -std=gnu11 -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-builtin -fno-pie -fomit-frame-pointer -mgeneral-regs-only -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noseparate-code -Wl,-z,max-page-size=4096 \
	-Wl,-z,norelro -Wl,-z,noexecstack -s -o "$out/runt-init" "$here/interpreter.c"
if [ "${RUNT_DUMP:-}" = 1 ]; then
	"$cc" -O1 -g -Wall -Wextra -Werror -std=gnu11 -static -o "$out/runt-dump" "$here/dump.c"
fi
"$cc" -O2 -Wall -Wextra -Werror -std=gnu11 -fPIC -shared -fvisibility=hidden -Wl,--build-id=none -s -o "$out/runt-copies.so" "$here/copies.c"
