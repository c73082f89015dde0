// config-linux.md, seccomp: what a filter does to system calls.
import { existsSync } from 'node:fs';
import type { Box } from '../box.ts';
import { group } from '../case.ts';
import { differ, equal, excludes, fail, includes, match, ok, skip } from '../check.ts';
import type { Json } from '../config.ts';
import { statusField, type Line } from '../facts.ts';
import { machine } from '../host.ts';

const test = group('seccomp');
const own = machine === 'aarch64' ? 'SCMP_ARCH_AARCH64' : 'SCMP_ARCH_X86_64';

/** Runs the probe under a profile; what it printed. */
async function under(box: Box, profile: Json, words: readonly string[]): Promise<readonly Line[]> {
  return box.probe(words, (config) => (config.linux['seccomp'] = profile));
}
const allowBut = (...syscalls: Json[]): Json => ({ defaultAction: 'SCMP_ACT_ALLOW', architectures: [own], syscalls });
const call = async (box: Box, profile: Json, ...words: string[]): Promise<Line['syscall']> => (await under(box, profile, ['syscall', ...words]))[0]?.syscall;

test('config-linux.md#seccomp/defaultAction', 'a filter is loaded', async (box) => {
  const [line] = await under(box, allowBut({ names: ['acct'], action: 'SCMP_ACT_ERRNO' }), ['facts']);
  equal(statusField(line!.facts!, 'Seccomp'), '2', 'Seccomp of /proc/self/status');
});
test('config-linux.md#seccomp/defaultAction', 'without seccomp there is no filter', async (box) => equal(statusField(await box.facts(), 'Seccomp'), '0', 'Seccomp of /proc/self/status'));
test('config-linux.md#seccomp/defaultAction', 'calls that nothing matches are allowed', async (box) => equal((await call(box, allowBut({ names: ['acct'], action: 'SCMP_ACT_ERRNO' }), 'getuid'))?.errno, '0', 'getuid'));
test('config-linux.md#seccomp/errnoRet', 'EPERM by default', async (box) => equal((await call(box, allowBut({ names: ['getpriority'], action: 'SCMP_ACT_ERRNO' }), 'getpriority', '0', '0'))?.errno, 'EPERM', 'getpriority'));
test('config-linux.md#seccomp/errnoRet', 'an errno of choice', async (box) => equal((await call(box, allowBut({ names: ['getpriority'], action: 'SCMP_ACT_ERRNO', errnoRet: 33 }), 'getpriority', '0', '0'))?.errno, 'EDOM', 'getpriority'));
test('config-linux.md#seccomp/errnoRet', 'an errno for several names', async (box) => {
  const lines = await under(box, allowBut({ names: ['getpriority', 'personality'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }), ['syscall', 'getpriority', '0', '0', ',', 'syscall', 'personality', '0xffffffff']);
  equal(lines.map((line) => line.syscall?.errno), ['ENOSYS', 'ENOSYS'], 'errno');
});
for (const [action, check] of [['SCMP_ACT_KILL', 31], ['SCMP_ACT_KILL_THREAD', 31], ['SCMP_ACT_KILL_PROCESS', 31], ['SCMP_ACT_TRAP', 31]] as const) {
  test('config-linux.md#seccomp/action', `${action} ends the process`, async (box) => equal((await call(box, allowBut({ names: ['getpriority'], action }), 'getpriority', '0', '0'))?.signal, check, 'signal'));
}
test('config-linux.md#seccomp/action', 'SCMP_ACT_TRACE without a tracer is ENOSYS', async (box) => equal((await call(box, allowBut({ names: ['getpriority'], action: 'SCMP_ACT_TRACE' }), 'getpriority', '0', '0'))?.errno, 'ENOSYS', 'getpriority'));
for (const action of ['SCMP_ACT_LOG', 'SCMP_ACT_ALLOW']) test('config-linux.md#seccomp/action', `${action} lets it through`, async (box) => equal((await call(box, { ...allowBut({ names: ['getpriority'], action }), defaultAction: 'SCMP_ACT_LOG' }, 'getpriority', '0', '0'))?.errno, '0', 'getpriority'));
test('config-linux.md#seccomp/action-unknown', 'an unknown action is refused', async (box) => void (await box.refused((config) => (config.linux['seccomp'] = allowBut({ names: ['acct'], action: 'SCMP_ACT_NOSUCH' })))));
test('config-linux.md#seccomp/action-unknown', 'an unknown default action is refused', async (box) => void (await box.refused((config) => (config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_NOSUCH' }))));
test('config-linux.md#seccomp/names', 'no name at all is refused', async (box) => void (await box.refused((config) => (config.linux['seccomp'] = allowBut({ names: [], action: 'SCMP_ACT_ERRNO' })))));
test('config-linux.md#seccomp/unknown-call', 'a name no kernel knows', async (box) => equal((await call(box, allowBut({ names: ['nosuchcall', 'getpriority'], action: 'SCMP_ACT_ERRNO' }), 'getpriority', '0', '0'))?.errno, 'EPERM', 'getpriority'));
for (const action of ['SCMP_ACT_KILL', 'SCMP_ACT_ALLOW', 'SCMP_ACT_LOG']) test('config-linux.md#seccomp/errnoRet-action', `errnoRet of ${action} is refused`, async (box) => void (await box.refused((config) => (config.linux['seccomp'] = { ...allowBut({ names: ['acct'], action, errnoRet: 1 }), defaultAction: 'SCMP_ACT_ERRNO' }))));
test('config-linux.md#seccomp/defaultErrnoRet-action', 'defaultErrnoRet of SCMP_ACT_ALLOW is refused', async (box) => void (await box.refused((config) => (config.linux['seccomp'] = { ...allowBut(), defaultErrnoRet: 1 }))));

/** Calls a static program makes on its way through the probe; everything else gets the default. */
const needed = ('execve exit_group exit write read close openat open fstat newfstatat brk mmap munmap mprotect arch_prctl set_tid_address set_robust_list rseq prlimit64 getrandom readlinkat readlink fork vfork clone clone3 wait4 pipe pipe2 rt_sigaction rt_sigprocmask rt_sigreturn '
  + 'futex fcntl lseek ioctl uname getpid getppid gettid tgkill kill madvise sigaltstack sched_yield capget capset prctl setuid setgid setgroups getuid geteuid getgid getegid setresuid setresgid chdir fchdir getcwd dup dup2 dup3 poll ppoll epoll_wait epoll_pwait epoll_ctl epoll_create1 '
  + 'sched_getaffinity nanosleep clock_nanosleep statfs fstatfs getdents64 faccessat faccessat2 access stat lstat statx unshare setsid umask connect socket sendmsg recvmsg sendto recvfrom shutdown execveat close_range seccomp sysinfo eventfd2 restart_syscall').split(' ');
const allowList = (...more: Json[]): Json => ({ defaultAction: 'SCMP_ACT_ERRNO', architectures: [own], syscalls: [{ names: needed, action: 'SCMP_ACT_ALLOW' }, ...more] });
test('config-linux.md#seccomp/defaultErrnoRet', 'the default errno is EPERM', async (box) => equal((await call(box, allowList(), 'getpriority', '0', '0'))?.errno, 'EPERM', 'getpriority'));
test('config-linux.md#seccomp/defaultErrnoRet', 'a default errno of choice', async (box) => equal((await call(box, { ...allowList(), defaultErrnoRet: 33 }, 'getpriority', '0', '0'))?.errno, 'EDOM', 'getpriority'));

const operators: readonly (readonly [string, readonly (readonly [number, boolean])[], number?])[] = [['SCMP_CMP_EQ', [[5, true], [6, false]]], ['SCMP_CMP_NE', [[5, false], [6, true]]], ['SCMP_CMP_LT', [[4, true], [5, false]]], ['SCMP_CMP_LE', [[5, true], [6, false]]], ['SCMP_CMP_GT', [[6, true], [5, false]]], ['SCMP_CMP_GE', [[5, true], [4, false]]], ['SCMP_CMP_MASKED_EQ', [[0x15, true], [0x16, false]], 5]];
for (const [op, samples, two] of operators) {
  test('config-linux.md#seccomp/args', op, async (box) => {
    const profile = allowBut({ names: ['setpriority'], action: 'SCMP_ACT_ERRNO', errnoRet: 33, args: [{ index: 1, value: two === undefined ? 5 : 0x0f, ...(two === undefined ? {} : { valueTwo: two }), op }] });
    const lines = await under(box, profile, samples.flatMap(([value], index) => [...(index > 0 ? [','] : []), 'syscall', 'setpriority', '9', String(value), '0']));
    equal(lines.map((line) => line.syscall?.errno === 'EDOM'), samples.map(([, hit]) => hit), `matches of ${samples.map(([value]) => value).join(', ')}`);
  });
}
test('config-linux.md#seccomp/args', 'several arguments must all match', async (box) => {
  const profile = allowBut({ names: ['setpriority'], action: 'SCMP_ACT_ERRNO', errnoRet: 33, args: [{ index: 0, value: 9, op: 'SCMP_CMP_EQ' }, { index: 1, value: 5, op: 'SCMP_CMP_EQ' }] });
  const lines = await under(box, profile, ['syscall', 'setpriority', '9', '5', '0', ',', 'syscall', 'setpriority', '9', '6', '0', ',', 'syscall', 'setpriority', '8', '5', '0']);
  equal(lines.map((line) => line.syscall?.errno === 'EDOM'), [true, false, false], 'matches');
});
test('config-linux.md#seccomp/args', 'a value above 32 bits', async (box) => {
  const profile = allowBut({ names: ['personality'], action: 'SCMP_ACT_ERRNO', errnoRet: 33, args: [{ index: 0, value: 4294967296 + 7, op: 'SCMP_CMP_EQ' }] });
  const lines = await under(box, profile, ['syscall', 'personality', '0x100000007', ',', 'syscall', 'personality', '0xffffffff']);
  equal(lines.map((line) => line.syscall?.errno), ['EDOM', '0'], 'errno');
});
test('config-linux.md#seccomp/args', 'an index above five is refused', async (box) => void (await box.refused((config) => (config.linux['seccomp'] = allowBut({ names: ['acct'], action: 'SCMP_ACT_ERRNO', args: [{ index: 6, value: 1, op: 'SCMP_CMP_EQ' }] })))));
test('config-linux.md#seccomp/args', 'an unknown operator is refused', async (box) => void (await box.refused((config) => (config.linux['seccomp'] = allowBut({ names: ['acct'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 1, op: 'SCMP_CMP_NOSUCH' }] })))));
test('config-linux.md#seccomp/architectures', 'more than the own architecture', async (box) => equal((await call(box, { ...allowBut({ names: ['getpriority'], action: 'SCMP_ACT_ERRNO' }), architectures: machine === 'aarch64' ? [own, 'SCMP_ARCH_ARM'] : [own, 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'] }, 'getpriority', '0', '0'))?.errno, 'EPERM', 'getpriority'));
test('config-linux.md#seccomp/architectures', 'no architectures: the own one', async (box) => equal((await call(box, { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['getpriority'], action: 'SCMP_ACT_ERRNO' }] }, 'getpriority', '0', '0'))?.errno, 'EPERM', 'getpriority'));
test('config-linux.md#seccomp/architectures', 'an unknown architecture is refused', async (box) => void (await box.refused((config) => (config.linux['seccomp'] = { ...allowBut({ names: ['acct'], action: 'SCMP_ACT_ERRNO' }), architectures: ['SCMP_ARCH_NOSUCH'] }))));
for (const flag of ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'SECCOMP_FILTER_FLAG_TSYNC']) {
  test('config-linux.md#seccomp/flags', flag, async (box) => equal((await call(box, { ...allowBut({ names: ['getpriority'], action: 'SCMP_ACT_ERRNO' }), flags: [flag] }, 'getpriority', '0', '0'))?.errno, 'EPERM', 'getpriority'));
}
test('config-linux.md#seccomp/flags', 'an unknown flag is refused', async (box) => void (await box.refused((config) => (config.linux['seccomp'] = { ...allowBut({ names: ['acct'], action: 'SCMP_ACT_ERRNO' }), flags: ['SECCOMP_FILTER_FLAG_NOSUCH'] }))));
for (const noNewPrivileges of [true, false]) {
  test('config-linux.md#seccomp/action', `a filter with noNewPrivileges ${noNewPrivileges} and another user`, async (box) => {
    const [line] = await box.probe(['syscall', 'getpriority', '0', '0'], (config) => {
      Object.assign(config.process, { noNewPrivileges, user: { uid: 1000, gid: 1000 } });
      config.linux['seccomp'] = allowBut({ names: ['getpriority'], action: 'SCMP_ACT_ERRNO', errnoRet: 33 });
    });
    equal(line?.syscall?.errno, 'EDOM', 'getpriority');
  });
}
test('config-linux.md#seccomp/listenerPath-ignored', 'listenerPath without SCMP_ACT_NOTIFY', async (box) => equal((await call(box, { ...allowBut({ names: ['getpriority'], action: 'SCMP_ACT_ERRNO' }), listenerPath: box.path('nobody') }, 'getpriority', '0', '0'))?.errno, 'EPERM', 'getpriority'));

const notifying = (socket: string): Json => ({ ...allowBut({ names: ['getpriority'], action: 'SCMP_ACT_NOTIFY' }), listenerPath: socket, listenerMetadata: 'some metadata' });
/** A container whose getpriority is answered by the probe outside with EDOM: the process state that came, and what the process saw. */
async function listened(box: Box): Promise<{ id: string; pid: number; count: number; link: string; message: Record<string, any>; bundle: string; seen: Line | undefined }> {
  const socket = box.path('listener'), receiver = box.spawn(box.settings.probe, ['receive', socket, 'seccomp']);
  await box.until('the socket is there', () => existsSync(socket) && receiver.output().includes('ready'));
  const bundle = box.bundle(['syscall', 'getpriority', '0', '0', ',', 'sleep'], (config) => (config.linux['seccomp'] = notifying(socket))), id = box.id();
  const created = box.launch(['create', '--bundle', bundle, id]), result = await created.done;
  if (result.code !== 0) fail(`create: ${result.stderr.trim()}`);
  const pid = await box.pid(id);
  await box.must(['start', id]);
  await box.until('the call is answered', () => created.output().includes('syscall'));
  const line = JSON.parse(receiver.output().split('\n')[1]!) as { count: number; link: string; data: string };
  return { id, pid, bundle, count: line.count, link: line.link, message: JSON.parse(line.data) as Record<string, any>, seen: JSON.parse(created.output().split('\n')[0]!) as Line };
}
test('config-linux.md#seccomp/listenerPath', 'the listener is sent and answers', async (box) => {
  const { seen, count, link } = await listened(box);
  equal([seen?.syscall?.errno, count], ['EDOM', 1], 'what the process saw');
  includes(link, 'seccomp', 'the descriptor');
});
test('config-linux.md#the-container-process-state/json', 'the payload is one object', async (box) => equal(typeof (await listened(box)).message['ociVersion'], 'string', 'ociVersion'));
test('config-linux.md#the-container-process-state/fds', 'fds names the descriptor', async (box) => equal((await listened(box)).message['fds'], ['seccompFd'], 'fds'));
test('config-linux.md#the-container-process-state/pid', 'pid is the process', async (box) => {
  const { message, pid } = await listened(box);
  equal(message['pid'], pid, 'pid');
});
test('config-linux.md#the-container-process-state/metadata', 'metadata is listenerMetadata', async (box) => equal((await listened(box)).message['metadata'], 'some metadata', 'metadata'));
test('config-linux.md#the-container-process-state/state', 'state is the state', async (box) => {
  const { message, id, bundle } = await listened(box);
  equal([message['state'].id, message['state'].bundle], [id, bundle], 'id and bundle');
});
test('config-linux.md#seccomp/listenerPath-error', 'nobody listens: an error', async (box) => {
  const bundle = box.bundle(['facts'], (config) => (config.linux['seccomp'] = notifying(box.path('nobody'))));
  const result = await box.call(['run', '--bundle', bundle, box.id()]);
  differ(result.code, 0, 'exit status');
  excludes(result.stdout, 'facts', 'output of the program');
});
test('security#privileges/filter-tight', 'a filter that allows execve and write alone', async (box) => {
  const result = await box.call(['run', '--bundle', box.bundle(['say', 'hello'], (config) => (config.linux['seccomp'] = {
    defaultAction: 'SCMP_ACT_ERRNO', architectures: [own],
    syscalls: [{ names: 'execve write exit_group brk arch_prctl set_tid_address set_robust_list rseq prlimit64 readlinkat getrandom mprotect mmap munmap'.split(' '), action: 'SCMP_ACT_ALLOW' }],
  })), box.id()]);
  if (result.code !== 0 && /seccomp|permitted|init/i.test(result.stderr)) fail(result.stderr.trim());
  includes(result.stdout, 'hello', 'output');
});
test('config-linux.md#seccomp/action', 'a profile of four hundred names', async (box) => {
  const names = Array.from({ length: 400 }, (_, index) => `nosuch${index}`);
  const line = await call(box, allowBut({ names: [...names, 'getpriority'], action: 'SCMP_ACT_ERRNO' }), 'getpriority', '0', '0');
  equal(line?.errno, 'EPERM', 'getpriority');
});
test('config-linux.md#seccomp/args', 'the same call in two rules', async (box) => {
  if (machine !== 'x86_64') skip('numbers of x86-64');
  const rule = (value: number, errnoRet: number): Json => ({ names: ['setpriority'], action: 'SCMP_ACT_ERRNO', errnoRet, args: [{ index: 1, value, op: 'SCMP_CMP_EQ' }] });
  const lines = await under(box, allowBut(rule(5, 33), rule(6, 34)), ['syscall', 'setpriority', '9', '5', '0', ',', 'syscall', 'setpriority', '9', '6', '0']);
  equal(lines.map((line) => line.syscall?.errno), ['EDOM', 'ERANGE'], 'errno');
  ok(lines.length === 2, 'two lines');
  match(JSON.stringify(lines), /EDOM/, 'lines');
});
