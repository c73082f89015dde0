// Podman as root: what a person does with a container from the first run to the last rm.
import { busyboxImage, must } from '../vm/guest.ts';
import { operations, type Group } from './operation.ts';
import { podmanSides, wait } from './sides.ts';

const sides = podmanSides('/tmp/podman');
must(`podman load -q -i ${busyboxImage}`);
const prologue = `r() { podman run --rm --network none "$@"; }`;

const group = (manager: string, more: Partial<Group> = {}): Group => ({ manager, sides, prologue, ...more });

operations(group('podman run'), [
  ['run: what the command prints, its status', `r busybox echo hello; status r busybox sh -c 'exit 7'`],
  ['run --init: a signal gives 128 and more', `status r --init busybox sh -c 'kill -9 $$'`],
  ['run: 125, 126 and 127', `status podman run --nonsense busybox 2>/dev/null; status r busybox /etc 2>/dev/null; status r busybox nothing 2>/dev/null; status r busybox /nothing 2>/dev/null`, { core: true }],
  ['run -i: standard input goes through', `printf 'a\\nb\\n' | r -i busybox wc -l`],
  ['run -t: a terminal of its own', `terminal podman run --rm --network none -it busybox sh -c "'tty; stty -a | grep -c icanon'"`, { core: true }],
  ['run -it: what is typed arrives', `typed "podman run --rm -it --network none busybox sh" 'echo $((20+22)); exit 3' 42`],
  ['run -e --env-file -w --hostname', `echo C=d >/tmp/env-$S; r -e A=b --env-file /tmp/env-$S -w /tmp --hostname boxed busybox sh -c 'env | grep -E "^(A|C)="; pwd; hostname'`],
  ['run --user, by number and by name, --group-add', `r --user 12:34 busybox id; r --user user --group-add 55 busybox id`],
  ['run --cap-drop, --cap-add', `r --cap-drop all --cap-add net_bind_service busybox grep Cap /proc/self/status; r --cap-drop chown busybox chown 1 /tmp 2>&1 || true`],
  ['run --privileged', `r --privileged busybox sh -c 'grep -E "^(Cap|Seccomp:)" /proc/self/status; mount -t tmpfs t /tmp && grep -c " /tmp " /proc/mounts; ls /dev | wc -l'`, { core: true }],
  ['run --security-opt no-new-privileges', `r --security-opt no-new-privileges busybox grep NoNew /proc/self/status`],
  ['run --security-opt seccomp=unconfined, and the default', `r --security-opt seccomp=unconfined busybox grep Seccomp: /proc/self/status; r busybox grep Seccomp: /proc/self/status`],
  ['run --security-opt seccomp=FILE: a call is refused', `echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":95}]}' >/tmp/seccomp-$S.json; r --security-opt seccomp=/tmp/seccomp-$S.json busybox mkdir /tmp/x 2>&1 || true`],
  ['run --read-only', `r --read-only busybox sh -c 'touch /x 2>&1; touch /tmp/x && echo tmp'; r --read-only --read-only-tmpfs=false busybox touch /tmp/x 2>&1 || true`],
  ['run --tmpfs', `r --tmpfs /scratch:size=1m,mode=1777,noexec busybox sh -c 'grep scratch /proc/mounts; stat -c %a /scratch'`],
  ['run -v :ro', `mkdir -p /tmp/v-$S; echo in >/tmp/v-$S/f; r -v /tmp/v-$S:/v:ro busybox sh -c 'cat /v/f; touch /v/x 2>&1; true'`],
  ['run -v: what it writes is on the host', `mkdir -p /tmp/w-$S; r -v /tmp/w-$S:/v busybox sh -c 'echo out >/v/f'; cat /tmp/w-$S/f`],
  ['run -v: a file, and a directory that the image lacks', `r -v /etc/hostname:/a/b/c:ro busybox cat /a/b/c`],
  ['run -v: a named volume is kept', `r -v kept-$S:/v busybox sh -c 'echo kept >/v/f'; r -v kept-$S:/v busybox cat /v/f; podman volume rm kept-$S`],
  ['run -v :U: the owner changes', `mkdir -p /tmp/u-$S; r --user 77:88 -v /tmp/u-$S:/v:U busybox stat -c %u:%g /v`],
  ['run -v :rslave: a mount of the host arrives; :rprivate: it does not', `
    mkdir -p /tmp/p-$S; mountpoint -q /tmp/p-$S || { mount -t tmpfs t /tmp/p-$S; mount --make-shared /tmp/p-$S; }; mkdir -p /tmp/p-$S/in
    for how in rslave rprivate; do
      podman run -d --name $how-$S --network none -v /tmp/p-$S:/v:$how busybox ${wait} >/dev/null
      mount -t tmpfs t /tmp/p-$S/in; podman exec $how-$S grep -c ' /v/in ' /proc/mounts; umount /tmp/p-$S/in; podman rm -ft0 $how-$S >/dev/null
    done || true`],
  ['run -v :rshared: a mount of the container reaches the host', `
    mkdir -p /tmp/q-$S; mountpoint -q /tmp/q-$S || { mount -t tmpfs t /tmp/q-$S; mount --make-shared /tmp/q-$S; }; mkdir -p /tmp/q-$S/in
    r --privileged -v /tmp/q-$S:/v:rshared busybox mount -t tmpfs t /v/in; grep -c /tmp/q-$S/in /proc/mounts; umount /tmp/q-$S/in`, { core: true }],
  ['run --mount type=bind, tmpfs, image', `r --mount type=bind,src=/etc/hostname,dst=/h,ro --mount type=tmpfs,dst=/t,tmpfs-size=1m --mount type=image,src=busybox,dst=/i busybox sh -c 'cat /h; grep -c " /t " /proc/mounts; ls /i'`],
  ['run --memory: the limit is there, and felt', `status podman run --name oom-$S --network none --memory 24m busybox sh -c 'cat /sys/fs/cgroup/memory.max; tail /dev/zero'; podman inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' oom-$S; podman rm oom-$S >/dev/null`, { core: true, needs: 'memory' }],
  ['run --memory-swap, --memory-reservation', `r --memory 32m --memory-swap 48m --memory-reservation 16m busybox sh -c 'cd /sys/fs/cgroup; cat memory.max memory.low; cat memory.swap.max 2>/dev/null || echo no swap'`],
  ['run --cpus: the limit is there, and felt', `r --cpus 0.2 busybox sh -c 'cat /sys/fs/cgroup/cpu.max; timeout 2 sh -c "while :; do :; done"; awk "/nr_throttled/ {print (\\$2 > 0)}" /sys/fs/cgroup/cpu.stat'`, { core: true }],
  ['run --cpu-shares, --cpuset-cpus', `r --cpu-shares 512 --cpuset-cpus 0 busybox sh -c 'cat /sys/fs/cgroup/cpu.weight /sys/fs/cgroup/cpuset.cpus; nproc'`, { differs: [[/^\d+\n0\n/, 'weight\n0\n', 'cpu.weight of --cpu-shares by the conversion of runc ≥ 1.3.2 and crun ≥ 1.23; 1024 is the default of 100']] }],
  ['run --pids-limit: the limit is there, and felt', `r --pids-limit 8 busybox sh -c 'cat /sys/fs/cgroup/pids.max; (for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done) 2>&1 | grep -c -i fork' || true`, { core: true, needs: 'pids' }],
  ['run --pids-limit 0 and -1 mean none', `r --pids-limit 0 busybox sh -c 'cat /sys/fs/cgroup/pids.max'; r --pids-limit -1 busybox sh -c 'cat /sys/fs/cgroup/pids.max'`],
  ['run --ulimit, --sysctl, --shm-size, --oom-score-adj, --umask', `r --ulimit nofile=64:128 --sysctl net.ipv4.ip_forward=1 --shm-size 1m --oom-score-adj 100 --umask 027 busybox sh -c 'ulimit -n; ulimit -Hn; cat /proc/sys/net/ipv4/ip_forward; df /dev/shm | tail -1 | awk "{print \\$2}"; cat /proc/self/oom_score_adj; umask'`, { core: true }],
  ['run --device, and one that was not given is refused', `r --device /dev/loop-control:/dev/mine:rw busybox sh -c 'ls -l /dev/mine | cut -c1; true </dev/mine && echo opened'; r busybox sh -c 'mknod /tmp/d c 10 237; true </tmp/d && echo allowed' 2>&1 || echo "status $?"`],
  ['run --device-read-bps', `r --device-read-bps /dev/vda:1mb busybox cat /sys/fs/cgroup/io.max`, { core: true }],
  ['run --pid host, --ipc host, --uts host, --cgroupns host', `for n in pid ipc uts cgroup; do case $n in cgroup) flag=--cgroupns ;; *) flag=--$n ;; esac; [ "$(r $flag host busybox readlink /proc/self/ns/$n)" = "$(readlink /proc/self/ns/$n)" ] && echo $n is the host\\'s; done || true`],
  ['run --network host', `[ "$(podman run --rm --network host busybox readlink /proc/self/ns/net)" = "$(readlink /proc/self/ns/net)" ] && echo the host\\'s`],
  ['run --uidmap, --gidmap', `r --uidmap 0:200000:5000 --gidmap 0:200000:5000 busybox sh -c 'cat /proc/self/uid_map; touch /x; stat -c %u /x; id'`],
  ['run --userns=auto', `grep -q ^containers: /etc/subuid || printf 'containers:2000000:1000000\\n' | tee -a /etc/subuid >>/etc/subgid; r --userns=auto:size=2000 busybox sh -c 'awk "{print \\$1, \\$3, (\\$2 >= 1000000)}" /proc/self/uid_map; id -u'`, { core: true }],
  ['run --pid container:NAME, --network container:NAME', `podman run -d --name base-$S --network none busybox ${wait} >/dev/null; r --pid container:base-$S busybox sh -c 'ps | grep -q trap && echo its processes'; [ "$(podman run --rm --network container:base-$S busybox readlink /proc/self/ns/net)" = "$(podman exec base-$S readlink /proc/self/ns/net)" ] && echo its network; podman rm -ft0 base-$S >/dev/null`],
  ['run --rootfs DIR, and with an overlay', `podman run --rm --network none --rootfs /opt/busybox echo root; podman run --rm --network none --rootfs /opt/busybox:O sh -c 'touch /x && echo written'; ls /opt/busybox | grep -cx x || true`],
  ['run --hooks-dir: a prestart and a poststop hook', `mkdir -p /tmp/hooks-$S; rm -f /tmp/hook-$S; printf '#!/bin/sh\\ngrep -o "\\"status\\": *\\"[a-z]*\\"" | tr -d " " | sed "s/^/$1 /" >>/tmp/hook-%s\\n' $S >/tmp/hooks-$S/hook; chmod 755 /tmp/hooks-$S/hook
    printf '{"version":"1.0.0","hook":{"path":"/tmp/hooks-%s/hook","args":["hook","hook"]},"when":{"always":true},"stages":["prestart","createContainer","poststart","poststop"]}' $S >/tmp/hooks-$S/hook.json; podman --hooks-dir /tmp/hooks-$S run --rm --network none busybox echo in; until_ok grep stopped /tmp/hook-$S; cat /tmp/hook-$S`, { differs: [[/"status":"(creating|created|running)"/, 'not yet over', 'hooks of create are told `creating`, a poststart hook `running`, as runtime-spec says; crun tells the first, runc the other `created`']] }],
  ['run --preserve-fds', `echo given >/tmp/fd-$S; exec 3</tmp/fd-$S; r --preserve-fds 1 busybox sh -c 'cat <&3'`],
  ['run --cidfile, --pidfile, --timeout', `rm -f /tmp/cid-$S; status podman run --network none --cidfile /tmp/cid-$S --pidfile /tmp/pid-$S --timeout 2 --name timed-$S busybox sleep 60; cat /tmp/cid-$S | wc -c; grep -c . /tmp/pid-$S; podman rm timed-$S >/dev/null`],
  ['run --log-driver k8s-file and none', `podman run --name klog-$S --network none --log-driver k8s-file busybox echo kept >/dev/null; podman logs klog-$S; podman rm klog-$S >/dev/null; r --log-driver none busybox echo shown`],
  ['run --secret', `printf hidden | podman secret create s-$S - >/dev/null; r --secret s-$S busybox cat /run/secrets/s-$S; podman secret rm s-$S >/dev/null; echo`],
  ['run --entrypoint, --label, --annotation', `r --entrypoint /bin/echo busybox entry; podman run --name lab-$S --network none --label a=b --annotation c=d busybox true; podman inspect -f '{{.Config.Labels.a}} {{index .Config.Annotations "c"}}' lab-$S; podman rm lab-$S >/dev/null`],
  ['run: an option of a mount that no one knows', `status r --mount type=tmpfs,dst=/t,tmpfs-size=banana busybox true 2>&1 | tail -1`],
  ['run: a volume that is not there', `status r -v /no/such:/v busybox true 2>/dev/null`],
]);

operations(group('podman container', {
  before: `podman run -d --name web-$S --network none $(grep -qw memory /sys/fs/cgroup/cgroup.controllers && echo --memory 64m) -e LEFT=right --label kind=web --stop-signal USR2 busybox sh -c 'trap "echo got usr1" USR1; trap "echo bye; exit 7" USR2; echo ready; while :; do sleep 0.1; done' >/dev/null && until_ok sh -c "podman logs web-$S | grep ready"`,
  after: 'podman rm -ft0 web-$S',
}), [
  ['ps, inspect: it runs', `podman ps --filter name=web-$S --format '{{.Names}} {{.State}}' | sed 's/ Up .*/ running/'; podman inspect -f '{{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.HostConfig.Memory}} {{.OCIRuntime}}' web-$S`],
  ['logs', `podman logs web-$S`, { core: true }],
  ['exec: ids, environment, directory, capabilities', `podman exec --user 1000:100 -e A=b -w /tmp web-$S sh -c 'id; pwd; echo $A $LEFT; grep -E "^(Cap|Groups|NoNew|Seccomp:)" /proc/self/status'`, { core: true }],
  ['exec: exit status, 126 and 127, a signal', `status podman exec web-$S sh -c 'exit 5'; status podman exec web-$S /etc 2>/dev/null; status podman exec web-$S nothing 2>/dev/null; status podman exec web-$S sh -c 'kill -9 $$'`],
  ['exec -i: standard input goes through', `printf 'a\\nb\\n' | podman exec -i web-$S wc -l`],
  ['exec -it: a terminal, what is typed arrives', `terminal podman exec -it web-$S tty; typed "podman exec -it web-$S sh" 'echo $((20+22)); exit 3' 42`],
  ['exec -d', `podman exec -d web-$S sh -c 'echo later >/tmp/later' >/dev/null; until_ok podman exec web-$S test -s /tmp/later; podman exec web-$S cat /tmp/later`],
  ['exec --privileged', `podman exec --privileged web-$S grep CapEff /proc/self/status`],
  ['top', `podman top web-$S user args | sed 's/ *$//' | grep -v 'sleep 0.1$' | uniq`, { core: true }],
  ['stats --no-stream', `podman stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' web-$S | awk '{print $1, ($2 > 0), ($3 != ""), $NF}'`, { core: true }],
  ['kill -s USR1: the process handles it', `podman kill -s USR1 web-$S >/dev/null; until_ok sh -c "podman logs web-$S | grep got"; podman logs web-$S`],
  ['pause, exec into it, unpause', `podman pause web-$S >/dev/null; podman inspect -f '{{.State.Status}}' web-$S; status podman exec web-$S true 2>/dev/null; podman unpause web-$S >/dev/null; podman inspect -f '{{.State.Status}}' web-$S`, { core: true }],
  ['update --memory --cpus --pids-limit: felt at once', `podman update --memory 48m --cpus 0.5 --pids-limit 33 web-$S >/dev/null; podman exec web-$S sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'`, { core: true }],
  ['cp into it and out of it', `echo copied >/tmp/cp-$S; podman cp /tmp/cp-$S web-$S:/root/in; podman exec web-$S cat /root/in; podman cp web-$S:/etc/group /tmp/out-$S; grep -c . /tmp/out-$S`],
  ['diff, export, mount', `podman diff web-$S | sort; podman export web-$S | tar -t | grep -c '^bin/sh$'; ls $(podman mount web-$S) | tr '\\n' ' '; podman unmount web-$S >/dev/null`],
  ['rename, port, ps -a', `podman rename web-$S other-$S; podman exec other-$S echo renamed; podman rename other-$S web-$S; podman ps -a --filter name=web-$S --format '{{.Names}}'`],
  ['attach', `podman attach --sig-proxy=false --no-stdin web-$S >/tmp/attached-$S & attached=$!; until_ok sh -c "podman kill -s USR1 web-$S; sleep 0.3; grep got /tmp/attached-$S"; kill $attached; head -n 1 /tmp/attached-$S`],
  ['stop: its own signal, its own status', `podman stop -t 30 web-$S >/dev/null; podman inspect -f '{{.State.Status}} {{.State.ExitCode}}' web-$S; podman wait web-$S; podman logs web-$S | tail -1`, { core: true }],
  ['exec, kill, pause of a stopped one are refused', `status podman exec web-$S true 2>/dev/null; status podman kill web-$S 2>/dev/null; status podman pause web-$S 2>/dev/null`],
  ['start, restart', `podman start web-$S >/dev/null; podman exec web-$S echo again; podman restart -t 0 web-$S >/dev/null; podman exec web-$S echo and again; podman inspect -f '{{.State.Status}}' web-$S`],
  ['rm -f of a running one: nothing is left', `id=$(podman inspect -f '{{.Id}}' web-$S); podman rm -ft0 web-$S >/dev/null; podman ps -aq --filter name=web-$S | wc -l; find /sys/fs/cgroup -name "*$id*" | wc -l; ls /run/runt /run/crun 2>/dev/null | grep -c $id || true`],
]);

operations(group('podman life'), [
  ['create, init, start -a', `podman create --name c-$S --network none busybox sh -c 'echo started; exit 3' >/dev/null; podman init c-$S >/dev/null; podman inspect -f '{{.State.Status}}' c-$S; status podman start -a c-$S; podman rm c-$S >/dev/null`],
  ['a process that ignores its signal: 137 after the time-out', `podman run -d --name deaf-$S --network none busybox sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null; sleep 1; podman stop -t 1 deaf-$S >/dev/null 2>&1; podman inspect -f '{{.State.ExitCode}}' deaf-$S; podman rm deaf-$S >/dev/null`],
  ['wait, events', `podman run -d --name ev-$S --network none busybox sh -c 'exit 4' >/dev/null; podman wait ev-$S; until_ok sh -c "podman events --stream=false --since 2m --filter container=ev-$S --format '{{.Status}}' | grep cleanup"; podman events --stream=false --since 2m --filter container=ev-$S --format '{{.Status}}' | sort -u | tr '\\n' ' '; podman rm ev-$S >/dev/null`, { seconds: 60 }],
  ['a health check', `podman run -d --name well-$S --network none --health-cmd 'test -f /tmp/well' --health-interval disable busybox ${wait} >/dev/null; status podman healthcheck run well-$S >/dev/null; podman exec well-$S touch /tmp/well; status podman healthcheck run well-$S; podman inspect -f '{{.State.Health.Status}}' well-$S; podman rm -ft0 well-$S >/dev/null`, { core: true }],
  ['--restart on-failure:2', `podman run -d --name again-$S --network none --restart on-failure:2 busybox sh -c 'echo once; exit 1' >/dev/null; until_ok sh -c "[ \\$(podman logs again-$S | grep -c once) = 3 ]"; until_ok sh -c "podman inspect -f '{{.State.Status}}' again-$S | grep exited"; podman inspect -f '{{.RestartCount}} {{.State.ExitCode}}' again-$S; podman rm -ft0 again-$S >/dev/null`],
  ['commit: an image with what was written', `podman run --name made-$S --network none busybox sh -c 'echo layer >/root/layer'; podman commit -q made-$S made-$S >/dev/null 2>&1; r made-$S cat /root/layer; podman rm made-$S >/dev/null; podman rmi made-$S >/dev/null`],
  ['build: RUN, COPY, USER, ENTRYPOINT', `mkdir -p /tmp/build-$S; cd /tmp/build-$S; echo copied >f; printf 'FROM busybox\\nLABEL side=%s\\nCOPY f /f\\nRUN id -u >/built && cat /f >>/built\\nWORKDIR /tmp\\nUSER 1000\\nENTRYPOINT ["sh","-c","cat /built; id -u; pwd"]\\n' $S >Containerfile; podman build -q --network none -t built-$S . >/dev/null; r built-$S; podman rmi built-$S >/dev/null`],
  ['build: a RUN that fails, its status', `mkdir -p /tmp/bad-$S; cd /tmp/bad-$S; printf 'FROM busybox\\nLABEL side=%s\\nRUN exit 9\\n' $S >Containerfile; status podman build -q --network none -t bad-$S . 2>/tmp/bad-$S/err; grep -o 'exit status 9' /tmp/bad-$S/err | head -1`],
  ['system service: run, exec and logs through its socket', `podman system service -t 0 unix:///tmp/service-$S.sock >/dev/null 2>&1 & service=$!; remote() { podman --remote --url unix:///tmp/service-$S.sock "$@"; }; until_ok remote version; remote run --rm --network none busybox echo remote; remote run -d --name far-$S --network none busybox sh -c 'echo said; trap "exit 0" TERM; while :; do sleep 0.1; done' >/dev/null; remote exec far-$S echo inside; until_ok sh -c "podman logs far-$S | grep said"; remote logs far-$S; remote stop -t 5 far-$S >/dev/null; remote rm far-$S >/dev/null; kill $service`, { core: true }],
  ['kube play', `printf 'apiVersion: v1\\nkind: Pod\\nmetadata:\\n  name: kube-%s\\nspec:\\n  hostNetwork: true\\n  restartPolicy: Never\\n  containers:\\n  - name: one\\n    image: docker.io/library/busybox:latest\\n    imagePullPolicy: Never\\n    command: ["sh", "-c", "echo from kube"]\\n' $S >/tmp/kube-$S.yaml; podman kube play /tmp/kube-$S.yaml >/dev/null 2>&1; until_ok sh -c "podman logs kube-$S-one | grep kube"; podman logs kube-$S-one; podman kube down /tmp/kube-$S.yaml >/dev/null 2>&1; podman pod ps -q --filter name=kube-$S | wc -l`],
  ['container checkpoint, restore: it goes on where it was', `podman run -d --name cp-$S --network none busybox sh -c 'i=0; while :; do echo $i >/tmp/n; i=$((i+1)); sleep 0.2; done' >/dev/null; until_ok podman exec cp-$S test -s /tmp/n; podman container checkpoint cp-$S >/dev/null; podman inspect -f '{{.State.Status}} {{.State.Checkpointed}}' cp-$S; podman container restore cp-$S >/dev/null; podman inspect -f '{{.State.Status}} {{.State.Restored}}' cp-$S; n=$(podman exec cp-$S cat /tmp/n); until_ok sh -c "[ \\$(podman exec cp-$S cat /tmp/n) -gt \${n:-0} ]"; echo goes on; podman rm -ft0 cp-$S >/dev/null`, { alone: 'crun needs libcriu.so.2, which is not installed there' }],
  ['run --replace, --cgroups=no-conmon, --init-path', `podman run -d --name rep-$S --network none busybox ${wait} >/dev/null; podman run --replace --name rep-$S --network none --cgroups=no-conmon busybox echo replaced; podman rm rep-$S >/dev/null`],
]);

operations(group('podman pods', {
  before: `podman pod create --name pod-$S --share net,ipc,uts,pid --network none >/dev/null && podman run -d --pod pod-$S --name in-$S busybox ${wait} >/dev/null`,
  after: 'podman pod rm -ft0 pod-$S',
}), [
  ['pod: its containers share namespaces', `for n in net ipc uts pid; do a=$(podman exec in-$S readlink /proc/self/ns/$n); b=$(podman run --rm --pod pod-$S busybox readlink /proc/self/ns/$n); [ "$a" = "$b" ] && echo $n is shared; done`, { core: true }],
  ['pod top, pod ps, pod stats', `podman pod top pod-$S args | grep trap | sort -u | wc -l; podman pod ps --filter name=pod-$S --format '{{.Status}} {{.NumberOfContainers}}'; podman pod stats --no-stream --format '{{.Name}}' pod-$S | grep -c in-$S`],
  ['pod pause, unpause', `podman pod pause pod-$S >/dev/null; podman inspect -f '{{.State.Status}}' in-$S; podman pod unpause pod-$S >/dev/null; podman inspect -f '{{.State.Status}}' in-$S`],
  ['pod stop, start, kill', `podman pod stop -t 5 pod-$S >/dev/null; podman inspect -f '{{.State.Status}}' in-$S; podman pod start pod-$S >/dev/null; podman exec in-$S echo again; podman pod kill pod-$S >/dev/null; until_ok sh -c "podman inspect -f '{{.State.Status}}' in-$S | grep exited"; podman inspect -f '{{.State.ExitCode}}' in-$S`],
  ['pod rm: nothing is left', `podman pod rm -ft0 pod-$S >/dev/null; podman ps -aq --filter name=in-$S | wc -l`],
]);

operations(group('podman networks', { before: 'podman network create --disable-dns net-$S', after: 'podman network rm -ft0 net-$S' }), [
  ['two containers reach each other by their own addresses', `podman run -d --name one-$S --network net-$S busybox sh -c 'while :; do echo from one | nc -l -p 8000; done' >/dev/null; address=$(podman inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' one-$S)
    podman run --rm --network net-$S busybox sh -c "until nc -w 5 $address 8000; do sleep 0.5; done"; podman run --rm --cap-add net_raw --network net-$S busybox sh -c "ping -c1 -W10 $address | grep -o '1 packets received'"`, { core: true }],
  ['a port that is published', `port=$([ $S = runt ] && echo 8101 || echo 8102); podman run -d --name pub-$S -p 127.0.0.1:$port:8000 --network net-$S busybox sh -c 'while :; do echo published | nc -l -p 8000; done' >/dev/null; until_ok sh -c "busybox nc -w 5 127.0.0.1 $port </dev/null >/tmp/pub-$S; grep published /tmp/pub-$S"; cat /tmp/pub-$S; podman port pub-$S | sed "s/$port/PORT/"; podman rm -ft0 pub-$S >/dev/null`],
  ['connect and disconnect of a running one', `podman run -d --name late-$S --network net-$S busybox ${wait} >/dev/null; podman network disconnect net-$S late-$S; podman exec late-$S ip -o link | wc -l; podman network connect net-$S late-$S; podman exec late-$S ip -o link | wc -l; podman rm -ft0 late-$S >/dev/null`],
  ['rm: nothing is left', `podman rm -ft0 one-$S >/dev/null; podman network rm net-$S | sed "s/-$S//"; podman network ls -q --filter name=net-$S | wc -l`],
]);
