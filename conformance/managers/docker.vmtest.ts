// Docker: two daemons beside each other, one whose default runtime is runt (and whose BuildKit finds runt under the name runc),
// one as Debian ships it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { busyboxImage, must, runt } from '../vm/guest.ts';
import { operations, type Group, type Side } from './operation.ts';
import { runc, wait } from './sides.ts';

if (process.env['RUNT'] === undefined) must('systemctl start containerd');

/** A daemon of this side's own: sockets, images, bridge and addresses apart. */
function daemon(name: Side['name'], runtime: string, net: number): Side {
  const home = `/run/docker-${name}`;
  mkdirSync(`${home}/bin`, { recursive: true });
  must(`ln -sf ${runtime} ${home}/bin/runc; ip link show br-${name} >/dev/null 2>&1 || { ip link add br-${name} type bridge; ip addr add 172.${net}.0.1/24 dev br-${name}; ip link set br-${name} up; }`);
  writeFileSync(`${home}/daemon.json`, JSON.stringify({
    hosts: [`unix://${home}/docker.sock`], 'data-root': `/var/lib/docker-${name}`, 'exec-root': `${home}/exec`, pidfile: `${home}/pid`, bridge: `br-${name}`,
    'default-address-pools': [{ base: `172.${net}.128.0/17`, size: 24 }], containerd: '/run/containerd/containerd.sock', 'containerd-namespace': `moby-${name}`, 'containerd-plugins-namespace': `plugins-${name}`,
    'exec-opts': ['native.cgroupdriver=cgroupfs'], 'cgroup-parent': `/docker-${name}`, 'default-runtime': 'chosen', runtimes: { chosen: { path: runtime } }, ...JSON.parse(process.env['RUNT_DOCKER_CONF'] ?? '{}') as object,
  }));
  // `container` in the environment: dockerd then leaves AppArmor alone. One is up before the next begins: they change the same iptables.
  must(`env container=vm PATH=${home}/bin:$PATH setsid dockerd --config-file ${home}/daemon.json >${home}/log 2>&1 </dev/null &
    i=0; until DOCKER_HOST=unix://${home}/docker.sock docker version >/dev/null 2>&1; do i=$((i+1)); [ $i -lt 600 ] || { tail -n 20 ${home}/log >&2; exit 1; }; sleep 0.3; done`, 300);
  return { name, runtime, environment: { DOCKER_HOST: `unix://${home}/docker.sock` } };
}

const sides: readonly [Side, Side] = [daemon('runt', runt, 30), daemon('peer', runc, 31)];
const ready = `docker load -q -i ${busyboxImage} >/dev/null || { tail -n 20 /run/docker-$S/log >&2; exit 1; }`;
const group = (manager: string, more: Partial<Group> = {}): Group => ({ manager, sides, prologue: `d() { docker run --rm --network none "$@"; }`, before: ready, ...more });

operations(group('docker run'), [
  ['info: the default runtime', `docker info -f '{{.DefaultRuntime}} {{.CgroupVersion}} {{.CgroupDriver}}'`, { core: true }],
  ['run: what the command prints, its status', `d busybox echo hello; status d busybox sh -c 'exit 7'`],
  ['run: 125, 126 and 127', `status docker run --nonsense busybox 2>/dev/null; status d busybox /etc 2>/dev/null; status d busybox nothing 2>/dev/null; status d busybox /nothing 2>/dev/null`, { core: true }],
  ['run: what it says of a command that is not there', `d busybox nothing 2>&1 | grep -o 'exec: "nothing": executable file not found in $PATH'; d busybox /nothing 2>&1 | grep -o 'exec: "/nothing": stat /nothing: no such file or directory' | head -1`],
  ['run -i: standard input goes through', `printf 'a\\nb\\n' | d -i busybox wc -l`],
  ['run -it: a terminal, what is typed arrives', `typed "docker run --rm -it --network none busybox sh" 'echo $((20+22)); exit 3' 42`],
  ['run -e -w -u --hostname', `d -e A=b -w /tmp -u 12:34 --hostname boxed busybox sh -c 'echo $A; pwd; id; hostname'`],
  ['run --cap-drop, --cap-add, --privileged', `d --cap-drop all --cap-add net_bind_service busybox grep Cap /proc/self/status; d --privileged busybox grep CapEff /proc/self/status`],
  ['run --security-opt no-new-privileges, seccomp', `d --security-opt no-new-privileges busybox grep NoNew /proc/self/status; d busybox grep Seccomp: /proc/self/status; d --security-opt seccomp=unconfined busybox grep Seccomp: /proc/self/status`],
  ['run --read-only, --tmpfs', `d --read-only --tmpfs /scratch:size=1m --tmpfs /root busybox sh -c 'touch /x 2>&1; touch /scratch/y && echo written; stat -c "%n %a" /scratch /root'`],
  ['run -v :ro, a named volume, --mount tmpfs', `mkdir -p /tmp/dv-$S; echo in >/tmp/dv-$S/f; d -v /tmp/dv-$S:/v:ro busybox sh -c 'cat /v/f; touch /v/x 2>&1; true'; d -v vol:/v busybox sh -c 'echo kept >/v/f'; d -v vol:/v busybox cat /v/f; docker volume rm vol; d --mount type=tmpfs,dst=/t,tmpfs-size=1048576,tmpfs-mode=700 busybox stat -c %a /t`],
  ['run -v :rslave, :rshared', `mkdir -p /tmp/ds-$S; mountpoint -q /tmp/ds-$S || { mount -t tmpfs t /tmp/ds-$S; mount --make-shared /tmp/ds-$S; }; mkdir -p /tmp/ds-$S/in; d --privileged -v /tmp/ds-$S:/v:rshared busybox mount -t tmpfs t /v/in; grep -c /tmp/ds-$S/in /proc/mounts; umount /tmp/ds-$S/in; d --privileged -v /tmp/ds-$S:/v:rslave busybox mount -t tmpfs t /v/in; grep -c /tmp/ds-$S/in /proc/mounts || true`, { core: true }],
  ['run --memory: there and felt', `status docker run --name oom --network none --memory 24m busybox sh -c 'cat /sys/fs/cgroup/memory.max; tail /dev/zero'; docker inspect -f '{{.State.ExitCode}}' oom; docker rm oom >/dev/null`, { core: true, needs: 'memory' }],
  ['run --cpus, --cpuset-cpus: there and felt', `d --cpus 0.2 --cpuset-cpus 0 busybox sh -c 'cd /sys/fs/cgroup; cat cpu.max cpuset.cpus; nproc; timeout 2 sh -c "while :; do :; done"; awk "/nr_throttled/ {print (\\$2 > 0)}" cpu.stat'`, { core: true, needs: 'cpu' }],
  ['run --pids-limit: there and felt', `d --pids-limit 8 busybox sh -c 'cat /sys/fs/cgroup/pids.max; (for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done) 2>&1 | grep -c -i fork' || true`, { core: true, needs: 'pids' }],
  ['run --ulimit, --sysctl, --shm-size, --oom-score-adj', `d --ulimit nofile=64:128 --sysctl net.ipv4.ip_forward=0 --shm-size 1m --oom-score-adj 100 busybox sh -c 'ulimit -n; ulimit -Hn; cat /proc/sys/net/ipv4/ip_forward; df /dev/shm | tail -1 | awk "{print \\$2}"; cat /proc/self/oom_score_adj'`],
  ['run --device, --device-cgroup-rule', `d --device /dev/loop-control:/dev/mine busybox sh -c 'true </dev/mine && echo opened'; d --device-cgroup-rule 'c 10:237 r' busybox sh -c 'mknod /tmp/d c 10 237; true </tmp/d && echo allowed'; d busybox sh -c 'mknod /tmp/d c 10 237; true </tmp/d && echo allowed' 2>&1 || echo "status $?"`],
  ['run --init', `d --init busybox sh -c 'cat /proc/1/cmdline | tr "\\0" " " | cut -c1-15'; status d --init busybox sh -c 'kill -9 $$'`],
  ['run --pid=host, --ipc=host, --uts=host, --cgroupns=host', `for n in pid ipc uts cgroup; do case $n in cgroup) flag=--cgroupns=host ;; *) flag=--$n=host ;; esac; [ "$(d $flag busybox readlink /proc/self/ns/$n)" = "$(readlink /proc/self/ns/$n)" ] && echo $n is the host\\'s; done || true`],
  ['run --network host, container:NAME', `docker run --rm --network host busybox readlink /proc/self/ns/net | grep -cxF "$(readlink /proc/self/ns/net)"; docker run -d --name base --network none busybox ${wait} >/dev/null; [ "$(docker run --rm --network container:base busybox readlink /proc/self/ns/net)" = "$(docker exec base readlink /proc/self/ns/net)" ] && echo shared; docker rm -f base >/dev/null`],
  ['run --gpus, an unknown runtime: refused', `status d --runtime nothing busybox true 2>/dev/null`],
]);

operations(group('docker container', {
  before: `${ready}; docker run -d --name web --network none $(grep -qw memory /sys/fs/cgroup/cgroup.controllers && echo --memory 64m) --stop-signal USR2 busybox sh -c 'trap "echo got usr1" USR1; trap "echo bye; exit 7" USR2; echo ready; while :; do sleep 0.1; done' >/dev/null && until_ok sh -c "docker logs web | grep ready"`,
  after: 'docker rm -f web',
}), [
  ['ps, inspect, logs', `docker ps --filter name=web --format '{{.Names}} {{.State}}'; docker inspect -f '{{.State.Status}} {{.HostConfig.Runtime}}' web; docker logs web`],
  ['exec: ids, environment, directory, capabilities', `docker exec -u 1000 -e A=b -w /tmp web sh -c 'id; pwd; echo $A; grep -E "^(Cap|NoNew|Seccomp:)" /proc/self/status'`, { core: true }],
  ['exec: its status, 126 and 127', `status docker exec web sh -c 'exit 5'; for command in nothing /etc; do docker exec web $command >/tmp/exec-$S 2>&1 || echo "status $?"; grep -o 'exec: "[a-z/]*": .*: unknown' /tmp/exec-$S; done`, { differs: [[/(is a directory|permission denied)(: permission denied)?: unknown/, 'refused: unknown', 'the same status; runt says why it may not be run, runc 1.1.5 does not']] }],
  ['exec -i, exec -d', `printf 'a\\nb\\n' | docker exec -i web wc -l; docker exec -d web sh -c 'echo later >/tmp/later'; until_ok docker exec web test -s /tmp/later; docker exec web cat /tmp/later`],
  ['exec -it', `terminal docker exec -it web sh -c "'tty; sleep 2'"`],
  ['exec --privileged', `docker exec --privileged web grep CapEff /proc/self/status`],
  ['top', `docker top web -o pid,args | tail -n +2 | grep trap | sed 's/^ *[0-9]* *//' | sort -u | wc -l`],
  ['stats --no-stream', `docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' web | awk '{print $1, ($2 > 0), $NF}'`],
  ['kill -s USR1: handled', `docker kill -s USR1 web >/dev/null; until_ok sh -c "docker logs web | grep got"; docker logs web | tail -1`],
  ['pause, exec is refused, unpause', `docker pause web >/dev/null; docker inspect -f '{{.State.Status}}' web; status docker exec web true 2>/dev/null; docker unpause web >/dev/null; docker inspect -f '{{.State.Status}}' web`, { core: true }],
  ['update: felt at once', `docker update --memory 48m --memory-swap 48m --cpus 0.5 --pids-limit 33 web >/dev/null; docker exec web sh -c 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'`, { core: true }],
  ['cp, diff, export', `echo copied >/tmp/dcp-$S; docker cp /tmp/dcp-$S web:/root/in >/dev/null 2>&1; docker exec web cat /root/in; docker diff web | sort; docker export web | tar -t | grep -c '^bin/sh$'`],
  ['stop: its own signal, its own status', `docker stop -t 30 web >/dev/null; docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' web; docker logs web | tail -1`, { core: true }],
  ['start, restart, rm -f', `docker start web >/dev/null; docker exec web echo again; docker restart -t 0 web >/dev/null; docker exec web echo and again; docker rm -f web >/dev/null; docker ps -aq --filter name=web | wc -l`],
  ['--restart on-failure:2', `docker run -d --name again --network none --restart on-failure:2 busybox sh -c 'echo once; exit 1' >/dev/null; until_ok sh -c "[ \\$(docker logs again | grep -c once) = 3 ]"; until_ok sh -c "docker inspect -f '{{.State.Status}}' again | grep exited"; docker inspect -f '{{.RestartCount}}' again; docker rm again >/dev/null`],
  ['a health check', `docker run -d --name well --network none --health-cmd 'test -d /proc' --health-interval 2s busybox ${wait} >/dev/null; until_ok sh -c "docker inspect -f '{{.State.Health.Status}}' well | grep -x healthy"; docker inspect -f '{{.State.Health.Status}}' well; docker rm -f well >/dev/null`],
  ['wait, commit', `docker run -d --name made --network none busybox sh -c 'echo layer >/root/layer; exit 4' >/dev/null; docker wait made; docker commit made made >/dev/null; d made cat /root/layer; docker rm made >/dev/null; docker rmi made >/dev/null`],
]);

operations(group('docker networks and builds'), [
  ['network: two containers reach each other by address and by name', `docker network create net >/dev/null; docker run -d --name one --network net busybox sh -c 'while :; do echo from one | nc -l -p 8000; done' >/dev/null; address=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' one)
    for to in $address one; do docker run --rm --network net busybox sh -c "until nc -w 5 $to 8000; do sleep 0.5; done"; done; docker rm -f one >/dev/null; docker network rm net`, { core: true }],
  ['network: a port that is published', `port=$([ $S = runt ] && echo 8201 || echo 8202); docker run -d --name pub -p 127.0.0.1:$port:8000 busybox sh -c 'while :; do echo published | nc -l -p 8000; done' >/dev/null; until_ok sh -c "busybox nc -w 5 127.0.0.1 $port </dev/null | grep -q published"; echo reached; docker rm -f pub >/dev/null`],
  ['build (the classic builder): RUN, COPY, USER', `mkdir -p /tmp/db-$S; cd /tmp/db-$S; echo copied >f; printf 'FROM busybox\\nCOPY f /f\\nRUN id -u >/built && cat /f >>/built\\nUSER 1000\\nENTRYPOINT ["sh","-c","cat /built; id -u"]\\n' >Dockerfile; DOCKER_BUILDKIT=0 docker build -q --network none -t built . >/dev/null 2>&1; d built; docker rmi built >/dev/null`],
  ['build (BuildKit): RUN with a mount, a RUN that fails', `mkdir -p /tmp/bk-$S; cd /tmp/bk-$S; printf 'FROM busybox\\nRUN --mount=type=tmpfs,target=/t --mount=type=cache,target=/c grep -c -E " /(t|c) " /proc/mounts >/built; id -u >>/built\\nENTRYPOINT ["cat","/built"]\\n' >Dockerfile; docker buildx build -q --network none --load -t kit . >/dev/null; d kit; printf 'FROM busybox\\nRUN exit 9\\n' >Dockerfile; status docker buildx build -q --network none . 2>/tmp/bk-$S/err; grep -o -m1 'exit code: 9' /tmp/bk-$S/err`, { seconds: 240, core: true }],
  ['compose: up, exec, logs, down', `mkdir -p /tmp/compose-$S; cd /tmp/compose-$S; printf 'services:\\n  web:\\n    image: busybox\\n    init: true\\n    command: ["sh","-c","echo composed; while :; do sleep 0.1; done"]\\n    read_only: true\\n    pids_limit: 20\\n    cap_drop: [ALL]\\n  asks:\\n    image: busybox\\n    depends_on: [web]\\n    command: ["sh","-c","ping -c1 -W20 web >/dev/null && echo received"]\\n' >compose.yaml; compose=docker-compose; command -v docker-compose >/dev/null || compose='docker compose'
    $compose -p shop up -d >/dev/null 2>&1; $compose -p shop exec -T web sh -c 'touch /x 2>&1; grep CapEff /proc/self/status'; until_ok sh -c "$compose -p shop logs --no-log-prefix asks | grep received"; $compose -p shop logs --no-log-prefix asks; $compose -p shop logs --no-log-prefix web; $compose -p shop down -t 0 >/dev/null 2>&1; docker ps -aq | wc -l`, { seconds: 240, core: true }],
]);
process.on('exit', () => void must('for s in runt peer; do kill $(cat /run/docker-$s/pid); done'));
