// Runs a bundle that a manager or a tool wrote, its config.json byte for byte, and says what its process sees.
// The bundle's rootfs is ours: whatever program it names is a script that reports. What config.json names of the machine
// it comes from (directories, a network namespace, the executable of a daemon) is put at its place in private namespaces.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeRootfs, type Json } from '../harness.ts';

/** Of the caller's terminal: not what programs believe where there is none. */
const [rows, columns] = [30, 100];

/**
 * What a process sees: `== name`, then the lines of that name. Read-only files of /proc/sys vary; these do not. As few processes as can be:
 * in the emulated machine each counts. runc gives a terminal its size after the process began; until then stty(1) of busybox complains, and ends with 0.
 */
const report = `#!/bin/busybox sh
PATH=/bin
exec 2>&1
echo "== mount"; cut -d" " -f5- /proc/self/mountinfo
echo "== status"; grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|Speculation|Umask|Cpus_allowed_list|Mems_allowed_list|CoreDumping|THP)' /proc/self/status
echo "== limit"; cat /proc/self/limits
echo "== oom"; cat /proc/self/oom_score_adj
echo "== dev"; ls -lnA /dev /dev/pts | sed -E "s/ [A-Z][a-z]{2} +[0-9]+ +[0-9:]+ / /; s/^(d[^ ]+) +[0-9]+ +([0-9]+) +([0-9]+) +[0-9]+ /\\1 \\2 \\3 /; /^total/d"
echo "== env"; tr "\\0" "\\n" </proc/1/environ; echo; tr "\\0" "\\n" </proc/$$/environ
echo "== cgroup"; cat /proc/self/cgroup
echo "== ns"; ls -l /proc/self/ns | sed -n 's/.* \\([^ ]*\\) -> /\\1 /p'
echo "== ids"; id; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups /proc/self/loginuid
echo; echo "== fd"; ls /proc/self/fd | tr "\\n" " "; echo; ls -ln /proc/1/fd/0 /proc/1/fd/1 /proc/1/fd/2 2>/dev/null | grep -o '/dev/pts.*'
echo "== tree"; stat -c '%n %a %u:%g %F' / /proc /sys /dev /etc /tmp /run /home /root /etc/hosts /etc/resolv.conf /etc/hostname /run/.containerenv /data /scratch /sys/fs/cgroup
echo "== masked"; for f in /proc/kcore /proc/keys /proc/timer_list /proc/latency_stats /proc/sched_debug; do [ -e $f ] && echo $f $(stat -c "%F %t:%T" $f; head -c 1 $f | wc -c); done; for d in /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap; do [ -e $d ] && echo $d $(ls -A $d | wc -l); done
echo "== sysctl"; grep -rs . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/conf/all /proc/sys/net/core/somaxconn /proc/sys/kernel/hostname /proc/sys/kernel/domainname /proc/sys/kernel/sem /proc/sys/kernel/shmmax /proc/sys/kernel/msgmax /proc/sys/fs/mqueue
echo "== net"; grep -H . /sys/class/net/*/flags
echo "== write"; for d in / /etc /tmp /run /dev /dev/shm /sys /proc/sys/kernel /sys/fs/cgroup /data /scratch; do { echo >$d/.written; } 2>/dev/null && echo $d writable && rm -f $d/.written; done
echo "== terminal"; tty && { for i in $(seq 50); do size=$(stty size 2>&1); [ "$size" = "${rows} ${columns}" ] && break; sleep 0.1; done; echo "$size"; }
echo "== where"; pwd; cut -d" " -f5-8,18-20 /proc/1/stat | sed "s/-1$//"; cat /proc/self/personality /proc/self/timerslack_ns; cat /proc/self/attr/current
echo; echo "== devices"; for d in null zero full random urandom tty console kmsg fuse ptmx; do [ -e /dev/$d ] && { true </dev/$d; } 2>/dev/null && echo $d opens; done
`;

/** A report with the name of what a line belongs to before each line. */
function named(text: string): string {
  let name = '';
  // Without a terminal's carriage returns, and the NUL that script(1) types.
  return text.replace(/\r|\^@/g, '').split('\n').flatMap((line) => {
    const [, found] = /^== (\w+)$/.exec(line) ?? [];
    name = found ?? name;
    return found !== undefined || line.trim() === '' ? [] : [name === '' ? line : `${name}: ${line}`];
  }).join('\n');
}

let rootfs: string | undefined;

/** A rootfs in which every program of the captured bundles reports. */
function reportingRootfs(): string {
  if (rootfs !== undefined) return rootfs;
  rootfs = mkdtempSync(join(tmpdir(), 'reporting-'));
  chmodSync(rootfs, 0o755);
  makeRootfs(rootfs);
  for (const directory of ['run', 'home/user', 'var/run', 'data']) mkdirSync(join(rootfs, directory), { recursive: true });
  writeFileSync(join(rootfs, 'bin/report'), report, { mode: 0o755 });
  process.on('exit', () => rmSync(rootfs!, { recursive: true, force: true }));
  return rootfs;
}

/** What a bundle needs beyond its config.json. */
export interface Needs {
  /** Runs the runtime as this ordinary user (rootless). */
  readonly uid?: number;
  /** Runs the runtime in a user namespace as rootless Podman makes it: its root is that user, with subordinate ids. */
  readonly mapped?: boolean;
  /** Ends everything with the call, in a pid namespace of its own, after so many seconds: for runtimes that are broken on purpose. */
  readonly seconds?: number;
  /** Directories and files of the rootfs that are taken away first, so that they have to be made. */
  readonly without?: readonly string[];
}

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Directories that may be covered by an empty tmpfs, in a private mount namespace, to put a bundle's paths at their place. */
const covered = ['/var/lib', '/var/tmp', '/run', '/srv', '/home', '/usr/libexec'];

/** The shell lines that put what config.json names of its own machine at its place. */
function places(config: Json & { mounts?: { source?: string; destination: string; type?: string; options?: string[] }[] }, bundle: string): string[] {
  const lines: string[] = [];
  const below = new Set<string>();
  const cover = (path: string): void => {
    const directory = covered.find((one) => path.startsWith(`${one}/`));
    if (directory === undefined) throw new Error(`${path}: no directory for it can be covered`);
    if (!below.has(directory)) lines.push(`mount -t tmpfs -o mode=755 tmpfs ${directory}`);
    below.add(directory);
  };
  const isCovered = (path: string): boolean => [...below].some((one) => path.startsWith(`${one}/`));
  const absent = (path: string): boolean => isCovered(path) || !existsSync(path);
  const { path } = config['root'] as { path: string };
  const args = (config['process'] as { args: string[] }).args;
  const binds = (config.mounts ?? []).filter(({ type, options, source }) => source !== undefined && source.startsWith('/') && (type === 'bind' || options?.some((word) => /^r?bind$/.test(word))));
  const namespaces = ((config['linux'] as Json)['namespaces'] as { type: string; path?: string }[]).flatMap((one) => one.path ?? []);
  for (const needed of [...(path.startsWith('/') ? [path] : []), ...binds.map(({ source }) => source!), ...namespaces]) if (!existsSync(needed)) cover(needed);
  const isFile = (name: string): boolean => /(^|\/)(hosts|hostname|resolv\.conf|\.containerenv|[^/]*init|catatonit|\.dockerenv)$/.test(name);
  for (const { source, destination } of binds) {
    if (!absent(source!)) {
      // An init that this host has too (docker-init, catatonit): what runs has to be the report, on a mount as plain as that of /usr.
      if (destination === args[0]) lines.push(`mkdir ${bundle}/init; mount -t tmpfs -o mode=755 tmpfs ${bundle}/init; cp ${reportingRootfs()}/bin/report ${bundle}/init/; mount --bind ${bundle}/init/report ${quote(source!)}`);
      continue;
    }
    lines.push(isFile(source!) || isFile(destination) ? `mkdir -p ${quote(dirname(source!))}; cp ${destination === args[0] ? `${reportingRootfs()}/bin/report` : '/etc/hosts'} ${quote(source!)}` : `mkdir -p ${quote(source!)}`);
  }
  for (const name of namespaces) lines.push(`mkdir -p ${quote(dirname(name))}; touch ${quote(name)}; unshare --net=${quote(name)} true`);
  const root = path.startsWith('/') ? path : join(bundle, path);
  lines.push(
    `mkdir -p ${quote(root)} ${bundle}/layers; mount -t tmpfs -o mode=755 tmpfs ${bundle}/layers; mkdir ${bundle}/layers/u ${bundle}/layers/w`,
    `mount -t overlay -o lowerdir=${reportingRootfs()},upperdir=${bundle}/layers/u,workdir=${bundle}/layers/w overlay ${quote(root)}`,
    // The program of the bundle, in this container's own layer.
    args[0]!.startsWith('/') ? `mkdir -p ${quote(join(root, dirname(args[0]!)))}; rm -f ${quote(join(root, args[0]!))}; cp ${quote(root)}/bin/report ${quote(join(root, args[0]!))}` : `rm -f ${quote(root)}/bin/${args[0]}; cp ${quote(root)}/bin/report ${quote(root)}/bin/${args[0]}`,
  );
  return lines;
}

/** Hooks that run a daemon's own executable (`/proc/504/exe`): a process with that pid, in a pid namespace of its own, whose executable accepts any words. */
function daemon(config: Json): { readonly pid: number } | undefined {
  const hook = Object.values((config['hooks'] ?? {}) as Record<string, { path: string }[]>).flat().find(({ path }) => /^\/proc\/\d+\/exe$/.test(path));
  return hook === undefined ? undefined : { pid: Number(hook.path.split('/')[2]) };
}

/** Runs a captured config.json once with a runtime, in namespaces that end with it. */
export function observe(name: string, file: string, runtime: string, needs: Needs = {}): { readonly code: number; readonly stdout: string; readonly stderr: string } {
  const work = mkdtempSync(join(tmpdir(), 'captured-'));
  chmodSync(work, 0o755);
  const bundle = join(work, 'bundle');
  mkdirSync(bundle);
  mkdirSync(join(work, 'state'), { mode: 0o777 });
  chmodSync(join(work, 'state'), 0o777);
  copyFileSync(file, join(bundle, 'config.json'));
  const config = JSON.parse(readFileSync(file, 'utf8')) as Json;
  const lines = ['set -e', ...places(config as never, bundle)];
  const root = (config['root'] as { path: string }).path;
  const whole = quote(root.startsWith('/') ? root : join(bundle, root));
  for (const one of needs.without ?? []) lines.push(`rm -rf ${whole}${one}`);
  // Unpacked by the user herself, or shifted for the container's root.
  const owner = needs.uid ?? ((config['linux'] as Json)['uidMappings'] as { hostID: number }[] | undefined)?.[0]?.hostID ?? 0;
  if (owner !== 0) lines.push(`chown ${owner}:${owner} ${work}/state ${whole} ${whole}/*/; chmod 755 ${whole}`);
  const call = `${quote(runtime)} --root ${work}/state run --bundle ${bundle} ${name}`;
  const terminal = (config['process'] as Json)['terminal'] === true;
  let run = terminal ? `script -qec ${quote(`stty cols ${columns} rows ${rows}; ${call}`)} /dev/null </dev/null` : `${call} </dev/null`;
  if (needs.mapped === true) {
    // As rootless Podman: the maps are written from outside, then everything happens inside.
    lines.push(
      `unshare -Um --keep-caps --propagation private sh -c ${quote(`until [ "$(cat /proc/self/gid_map)" ]; do sleep 0.02; done; exec setpriv --reuid 0 --regid 0 --clear-groups sh -c ${quote(`chown 0:0 ${work}/state; ${run}`)}`)} &`,
      'until [ "$(readlink /proc/$!/ns/user)" != "$(readlink /proc/$$/ns/user)" ]; do sleep 0.02; done',
      `printf '0 ${needs.uid} 1\\n1 100000 65536\\n' >/proc/$!/uid_map; printf '0 ${needs.uid} 1\\n1 100000 65536\\n' >/proc/$!/gid_map`,
      'wait $!',
    );
    run = '';
  } else if (needs.uid !== undefined) {
    run = `exec setpriv --reuid ${needs.uid} --regid ${needs.uid} --clear-groups env HOME=/tmp sh -c ${quote(run)}`;
  }
  const held = daemon(config);
  if (needs.seconds !== undefined) lines.push('mount -t proc proc /proc');
  if (held !== undefined) {
    // echo(1) accepts any words, and waits while what it writes does not fit into a pipe.
    lines.push('mount -t proc proc /proc', 'long=$(head -c 100000 /dev/zero | tr "\\0" x)', `echo ${held.pid - 1} >/proc/sys/kernel/ns_last_pid`, '/bin/echo "$long" | sleep 600 &', `until [ "$(readlink /proc/${held.pid}/exe)" = "$(readlink -f /bin/echo)" ]; do sleep 0.02; done`);
  }
  lines.push(run);
  const unshare = ['-m', '--propagation', 'private', ...(held === undefined && needs.seconds === undefined ? [] : ['-pf', '--kill-child'])];
  const done = spawnSync('unshare', [...unshare, 'sh', '-c', lines.join('\n')], { encoding: 'utf8', timeout: (needs.seconds ?? 300) * 1000, killSignal: 'SIGKILL', env: { PATH: process.env['PATH'], TERM: 'xterm' }, stdio: ['ignore', 'pipe', 'pipe'] });
  rmSync(work, { recursive: true, force: true });
  return { code: done.status ?? 137, stdout: named(done.stdout), stderr: done.stderr };
}

/** Where runt differs from runc on purpose, each argued in ARCHITECTURE.md, and what no two containers have in common. */
const argued: readonly (readonly [RegExp, string])[] = [
  [/\/tmp\/captured-\w+/g, '/captured'],
  [/ (shared|master|propagate_from):\d+/g, ''],
  [/(upperdir|workdir|lowerdir)=[^ ,]*/g, '$1'],
  [/,?ino=\d+|,uuid=on/g, ''],
  // Debian's AppArmor names the runc binary itself; a process it starts without a profile keeps that label.
  [/^where: runc \(unconfined\)$/gm, 'where: unconfined'],
  // Masks: an empty tmpfs that is also nosuid, nodev and noexec, and the host's /dev/null, never the container's (CVE-2025-31133).
  [/^(mount: (?:\/proc\/\S+|\/sys\/\S+)) (?:ro|rw),\S+ - (?:tmpfs none rw,size=4k|tmpfs tmpfs ro|devtmpfs \S+ |tmpfs tmpfs rw,size=65536k).*$/gm, '$1 masked'],
  // The directory of message queues belongs to whoever made the ipc namespace: clone3 makes it together with the user namespace.
  [/^(dev: drwxrwxrwt) +(?:0|65534) +65534 +mqueue$/gm, '$1 mqueue'],
];

/** A report with what may differ taken out, in lines; inode numbers of namespaces become the host's or new ones. */
export function normal(text: string): string[] {
  let plain = text;
  for (const [pattern, instead] of argued) plain = plain.replace(pattern, instead);
  // Without a cgroup namespace the host's cgroup2 mount is bound: a new one would wait for RCU and give it other options.
  if (hostNamespaces.has(/^ns: cgroup (\S+)$/m.exec(plain)?.[1] ?? '')) plain = plain.replace(/^(mount: \/sys\/fs\/cgroup \S+ - cgroup2?) .*$/gm, '$1');
  plain = plain.replace(/^ns: (\w+) (\S+)$/gm, (_, kind: string, link: string) => `ns: ${kind} ${hostNamespaces.has(link) ? 'of the host' : 'another'}`);
  return plain.split('\n').sort();
}

const hostNamespaces: ReadonlySet<string> = new Set(readdirSync('/proc/self/ns').map((kind) => readlinkSync(`/proc/self/ns/${kind}`)));

/** Lines that only one of two reports has. */
export function differences(found: readonly string[], expected: readonly string[]): { readonly found: readonly string[]; readonly expected: readonly string[] } {
  const only = (these: readonly string[], those: readonly string[]): string[] => {
    const rest = [...those];
    return these.filter((line) => {
      const at = rest.indexOf(line);
      if (at >= 0) rest.splice(at, 1);
      return at < 0;
    });
  };
  return { found: only(found, expected), expected: only(expected, found) };
}
