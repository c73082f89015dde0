// config-linux.md of runtime-spec 1.3, without cgroups and seccomp.
import { section } from '../requirement.ts';

const rdt = 'needs a processor with Resource Director Technology and a mounted resctrl';

export const linux = [
  ...section('config-linux.md#default-filesystems', [
    ['proc', 'SHOULD', '/proc is proc'],
    ['sys', 'SHOULD', '/sys is sysfs'],
    ['pts', 'SHOULD', '/dev/pts is devpts'],
    ['shm', 'SHOULD', '/dev/shm is tmpfs'],
  ]),
  ...section('config-linux.md#namespaces', [
    ['types', 'SHOULD', 'pid, network, mount, ipc, uts, user, cgroup and time are supported'],
    ['new', 'MUST', 'without path a new namespace is made'],
    ['inherit', 'MUST', 'a type that is not listed is inherited from the runtime'],
    ['path-absolute', 'MUST', 'path is absolute, in the mount namespace of the runtime'],
    ['path-join', 'MUST', 'with path the process is in that namespace'],
    ['path-type', 'MUST', 'a path of another type is an error'],
    ['duplicate', 'MUST', 'a type that appears twice is an error'],
    ['unknown', 'MUST', 'a type that is not known is an error'],
  ]),
  ...section('config-linux.md#user-namespace-mappings', [
    ['uid', 'PROPERTY', 'uidMappings map user ids'],
    ['gid', 'PROPERTY', 'gidMappings map group ids'],
    ['several', 'PROPERTY', 'several mappings hold together'],
    ['ownership', 'SHOULD NOT', 'the owners of files are not changed for the mapping'],
  ]),
  ...section('config-linux.md#offset-for-time-namespace', [
    ['monotonic', 'PROPERTY', 'timeOffsets.monotonic moves that clock'],
    ['boottime', 'PROPERTY', 'timeOffsets.boottime moves that clock'],
  ]),
  ...section('config-linux.md#devices', [
    ['available', 'MUST', 'listed devices are available inside'],
    ['mismatch', 'MUST', 'a file at path that is not the device asked for is an error'],
    ['anywhere', 'PROPERTY', 'path may be outside of /dev'],
    ['fileMode', 'PROPERTY', 'fileMode is the mode of the file'],
    ['owner', 'PROPERTY', 'uid and gid own the file'],
    ['numbers', 'PROPERTY', 'major and minor are required unless it is a fifo'],
    ['duplicate', 'SHOULD NOT', 'one device is not listed at two paths', 'about who writes a configuration'],
  ]),
  ...section('config-linux.md#default-devices', [
    ['null', 'MUST', '/dev/null is supplied'], ['zero', 'MUST', '/dev/zero is supplied'], ['full', 'MUST', '/dev/full is supplied'],
    ['random', 'MUST', '/dev/random is supplied'], ['urandom', 'MUST', '/dev/urandom is supplied'], ['tty', 'MUST', '/dev/tty is supplied'],
    ['console', 'MUST', '/dev/console is the terminal when terminal is set'],
    ['ptmx', 'MUST', '/dev/ptmx is the one of the devpts inside'],
  ]),
  ...section('runtime-linux.md#file-descriptors', [
    ['stdio', 'MUST', 'the process has standard input, output and error and no other descriptor of the runtime'],
    ['more', 'PROPERTY', 'a runtime may pass more on purpose, as the protocol of LISTEN_FDS asks'],
  ]),
  ...section('runtime-linux.md#dev-symbolic-links', [
    ['fd', 'MUST', '/dev/fd leads to /proc/self/fd'], ['stdin', 'MUST', '/dev/stdin leads to /proc/self/fd/0'],
    ['stdout', 'MUST', '/dev/stdout leads to /proc/self/fd/1'], ['stderr', 'MUST', '/dev/stderr leads to /proc/self/fd/2'],
  ]),
  ...section('config-linux.md#network-devices', [
    ['moved', 'MUST', 'a device of netDevices is moved into the network namespace of the container'],
    ['error', 'MUST', 'a device that is not there is an error'],
    ['name', 'MUST', 'name renames the device; a name that is taken is an error', 'refused by name or made by every runtime tried: see moved'],
    ['restore', 'MUST NOT', 'a runtime does not manage the device after it was moved', 'nothing outside can see that nothing is done'],
  ]),
  ...section('config-linux.md#memory-policy', [
    ['mode', 'MUST', 'memoryPolicy sets the NUMA policy of the process; a mode that is not known is an error'],
  ]),
  ...section('config-linux.md#intelrdt', [
    ['unavailable', 'MUST', 'intelRdt without a mounted resctrl is an error'],
    ['tasks', 'MUST', 'the process is in the group of closID', rdt], ['schemata', 'MUST', 'schemata are written, lines joined as told', rdt],
    ['untouched', 'MUST NOT', 'without intelRdt resctrl is not written to', rdt], ['closid', 'MUST', 'without closID the id is used; with one the group is made or compared', rdt],
    ['remove', 'MUST', 'a group that was made is removed by delete; one that was there stays', rdt],
  ]),
  ...section('config-linux.md#sysctl', [
    ['value', 'PROPERTY', 'sysctl sets parameters of the kernel in the namespaces of the container'],
  ]),
  ...section('config-linux.md#rootfs-mount-propagation', [
    ['shared', 'PROPERTY', 'rootfsPropagation shared'], ['slave', 'PROPERTY', 'rootfsPropagation slave'],
    ['private', 'PROPERTY', 'rootfsPropagation private'], ['unbindable', 'PROPERTY', 'rootfsPropagation unbindable'],
  ]),
  ...section('config-linux.md#masked-paths', [
    ['unreadable', 'MUST', 'masked paths cannot be read'],
    ['absolute', 'MUST', 'masked paths are absolute ones inside'],
  ]),
  ...section('config-linux.md#readonly-paths', [
    ['readonly', 'MUST', 'readonly paths cannot be written'],
    ['absolute', 'MUST', 'readonly paths are absolute ones inside'],
  ]),
  ...section('config-linux.md#mount-label', [
    ['label', 'PROPERTY', 'mountLabel is the SELinux context of mounts', 'needs a kernel that enforces SELinux'],
  ]),
  ...section('config-linux.md#personality', [
    ['domain', 'PROPERTY', 'personality.domain is the execution domain'],
    ['flags', 'PROPERTY', 'personality.flags has no values yet'],
  ]),
];
