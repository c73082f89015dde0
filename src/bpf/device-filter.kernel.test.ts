// Device filters in the kernel: the verifier takes them, and a process in the cgroup feels them. Root; a private v2 view.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DeviceRule } from '../../spec/config.ts';
import { BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI, BPF_PROG_ATTACH, BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE } from '../../native/linux/constants.ts';
import { addressOf } from '../../native/linux/koffi.ts';
import { call, text } from '../../native/linux/syscalls.ts';
import { compileDeviceFilter } from './device-filter.ts';

const isRoot = process.geteuid!() === 0;
const isInside = process.env['RUNT_V2_VIEW'] === 'yes';
const kernel = suite('device filters in the kernel');

/** bpf(2) BPF_PROG_LOAD: the program's descriptor. Throws with what the verifier says. */
function load(program: Uint8Array): number {
  const [license, log, attributes] = [text('GPL'), Buffer.alloc(65536), Buffer.alloc(128)];
  attributes.writeUInt32LE(BPF_PROG_TYPE_CGROUP_DEVICE, 0);
  attributes.writeUInt32LE(program.length / 8, 4);
  attributes.writeBigUInt64LE(addressOf(program), 8);
  attributes.writeBigUInt64LE(addressOf(license), 16);
  const fd = call('bpf', BPF_PROG_LOAD, attributes, attributes.length);
  if (fd >= 0) return fd;
  attributes.writeUInt32LE(1, 24); // log_level
  attributes.writeUInt32LE(log.length, 28);
  attributes.writeBigUInt64LE(addressOf(log), 32);
  call('bpf', BPF_PROG_LOAD, attributes, attributes.length);
  assert.unreachable(`errno ${-fd}: ${log.toString('latin1', 0, log.indexOf(0)).slice(-300)}`);
  return -1;
}

function attach(program: number, cgroup: number): void {
  const attributes = Buffer.alloc(128);
  [cgroup, program, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI].forEach((value, i) => attributes.writeUInt32LE(value, 4 * i));
  assert.is(call('bpf', BPF_PROG_ATTACH, attributes, attributes.length), 0);
}

/** For each line `TYPE MAJOR MINOR MODE` (mode `m`, `r`, `w` or `rw`): what a process in a cgroup with these rules gets. */
function attempts(rules: readonly DeviceRule[] | undefined, lines: readonly string[]): readonly string[] {
  const group = '/sys/fs/cgroup/runt-device-test';
  const directory = mkdtempSync('/tmp/runt-devices-');
  mkdirSync(group);
  const cgroup = openSync(group, 'r');
  try {
    assert.is(spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', directory]).status, 0);
    const program = load(compileDeviceFilter(rules));
    attach(program, cgroup);
    closeSync(program);
    const script = `echo $$ > ${group}/cgroup.procs || exit 9
      while read -r type major minor mode; do
        node=${directory}/node
        mknod $node $type $major $minor 2>/dev/null || { echo refused; continue; }
        case $mode in
          m) true ;;
          r) (exec 3<$node) 2>&1 ;;
          w) (exec 3>$node) 2>&1 ;;
          rw) (exec 3<>$node) 2>&1 ;;
        esac | grep -q "not permitted" && echo refused || echo passed
        rm -f $node
      done`;
    const { stdout, stderr, status } = spawnSync('sh', ['-c', script], { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
    assert.is(status, 0, stderr);
    return stdout.trim().split('\n');
  } finally {
    closeSync(cgroup);
    spawnSync('umount', [directory]);
    rmSync(directory, { recursive: true });
    rmdirSync(group);
  }
}

if (isInside) {
  kernel('no rules: the default devices open, others can be made but not opened', () => {
    assert.equal(attempts(undefined, ['c 1 3 rw', 'c 1 5 r', 'c 5 1 m', 'c 5 1 r', 'c 7 0 r', 'b 1 0 m', 'b 1 0 r']), ['passed', 'passed', 'passed', 'refused', 'refused', 'passed', 'refused']);
  });

  kernel('read may be allowed without write, the last rule wins', () => {
    const rules: DeviceRule[] = [{ allow: false, access: 'rwm' }, { allow: true, type: 'c', major: 7, minor: 0, access: 'rw' }, { allow: false, type: 'c', major: 7, minor: 0, access: 'w' }];
    assert.equal(attempts(rules, ['c 7 0 r', 'c 7 0 w', 'c 7 0 rw', 'c 7 1 r']), ['passed', 'refused', 'refused', 'refused']);
  });

  kernel('everything allowed but one', () => {
    const rules: DeviceRule[] = [{ allow: true, type: 'a', access: 'rwm' }, { allow: false, type: 'c', major: 7, minor: 0, access: 'r' }];
    assert.equal(attempts(rules, ['c 7 0 r', 'c 7 0 w', 'c 7 1 r']), ['refused', 'passed', 'passed']);
  });

  kernel('the verifier takes every form of rule', () => {
    const rules: DeviceRule[] = [true, false].flatMap((allow) => ['a', 'b', 'c'].flatMap((type) => ['r', 'rw', 'rwm', ''].flatMap((access) => [
      { allow, type, access }, { allow, type, major: 4095, access }, { allow, type, minor: 0xffff_ffff, access }, { allow, type, major: 1, minor: 3, access },
    ])));
    for (const one of rules) for (const other of [true, false]) closeSync(load(compileDeviceFilter([{ allow: other, type: 'a' }, one])));
    closeSync(load(compileDeviceFilter(rules)));
    closeSync(load(compileDeviceFilter(Array.from({ length: 2000 }, (_, minor) => ({ allow: true, type: 'c', major: 240, minor, access: minor % 2 === 0 ? 'r' : 'rwm' })))));
  });
} else {
  (isRoot ? kernel : kernel.skip)('in a private cgroup v2 view', () => {
    const script = 'if [ "$(stat -fc %T /sys/fs/cgroup)" != cgroup2fs ]; then umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 9; fi; exec "$@"';
    const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', process.execPath, ...process.execArgv, import.meta.filename], {
      encoding: 'utf8', env: { ...process.env, RUNT_V2_VIEW: 'yes' },
    });
    assert.is(status, 0, stdout + stderr);
    assert.match(stdout, /Passed: +4/);
  });
}

kernel.run();
