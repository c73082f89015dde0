// Compiled filters in real processes: a small C program loads one with seccomp(2) and makes the calls it is told.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Seccomp } from '../../spec/config.ts';
import { bigProfile } from './profile.fixture.ts';
import { compileSeccomp } from './seccomp.ts';

const directory = mkdtempSync('/tmp/runt-seccomp-');

/** probe FILTER FLAGS NR,ARG,... prints the result of seccomp(2), then "RESULT ERRNO" of each call. */
const source = String.raw`
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
/* write(2) and nothing else: dprintf also calls fstat, which a strict profile kills. */
static void say(long result, int error)
{
	char line[64];
	if (write(1, line, snprintf(line, sizeof line, "%ld %d\n", result, error)) < 0)
		_exit(3);
}
int main(int argc, char **argv)
{
	static struct sock_filter code[4096];
	int fd = open(argv[1], O_RDONLY);
	struct sock_fprog program = { (unsigned short)(read(fd, code, sizeof code) / sizeof code[0]), code };
	close(fd);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	long loaded = syscall(SYS_seccomp, 1, strtoul(argv[2], 0, 0), &program);
	say(loaded, loaded < 0 ? errno : 0);
	for (int i = 3; i < argc; i++) {
		long word[7] = { 0 };
		char *at = argv[i];
		for (int j = 0; j < 7 && *at; j++, at += *at == ',')
			word[j] = (long)strtoull(at, &at, 0);
		errno = 0;
		long result = syscall(word[0], word[1], word[2], word[3], word[4], word[5], word[6]);
		say(result, errno);
	}
	return 0;
}
`;

const hasCompiler = spawnSync('cc', ['-O1', '-o', `${directory}/probe`, '-x', 'c', '-'], { input: source }).status === 0;
const kernel = suite('seccomp in the kernel');
const only = hasCompiler && process.arch === 'x64' ? kernel : kernel.skip;
kernel.after(() => rmSync(directory, { recursive: true }));

interface Outcome {
  /** The result of seccomp(2). */
  readonly loaded: number;
  readonly calls: readonly { readonly result: number; readonly errno: number }[];
  readonly signal: string | null;
}

function probe(seccomp: Seccomp, ...calls: (readonly (number | bigint)[])[]): Outcome {
  const { filter, flags } = compileSeccomp(seccomp);
  writeFileSync(`${directory}/filter`, filter);
  const child = spawnSync(`${directory}/probe`, [`${directory}/filter`, String(flags), ...calls.map((words) => words.join(','))], { encoding: 'utf8' });
  const lines = child.stdout.trim().split('\n').map((line) => line.split(' ').map(Number) as [number, number]);
  assert.ok(lines[0]![0] >= 0, `seccomp(2): errno ${lines[0]![1]}`);
  return { loaded: lines[0]![0], calls: lines.slice(1).map(([result, errno]) => ({ result, errno })), signal: child.signal };
}

const [GETPID, GETUID, PERSONALITY, SOCKET, UNSHARE] = [39, 102, 135, 41, 272];
const [EPERM, EACCES, ENOSYS, EAFNOSUPPORT] = [1, 13, 38, 97];
const rule = (names: readonly string[], action: string, more: object = {}): NonNullable<Seccomp['syscalls']>[number] => ({ names, action, ...more });

only('the big profile: a process runs, refused calls fail, newer ones answer ENOSYS', () => {
  const { calls, signal } = probe(bigProfile(), [GETPID], [UNSHARE, 0], [PERSONALITY, 0xffff_ffff], [PERSONALITY, 0x40000], [SOCKET, 1, 1, 0], [SOCKET, 40, 1, 0], [1000], [435, 0, 0]);
  assert.is(signal, null);
  assert.ok(calls[0]!.result > 0);
  assert.equal(calls.slice(1).map(({ errno }) => errno), [EPERM, 0, EPERM, 0, EPERM, ENOSYS, ENOSYS]);
});

only('errnoRet is what the call answers', () => {
  const { calls } = probe({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule(['getuid'], 'SCMP_ACT_ERRNO', { errnoRet: EACCES }), rule(['getpid'], 'SCMP_ACT_ERRNO')] }, [GETUID], [GETPID], [SOCKET, 9999, 0, 0]);
  assert.equal(calls.map(({ errno }) => errno), [EACCES, EPERM, EAFNOSUPPORT]);
});

only('KILL, KILL_PROCESS and TRAP end in SIGSYS', () => {
  for (const action of ['SCMP_ACT_KILL', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP']) {
    const { calls, signal } = probe({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule(['getuid'], action)] }, [GETPID], [GETUID], [GETPID]);
    assert.is(signal, 'SIGSYS', action);
    assert.is(calls.length, 1, 'nothing is answered any more');
  }
});

only('LOG lets the call through, TRACE without a tracer answers ENOSYS', () => {
  const { calls } = probe({ defaultAction: 'SCMP_ACT_ALLOW', flags: ['SECCOMP_FILTER_FLAG_LOG'], syscalls: [rule(['getpid'], 'SCMP_ACT_LOG'), rule(['getuid'], 'SCMP_ACT_TRACE')] }, [GETPID], [GETUID]);
  assert.ok(calls[0]!.result > 0);
  assert.is(calls[1]!.errno, ENOSYS);
});

only('several conditions on one argument are alternatives, on several arguments all must hold', () => {
  const eq = (index: number, value: number | bigint) => ({ index, op: 'SCMP_CMP_EQ', value });
  const syscalls = [
    rule(['getuid'], 'SCMP_ACT_ERRNO', { errnoRet: 100, args: [eq(0, 1), eq(0, 2n ** 63n)] }),
    rule(['getpid'], 'SCMP_ACT_ERRNO', { errnoRet: 101, args: [eq(0, 1), { index: 1, op: 'SCMP_CMP_MASKED_EQ', value: 0xf0, valueTwo: 0x30 }] }),
  ];
  const { calls } = probe({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }, [GETUID, 1], [GETUID, 2n ** 63n], [GETUID, 3], [GETPID, 1, 0x3f], [GETPID, 1, 0x4f], [GETPID, 0, 0x3f]);
  assert.equal(calls.map(({ errno }) => errno), [100, 100, 0, 101, 0, 0]);
});

only('a profile that allows five calls and kills the rest: newer calls answer ENOSYS, others die', () => {
  const seccomp: Seccomp = { defaultAction: 'SCMP_ACT_KILL_PROCESS', syscalls: [rule(['read', 'write', 'exit_group', 'getpid', 'openat2'], 'SCMP_ACT_ALLOW')] };
  const { calls, signal } = probe(seccomp, [GETPID], [438], [1000], [GETUID]);
  assert.equal([calls[0]!.errno, calls[1]!.errno, calls[2]!.errno, signal], [0, ENOSYS, ENOSYS, 'SIGSYS']);
});

only('NOTIFY gives a listener, every combination of flags is taken', () => {
  const syscalls = [rule(['getuid'], 'SCMP_ACT_NOTIFY')];
  assert.ok(probe({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }, [GETPID]).loaded > 2);
  assert.ok(probe({ defaultAction: 'SCMP_ACT_ALLOW', syscalls, flags: ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV', 'SECCOMP_FILTER_FLAG_TSYNC'] }, [GETPID]).loaded > 2);
  const every = ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'];
  assert.is(probe({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [rule(['getuid'], 'SCMP_ACT_ERRNO')], flags: every }, [GETUID]).calls[0]!.errno, EPERM);
});

const hides = hasCompiler && process.geteuid!() === 0 ? kernel : kernel.skip;

hides('without libseccomp.so.2 the error names the Debian package', () => {
  const child = `import(${JSON.stringify(`${import.meta.dirname}/seccomp.ts`)}).then(({ compileSeccomp }) => { try { compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW' }); console.log('compiled'); } catch (error) { console.log(error.name, error.message, error.details.hint); } })`;
  const script = 'for file in $(ldconfig -p | sed -n "s/.*libseccomp.so.2 .*=> //p"); do mount --bind /dev/null "$file"; done; exec "$@"';
  const { stdout } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', process.execPath, ...process.execArgv, '-e', child], { encoding: 'utf8' });
  assert.is(stdout.trim(), 'RuntimeError libseccomp.so.2 is not installed apt-get install libseccomp2');
});

kernel.run();
