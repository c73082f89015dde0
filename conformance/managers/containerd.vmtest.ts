// containerd by ctr: its shim calls the runtime with process.json, pid files and a console socket, as Kubernetes does.
import { busyboxImage, must, runt } from '../vm/guest.ts';
import { operations, type Group } from './operation.ts';
import { runc, wait } from './sides.ts';

/** A host without controllers takes no limits. */
const flags = process.env['RUNT'] === undefined ? '' : '--cpu-shares 0';
const image = 'docker.io/library/busybox:latest';
if (process.env['RUNT'] === undefined) must('systemctl start containerd');
must(`ctr image import ${busyboxImage}`);

const group = (manager: string, more: Partial<Group> = {}): Group => ({
  manager,
  sides: [{ name: 'runt', runtime: runt }, { name: 'peer', runtime: runc }],
  // one OPTION... -- COMMAND: each container has a name of its own
  prologue: `
count=0
one() { count=$((count+1)); flags=; while [ "$1" != -- ]; do flags="$flags $1"; shift; done; shift; ctr run --rm --runc-binary $RUNTIME ${flags} $flags ${image} one-$S-$$-$count "$@"; }`,
  ...more,
});

operations(group('ctr run'), [
  ['run --rm: what the command prints, its status', `one -- echo hello; status one -- sh -c 'exit 7'`, { core: true }],
  ['run: a command that is not there', `status one -- nothing 2>&1 | grep -o 'executable file not found\\|status .*'; ctr container ls -q | grep -c one-$S-$$ || true`],
  ['run: standard input goes through', `rm -f /tmp/first-$S; { echo first; until_ok test -e /tmp/first-$S; } | { one -- head -n 1; touch /tmp/first-$S; }`],
  ['run --tty', `terminal ctr run --rm --tty --runc-binary $RUNTIME ${flags} ${image} tty-$S sh -c "'tty; sleep 1'"`, { core: true }],
  ['run --env --cwd', `one --env A=b --cwd /tmp -- sh -c 'echo $A; pwd'`],
  ['run --mount: read-only and writable', `mkdir -p /tmp/ctr-$S; echo in >/tmp/ctr-$S/f; one --mount type=bind,src=/tmp/ctr-$S,dst=/v,options=rbind:ro -- sh -c 'cat /v/f; touch /v/x 2>&1; true'; one --mount type=bind,src=/tmp/ctr-$S,dst=/v,options=rbind:rw -- touch /v/written; ls /tmp/ctr-$S`],
  ['run --read-only', `one --read-only -- touch /x 2>&1 || true`],
  ['run --privileged', `one --privileged -- sh -c 'grep CapEff /proc/self/status; mount -t tmpfs t /tmp && echo mounted'`],
  ['run --cap-add, --cap-drop', `one --cap-add CAP_SYS_TIME --cap-drop CAP_CHOWN -- grep Cap /proc/self/status`],
  ['run --memory-limit: felt', `one --memory-limit 25165824 -- tail /dev/zero || echo $?`, { core: true, needs: 'memory' }],
  ['run --cpus, --cpu-shares', `ctr run -d --runc-binary $RUNTIME --cpus 0.3 --cpu-shares 1024 ${image} cpus-$S sleep 1000; cat /sys/fs/cgroup/default/cpus-$S/cpu.max /sys/fs/cgroup/default/cpus-$S/cpu.weight; ctr task kill -s KILL cpus-$S; until_ok sh -c "ctr task ls | grep cpus-$S.*STOPPED"; ctr task rm cpus-$S >/dev/null 2>&1; ctr container rm cpus-$S`, { core: true, needs: 'cpu', differs: [[/\n\d+$/, '\nweight', 'cpu.weight of --cpu-shares by the conversion of runc ≥ 1.3.2: 1024 is the default of 100']] }],
  ['run --cgroup', `one --cgroup /chosen/$S -- sh -c 'true'; one --cgroup /chosen/$S --with-ns cgroup:/proc/1/ns/cgroup -- cat /proc/self/cgroup | grep ^0; ls /sys/fs/cgroup/chosen | grep -c $S || true`],
  ['run --seccomp', `one --seccomp -- grep Seccomp: /proc/self/status`],
  ['run --net-host, --with-ns', `[ "$(one --net-host -- readlink /proc/self/ns/net)" = "$(readlink /proc/self/ns/net)" ] && echo host; [ "$(one --with-ns ipc:/proc/1/ns/ipc -- readlink /proc/self/ns/ipc)" = "$(readlink /proc/1/ns/ipc)" ] && echo joined`],
  ['run --pid-file, --device', `rm -f /tmp/pid-$S; one --pid-file /tmp/pid-$S --device /dev/loop-control -- ls /dev/loop-control; grep -c . /tmp/pid-$S`],
  ['run --rootfs', `ctr run --rm --rootfs --runc-binary $RUNTIME ${flags} --env PATH=/bin /opt/busybox rootfs-$S echo of a directory`],
  ['run --log-uri', `rm -f /tmp/log-$S; ctr run -d --runc-binary $RUNTIME ${flags} --log-uri file:///tmp/log-$S ${image} log-$S sh -c 'echo logged; sleep 1'; until_ok grep logged /tmp/log-$S; cat /tmp/log-$S; until_ok sh -c "ctr task ls | grep log-$S.*STOPPED"; ctr task rm log-$S >/dev/null 2>&1; ctr container rm log-$S`],
]);

operations(group('ctr task', {
  before: `ctr run -d --memory-limit $(grep -qw memory /sys/fs/cgroup/cgroup.controllers && echo 67108864 || echo 0) --runc-binary $RUNTIME ${flags} ${image} web-$S sh -c 'trap "exit 7" TERM; trap "echo usr1 >/tmp/got" USR1; while :; do sleep 0.1; done'`,
  after: `ctr task kill -s KILL web-$S; sleep 1; ctr task rm web-$S; ctr container rm web-$S`,
}), [
  ['task ls', `ctr task ls | awk -v n=web-$S '$1 == n {print $1, $3}'`],
  ['task exec: ids, directory, environment of the container', `ctr task exec --exec-id a --user 5:6 --cwd /tmp web-$S sh -c 'id; pwd; env | sort'`, { core: true }],
  ['task exec: its status, 127 of what is not there', `status ctr task exec --exec-id b web-$S sh -c 'exit 4'; status ctr task exec --exec-id c web-$S nothing 2>/dev/null`],
  ['task exec: standard input goes through', `printf 'a\\nb\\n' | ctr task exec --exec-id d web-$S wc -l`],
  ['task exec --tty', `terminal ctr task exec --tty --exec-id e web-$S sh -c "'tty; sleep 1'"`],
  ['task exec --detach', `ctr task exec --detach --exec-id f web-$S sh -c 'echo later >/tmp/later; sleep 60'; until_ok ctr task exec --exec-id g$$ web-$S test -s /tmp/later; ctr task exec --exec-id h web-$S cat /tmp/later`],
  ['task ps', `[ $(ctr task ps web-$S | wc -l) -ge 2 ] && echo some`],
  ['task metrics', `ctr task metrics web-$S | awk '$1 ~ /^(memory.usage_in_bytes|memory.usage|pids.current|cpu.usage_usec|memory.usage_limit)$/ {print $1, ($2 > 0)}'`, { core: true }],
  ['task pause, resume', `ctr task pause web-$S; ctr task ls | awk -v n=web-$S '$1 == n {print $3}'; ctr task resume web-$S; ctr task ls | awk -v n=web-$S '$1 == n {print $3}'`, { core: true }],
  ['task kill -s USR1: handled', `ctr task kill -s USR1 web-$S; until_ok ctr task exec --exec-id i$$ web-$S test -s /tmp/got; ctr task exec --exec-id j web-$S cat /tmp/got`],
  ['task kill --exec-id', `ctr task exec --detach --exec-id k web-$S sleep 600; ctr task kill -s KILL --exec-id k web-$S; until_ok sh -c "! ctr task exec --exec-id l$$ web-$S pidof sleep | grep -q 'x'"; echo killed`],
  ['task kill, rm: the status of the process', `ctr task kill web-$S; until_ok sh -c "ctr task ls | grep web-$S.*STOPPED"; ctr task rm web-$S 2>&1 | grep -o 'code [0-9]*\\|status [0-9]*'; ls -d /sys/fs/cgroup/default/web-$S 2>/dev/null | wc -l`, { core: true }],
  ['task start of the same container again', `ctr task start -d web-$S; ctr task exec --exec-id m web-$S echo again; ctr task kill -s KILL web-$S; until_ok sh -c "ctr task ls | grep web-$S.*STOPPED"; ctr task rm web-$S 2>/dev/null; ctr container rm web-$S; ctr container ls -q | grep -c web-$S || true`],
  ['run -d, task rm -f of one that runs', `ctr run -d --runc-binary $RUNTIME ${flags} ${image} gone-$S ${wait}; ctr task rm -f gone-$S 2>/dev/null; ctr container rm gone-$S; ctr task ls | grep -c gone-$S || true`],
  ['twenty containers in turn leave nothing', `for i in $(seq 20); do ctr run --rm --runc-binary $RUNTIME ${flags} ${image} turn-$S-$i true; done; ctr task ls | grep -c turn-$S || true; ls /sys/fs/cgroup/default | grep -c turn-$S || true`, { seconds: 300 }],
]);
