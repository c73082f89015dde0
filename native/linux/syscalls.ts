// System calls of the runtime's own process, under their man-page names. Declarations and EINTR, no policy.
import { AF_UNIX, MAP_FIXED_NOREPLACE, MAP_SHARED, MSG_CMSG_CLOEXEC, MSG_NOSIGNAL, O_CLOEXEC, POLLIN, PROT_READ, PROT_WRITE, SCM_RIGHTS, SOCK_SEQPACKET, SOL_SOCKET, WNOHANG } from './constants.ts';
import { errno, syscall, viewMemory, type Word } from './koffi.ts';
import { syscallNumber, type SyscallName } from './syscall-numbers.ts';

const EINTR = 4; // errno.ts knows it too, but makes its tables for that

/** One system call by its number: the result, or -errno as the kernel itself says it. EINTR is retried here and only here. */
export function callNumber(number: number, ...words: Word[]): number {
  for (;;) {
    const result = Number(syscall()(number, words[0] ?? 0, words[1] ?? 0, words[2] ?? 0, words[3] ?? 0, words[4] ?? 0, words[5] ?? 0));
    if (result !== -1) return result;
    const error = errno();
    if (error !== EINTR) return -error;
  }
}

/** One system call by name: the result, or -errno. A text argument must end in NUL. */
export function call(name: SyscallName, ...words: Word[]): number {
  return callNumber(syscallNumber(name), ...words);
}

/** A text as UTF-8. Not by Buffer.from: its first use alone costs 0.15 ms of start-up in Bun. */
export function utf8(value: string, beyond = 0): Buffer {
  const bytes = Buffer.alloc(Buffer.byteLength(value) + beyond);
  bytes.write(value);
  return bytes;
}

/** A NUL-ended copy of a text, for a call's argument. */
export const text = (value: string): Buffer => utf8(value, 1);

const CLOCK_MONOTONIC = 1;
const MAP_ANONYMOUS = 0x20;
const MAP_PRIVATE = 2;

/** Memory at a known address, so that structures in it can point at each other. It lives as long as the process. */
export interface Memory {
  readonly address: number;
  readonly bytes: Buffer;
}

let scratchMemory: Memory | undefined;

/** Scratch memory of 64 KiB for structures that are used up within one call. */
export function scratch(): Memory {
  if (scratchMemory !== undefined) return scratchMemory;
  const size = 65536;
  const address = call('mmap', 0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address < 0) throw new Error('no memory for system calls');
  scratchMemory = { address, bytes: viewMemory(BigInt(address), size) };
  return scratchMemory;
}

/** mmap(2) of a whole file, shared, at exactly this address: -errno (EEXIST when something is there already) or 0. */
export function mapFile(fd: number, address: number, size: number): number {
  const result = call('mmap', address, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
  return result < 0 ? result : 0;
}

/** The bytes of a mapping made by mapFile. */
export function mappedBytes(address: number, size: number): Buffer {
  return viewMemory(BigInt(address), size);
}

export { SOCK_SEQPACKET };

/** socketpair(2) of AF_UNIX: two descriptors, close-on-exec; throws nothing, gives -errno. */
export function socketpair(type: number): readonly [number, number] | number {
  const pair = Buffer.alloc(8);
  const result = call('socketpair', AF_UNIX, type, 0, pair);
  return result < 0 ? result : [pair.readInt32LE(0), pair.readInt32LE(4)];
}

/** pipe2(2): the descriptors of its reading and its writing end, close-on-exec; or -errno. */
export function pipe(): readonly [number, number] | number {
  const pair = Buffer.alloc(8);
  const result = call('pipe2', pair, O_CLOEXEC);
  return result < 0 ? result : [pair.readInt32LE(0), pair.readInt32LE(4)];
}

/** sockaddr_un (unix(7)) for a path of at most 107 bytes; `@name` is one of the abstract namespace, as systemd writes it. */
export function unixAddress(path: string): Buffer {
  const isAbstract = path.startsWith('@');
  const address = Buffer.alloc(isAbstract ? 2 + Buffer.byteLength(path) : 110);
  address.writeUInt16LE(AF_UNIX, 0);
  if (address.write(path, 2, 'utf8') !== Buffer.byteLength(path) || Buffer.byteLength(path) > 107) throw new Error(`socket path too long: ${path}`);
  if (isAbstract) address[2] = 0;
  return address;
}

const IOVEC = 64;
const DATA = 128;
const CONTROL = 8192;

/** sendmsg(2) of some bytes and descriptors (SCM_RIGHTS): the count sent, or -errno. */
export function sendMessage(socket: number, data: Uint8Array, fds: readonly number[] = []): number {
  const { address, bytes } = scratch();
  bytes.fill(0, 0, IOVEC);
  bytes.set(data, DATA);
  putPointer(bytes, IOVEC, address + DATA);
  putPointer(bytes, IOVEC + 8, data.length);
  putPointer(bytes, 16, address + IOVEC);
  putPointer(bytes, 24, 1);
  if (fds.length > 0) {
    putPointer(bytes, 32, address + CONTROL);
    putPointer(bytes, 40, (16 + 4 * fds.length + 7) & ~7);
    putPointer(bytes, CONTROL, 16 + 4 * fds.length);
    bytes.writeUInt32LE(SOL_SOCKET, CONTROL + 8);
    bytes.writeUInt32LE(SCM_RIGHTS, CONTROL + 12);
    fds.forEach((fd, i) => bytes.writeInt32LE(fd, CONTROL + 16 + 4 * i));
  }
  return call('sendmsg', socket, address, MSG_NOSIGNAL);
}

/** recvmsg(2) of at most 4096 bytes with the descriptors that came along; -errno on failure, no bytes at end of file. */
export function receiveMessage(socket: number): { readonly data: Buffer; readonly fds: readonly number[] } | number {
  const { address, bytes } = scratch();
  bytes.fill(0, 0, IOVEC);
  putPointer(bytes, IOVEC, address + DATA);
  putPointer(bytes, IOVEC + 8, 4096);
  putPointer(bytes, 16, address + IOVEC);
  putPointer(bytes, 24, 1);
  putPointer(bytes, 32, address + CONTROL);
  putPointer(bytes, 40, 256);
  const length = call('recvmsg', socket, address, MSG_CMSG_CLOEXEC);
  if (length < 0) return length;
  const fds: number[] = [];
  if (bytes.readUInt32LE(40) >= 16 && bytes.readUInt32LE(CONTROL + 12) === SCM_RIGHTS) {
    const count = (bytes.readUInt32LE(CONTROL) - 16) / 4;
    for (let i = 0; i < count; i++) fds.push(bytes.readInt32LE(CONTROL + 16 + 4 * i));
  }
  const data = Buffer.alloc(length);
  data.set(bytes.subarray(DATA, DATA + length));
  return { data, fds };
}

function putPointer(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value >>> 0, at);
  bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

/** wait4(2): the wait status once the child has ended, undefined while it runs (with `poll`), or -errno. */
export function waitStatus(pid: number, poll = false): { readonly status: number } | undefined | number {
  const status = Buffer.alloc(4);
  const result = call('wait4', pid, status, poll ? WNOHANG : 0, 0);
  if (result < 0) return result;
  return result === 0 ? undefined : { status: status.readInt32LE(0) };
}

/** wait4(2) for any child on a worker thread, so that signals and streams are served meanwhile; undefined when there is none. */
export function waitAnyAsync(): Promise<{ readonly pid: number; readonly status: number } | undefined> {
  const status = Buffer.alloc(4);
  return new Promise((resolve) => {
    syscall().async(syscallNumber('wait4'), -1, status, 0, 0, 0, 0, (error, result) => {
      resolve(error !== null || Number(result) < 0 ? undefined : { pid: Number(result), status: status.readInt32LE(0) });
    });
  });
}

/**
 * ppoll(2) on a worker thread, so that signals and streams are served meanwhile: what is ready of what is waited for
 * (descriptor and events; -1 is left out), as revents. A timeout is in milliseconds, negative for none.
 */
export function pollAsync(fds: readonly (readonly [fd: number, events: number])[], timeout: number): Promise<readonly number[]> {
  const polled = Buffer.alloc(8 * fds.length);
  fds.forEach(([fd, events], i) => {
    polled.writeInt32LE(fd, 8 * i);
    polled.writeInt16LE(events, 8 * i + 4);
  });
  const time = timeout < 0 ? null : Buffer.alloc(16);
  time?.writeBigInt64LE(BigInt(Math.floor(timeout / 1000)), 0);
  time?.writeBigInt64LE(BigInt(timeout % 1000) * 1_000_000n, 8);
  return new Promise((resolve) => {
    syscall().async(syscallNumber('ppoll'), polled, fds.length, time, 0, 8, 0, () => resolve(fds.map((_, i) => polled.readInt16LE(8 * i + 6))));
  });
}

/** The exit status a shell would show: the code, or 128 + the signal (wait(2), WIFEXITED). */
export function exitCode(status: number): number {
  const signal = status & 0x7f;
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

/** poll(2) for reading on one descriptor: true when ready or hung up, false when the time (milliseconds) ran out. */
export function pollReadable(fd: number, timeout: number): boolean {
  const at = pollOf(fd, timeout);
  return call('ppoll', at, 1, at + 16, 0, 8) > 0;
}

/** As pollReadable, but a signal ends it (undefined): its handlers run when the event loop turns. */
export function pollUntilSignal(fd: number, timeout: number): boolean | undefined {
  const at = pollOf(fd, timeout);
  const ready = Number(syscall()(syscallNumber('ppoll'), at, 1, at + 16, 0, 8, 0));
  return ready < 0 ? undefined : ready > 0;
}

/** A struct pollfd for reading and, 16 bytes on, the timeout as struct timespec: the address in scratch memory. */
function pollOf(fd: number, timeout: number): number {
  const { bytes, address } = scratch();
  bytes.writeInt32LE(fd, DATA);
  bytes.writeUInt32LE(POLLIN, DATA + 4);
  putPointer(bytes, DATA + 16, Math.floor(timeout / 1000));
  putPointer(bytes, DATA + 24, Math.floor(timeout % 1000) * 1_000_000);
  return address + DATA;
}

/** CLOCK_MONOTONIC, milliseconds. The engines' performance.now() counts from their start, which lies ahead for one that goes on from a snapshot taken before a reboot. */
export function monotonicTime(): number {
  const now = Buffer.alloc(16);
  call('clock_gettime', CLOCK_MONOTONIC, now);
  return Number(now.readBigInt64LE(0)) * 1000 + Number(now.readBigInt64LE(8)) / 1e6;
}
