#!/bin/sh
# rootless-network.sh RUNTIME BUNDLE STATE UID slirp4netns|pasta: a container of an ordinary user whose network a runtime hook makes. As root, in a network namespace of its own
# (unshare -n) that has a loopback server and an interface that leads nowhere. Prints what the container fetched from the server, and what is left.
set -eu
runtime=$1 bundle=$2 state=$3 user=$4 tool=$5
ip link set lo up
ip link add outside type veth peer name nowhere
ip address add 192.0.2.2/24 dev outside
ip link set nowhere up
ip link set outside up
ip route add default via 192.0.2.1
mkdir -p "$state/www"
echo 'from the loopback of the host' >"$state/www/page"
busybox httpd -f -p 127.0.0.1:8099 -h "$state/www" &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
as() { setpriv --reuid "$user" --regid "$user" --clear-groups "$@"; }
own() { as "$runtime" --root "$state/run" "$@"; }

cat >"$state/hook" <<'HOOK'
#!/bin/sh
pid=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
exec >"$2/hook.log" 2>&1
up() { for i in $(seq 200); do nsenter -t "$pid" -U -n --preserve-credentials ip -o link show up | grep -q -v ' lo:' && return; sleep 0.1; done; return 1; }
case $1 in
	slirp4netns) slirp4netns --configure --mtu=1500 "$pid" tap0 & echo $! >"$2/tool.pid"; up ;;
	pasta) pasta --config-net --pid "$2/tool.pid" "$pid" && up ;;
esac
HOOK
chmod 755 "$state/hook"
chown -R "$user:$user" "$state"

own create --bundle "$bundle" net </dev/null >"$state/out" 2>&1 || { cat "$state/out" "$state/hook.log" 2>/dev/null; exit 1; }
own start net
gateway=10.0.2.2
[ "$tool" = slirp4netns ] || gateway=192.0.2.1
own exec net wget -q -O - "http://$gateway:8099/page" || { cat "$state/hook.log"; exit 1; }
own exec net ip -o link | grep -c -v ' lo:'
own delete --force net
kill "$(cat "$state/tool.pid")" 2>/dev/null || true
own list -q
