// The device filter of a cgroup (bpf(2), BPF_PROG_TYPE_CGROUP_DEVICE): attached when it is made, exchanged while it runs.
import { closeSync } from 'node:fs';
import {
  BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI, BPF_F_REPLACE, BPF_OBJ_GET_INFO_BY_FD, BPF_PROG_ATTACH, BPF_PROG_GET_FD_BY_ID, BPF_PROG_LOAD, BPF_PROG_QUERY,
  BPF_PROG_TYPE_CGROUP_DEVICE, O_CLOEXEC, O_DIRECTORY,
} from '../../native/linux/constants.ts';
import { errnoName } from '../../native/linux/errno.ts';
import { addressOf } from '../../native/linux/koffi.ts';
import { call, scratch, text } from '../../native/linux/syscalls.ts';
import { RuntimeError } from '../errors.ts';

const EAGAIN = 11;
const ATTEMPTS = 100;

const ATTRIBUTES = 24576; // offsets into the scratch memory: union bpf_attr, then what it points at
const ATTRIBUTES_SIZE = 128;
const LICENSE = ATTRIBUTES + 200;
const LIST = ATTRIBUTES + 256;
/** By its name ours is told from a program that someone else attached, systemd's DevicePolicy for one. */
const NAME = 'runt_devices';

/** Loads a filter (struct bpf_insn[] at an address, length in bytes) and attaches it: it lives as long as the cgroup. 0 or -errno. */
export function attachDeviceFilter(cgroup: number, instructions: number | bigint, length: number, replaced = -1): number {
  const { address, bytes } = scratch();
  bytes.fill(0, ATTRIBUTES, LIST);
  bytes.write('GPL\0', LICENSE);
  bytes.writeUInt32LE(BPF_PROG_TYPE_CGROUP_DEVICE, ATTRIBUTES);
  bytes.writeUInt32LE(length / 8, ATTRIBUTES + 4);
  bytes.writeBigUInt64LE(BigInt(instructions), ATTRIBUTES + 8);
  bytes.writeBigUInt64LE(BigInt(address + LICENSE), ATTRIBUTES + 16);
  bytes.write(NAME, ATTRIBUTES + 48, 'latin1');
  const program = load();
  if (program < 0) return program;
  bytes.fill(0, ATTRIBUTES, ATTRIBUTES + ATTRIBUTES_SIZE);
  bytes.writeUInt32LE(cgroup, ATTRIBUTES);
  bytes.writeUInt32LE(program, ATTRIBUTES + 4);
  bytes.writeUInt32LE(BPF_CGROUP_DEVICE, ATTRIBUTES + 8);
  bytes.writeUInt32LE(replaced < 0 ? BPF_F_ALLOW_MULTI : BPF_F_ALLOW_MULTI | BPF_F_REPLACE, ATTRIBUTES + 12);
  if (replaced >= 0) bytes.writeUInt32LE(replaced, ATTRIBUTES + 16);
  const attached = bpf(BPF_PROG_ATTACH);
  closeSync(program);
  return attached;
}

/** The verifier gives up with EAGAIN when a signal comes (bpf_check in the kernel): any will do, and an engine has its own. */
function load(): number {
  let program = -EAGAIN;
  for (let attempt = 0; program === -EAGAIN && attempt < ATTEMPTS; attempt++) program = bpf(BPF_PROG_LOAD);
  return program;
}

/** Exchanges the filter of a cgroup (its path) in one step: at no moment is there none (BPF_F_REPLACE). Throws RuntimeError. */
export function replaceDeviceFilter(path: string, filter: Uint8Array): void {
  const cgroup = call('openat', -100, text(path), O_DIRECTORY | O_CLOEXEC, 0);
  const fail = (what: string, result: number): never => {
    throw new RuntimeError(`${what}: ${errnoName(-result)}`, { pointer: '/linux/resources/devices', errno: errnoName(-result) });
  };
  if (cgroup < 0) fail(`cannot open ${path}`, cgroup);
  const old = ownProgram(cgroup);
  try {
    const attached = attachDeviceFilter(cgroup, addressOf(filter), filter.length, old);
    if (attached < 0) fail('bpf(BPF_PROG_ATTACH)', attached);
  } finally {
    if (old >= 0) closeSync(old);
    closeSync(cgroup);
  }
}

const MOST_PROGRAMS = 64;
const INFO_SIZE = 80; // struct bpf_prog_info up to and with its name
const INFO_NAME = 64;

/** A descriptor of the filter we attached before; negative when there is none. */
function ownProgram(cgroup: number): number {
  const { address, bytes } = scratch();
  bytes.fill(0, ATTRIBUTES, LIST + 4 * MOST_PROGRAMS);
  bytes.writeUInt32LE(cgroup, ATTRIBUTES);
  bytes.writeUInt32LE(BPF_CGROUP_DEVICE, ATTRIBUTES + 4);
  bytes.writeBigUInt64LE(BigInt(address + LIST), ATTRIBUTES + 16);
  bytes.writeUInt32LE(MOST_PROGRAMS, ATTRIBUTES + 24);
  if (bpf(BPF_PROG_QUERY) < 0) return -1;
  const ids = Array.from({ length: Math.min(bytes.readUInt32LE(ATTRIBUTES + 24), MOST_PROGRAMS) }, (_, i) => bytes.readUInt32LE(LIST + 4 * i));
  for (const id of ids) {
    bytes.fill(0, ATTRIBUTES, ATTRIBUTES + ATTRIBUTES_SIZE);
    bytes.writeUInt32LE(id, ATTRIBUTES);
    const fd = bpf(BPF_PROG_GET_FD_BY_ID);
    if (fd < 0) continue;
    if (nameOf(fd) === NAME) return fd;
    closeSync(fd);
  }
  return -1;
}

function nameOf(program: number): string {
  const { address, bytes } = scratch();
  bytes.fill(0, ATTRIBUTES, ATTRIBUTES + ATTRIBUTES_SIZE);
  bytes.fill(0, LIST, LIST + INFO_SIZE);
  bytes.writeUInt32LE(program, ATTRIBUTES);
  bytes.writeUInt32LE(INFO_SIZE, ATTRIBUTES + 4);
  bytes.writeBigUInt64LE(BigInt(address + LIST), ATTRIBUTES + 8);
  return bpf(BPF_OBJ_GET_INFO_BY_FD) < 0 ? '' : bytes.toString('latin1', LIST + INFO_NAME, LIST + INFO_SIZE).replace(/\0.*$/s, '');
}

function bpf(command: number): number {
  return call('bpf', command, scratch().address + ATTRIBUTES, ATTRIBUTES_SIZE);
}
