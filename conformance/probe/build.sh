#!/bin/sh
# build.sh DIRECTORY: the probe, static, into DIRECTORY/runt-conformance-probe.
set -eu
here=$(dirname "$0")
${CC:-cc} -std=gnu11 -O2 -Wall -Wextra -Werror -static -s -o "$1/runt-conformance-probe.new" "$here"/probe.c "$here"/facts.c "$here"/actions.c "$here"/receive.c "$here"/json.c
mv "$1/runt-conformance-probe.new" "$1/runt-conformance-probe"
