// Each limit of cgroup v2 is felt, not just written: the same table for runt, crun and runc.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { busyboxImage, must, runt, sh } from './guest.ts';
import { note, suite } from './tap.ts';

const bundle = '/tmp/limits';
const unpack = suite('limits');
unpack('a bundle', () => void must(`rm -rf /tmp/oci ${bundle}; skopeo copy -q docker-archive:${busyboxImage} oci:/tmp/oci:busybox && umoci unpack --image /tmp/oci:busybox ${bundle}`));
unpack.run();

/** Runs a command under limits; what it wrote, and its exit status. */
function limited(runtime: string, id: string, resources: object, command: string): { readonly code: number | null; readonly out: string } {
  const config = JSON.parse(must('cd /tmp && rm -rf spec && mkdir spec && cd spec && runc spec && cat config.json')) as Record<string, any>;
  config['process'].terminal = false;
  config['process'].args = ['sh', '-c', command];
  config['process'].rlimits = [];
  config['root'].readonly = false;
  config['linux'].resources = resources;
  config['linux'].cgroupsPath = `/limits/${id}`;
  config['mounts'].push({ destination: '/out', type: 'bind', source: '/var/tmp/out', options: ['rbind', 'rw'] });
  mkdirSync('/var/tmp/out', { recursive: true });
  writeFileSync(`${bundle}/config.json`, JSON.stringify(config));
  const done = sh(`${runtime} run --bundle ${bundle} ${id}`, 120);
  return { code: done.code, out: done.stdout + done.stderr };
}

for (const [name, runtime] of [['runt', runt], ['crun', '/usr/bin/crun'], ['runc', '/usr/sbin/runc']] as const) {
  const test = suite(`${name} cgroupfs`);
  test('memory.max kills at the limit', () => {
    const { out, code } = limited(runtime, `${name}-mem`, { memory: { limit: 33554432, swap: 33554432 } }, 'cat /sys/fs/cgroup/memory.max; head -c 100000000 /dev/zero | tail | wc -c; echo survived $?; grep oom_kill /sys/fs/cgroup/memory.events');
    assert.match(out, /33554432/);
    // Which process the kernel takes is its own choice: the shell itself at times.
    assert.ok(code === 137 || /oom_kill [1-9]/.test(out), `${code} ${out}`);
    assert.not.match(out, /^100000000$/m);
  });
  test('cpu.max of half a CPU measures 45 to 55 %', () => {
    const { out } = limited(runtime, `${name}-cpu`, { cpu: { quota: 50000, period: 100000 } }, 's=$(cut -d" " -f1 /proc/uptime); u=$(grep usage_usec /sys/fs/cgroup/cpu.stat | cut -d" " -f2); (while :; do :; done) & sleep 6; kill $!; echo $s $(cut -d" " -f1 /proc/uptime) $u $(grep usage_usec /sys/fs/cgroup/cpu.stat | cut -d" " -f2)');
    const [from, to, before, after] = out.trim().split('\n').at(-1)!.split(' ').map(Number);
    const share = ((after! - before!) / 1e4) / (to! - from!);
    note(`${name}: ${share.toFixed(1)} %`);
    assert.ok(share > 45 && share < 55, String(share));
  });
  test('pids.max stops fork', () => {
    const { out } = limited(runtime, `${name}-pids`, { pids: { limit: 8 } }, 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 2 & done; wait');
    assert.match(out, /can't fork|Resource temporarily unavailable/);
  });
  test('a denied device gives EPERM, an allowed one works', () => {
    const { out } = limited(runtime, `${name}-dev`, { devices: [{ allow: false, access: 'rwm' }, { allow: true, type: 'c', major: 1, minor: 5, access: 'r' }] }, 'mknod /out/vda b 254 0; mknod /out/kmsg c 1 11; head -c 2 /out/kmsg; head -c 2 /dev/zero | wc -c');
    rmSync('/var/tmp/out/kmsg', { force: true });
    assert.match(out, /not permitted/);
    assert.match(out, /^2$/m);
  });
  test('cpuset is what the process sees', () => {
    const { out } = limited(runtime, `${name}-set`, { cpu: { cpus: '1', mems: '0' } }, 'grep Cpus_allowed_list /proc/self/status; nproc');
    assert.match(out, /Cpus_allowed_list:\s+1\n1/);
  });
  test('io.max holds a write under its rate, 15 % at most above or below', () => {
    const [major, minor] = must('stat -c "%Hd %Ld" /var/tmp').trim().split(' ').map(Number);
    const { out } = limited(runtime, `${name}-io`, { blockIO: { throttleWriteBpsDevice: [{ major, minor, rate: 1048576 }] } }, 's=$(cut -d" " -f1 /proc/uptime); dd if=/dev/zero of=/out/file bs=256k count=32 oflag=direct 2>&1; echo $s $(cut -d" " -f1 /proc/uptime)');
    rmSync('/var/tmp/out/file', { force: true });
    const [from, to] = out.trim().split('\n').at(-1)!.split(' ').map(Number);
    const rate = 8 / (to! - from!);
    note(`${name}: ${rate.toFixed(2)} MiB/s of 1`);
    assert.ok(rate < 1.15 && rate > 0.85, out);
  });
  // Debian's crun 1.21 cannot update by flags: it does not parse the JSON it makes of them.
  if (name !== 'crun') test('pause stops progress, update changes a limit that runs, delete leaves no cgroup', () => {
    const id = `${name}-live`;
    limited(runtime, `${id}0`, { pids: { limit: 50 } }, 'true');
    const config = JSON.parse(readFileSync(`${bundle}/config.json`, 'utf8')) as Record<string, any>;
    config['process'].args = ['sh', '-c', `while :; do echo >> /out/${id}; done`];
    config['linux'].cgroupsPath = `/limits/${id}`;
    writeFileSync(`${bundle}/config.json`, JSON.stringify(config));
    must(`${runtime} run --detach --bundle ${bundle} ${id} </dev/null >/dev/null 2>&1`);
    must(`sleep 1; ${runtime} pause ${id}`);
    const count = (): number => statSync(`/var/tmp/out/${id}`).size;
    const before = count();
    must('sleep 1');
    assert.is(count(), before);
    must(`${runtime} resume ${id}; sleep 1`);
    assert.is.not(count(), before);
    must(`${runtime} update --memory 64m --memory-swap 64m --pids-limit 77 --cpu-share 512 ${id}`);
    const value = (file: string): string => readFileSync(`/sys/fs/cgroup/limits/${id}/${file}`, 'utf8').trim();
    const written = ['memory.max', 'memory.swap.max', 'pids.max', 'cpu.weight'].map(value);
    note(`${name}: ${written.join(' ')}`);
    // Debian's runc has the older formula for weights.
    assert.equal(written, ['67108864', '0', '77', name === 'runt' ? '59' : written[3]]);
    const stats = JSON.parse(must(`${runtime} events --stats ${id}`)) as { data: { memory: { usage: { limit: number } }; pids: { limit: number } } };
    assert.is(stats.data.memory.usage.limit, 67108864);
    assert.is(stats.data.pids.limit, 77);
    must(`${runtime} delete --force ${id}`);
    assert.is(sh(`test -e /sys/fs/cgroup/limits/${id}`).code, 1);
  });
  if (name === 'runt') {
    test('events reports the oom', () => {
      const id = 'runt-oom';
      limited(runtime, `${id}0`, {}, 'true');
      const config = JSON.parse(readFileSync(`${bundle}/config.json`, 'utf8')) as Record<string, any>;
      config['process'].args = ['sh', '-c', 'sleep 3; for i in 1 2 3; do head -c 100000000 /dev/zero | tail | wc -c; sleep 1; done'];
      Object.assign(config['linux'], { cgroupsPath: `/limits/${id}`, resources: { memory: { limit: 33554432, swap: 33554432 } } });
      writeFileSync(`${bundle}/config.json`, JSON.stringify(config));
      must(`${runtime} run --detach --bundle ${bundle} ${id} </dev/null >/dev/null 2>&1`);
      const out = must(`timeout 40 ${runtime} events --interval 60s ${id}`, 60);
      assert.match(out, /^\{"type":"oom","id":"runt-oom"\}$/m);
      must(`${runtime} delete --force ${id}`);
    });
    test('a hundred rounds of create and delete leave no cgroup', () => {
      must(`for i in $(seq 100); do ${runtime} create --bundle ${bundle} round$i </dev/null >/dev/null 2>&1 && ${runtime} delete --force round$i || exit 1; done`, 280);
      assert.is(must('find /sys/fs/cgroup/limits -mindepth 1 -type d | wc -l').trim(), '0');
    });
  }
  test.run();
}
