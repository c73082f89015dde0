#!/bin/sh
# run-image.sh IMAGE [COMMAND [ARGUMENT...]]: runs a container image without a daemon: skopeo copies it, umoci makes a bundle, runt runs it.
# IMAGE is a file (docker save, podman save, oci-archive), a directory (OCI layout), or what skopeo takes: docker://alpine, oci:DIR:TAG.
# RUNTIME is the runtime to call (default: runt), NAME the container's (default: of this process), KEEP=DIR leaves the bundle in DIR/bundle.
set -eu
[ $# -gt 0 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
for tool in skopeo umoci jq tar; do command -v "$tool" >/dev/null || { echo "missing $tool: apt-get install $tool" >&2; exit 1; }; done
image=$1; shift
runtime=${RUNTIME:-runt}
name=${NAME:-image-$$}
if [ -d "$image" ]; then source=oci:$image
elif [ -f "$image" ]; then
	# Both are tar files; an OCI one says so in a file of its own.
	if tar -tf "$image" | grep -qE '^(\./)?oci-layout$'; then source=oci-archive:$image; else source=docker-archive:$image; fi
else source=$image; fi

if [ -n "${KEEP:-}" ]; then work=$KEEP; mkdir -p "$work"; [ ! -e "$work/bundle" ] || { echo "$work/bundle exists already" >&2; exit 1; }
else work=$(mktemp -d); trap 'rm -rf "$work"' EXIT; fi
trap 'exit 130' INT TERM HUP
rootless=
[ "$(id -u)" = 0 ] || rootless=--rootless

skopeo --insecure-policy copy -q "$source" "oci:$work/image:latest"
umoci --log error unpack $rootless --image "$work/image:latest" "$work/bundle"
# Words of the command line take the place of what the image runs; without a terminal here the process gets none.
terminal=false
[ ! -t 0 ] || [ ! -t 1 ] || terminal=true
jq --argjson terminal $terminal '.process.terminal = $terminal | if ($ARGS.positional | length) > 0 then .process.args = $ARGS.positional else . end' \
	"$work/bundle/config.json" --args -- "$@" >"$work/config.json"
mv "$work/config.json" "$work/bundle/config.json"
status=0
"$runtime" run --bundle "$work/bundle" "$name" || status=$?
exit "$status"
