// Limits that are felt, not just written: one table for any runtime under either driver. Runs in the virtual machine.
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { until } from '../harness.ts';
import { busyboxRootfs, must, sh } from './guest.ts';
import { note, suite } from './tap.ts';

export type Driver = 'cgroupfs' | 'systemd';

const bundle = '/var/tmp/limits'; // the machine's /tmp is nodev: a device there is EACCES to anyone
const shared = '/var/tmp/out';
/** A process that takes 100 MB in one read: a pipe that something collects takes five seconds for it under emulation. */
const hog = 'dd if=/dev/zero of=/dev/null bs=100M count=1';

/** One runtime under one driver, with the flags its commands take for it. */
export class Subject {
  readonly name: string;
  readonly path: string;
  readonly driver: Driver;

  constructor(name: string, path: string, driver: Driver) {
    this.name = name;
    this.path = path;
    this.driver = driver;
  }

  get command(): string {
    return this.driver === 'systemd' ? `${this.path} --systemd-cgroup` : this.path;
  }

  /** What config.json says, and where the cgroup is then. */
  cgroupsPath(id: string): string {
    return this.driver === 'systemd' ? `limits.slice:limits:${id}` : `/limits/${id}`;
  }

  cgroup(id: string): string {
    return `/sys/fs/cgroup/${this.driver === 'systemd' ? `limits.slice/limits-${id}.scope` : `limits/${id}`}`;
  }

  /** Writes the bundle of a container with these resources that runs this line of shell. */
  prepare(id: string, resources: object, command: string): void {
    mkdirSync(shared, { recursive: true });
    mkdirSync(bundle, { recursive: true });
    if (!existsSync(`${bundle}/rootfs`)) must(`cp -a ${busyboxRootfs} ${bundle}/rootfs; cd ${bundle} && runc spec && mv config.json template`);
    const config = JSON.parse(must(`cat ${bundle}/template`)) as Record<string, any>;
    config['process'].terminal = false;
    config['process'].args = ['sh', '-c', command];
    config['process'].rlimits = [];
    for (const set of Object.keys(config['process'].capabilities)) config['process'].capabilities[set] = ['CAP_MKNOD', 'CAP_DAC_OVERRIDE', 'CAP_SYSLOG'];
    config['root'].readonly = false;
    config['linux'].resources = resources;
    config['linux'].cgroupsPath = this.cgroupsPath(id);
    config['mounts'].push({ destination: '/out', type: 'bind', source: shared, options: ['rbind', 'rw'] });
    writeFileSync(`${bundle}/config.json`, JSON.stringify(config));
  }

  /** Runs it in the foreground: what it wrote, and its exit status. */
  limited(id: string, resources: object, command: string): { readonly code: number | null; readonly out: string } {
    this.prepare(id, resources, command);
    const done = sh(`${this.command} run --bundle ${bundle} ${id}`, 120);
    return { code: done.code, out: done.stdout + done.stderr };
  }

  /** Starts it in the background. */
  detached(id: string, resources: object, command: string): void {
    this.prepare(id, resources, command);
    must(`${this.command} run --detach --bundle ${bundle} ${id} </dev/null >/dev/null 2>&1`);
  }
}

/** The table, as tests of one suite. `can` says what this runtime cannot do at all. */
export function feelLimits(subject: Subject, can: { readonly update: boolean; readonly events: boolean }): void {
  const { name, command: runtime } = subject;
  const test = suite(`${name} ${subject.driver}`);
  const felt = (what: string): void => note(`${name} ${subject.driver}: ${what}`);
  test('memory.max kills at the limit', () => {
    const { out, code } = subject.limited(`${name}-mem`, { memory: { limit: 33554432, swap: 33554432 } }, `cat /sys/fs/cgroup/memory.max; ${hog}; echo ended $?; grep oom_kill /sys/fs/cgroup/memory.events`);
    assert.match(out, /33554432/);
    // Which process the kernel takes is its own choice: the shell itself at times.
    assert.ok(code === 137 || /oom_kill [1-9]/.test(out), `${code} ${out}`);
    assert.not.match(out, /^ended 0$/m);
  });
  test('cpu.max of half a CPU measures 45 to 55 %', () => {
    const { out } = subject.limited(`${name}-cpu`, { cpu: { quota: 50000, period: 100000 } }, 's=$(cut -d" " -f1 /proc/uptime); u=$(grep usage_usec /sys/fs/cgroup/cpu.stat | cut -d" " -f2); (while :; do :; done) & sleep 6; kill $!; echo $s $(cut -d" " -f1 /proc/uptime) $u $(grep usage_usec /sys/fs/cgroup/cpu.stat | cut -d" " -f2)');
    const [from, to, before, after] = out.trim().split('\n').at(-1)!.split(' ').map(Number);
    const share = ((after! - before!) / 1e4) / (to! - from!);
    felt(`${share.toFixed(1)} %`);
    assert.ok(share > 45 && share < 55, out);
  });
  test('pids.max stops fork', () => {
    const { out } = subject.limited(`${name}-pids`, { pids: { limit: 8 } }, 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 2 & done; wait');
    assert.match(out, /can't fork|Resource temporarily unavailable/);
  });
  test('a denied device gives EPERM, an allowed one works', () => {
    // Nodes may be made, used may only be what is allowed; kmsg is written to by anyone else. /tmp of the machine is nodev: that would deny it by itself.
    const { out } = subject.limited(`${name}-dev`, { devices: [{ allow: false, access: 'rwm' }, { allow: true, type: 'c', major: 1, minor: 5, access: 'r' }] }, 'mknod /out/kmsg c 1 11; (: > /out/kmsg) || echo denied; head -c 2 /dev/zero | wc -c; rm /out/kmsg');
    assert.match(out, /not permitted/);
    assert.match(out, /^denied$/m);
    assert.match(out, /^2$/m);
  });
  test('cpuset is what the process sees', () => {
    const { out } = subject.limited(`${name}-set`, { cpu: { cpus: '1', mems: '0' } }, 'grep Cpus_allowed_list /proc/self/status; nproc');
    assert.match(out, /Cpus_allowed_list:\s+1\n1/);
  });
  test('io.max holds a write under its rate, 15 % at most above or below', () => {
    const [major, minor] = must('stat -c "%Hd %Ld" /var/tmp').trim().split(' ').map(Number);
    const { out } = subject.limited(`${name}-io`, { blockIO: { throttleWriteBpsDevice: [{ major, minor, rate: 1048576 }] } }, 's=$(cut -d" " -f1 /proc/uptime); dd if=/dev/zero of=/out/file bs=256k count=24 oflag=direct 2>&1; echo $s $(cut -d" " -f1 /proc/uptime)');
    rmSync(`${shared}/file`, { force: true });
    const [from, to] = out.trim().split('\n').at(-1)!.split(' ').map(Number);
    const rate = 6 / (to! - from!);
    felt(`${rate.toFixed(2)} MiB/s of 1`);
    assert.ok(rate < 1.15 && rate > 0.85, out);
  });
  test('pause stops progress, resume lets it go on', () => {
    const id = `${name}-live`;
    rmSync(`${shared}/${id}`, { force: true }); // the other driver's
    subject.detached(id, { pids: { limit: 50 } }, `while :; do echo >> /out/${id}; sleep 0.1; done`);
    const count = (): number => statSync(`${shared}/${id}`).size;
    until('it writes', () => existsSync(`${shared}/${id}`) && count() > 0);
    must(`${runtime} pause ${id}`);
    const before = count();
    must('sleep 1');
    assert.is(count(), before);
    must(`${runtime} resume ${id}`);
    until('it goes on', () => count() > before);
  });
  if (can.update) test('update changes limits that hold at once', () => {
    const id = `${name}-live`;
    must(`${runtime} update --memory 64m --memory-swap 64m --pids-limit 77 --cpu-share 512 ${id}`);
    const written = ['memory.max', 'memory.swap.max', 'pids.max', 'cpu.weight'].map((file) => must(`cat ${subject.cgroup(id)}/${file}`).trim());
    felt(written.join(' '));
    // Debian's runc and crun have the older formula for weights.
    assert.equal(written, ['67108864', '0', '77', name === 'runt' ? '59' : written[3]]);
  });
  if (can.events) test('events has the statistics, and reports an oom', () => {
    const stats = JSON.parse(must(`${runtime} events --stats ${name}-live`)) as { data: { memory: { usage: { limit: number } }; pids: { limit: number } } };
    assert.is(stats.data.memory.usage.limit, 67108864);
    assert.is(stats.data.pids.limit, 77);
    const id = `${name}-oom`;
    subject.detached(id, { memory: { limit: 33554432, swap: 33554432 } }, `until [ -e /out/hungry ]; do sleep 0.1; done; ${hog}`);
    // The first statistics say that it listens.
    const said = must(`timeout 60 ${runtime} events --interval 1s ${id} >${shared}/said & until grep -qs stats ${shared}/said; do sleep 0.2; done; touch ${shared}/hungry; wait; cat ${shared}/said`);
    rmSync(`${shared}/hungry`);
    assert.match(said, new RegExp(`^\\{"type":"oom","id":"${id}"\\}$`, 'm'));
    must(`${runtime} delete --force ${id}`);
  });
  test('delete --force leaves no cgroup and no unit', () => {
    must(`${runtime} delete --force ${name}-live`);
    assert.not(existsSync(subject.cgroup(`${name}-live`)));
    assert.is(must('systemctl list-units --all --no-legend "limits-*"'), '');
  });
  test.run();
}

/** Creates and deletes so many containers; no cgroup, no unit and no state is left. */
export function rounds(subject: Subject, count: number): void {
  const { command } = subject;
  subject.prepare('round', { pids: { limit: 50 } }, 'true');
  must(`for i in $(seq ${count}); do ${command} create --bundle ${bundle} round </dev/null >/dev/null 2>&1 && ${command} delete --force round || exit 1; done`, 60 + count * 6);
  assert.not(existsSync(subject.cgroup('round')));
  assert.is(must('find /sys/fs/cgroup -name "*round*"'), '');
  assert.is(must('systemctl list-units --all --no-legend "limits-*"; systemctl --failed --no-legend --plain | grep limits; true'), '');
}
