#!/bin/sh
# busybox-image.sh FILE: an image `busybox:latest` as docker, podman, skopeo and containerd load it (docker save's form), without a network.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/rootfs/bin" "$work/image"
for directory in etc proc dev sys tmp root home/user; do mkdir -p "$work/rootfs/$directory"; done
chmod 1777 "$work/rootfs/tmp"
cp "$(command -v busybox)" "$work/rootfs/bin/busybox"
for applet in $(busybox --list); do [ "$applet" = busybox ] || ln -s busybox "$work/rootfs/bin/$applet"; done
printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n' >"$work/rootfs/etc/passwd"
printf 'root:x:0:\nuser:x:1000:\n' >"$work/rootfs/etc/group"
tar --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0 -C "$work/rootfs" -cf "$work/image/layer.tar" .
layer=$(sha256sum "$work/image/layer.tar" | cut -d' ' -f1)
printf '{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z","config":{"Env":["PATH=/bin"],"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"1970-01-01T00:00:00Z"}]}' "$layer" >"$work/config"
config=$(sha256sum "$work/config" | cut -d' ' -f1)
mv "$work/config" "$work/image/$config.json"
printf '[{"Config":"%s.json","RepoTags":["docker.io/library/busybox:latest"],"Layers":["layer.tar"]}]' "$config" >"$work/image/manifest.json"
tar --sort=name -C "$work/image" -cf "$1" manifest.json "$config.json" layer.tar
# The rootfs itself too, for bundles made by hand.
mkdir -p /opt/busybox && cp -a "$work/rootfs/." /opt/busybox/
