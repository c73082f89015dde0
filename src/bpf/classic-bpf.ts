// Classic BPF as seccomp(2) takes it: struct sock_filter, 8 bytes each (kernel doc networking/filter).

export const BPF_LD_W_ABS = 0x20;
export const BPF_JMP_JA = 0x05;
export const BPF_JMP_JEQ_K = 0x15;
export const BPF_JMP_JGT_K = 0x25;
export const BPF_JMP_JGE_K = 0x35;
export const BPF_RET_K = 0x06;

/** Offsets in struct seccomp_data. */
export const SECCOMP_DATA_NR = 0;
export const SECCOMP_DATA_ARCH = 4;

export const SOCK_FILTER_SIZE = 8;
/** The longest filter the kernel takes, in instructions. */
export const BPF_MAXINSNS = 4096;

/** code, jump when true, jump when false, constant. */
export type SockFilter = readonly [code: number, jt: number, jf: number, k: number];

/** struct sock_filter[] in the byte order of x86-64 and aarch64. */
export function encodeSockFilters(rows: readonly SockFilter[]): Buffer {
  const bytes = Buffer.alloc(SOCK_FILTER_SIZE * rows.length);
  rows.forEach(([code, jt, jf, k], index) => {
    const at = SOCK_FILTER_SIZE * index;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(jt, at + 2);
    bytes.writeUInt8(jf, at + 3);
    bytes.writeUInt32LE(k >>> 0, at + 4);
  });
  return bytes;
}
