/* What differs between processors: numbers of the calls that the interpreter and the launcher make of their own, how one is made, the
 * tick counter, the entry: ENTRY, where it is defined before, is the function that gets the first stack pointer. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;

#if defined(__x86_64__)
#define NR_WRITE 1
#define NR_EXECVE 59
#define NR_READ 0
#define NR_CLONE 56
#define NR_WAIT4 61
#define NR_WAITID 247
#define NR_RT_SIGPROCMASK 14
#define NR_SIGNALFD4 289
#define NR_PIDFD_OPEN 434
#define NR_PIDFD_SEND_SIGNAL 424
#define NR_CLOSE_RANGE 436
#define NR_READLINKAT 267
#define NR_PREAD64 17
#define NR_MMAP 9
#define NR_EXIT_GROUP 231
#define NR_FSTAT 5
#define NR_SENDMSG 46
#define NR_RECVMSG 47
#define NR_CLOCK_GETTIME 228
#define NR_CLOSE 3
#define NR_MADVISE 28
#define STAT_SIZE_OFFSET 48
#define ARCH 0

static s64 call6(s64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	register u64 r10 __asm__("r10") = d;
	register u64 r8 __asm__("r8") = e;
	register u64 r9 __asm__("r9") = f;
	s64 ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return ret;
}

__attribute__((unused)) static u64 ticks(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

#ifdef ENTRY
__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call " ENTRY "\n");
#endif
#elif defined(__aarch64__)
#define NR_WRITE 64
#define NR_EXECVE 221
#define NR_READ 63
#define NR_CLONE 220
#define NR_WAIT4 260
#define NR_WAITID 95
#define NR_RT_SIGPROCMASK 135
#define NR_SIGNALFD4 74
#define NR_PIDFD_OPEN 434
#define NR_PIDFD_SEND_SIGNAL 424
#define NR_CLOSE_RANGE 436
#define NR_READLINKAT 78
#define NR_PREAD64 67
#define NR_MMAP 222
#define NR_EXIT_GROUP 94
#define NR_FSTAT 80
#define NR_SENDMSG 211
#define NR_RECVMSG 212
#define NR_CLOCK_GETTIME 113
#define NR_CLOSE 57
#define NR_MADVISE 233
#define STAT_SIZE_OFFSET 48
#define ARCH 1

static s64 call6(s64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	register u64 x8 __asm__("x8") = nr;
	register u64 x0 __asm__("x0") = a;
	register u64 x1 __asm__("x1") = b;
	register u64 x2 __asm__("x2") = c;
	register u64 x3 __asm__("x3") = d;
	register u64 x4 __asm__("x4") = e;
	register u64 x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

__attribute__((unused)) static u64 ticks(void)
{
	u64 value;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
	return value;
}

#ifdef ENTRY
__asm__(".globl _start\n_start:\n mov x0, sp\n bl " ENTRY "\n");
#endif
#else
#error "runt knows x86-64 and aarch64"
#endif
