// A profile of the size and shape managers send, built from the names libseccomp knows. For tests only.
import type { Seccomp } from '../../spec/config.ts';
import { viewMemory } from '../../native/linux/koffi.ts';
import { libseccomp } from '../../native/linux/libseccomp.ts';
import { text } from '../../native/linux/syscalls.ts';

const LONGEST_NAME = 40;

/** The system calls libseccomp knows for an architecture (`x86_64`), by number. */
export function knownNames(architecture: string): ReadonlyMap<number, string> {
  const token = Number(libseccomp('seccomp_arch_resolve_name')(text(architecture)));
  const names = new Map<number, string>();
  for (let number = 0; number < 512; number++) {
    const address = libseccomp('seccomp_syscall_resolve_num_arch')(token, number);
    if (!address) continue;
    const bytes = Buffer.from(viewMemory(BigInt(address), LONGEST_NAME));
    names.set(number, bytes.toString('latin1', 0, bytes.indexOf(0)));
  }
  return names;
}

/** What no container should call without being given the right to. */
export const refusedNames: readonly string[] = [
  'acct', 'add_key', 'bpf', 'delete_module', 'finit_module', 'fsconfig', 'fsmount', 'fsopen', 'fspick', 'get_mempolicy', 'init_module', 'ioperm', 'iopl', 'kcmp', 'kexec_file_load',
  'kexec_load', 'keyctl', 'lookup_dcookie', 'mbind', 'mount', 'mount_setattr', 'move_mount', 'move_pages', 'nfsservctl', 'open_by_handle_at', 'open_tree', 'perf_event_open', 'pivot_root',
  'quotactl', 'quotactl_fd', 'reboot', 'request_key', 'set_mempolicy', 'setdomainname', 'sethostname', 'setns', 'settimeofday', 'swapoff', 'swapon', 'syslog', 'umount2', 'umount',
  'unshare', 'uselib', 'userfaultfd', 'vhangup', '_sysctl',
];

const withArguments = ['personality', 'clone', 'clone3', 'socket'];
const CLONE_NAMESPACES = 0x7e02_0000;

/** Everything allowed but what is refused, some calls by their arguments, on three architectures: about 400 names. */
export function bigProfile(): Seccomp {
  const names = [...new Set([...knownNames('x86_64').values(), ...knownNames('x86').values()])].filter((name) => !refusedNames.includes(name) && !withArguments.includes(name)).sort();
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 1,
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
    syscalls: [
      { names, action: 'SCMP_ACT_ALLOW' },
      ...[0, 8, 0x20000, 0x20008, 0xffff_ffff].map((value) => ({ names: ['personality'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }] })),
      { names: ['clone'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: CLONE_NAMESPACES, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }] },
      { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
      { names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 40, op: 'SCMP_CMP_NE' }] },
    ],
  };
}
