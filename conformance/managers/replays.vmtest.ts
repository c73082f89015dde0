// CRI-O and BuildKit's own worker are not packaged: their calls of a runtime, one for one, with Debian's conmon where CRI-O has it
// between. (BuildKit itself, inside dockerd, is in docker.vmtest.ts.)
import { busyboxRootfs, runt } from '../vm/guest.ts';
import { operations, type Group } from './operation.ts';
import { runc } from './sides.ts';

const sides: Group['sides'] = [{ name: 'runt', runtime: runt }, { name: 'peer', runtime: runc }];

/** make NAME CHANGE: a bundle; CHANGE is JavaScript over `c`, its config.json. */
const make = `
C=/var/tmp/replay-$S; mkdir -p $C/root $C/exits $C/sockets; echo go >$C/go
make() { mkdir -p $C/$1/persist; cd $C/$1; rm -f config.json; /usr/sbin/runc spec; NAME=$1-$S node -e '
  const fs = require("fs"), c = JSON.parse(fs.readFileSync("config.json"));
  c.process.terminal = false; delete c.process.rlimits; c.process.env = ["PATH=/bin"]; c.root.path = "${busyboxRootfs}"; c.linux.cgroupsPath = "/replays/" + process.env.NAME;
  new Function("c", process.argv[1])(c); fs.writeFileSync("config.json", JSON.stringify(c));' "$2"; }
process() { node -e 'const c = require("'$C/$1/config.json'"); console.log(JSON.stringify({ ...c.process, terminal: process.argv[1] === "tty", args: process.argv.slice(2) }))' "$2" sh -c "$3" >$C/process.json; }
field() { node -e 'const c = JSON.parse(require("fs").readFileSync(0, "utf8")); console.log(process.argv.slice(1).map((name) => c[name]).join(" "))' "$@"; }
`;

/** conmon's pipes are files here: it writes one object to the first and waits for a byte of the second. */
const crio = `${make}
rt() { env -i XDG_RUNTIME_DIR=/run/user/0 PATH=$PATH CRI_O_EXTERNAL=1 $RUNTIME --root $C/root "$@"; }
monitor() { env -i XDG_RUNTIME_DIR=/run/user/0 PATH=$PATH _OCI_SYNCPIPE=3 _OCI_STARTPIPE=4 conmon "$@" 3>$C/sync 4<$C/go </dev/null; until_ok test -s $C/sync; }
create() { monitor -b $C/$1 -c $1-$S --exit-dir $C/exits -l $C/$1/log --log-level info -n $1 -P $C/$1/conmon-pid -p $C/$1/pidfile --persist-dir $C/$1/persist -r $RUNTIME --runtime-arg --root=$C/root --socket-dir-path $C/sockets --syslog -u $1-$S $2; }
sync() { rm -f $C/exec-log $C/exec-pid; process web pipe "$1"; monitor -c web-$S -n web -r $RUNTIME -p $C/exec-pid -e -l $C/exec-log --socket-dir-path $C/sockets --log-level info --sync $2 $3 --exec-process-spec $C/process.json --runtime-arg --root=$C/root 2>$C/exec-err || true; cat $C/sync; echo; }
log() { sed -E 's/^[^ ]+ //' "$1"; }
`;
const sleeper = `c.process.args = ["sh", "-c", "trap \\"exit 7\\" TERM; echo ready; echo of stderr >&2; while :; do sleep 0.1; done"]`;

operations({ manager: 'CRI-O, its calls', sides, prologue: crio, after: `for n in web pod; do rt delete --force $n-$S; done; rm -rf $C` }, [
  ['on its start: --version and features', `rt --version | grep -c 'spec: 1'; rt features 2>&1 | field ociVersionMin hooks`],
  ['a sandbox: create through conmon, start, state', `make pod '${sleeper}'; create pod; field pid <$C/sync | cmp - $C/pod/pidfile 2>&1 | grep -c EOF; rt start pod-$S; rt state pod-$S | field status bundle id | sed "s/-$S//g"`],
  ['a container in the namespaces of the sandbox; its log as kubelet reads it', `export pid=$(cat $C/pod/pidfile); make web '${sleeper}; for (const [type, file] of [["network", "net"], ["ipc", "ipc"], ["uts", "uts"]]) c.linux.namespaces.find((n) => n.type === type).path = "/proc/" + process.env.pid + "/ns/" + file'; create web; rt start web-$S; until_ok grep stderr $C/web/log; log $C/web/log | sort
    for n in net ipc uts pid; do [ "$(readlink /proc/$pid/ns/$n)" = "$(readlink /proc/$(cat $C/web/pidfile)/ns/$n)" ] && echo $n is shared; done || true`, { core: true }],
  ['exec sync: its status and both streams', `sync 'echo out; echo err >&2; exit 5'; log $C/exec-log | sort; sync 'exit 0'`],
  ['exec sync: a command that is not there', `sync 'true' >/dev/null; node -e 'const f = process.argv[1], p = require(f); p.args = ["nothing"]; require("fs").writeFileSync(f, JSON.stringify(p))' $C/process.json; rm -f $C/exec-pid; monitor -c web-$S -n web -r $RUNTIME -p $C/exec-pid -e -l $C/exec-log --socket-dir-path $C/sockets --log-level info --sync --exec-process-spec $C/process.json --runtime-arg --root=$C/root 2>/dev/null || true; field exit_code <$C/sync; grep -o 'executable file not found in $PATH' $C/sync | head -1`],
  ['exec sync: the time is over', `sync 'sleep 100' -T 2`],
  ['streaming exec: standard input, its status', `process web pipe 'read line; echo got $line; exit 6'; echo typed | rt exec --process $C/process.json web-$S || echo "status $?"`],
  ['streaming exec with a terminal', `process web tty 'tty; stty size; exit 4'; script -qec "stty rows 33 cols 77; env -i XDG_RUNTIME_DIR=/run/user/0 $RUNTIME --root $C/root exec --process $C/process.json web-$S" /dev/null </dev/null | tr -d '\\r\\000\\004' | sed 's/\\^[@D]//g'; true`],
  ['pause, state, resume', `rt pause web-$S; rt state web-$S | field status; rt resume web-$S; rt state web-$S | field status`],
  ['update: there at once', `printf '{"pids":{"limit":77},"memory":{"limit":67108864},"cpu":{"shares":512,"quota":20000,"period":100000}}' | rt update --resources - web-$S; cd /sys/fs/cgroup/replays/web-$S; cat pids.max memory.max cpu.max`, { needs: 'memory' }],
  ['stop: kill, the exit file, the words for what is over', `rt kill web-$S 15; until_ok test -s $C/exits/web-$S; cat $C/exits/web-$S; echo; rt state web-$S | field status; rt kill web-$S 15 2>&1 | grep -o 'container not running' || rt kill web-$S 15`],
  ['delete --force, once and again; state of what is gone', `rt delete --force web-$S; rt delete --force web-$S && echo twice; status rt state web-$S 2>/dev/null; rt state web-$S 2>&1 | grep -o 'does not exist' | head -1; ls /sys/fs/cgroup/replays | grep -c web-$S || true`],
  ['a create that fails: its message, and nothing is left', `make bad 'c.process.args = ["/nothing"]'; create bad || true; field pid <$C/sync; grep -o 'no such file or directory' $C/sync | head -1; status rt state bad-$S 2>/dev/null; ls $C/root | grep -c bad || true`],
]);

const buildkit = `${make}
BK="$RUNTIME --log $C/runc-log.json --log-format json"
runs() { until_ok sh -c "$RUNTIME state $1-$S | grep -q running"; }
`;
operations({ manager: 'BuildKit, its calls', sides, prologue: buildkit, after: 'rm -rf $C' }, [
  ['run --keep: the status, the cgroup until delete', `make step 'c.process.args = ["sh", "-c", "echo built; exit 9"]'; status $BK run --bundle $C/step --keep step-$S; grep -c oom_kill /sys/fs/cgroup/replays/step-$S/cgroup.events /sys/fs/cgroup/replays/step-$S/cgroup.procs || true; ls -d /sys/fs/cgroup/replays/step-$S | wc -l; $BK delete step-$S; ls -d /sys/fs/cgroup/replays/step-$S 2>/dev/null | wc -l`],
  ['exec once it runs; a signal to the runtime reaches the process', `make step 'c.process.args = ["sh", "-c", "trap \\"echo caught; exit 3\\" USR1; echo ready; while :; do sleep 0.1; done"]'; $BK run --bundle $C/step --keep step-$S >$C/out 2>&1 </dev/null & one=$!
    runs step; until_ok grep ready $C/out; $RUNTIME state step-$S | field status bundle rootfs | sed "s/-$S//g"; process step pipe 'exit 5'; status $BK exec --process $C/process.json --pid-file $C/x.pid step-$S; kill -USR1 $one; wait $one || echo "status $?"; cat $C/out; $BK delete step-$S`],
  ['a terminal that is the runtime’s own, resized', `make step 'c.process.terminal = true; c.process.args = ["sh", "-c", "trap \\"stty size >&3; exit 2\\" WINCH; exec 3>/home/user/out; stty size >&3; while :; do sleep 0.1; done"]; c.mounts.push({ destination: "/home/user", type: "bind", source: process.cwd(), options: ["bind", "rw"] })'
    rm -f $C/step/out; script -qefc "stty rows 33 cols 77; tty >$C/tty; setsid -w $BK run --bundle $C/step --keep step-$S; echo status \\$?" /dev/null </dev/null >$C/said 2>&1 & one=$!
    until_ok test -s $C/step/out; stty -F $(cat $C/tty) rows 44 cols 99; kill -WINCH $(pgrep -f "^$RUNTIME .*run --bundle $C/step" | head -1); until_ok sh -c "[ \\$(grep -c . $C/step/out) = 2 ]"; wait $one || true; cat $C/step/out; grep -o 'status [0-9]*' $C/said; $BK delete step-$S`],
  ['kill 9: 137', `make step 'c.process.args = ["sleep", "1000"]'; $BK run --bundle $C/step --keep step-$S >/dev/null 2>&1 </dev/null & one=$!; runs step; $BK kill step-$S 9; wait $one || echo "status $?"; $BK delete step-$S`],
  ['eight at once over one rootfs make the same mount point', `rm -rf $C/shared; cp -a ${busyboxRootfs} $C/shared; all=; for i in 1 2 3 4 5 6 7 8; do make step$i 'c.root.path = "../shared"; c.process.args = ["true"]; c.mounts.push({ destination: "/made/deep", type: "bind", source: "/etc", options: ["bind", "ro"] })'; done
    for i in 1 2 3 4 5 6 7 8; do $BK run --bundle $C/step$i --keep step$i-$S >$C/out$i 2>&1 </dev/null & all="$all $!"; done; for one in $all; do wait $one || echo "status $?"; done; cat $C/out?; for i in 1 2 3 4 5 6 7 8; do $BK delete step$i-$S; done; ls -d $C/shared/made/*`, { alone: 'runc 1.1 fails there now and then: File exists (runc#4543)' }],
]);
