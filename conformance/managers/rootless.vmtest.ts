// Podman as an ordinary user: user namespaces, subordinate ids, a network made by pasta, cgroups that systemd delegated.
import { busyboxImage, must } from '../vm/guest.ts';
import { operations, type Group } from './operation.ts';
import { podmanSides, wait } from './sides.ts';

const sides = podmanSides('/tmp/rootless');
must('chmod 755 /tmp/rootless');

const group = (manager: string, more: Partial<Group> = {}): Group => ({
  manager,
  sides,
  rootless: true,
  prologue: `r() { podman run --rm --network none "$@"; }`,
  before: `flock /tmp/rootless-load podman load -q -i ${busyboxImage}`,
  ...more,
});

operations(group('podman rootless'), [
  ['run: what the command prints, its status', `r busybox echo hello; status r busybox sh -c 'exit 7'; status r busybox nothing 2>/dev/null; status r busybox /etc 2>/dev/null`, { core: true }],
  ['run: who it is inside and outside', `r busybox sh -c 'id; cat /proc/self/uid_map; grep Cap /proc/self/status'; mkdir -p /tmp/own-$S; r -v /tmp/own-$S:/v busybox touch /v/f; stat -c %U /tmp/own-$S/f`, { core: true }],
  ['run --userns=keep-id', `r --userns=keep-id busybox sh -c 'id -u; id -g; cat /proc/self/uid_map'; mkdir -p /tmp/keep-$S; r --userns=keep-id -v /tmp/keep-$S:/v busybox stat -c %u /v`, { core: true }],
  ['run --userns=nomap, --uidmap', `r --userns=nomap busybox cat /proc/self/uid_map; r --uidmap 0:1:1000 busybox sh -c 'awk "{print \\$1, \\$3}" /proc/self/uid_map'`],
  ['run --user', `r --user 12:34 busybox id; r --user user --group-add 55 busybox id`],
  ['run --group-add keep-groups', `for flag in --group-add=keep-groups --read-only; do r $flag busybox grep Groups /proc/self/status; done`, { core: true }],
  ['run -i, -it', `printf 'a\\nb\\n' | r -i busybox wc -l; terminal podman run --rm --network none -it busybox tty`],
  ['run --cap-drop, --cap-add, no-new-privileges', `r --cap-drop all --cap-add chown --security-opt no-new-privileges busybox grep -E '^(Cap|NoNew)' /proc/self/status`],
  ['run --privileged', `r --privileged busybox sh -c 'grep CapEff /proc/self/status; mount -t tmpfs t /tmp && echo mounted'`],
  ['run --read-only, --tmpfs, -v :ro', `mkdir -p /tmp/ro-$S; r --read-only --tmpfs /scratch:size=1m -v /tmp/ro-$S:/v:ro busybox sh -c 'touch /x 2>&1; touch /v/x 2>&1; touch /scratch/x && echo written'`],
  ['run -v: a named volume is kept', `r -v kept-$S:/v busybox sh -c 'echo kept >/v/f'; r -v kept-$S:/v busybox cat /v/f; podman volume rm kept-$S`],
  ['run --memory, --pids-limit, --cpus: there and felt', `r --memory 32m --pids-limit 16 --cpus 0.5 busybox sh -c 'cd /sys/fs/cgroup; cat memory.max pids.max; (for i in $(seq 20); do sleep 1 & done) 2>&1 | grep -q -i fork && echo felt'`, { core: true }],
  ['run with a network of its own (pasta)', `podman run --rm busybox sh -c 'ip -o link | grep -c -v lo:'`],
  ['run --network host, --pid host, --ipc host', `podman run --rm --network host --pid host --ipc host busybox sh -c 'for n in net pid ipc; do readlink /proc/self/ns/$n; done'; for n in net pid ipc; do readlink /proc/self/ns/$n; done`],
  ['run --device, --shm-size, --sysctl', `r --device /dev/null:/dev/mine --shm-size 1m --sysctl kernel.msgmax=9000 busybox sh -c 'ls /dev/mine; df /dev/shm | tail -1 | awk "{print \\$2}"; cat /proc/sys/kernel/msgmax'`],
]);

operations(group('podman rootless container', {
  before: `flock /tmp/rootless-load podman load -q -i ${busyboxImage} && podman run -d --name web-$S --network none busybox sh -c 'trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done' && until_ok sh -c "podman logs web-$S | grep ready"`,
  after: 'podman rm -ft0 web-$S',
}), [
  ['logs, exec: ids, status', `podman logs web-$S; podman exec --user 12:34 -w /tmp -e A=b web-$S sh -c 'id; pwd; echo $A'; status podman exec web-$S sh -c 'exit 5'; status podman exec web-$S nothing 2>/dev/null`, { core: true }],
  ['exec -it', `terminal podman exec -it web-$S tty`],
  ['top, stats', `podman top web-$S args | grep trap | sort -u | wc -l; podman stats --no-stream --format '{{.Name}}' web-$S`],
  ['pause, unpause', `podman pause web-$S >/dev/null; podman inspect -f '{{.State.Status}}' web-$S; podman unpause web-$S >/dev/null; podman inspect -f '{{.State.Status}}' web-$S`, { core: true }],
  ['update --memory: felt at once', `podman update --memory 48m web-$S >/dev/null; podman exec web-$S cat /sys/fs/cgroup/memory.max`],
  ['cp, unshare, mount', `echo copied >/tmp/rcp-$S; podman cp /tmp/rcp-$S web-$S:/root/in; podman exec web-$S cat /root/in; podman unshare sh -c 'ls $(podman mount web-'$S')' | tr '\\n' ' '`],
  ['stop, start, rm', `podman stop -t 20 web-$S >/dev/null; podman inspect -f '{{.State.Status}} {{.State.ExitCode}}' web-$S; podman start web-$S >/dev/null; podman exec web-$S echo again; podman rm -ft0 web-$S >/dev/null; podman ps -aq --filter name=web-$S | wc -l`, { core: true }],
  ['a pod: its containers share namespaces', `podman pod create --name pod-$S --network none >/dev/null; podman run -d --pod pod-$S --name in-$S busybox ${wait} >/dev/null; for n in net ipc uts; do a=$(podman exec in-$S readlink /proc/self/ns/$n); b=$(podman run --rm --pod pod-$S busybox readlink /proc/self/ns/$n); [ "$a" = "$b" ] && echo $n is shared; done; podman pod rm -ft0 pod-$S >/dev/null`, { core: true }],
  ['build', `mkdir -p /tmp/rbuild-$S; cd /tmp/rbuild-$S; printf 'FROM busybox\\nLABEL side=%s\\nRUN id -u >/built\\nENTRYPOINT ["cat","/built"]\\n' $S >Containerfile; podman build -q --network none -t built-$S . >/dev/null; r built-$S; podman rmi built-$S >/dev/null`],
]);
