// The bytes of a program file: one image, mapped at the same address by the runtime and the interpreter.
//
//   header | slots | records | data
//
// All integers are little-endian. Pointers are absolute addresses: the image is mapped at `base` on both sides,
// so a nested pointer (argv, sock_fprog) needs no relocation. Results are written in place by whoever runs a record;
// the file outlives both sides and is the flight recorder. native/interpreter/program.h is generated from this file.

export const MAGIC = 0x316d_6772_7074_6e72n; // "rntprgm1", little-endian

/** Where the image is mapped: far from both engines' heaps and from a static program; another is taken when it is not free. */
export const BASE = 0x1111_0000_0000;

/** Byte offsets of the header's fields. */
export const header = {
  magic: 0,
  base: 8,
  size: 16,
  arch: 20, // 0 x86-64, 1 aarch64
  slotCount: 24,
  slots: 28,
  recordCount: 32,
  records: 36,
  data: 40,
  entry: 44, // the first container-side record
  position: 48, // the record the container side is at
  quiet: 52, // set once a seccomp filter is loaded: no system call that the program does not name
  ticks0: 56, // processor ticks and CLOCK_MONOTONIC nanoseconds, read together: two points make the scale
  time0: 64,
  ticks1: 72,
  time1: 80,
  failedRecord: 88,
  failedErrno: 92,
  channel: 96, // descriptor of the hand-over socket on the container side
  id: 100, // text: the container's id
  command: 104, // text: what was asked for
  started: 112, // CLOCK_REALTIME nanoseconds at encoding
  hold: 120, // not 0: a failure is reported and waits for an answer, for a debugger
  bytes: 128,
} as const;

/** One slot: a value for each side, because a descriptor has another number in another process. */
export const slotEntry = { runtime: 0, container: 8, set: 16 /* bit 0 runtime, bit 1 container */, name: 20, bytes: 24 } as const;

export const record = {
  op: 0, // u16
  side: 2, // u8: 0 runtime, 1 container
  status: 3, // u8
  number: 4, // u16 system call number, NONE for an operation that is not one
  result: 6, // u16 slot
  unless: 8, // u16 slot
  needs: 10, // u16 slot
  fixupSlot: 12, // u16: its value is stored at `fixup` before the call
  tolerated: 14, // u16 count
  fixup: 16, // u32 offset into the image, 8 bytes wide
  pointer: 20, // u32 text offset
  why: 24, // u32 text offset
  kinds: 28, // 6 x u8, then 2 unused
  inject: 36, // u16 errno: the step is not made and fails with it
  pause: 38, // u16, not 0: the container side reports before the step and waits for an answer
  args: 40, // 6 x u64
  tolerate: 88, // 4 x u16 errno
  value: 96, // i64 result, -errno on failure
  ticks: 104, // u64 when it ended
  nanoseconds: 112, // u64 when it ended, CLOCK_MONOTONIC; runtime side only
  bytes: 128,
} as const;

export const NONE = 0xffff;

/** Argument kinds. */
export const kind = { immediate: 0, data: 1, slot: 2, null: 3 } as const;

/** What the runtime answers a held failure with, in the place of a record's index; to anything else the answer is 0. */
export const answer = { fail: 0, again: 1, skip: 2 } as const;

/** What became of a record. */
export const status = { pending: 0, done: 1, tolerated: 2, skipped: 3, failed: 4, running: 5 } as const;
