// The stub in front of a seccomp filter that answers ENOSYS for system calls newer than the profile.
import { BPF_JMP_JA, BPF_JMP_JEQ_K, BPF_JMP_JGE_K, BPF_JMP_JGT_K, BPF_LD_W_ABS, BPF_RET_K, encodeSockFilters, SECCOMP_DATA_ARCH, SECCOMP_DATA_NR, type SockFilter } from './classic-bpf.ts';

/** An architecture of the profile: its libseccomp token and the highest system call number the profile names for it. */
export interface NamedUpTo {
  readonly token: number;
  readonly highest: number;
}

const AUDIT_ARCH_X86_64 = 0xc000_003e;
/** libseccomp's token of x32; the kernel shows x32 calls as AUDIT_ARCH_X86_64 with a bit set in the number. */
const SCMP_ARCH_X32 = 0x4000_003e;
const X32_SYSCALL_BIT = 0x4000_0000;
const SECCOMP_RET_ERRNO = 0x0005_0000;
const ENOSYS = 38;

const answer: SockFilter = [BPF_RET_K, 0, 0, SECCOMP_RET_ERRNO + ENOSYS];

/**
 * The stub as struct sock_filter[], empty when no architecture has a named call. What it does not answer falls through
 * to the filter behind it, and so does every call of an architecture that is not listed. Only instructions that the
 * kernel can follow without running them (load, compare, return), so its per-call bitmap of allowed calls still works.
 */
export function enosysStub(architectures: readonly NamedUpTo[]): Buffer {
  const x32 = architectures.find(({ token }) => token === SCMP_ARCH_X32);
  const named = architectures.filter(({ token, highest }) => token !== SCMP_ARCH_X32 && highest >= 0);
  const rows: SockFilter[] = [];
  // Built from the end: a block jumps over what follows it.
  for (const { token, highest } of [...named].reverse()) {
    const block = token === AUDIT_ARCH_X86_64 ? x86_64Block(highest, x32?.highest) : plainBlock(highest);
    const leave: readonly SockFilter[] = rows.length === 0 ? [] : [[BPF_JMP_JA, 0, 0, rows.length]];
    rows.unshift([BPF_JMP_JEQ_K, 0, block.length + leave.length, token], ...block, ...leave);
  }
  return rows.length === 0 ? Buffer.alloc(0) : encodeSockFilters([[BPF_LD_W_ABS, 0, 0, SECCOMP_DATA_ARCH], ...rows]);
}

const load: SockFilter = [BPF_LD_W_ABS, 0, 0, SECCOMP_DATA_NR];

function plainBlock(highest: number): readonly SockFilter[] {
  return [load, [BPF_JMP_JGT_K, 0, 1, highest], answer];
}

/** Without x32 in the profile nothing is above its highest number: its calls fall through, and libseccomp's part kills them. */
function x86_64Block(highest: number, x32 = 0xffff_ffff): readonly SockFilter[] {
  return [load, [BPF_JMP_JGE_K, 0, 1, X32_SYSCALL_BIT], [BPF_JMP_JGT_K, 1, 2, x32], [BPF_JMP_JGT_K, 0, 1, highest], answer];
}
