// What no sentence of the runtime-spec says and users rely on all the same: the command line as managers call it, what must not be
// possible, and figures that are reported without judgement.
import { section } from '../requirement.ts';

export const beyond = [
  ...section('callers#global', [
    ['version', 'CALLER', '--version prints name, version and the spec line'], ['root', 'CALLER', '--root holds containers apart'],
    ['log-json', 'CALLER', '--log FILE --log-format json: errors are objects with level, msg and time'], ['help', 'CALLER', '--help ends with 0'],
    ['unknown', 'CALLER', 'an unknown command or flag is an error'], ['repeated', 'CALLER', 'a global flag may be given twice'],
    ['environment', 'CALLER', 'no environment is needed: managers call without PATH and HOME'], ['cwd', 'CALLER', 'the bundle is the working directory by default'],
  ]),
  ...section('callers#create', [
    ['pid-file', 'CALLER', '--pid-file holds the pid in decimal and nothing else'], ['console-socket', 'CALLER', '--console-socket gets the master of the terminal, one descriptor with some data'],
    ['console-rules', 'CALLER', 'a terminal needs a console socket in create, a console socket needs a terminal'], ['preserve-fds', 'CALLER', '--preserve-fds passes descriptors from 3 on'],
    ['listen-fds', 'CALLER', 'LISTEN_FDS passes descriptors and LISTEN_PID is 1'], ['no-pivot', 'CALLER', '--no-pivot works in a ramdisk, and elsewhere'],
    ['no-new-keyring', 'CALLER', '--no-new-keyring keeps the session keyring'], ['stdio', 'CALLER', 'the standard streams of create are those of the process'],
    ['parent', 'CALLER', 'the process is a child of the caller of create: managers wait for it as a subreaper'],
  ]),
  ...section('callers#run', [
    ['exit', 'CALLER', 'run ends as the process ended, 128 + signal where one ended it'], ['detach', 'CALLER', 'run --detach returns while the process runs'],
    ['keep', 'CALLER', 'run --keep leaves the container to delete'], ['gone', 'CALLER', 'run leaves nothing'], ['stdin', 'CALLER', 'run passes standard input on'],
    ['signals', 'CALLER', 'signals to run reach the process'],
  ]),
  ...section('callers#exec', [
    ['exit', 'CALLER', 'exec ends as the process ended'], ['inside', 'CALLER', 'the process is in the namespaces and the cgroup of the container'],
    ['process', 'CALLER', 'exec --process FILE takes a whole process object'], ['flags', 'CALLER', 'exec --env --cwd --user change the process'],
    ['detach', 'CALLER', 'exec --detach --pid-file returns while the process runs'], ['stopped', 'CALLER', 'exec in a stopped container is an error'],
    ['confined', 'CALLER', 'capabilities, filter and no_new_privs of the container hold for exec'],
  ]),
  ...section('callers#kill', [
    ['names', 'CALLER', 'a signal is a name with or without SIG, or a number'], ['default', 'CALLER', 'the default is TERM'], ['unknown', 'CALLER', 'an unknown signal is an error'],
    ['text', 'CALLER', 'a stopped container: the text says "container not running"'], ['all', 'CALLER', '--all reaches every process of the container'],
    ['namespace', 'CALLER', 'KILL of a container that shares a pid namespace ends all its processes'],
  ]),
  ...section('callers#delete', [['force', 'CALLER', 'delete --force ends what runs'], ['force-unknown', 'CALLER', 'delete --force of nothing succeeds'], ['text', 'CALLER', 'an unknown container: the text says "does not exist"']]),
  ...section('callers#state', [['created', 'CALLER', 'created is a time of RFC 3339'], ['rootfs', 'CALLER', 'rootfs is absolute'], ['pid-stopped', 'CALLER', 'the pid of a stopped container is 0']]),
  ...section('callers#list', [['json', 'CALLER', 'list --format json is an array of states'], ['quiet', 'CALLER', 'list --quiet prints ids'], ['table', 'CALLER', 'list prints a table']]),
  ...section('callers#others', [
    ['ps', 'CALLER', 'ps --format json is an array of pids'], ['pause', 'CALLER', 'pause freezes, state says paused, resume thaws'], ['update', 'CALLER', 'update --resources - changes limits'],
    ['spec', 'CALLER', 'spec writes a config.json that runs'], ['features-quiet', 'CALLER', 'features writes nothing to standard error'], ['events', 'CALLER', 'events --stats prints one JSON object'],
  ]),
  ...section('callers#errors', [
    ['not-found', 'CALLER', 'a program that is missing: "no such file or directory" or "executable file not found"'], ['permission', 'CALLER', 'a program that may not be run: "permission denied"'],
    ['stderr', 'CALLER', 'an error is on standard error, and the status is not 0'], ['at-create', 'CALLER', 'a program that is missing is an error of create, not of start'],
  ]),
  ...section('security#host', [
    ['descriptors', 'SECURITY', 'no descriptor of the host is inherited (CVE-2024-21626)'], ['binary', 'SECURITY', 'the binary of the runtime cannot be opened for writing through /proc (CVE-2019-5736)'],
    ['environment', 'SECURITY', 'nothing of the environment of the caller comes in'], ['cwd', 'SECURITY', 'the working directory is not one of the host (CVE-2024-21626)'],
    ['mounts', 'SECURITY', 'no mount of the host is visible inside'], ['keyring', 'SECURITY', 'the session keyring of the caller is not inherited'],
    ['signals', 'SECURITY', 'no signal is blocked or ignored because of the runtime'], ['propagation', 'SECURITY', 'mounts made inside do not appear on the host'],
    ['death', 'SECURITY', 'the parent-death signal of the runtime is not inherited'], ['session', 'SECURITY', 'the process has a session of its own'],
    ['groups', 'SECURITY', 'no supplementary group of the caller is inherited (CVE-2022-2995)'], ['affinity', 'SECURITY', 'the affinity of the caller is not inherited'],
  ]),
  ...section('security#rootfs', [
    ['symlink', 'SECURITY', 'a link in the rootfs does not lead a mount out of it (CVE-2021-30465, CVE-2025-31133)'], ['proc-link', 'SECURITY', '/proc of the rootfs is not followed when it is a link (CVE-2019-19921)'],
    ['dev-link', 'SECURITY', 'no device is made through a link of the rootfs (CVE-2025-52565)'], ['masked-link', 'SECURITY', 'a masked path that is a link is not masked on the host (CVE-2025-31133)'],
    ['cwd-link', 'SECURITY', 'cwd is made below the rootfs only'],
  ]),
  ...section('security#privileges', [
    ['capabilities', 'SECURITY', 'no capability but those listed, inheritable ones empty (CVE-2022-24769)'], ['setuid', 'SECURITY', 'another user has no capability'], ['no-raise', 'SECURITY', 'no_new_privs cannot be undone'],
    ['filter-tight', 'SECURITY', 'a filter that allows little lets no call of the runtime be needed after it'], ['devices', 'SECURITY', 'devices that are not allowed cannot be opened (CVE-2022-29162 family)'],
    ['sysfs', 'SECURITY', 'masked and read-only paths cannot be undone without CAP_SYS_ADMIN'], ['dumpable', 'SECURITY', 'the process waiting for start cannot be read by another user namespace root'],
  ]),
  ...section('figures#time', [
    ['parallel', 'FIGURE', 'several containers at once all succeed'], ['mounts', 'FIGURE', 'a hundred mounts'], ['environment', 'FIGURE', 'a large environment'], ['cycles', 'FIGURE', 'the same id many times leaves nothing'],
    ['memory', 'FIGURE', 'memory of a container that waits for start'], ['big-config', 'FIGURE', 'a configuration of a megabyte'], ['processes', 'FIGURE', 'processes that wait for start on behalf of a container'],
  ]),
];
