// config-linux.md, control groups, of runtime-spec 1.3, as cgroup v2 has them.
import { section } from '../requirement.ts';

const v1 = 'cgroup v1 only';

export const cgroups = [
  ...section('config-linux.md#control-groups', [
    ['unfit', 'MUST', 'a runtime that checks whether a cgroup fits (frozen, not empty) makes it an error'],
  ]),
  ...section('config-linux.md#cgroups-path', [
    ['absolute', 'MUST', 'an absolute cgroupsPath is below the mount point of the cgroups'],
    ['relative', 'PROPERTY', 'a relative cgroupsPath is below a place of the choice of the runtime'],
    ['consistent', 'MUST', 'the same cgroupsPath is the same place'],
    ['invalid', 'MUST', 'a cgroupsPath the runtime takes as invalid is an error'],
    ['created', 'PROPERTY', 'cgroups that are missing are made'],
    ['default', 'PROPERTY', 'without cgroupsPath the runtime chooses'],
  ]),
  ...section('config-linux.md#cgroup-ownership', [
    ['v1', 'SHOULD NOT', 'the owner of a cgroup of version 1 is not changed', v1],
    ['namespace', 'SHOULD NOT', 'the owner is not changed without a new cgroup namespace'],
    ['writable', 'SHOULD', 'the owner is changed when /sys/fs/cgroup is mounted for writing'],
    ['readonly', 'SHOULD NOT', 'the owner is not changed when /sys/fs/cgroup is mounted read-only'],
    ['files', 'SHOULD', 'only files of /sys/kernel/cgroup/delegate change their owner'],
    ['missing', 'MUST NOT', 'a listed file that a cgroup lacks is no failure'],
    ['fallback', 'MUST', 'without that list three files are used', 'every kernel of cgroup v2 delegation has the list'],
  ]),
  ...section('config-linux.md#allowed-device-list', [
    ['order', 'MUST', 'entries are applied in order'],
    ['access', 'PROPERTY', 'access is r, w and m'],
    ['unset', 'PROPERTY', 'an unset type or number is all of them'],
  ]),
  ...section('config-linux.md#memory', [
    ['limit', 'PROPERTY', 'limit is memory.max'], ['reservation', 'PROPERTY', 'reservation is memory.low'],
    ['swap', 'PROPERTY', 'swap is memory and swap together: memory.swap.max is the difference'],
    ['unlimited', 'PROPERTY', '-1 is unlimited'],
    ['felt', 'PROPERTY', 'a process above the limit is killed'],
    ['checkBeforeUpdate', 'MUST', 'with checkBeforeUpdate a limit below the usage is refused'],
    ['kernel', 'PROPERTY', 'kernel, kernelTCP, swappiness, disableOOMKiller, useHierarchy', v1],
  ]),
  ...section('config-linux.md#cpu', [
    ['shares', 'PROPERTY', 'shares become cpu.weight'], ['quota', 'PROPERTY', 'quota and period are cpu.max'],
    ['burst', 'PROPERTY', 'burst is cpu.max.burst'], ['cpus', 'PROPERTY', 'cpus is cpuset.cpus'], ['mems', 'PROPERTY', 'mems is cpuset.mems'],
    ['idle', 'PROPERTY', 'idle is cpu.idle'],
    ['realtime', 'PROPERTY', 'realtimeRuntime and realtimePeriod', v1],
  ]),
  ...section('config-linux.md#block-io', [
    ['weight', 'PROPERTY', 'weight becomes io.weight or io.bfq.weight'], ['throttle', 'PROPERTY', 'throttle devices become io.max'],
    ['weightDevice', 'MUST', 'an entry of weightDevice has weight or leafWeight', 'needs a device under BFQ, which neither machine has'],
  ]),
  ...section('config-linux.md#huge-page-limits', [
    ['limit', 'PROPERTY', 'limits are hugetlb.SIZE.max'],
  ]),
  ...section('config-linux.md#network', [
    ['network', 'PROPERTY', 'classID and priorities', v1],
  ]),
  ...section('config-linux.md#pids', [
    ['limit', 'PROPERTY', 'limit is pids.max'],
    ['felt', 'PROPERTY', 'a fork above the limit fails'],
    ['unlimited', 'PROPERTY', '-1 is unlimited (1.3: 0 and below are for the runtime to say)'],
  ]),
  ...section('config-linux.md#rdma', [
    ['rdma', 'MUST', 'an entry has hcaHandles or hcaObjects', 'needs an RDMA device'],
  ]),
  ...section('config-linux.md#unified', [
    ['written', 'PROPERTY', 'each key is a file of the cgroup, its value what is written'],
    ['enabled', 'MUST', 'controllers a key needs are enabled'],
    ['unknown', 'MUST', 'keys the runtime does not know are written all the same'],
    ['absent', 'MUST', 'a key of a controller that is not there is an error'],
    ['conversion', 'MUST', 'a setting of v1 that cannot be converted is an error'],
  ]),
];
