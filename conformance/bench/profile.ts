// A seccomp profile of the size and shape of a manager's default: every call this architecture knows but those that reach the kernel or
// the host, rules on arguments, ENOSYS for clone3. Names come from the headers, so it grows with them.
import { execFileSync } from 'node:child_process';

/** Calls that a container has no use for, or that are decided by arguments. */
const left = new Set(('acct add_key bpf clock_adjtime clock_settime clone clone3 create_module delete_module finit_module fsconfig fsmount fsopen fspick get_kernel_syms get_mempolicy init_module ioperm iopl kcmp kexec_file_load '
  + 'kexec_load keyctl lookup_dcookie mbind migrate_pages mount mount_setattr move_mount move_pages nfsservctl open_by_handle_at open_tree perf_event_open personality pivot_root process_madvise ptrace query_module quotactl quotactl_fd reboot '
  + 'request_key set_mempolicy setdomainname sethostname setns settimeofday socket swapoff swapon sysfs umount umount2 unshare uselib userfaultfd ustat vhangup vm86 vm86old').split(' '));

const allowed = (value: number): object => ({ names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] });

/** linux.seccomp for config.json. */
export function defaultProfile(): object {
  const header = execFileSync('cc', ['-E', '-dM', '-include', 'sys/syscall.h', '-xc', '/dev/null'], { encoding: 'utf8' });
  const names = [...header.matchAll(/^#define __NR_(\w+) /gm)].map(([, name]) => name!).filter((name) => !left.has(name)).sort();
  const isArm = process.arch === 'arm64';
  return {
    defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 1, architectures: isArm ? ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'] : ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: [
      { names, action: 'SCMP_ACT_ALLOW' }, ...[0, 8, 0x20000, 0x20008, 0xffffffff].map(allowed),
      { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 40, op: 'SCMP_CMP_NE' }] },
      { names: ['clone'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }] },
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
    ],
  };
}
