// What reading and checking a config.json of 30 KB costs in a fresh process of the executable: `tsx spec/cost.ts` builds one and prints the least of many runs.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkConfig } from './check.ts';
import { decodeConfig, parseJson } from './json.ts';

const RUNS = 40;

/** A document as managers write it: a long seccomp profile is most of it. */
function document(): string {
  const capabilities = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FSETID', 'CAP_FOWNER', 'CAP_MKNOD', 'CAP_NET_RAW', 'CAP_SETGID', 'CAP_SETUID', 'CAP_KILL'];
  const syscalls: unknown[] = [{ names: Array.from({ length: 380 }, (_, i) => `system_call_${i}`), action: 'SCMP_ACT_ALLOW' }];
  for (let i = 0; i < 40; i++) syscalls.push({ names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: i, op: 'SCMP_CMP_EQ' }, { index: 1, value: 4096, valueTwo: i, op: 'SCMP_CMP_MASKED_EQ' }] });
  return JSON.stringify({
    ociVersion: '1.2.0', root: { path: 'rootfs' }, hostname: 'h',
    process: { user: { uid: 0, gid: 0, additionalGids: [0, 10] }, args: ['sh'], cwd: '/', env: Array.from({ length: 24 }, (_, i) => `NAME_${i}=value ${i}`), capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities } },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }, ...Array.from({ length: 12 }, (_, i) => ({ destination: `/m${i}`, type: 'bind', source: `/var/lib/containers/${i}`, options: ['rbind', 'rprivate', 'nosuid'] }))],
    linux: {
      namespaces: ['mount', 'uts', 'pid', 'ipc', 'network', 'cgroup'].map((type) => ({ type })), sysctl: { 'net.ipv4.ip_unprivileged_port_start': '0' }, cgroupsPath: '/a/b',
      resources: { devices: [{ allow: false, access: 'rwm' }, ...Array.from({ length: 8 }, (_, i) => ({ allow: true, type: 'c', major: 1, minor: i, access: 'rwm' }))], memory: { limit: 1 << 30 }, cpu: { shares: 1024 }, pids: { limit: 100 } },
      maskedPaths: ['/proc/acpi', '/proc/kcore', '/proc/keys', '/sys/firmware'], readonlyPaths: ['/proc/bus', '/proc/sys'], seccomp: { defaultAction: 'SCMP_ACT_ERRNO', syscalls },
    },
  }, null, '\t');
}

function measure(path: string): void {
  const bytes = readFileSync(path);
  const start = performance.now();
  const text = decodeConfig(bytes);
  const decoded = performance.now();
  const parsed = parseJson(text);
  const read = performance.now();
  const issues = checkConfig(parsed);
  const checked = performance.now();
  if (issues.length > 0) throw new Error(JSON.stringify(issues));
  console.log([decoded - start, read - decoded, checked - read].map((time) => time.toFixed(3)).join(' '));
}

const given = process.argv.indexOf('--measure');
if (given >= 0) {
  measure(process.argv[given + 1]!);
} else {
  const work = mkdtempSync(join(tmpdir(), 'cost-'));
  const file = join(work, 'config.json');
  writeFileSync(file, document());
  const executable = join(work, 'cost');
  const built = spawnSync('node_modules/.bin/bun', ['build', '--compile', '--minify', '--bytecode', '--format=esm', import.meta.filename, '--outfile', executable], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(built.stderr);
  const times = Array.from({ length: RUNS }, () => spawnSync(executable, ['--measure', file], { encoding: 'utf8', env: { BUN_JSC_useJIT: '0' } }).stdout.trim().split(' ').map(Number));
  const [decode, parse, check] = [0, 1, 2].map((column) => Math.min(...times.map((row) => row[column]!)));
  console.log(`${readFileSync(file).length} bytes: decode ${decode} ms, parse and look for keys that come twice ${parse} ms, schema and rules ${check} ms (least of ${RUNS})`);
  rmSync(work, { recursive: true });
}
