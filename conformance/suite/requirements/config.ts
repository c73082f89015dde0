// config.md of runtime-spec 1.3, without hooks.
import { section } from '../requirement.ts';

const windows = 'Windows only';

export const config = [
  ...section('config.md#specification-version', [
    ['semver', 'MUST', 'ociVersion is a version in the form of SemVer 2.0.0'],
    ['compatible', 'PROPERTY', 'configurations of one major version are accepted by all its runtimes'],
  ]),
  ...section('config.md#root', [
    ['directory', 'MUST', 'a directory is at root.path'],
    ['readonly', 'MUST', 'root.readonly makes the root filesystem read-only inside'],
    ['relative', 'PROPERTY', 'root.path is absolute, or relative to the bundle'],
    ['name', 'SHOULD', 'the directory is called rootfs by convention', 'about who writes a bundle'],
    ['windows', 'MUST', 'the volume of a container on Windows', windows],
  ]),
  ...section('config.md#mounts', [
    ['order', 'MUST', 'mounts are made in the order of the list'],
    ['destination-absolute', 'SHOULD', 'destination is an absolute path'],
    ['destination-relative', 'SHOULD', 'a relative destination is taken as below the root'],
    ['bind-source', 'PROPERTY', 'the source of a bind mount is a path, relative ones below the bundle'],
    ['bind-type', 'PROPERTY', 'bind or rbind among the options makes a bind mount whatever type says'],
    ['type', 'PROPERTY', 'type names a filesystem of the kernel'],
    ['unknown-option', 'PROPERTY', 'an option that is none of the table goes to the filesystem as data'],
    ['same-mapping', 'MUST', 'uidMappings and gidMappings of a mount make it an idmapped one'],
    ['mapping-both', 'PROPERTY', 'a mapping of a mount is for users and groups: both or neither'],
    ['windows', 'MUST NOT', 'destinations of Windows do not nest', windows],
  ]),
  ...section('config.md#linux-mount-options', [
    ['required', 'MUST', 'options that the table marks so are supported by a runtime'],
    ['fail', 'MUST', 'a filesystem option the kernel refuses is an error'],
    ['remount', 'SHOULD', 'the option remount is supported'],
    ['recursive', 'SHOULD', 'the options of the table that begin with r change a mount and all below it'],
    ['propagation', 'MUST', 'the propagation options are supported'],
    ['idmap', 'SHOULD', 'idmap and ridmap make an idmapped mount'],
    ['tmpcopyup', 'SHOULD', 'tmpcopyup copies what the mount covers'],
    ['symfollow', 'SHOULD', 'nosymfollow is supported'],
    ['iversion', 'SHOULD', 'iversion, lazytime, mand, silent and their opposites are understood'],
  ]),
  ...section('config.md#process', [
    ['absent', 'MUST', 'process is there when start is called'],
    ['terminal', 'PROPERTY', 'terminal attaches a pseudo terminal; the standard streams are its slave'],
    ['consoleSize', 'MUST', 'consoleSize is ignored where terminal is false or absent'],
    ['consoleSize-applied', 'PROPERTY', 'consoleSize is the size of the terminal'],
    ['cwd', 'MUST', 'cwd is an absolute path, and the working directory'],
    ['env', 'PROPERTY', 'env is the environment, with the meaning of environ'],
    ['args', 'MUST', 'args has at least one entry, and is argv'],
    ['args-path', 'PROPERTY', 'a name without a slash is looked for in PATH'],
    ['commandLine', 'MUST', 'commandLine, a word of Windows', windows],
  ]),
  ...section('config.md#posix-process', [
    ['rlimits-mapping', 'MUST', 'a type that the system does not know is an error'],
    ['rlimits-duplicate', 'MUST', 'a type that appears twice is an error'],
    ['rlimits-soft', 'PROPERTY', 'soft is what is enforced'],
    ['rlimits-hard', 'PROPERTY', 'hard is the ceiling of soft'],
  ]),
  ...section('config.md#linux-process', [
    ['apparmorProfile', 'PROPERTY', 'apparmorProfile names the profile of the process', 'needs a kernel that enforces AppArmor and a loaded profile'],
    ['capabilities-effective', 'PROPERTY', 'effective is the effective set'],
    ['capabilities-bounding', 'PROPERTY', 'bounding is the bounding set'],
    ['capabilities-inheritable', 'PROPERTY', 'inheritable is the inheritable set'],
    ['capabilities-permitted', 'PROPERTY', 'permitted is the permitted set'],
    ['capabilities-ambient', 'PROPERTY', 'ambient is the ambient set'],
    ['capabilities-unknown', 'SHOULD', 'a name that does not map to a capability of the kernel is reported and left out (1.0: an error)'],
    ['noNewPrivileges', 'PROPERTY', 'noNewPrivileges sets the bit of prctl(2)'],
    ['oomScoreAdj', 'MUST', 'oomScoreAdj is the value of /proc/PID/oom_score_adj'],
    ['oomScoreAdj-absent', 'MUST NOT', 'without oomScoreAdj the value is left as it is'],
    ['scheduler', 'PROPERTY', 'scheduler is the policy, nice value, priority and flags of the process'],
    ['selinuxLabel', 'PROPERTY', 'selinuxLabel is the label of the process', 'needs a kernel that enforces SELinux'],
    ['ioPriority', 'PROPERTY', 'ioPriority is the class and level of ioprio_set(2)'],
    ['execCPUAffinity', 'PROPERTY', 'execCPUAffinity.final is the affinity of a process that is added later'],
    ['execCPUAffinity-initial', 'PROPERTY', 'execCPUAffinity.initial holds while the process is being moved into its cgroup', 'over before the process can look'],
  ]),
  ...section('config.md#user', [
    ['uid', 'PROPERTY', 'uid is the user inside'],
    ['gid', 'PROPERTY', 'gid is the group inside'],
    ['umask', 'PROPERTY', 'umask is the mask of file creation'],
    ['umask-absent', 'SHOULD NOT', 'without umask that of the caller is left (runc and crun set 022)', 'runtimes agree on 022, which the section allows to be stated by them'],
    ['additionalGids', 'PROPERTY', 'additionalGids are the supplementary groups'],
    ['username', 'PROPERTY', 'username, a word of Windows', windows],
  ]),
  ...section('config.md#hostname', [
    ['hostname', 'PROPERTY', 'hostname is the name of the host inside'],
    ['namespace', 'PROPERTY', 'hostname needs a UTS namespace of the container'],
  ]),
  ...section('config.md#domainname', [
    ['domainname', 'PROPERTY', 'domainname is the NIS domain inside'],
  ]),
  ...section('config.md#platform-specific-configuration', [
    ['linux', 'MUST', 'the key linux is used by runtimes of Linux'],
    ['others', 'PROPERTY', 'keys of other platforms do not concern a runtime of Linux'],
  ]),
  ...section('config.md#annotations', [
    ['map', 'MUST', 'annotations is a map'],
    ['strings', 'MUST', 'values are strings; they may be empty'],
    ['key', 'MUST NOT', 'a key is not empty'],
    ['unknown', 'MUST NOT', 'an unknown key is no error'],
    ['reverse-domain', 'SHOULD', 'keys are written as reversed domains', 'about who writes annotations'],
    ['reserved', 'MUST NOT', 'the prefix org.opencontainers is not for others', 'about who writes annotations'],
  ]),
  ...section('config.md#extensibility', [
    ['unknown', 'MUST NOT', 'an unknown property is no error: it is ignored'],
  ]),
  ...section('config.md#valid-values', [
    ['invalid', 'MUST', 'a value that is invalid or not supported is an error'],
  ]),
];
