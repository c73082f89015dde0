/*
 * The container side of a program: a loop over records (src/program/layout.ts), no policy.
 *
 *   header | slots | records | data
 *
 * It maps the program file at the address its header names, makes the system calls of the container-side
 * records in order, writes each result in place, and gives the turn to the runtime where a record says so.
 * Freestanding: no C library, no allocation, no environment, no descriptors but those it was given.
 * argv[1] is the program file's descriptor in decimal.
 */
#include "program.h"

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long s64;

#if defined(__x86_64__)
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

static u64 ticks(void)
{
	u32 low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (u64)high << 32 | low;
}

__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call interpreter_main\n");
#elif defined(__aarch64__)
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

static u64 ticks(void)
{
	u64 value;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
	return value;
}

__asm__(".globl _start\n_start:\n mov x0, sp\n bl interpreter_main\n");
#else
#error "runt's interpreter knows x86-64 and aarch64"
#endif

#define EINVAL 22
#define EINTR 4
#define EPIPE 32
#define SIDE_CONTAINER 1
#define MAP_SHARED 1
#define MAP_FIXED_NOREPLACE 0x100000
#define MSG_NOSIGNAL 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000
#define MADV_DONTNEED 4
#define FDS_MAX 3

struct iovec { void *base; u64 length; };
struct message { void *name; u32 name_length; struct iovec *parts; u64 part_count; void *control; u64 control_length; u32 flags; };
struct control { u64 length; u32 level; u32 type; int fds[FDS_MAX + 1]; };
struct report { u32 record; u32 error; };

static u8 *image;
static u64 base, size, records;

#define AT(type, offset) (*(volatile type *)(image + (offset)))

static void quit(int code)
{
	for (;;)
		call6(NR_EXIT_GROUP, code, 0, 0, 0, 0, 0);
}

static u64 slot_at(u32 number)
{
	return AT(u32, HEADER_SLOTS) + (u64)number * SLOT_BYTES;
}

static int is_set(u32 number)
{
	return (AT(u32, slot_at(number) + SLOT_SET) & 2) != 0;
}

static void set_slot(u32 number, s64 value, u32 sides)
{
	AT(s64, slot_at(number) + SLOT_CONTAINER) = value;
	if (sides & 1)
		AT(s64, slot_at(number) + SLOT_RUNTIME) = value;
	AT(u32, slot_at(number) + SLOT_SET) |= sides;
}

/* One message to the runtime, with descriptors; -errno on failure. */
static s64 send_report(u32 record, u32 error, const int *fds, u32 count)
{
	struct report report = { record, error };
	struct iovec part = { &report, sizeof report };
	struct control control = { 16 + 4 * (u64)count, 1, 1, { 0 } };
	struct message message = { 0, 0, &part, 1, count ? &control : 0, count ? 24 + 8 * ((u64)(count - 1) / 2) : 0, 0 };
	u32 i;

	for (i = 0; i < count; i++)
		control.fds[i] = fds[i];
	return call6(NR_SENDMSG, (u64)(s64)AT(int, HEADER_CHANNEL), (u64)&message, MSG_NOSIGNAL, 0, 0, 0);
}

/* Gives the turn and waits for the answer; returns how many descriptors came along. End of file: the runtime is gone. */
static s64 exchange(u32 record, u32 error, const int *fds, u32 count, struct control *control, u32 *answer)
{
	struct report reply;
	struct iovec part = { &reply, sizeof reply };
	struct message message = { 0, 0, &part, 1, control, sizeof *control, 0 };
	s64 got = send_report(record, error, fds, count);

	if (got < 0)
		return got;
	do {
		got = call6(NR_RECVMSG, (u64)(s64)AT(int, HEADER_CHANNEL), (u64)&message, MSG_CMSG_CLOEXEC, 0, 0, 0);
	} while (got == -EINTR);
	if (got != sizeof reply)
		quit(1);
	*answer = reply.record;
	return message.control_length >= 20 ? (s64)(control->length - 16) / 4 : 0;
}

/* A second point of the scale from processor ticks to time; none once a filter may forbid the call. */
static void mark_time(u32 ticks_offset, u32 time_offset)
{
	u64 now[2];

	if (AT(u32, HEADER_QUIET))
		return;
	call6(NR_CLOCK_GETTIME, 1, (u64)now, 0, 0, 0, 0);
	AT(u64, ticks_offset) = ticks();
	AT(u64, time_offset) = now[0] * 1000000000ul + now[1];
}

/*
 * Nothing but the index and the errno: the runtime owns the program and says everything else. A descriptor may come
 * along: the file system context in which the kernel left its own words (fsopen(2)). Returns only under a debugger.
 */
static u32 fail_with(u32 record, s64 error, int fd)
{
	struct control control;
	u32 answer = ANSWER_FAIL;

	mark_time(HEADER_TICKS1, HEADER_TIME1);
	AT(u32, HEADER_FAILED_RECORD) = record;
	AT(u32, HEADER_FAILED_ERRNO) = (u32)-error;
	if (!AT(u32, HEADER_HOLD))
		send_report(record, (u32)-error, &fd, fd >= 0);
	else if (exchange(record, (u32)-error, &fd, fd >= 0, &control, &answer) >= 0 && answer != ANSWER_FAIL)
		return answer;
	quit(1);
	return answer;
}

static void fail(u32 record, s64 error)
{
	fail_with(record, error, -1);
	quit(1);
}

/* Arguments 0 to 2 are descriptors to give, 3 to 5 slots for those that come back. */
static s64 hand_over(u32 index, u64 at)
{
	int fds[FDS_MAX];
	struct control control;
	u32 i, answer, count = 0;
	s64 got;

	mark_time(HEADER_TICKS1, HEADER_TIME1);
	for (i = 0; i < FDS_MAX; i++)
		if (AT(u8, at + RECORD_KINDS + i) == KIND_SLOT && is_set(AT(u64, at + RECORD_ARGS + 8 * i)))
			fds[count++] = AT(s64, slot_at(AT(u64, at + RECORD_ARGS + 8 * i)) + SLOT_CONTAINER);
	got = exchange(index, 0, fds, count, &control, &answer);
	for (i = 0; i < FDS_MAX && (s64)i < got; i++)
		if (AT(u8, at + RECORD_KINDS + 3 + i) == KIND_SLOT)
			set_slot(AT(u64, at + RECORD_ARGS + 8 * (3 + i)), control.fds[i], 2);
	return got < 0 ? got : 0;
}

/* Up to 8 bytes that a call left in memory, of which the mask leaves some. */
static u64 load(const u64 *args)
{
	u64 value = 0, i;

	for (i = 0; i < args[1] && i < 8; i++)
		value |= (u64)AT(u8, args[0] - base + i) << (8 * i);
	return value & args[2];
}

static s64 expect(const u64 *args, int equal)
{
	return (load(args) == args[3]) == equal ? (s64)0 : -(s64)args[4];
}

static int tolerated(u64 at, s64 result)
{
	u32 i, count = AT(u16, at + RECORD_TOLERATED);

	for (i = 0; i < count && i < 4; i++)
		if (-result == AT(u16, at + RECORD_TOLERATE + 2 * i))
			return 1;
	return 0;
}

/* Resolves the arguments; 0 when a slot among them is unset, so that the record is skipped. */
static int resolve(u32 index, u64 at, u64 *args)
{
	u32 i, fixup = AT(u16, at + RECORD_FIXUP_SLOT), needs = AT(u16, at + RECORD_NEEDS), unless = AT(u16, at + RECORD_UNLESS);
	u32 slots = AT(u32, HEADER_SLOT_COUNT);

	if ((unless != NONE && unless >= slots) || (needs != NONE && needs >= slots) || (fixup != NONE && fixup >= slots))
		fail(index, -EINVAL);
	if ((unless != NONE && is_set(unless)) || (needs != NONE && !is_set(needs)) || (fixup != NONE && !is_set(fixup)))
		return 0;
	for (i = 0; i < 6; i++) {
		u64 value = AT(u64, at + RECORD_ARGS + 8 * i);
		u8 kind = AT(u8, at + RECORD_KINDS + i);

		if (kind == KIND_SLOT && value < slots) {
			if (!is_set(value))
				return 0;
			value = AT(u64, slot_at(value) + SLOT_CONTAINER);
		} else if (kind == KIND_DATA ? value - base < AT(u32, HEADER_DATA) || value - base >= size : kind != KIND_IMMEDIATE && kind != KIND_NULL) {
			fail(index, -EINVAL);
		}
		args[i] = value;
	}
	if (fixup != NONE) {
		u32 place = AT(u32, at + RECORD_FIXUP);

		if (place < AT(u32, HEADER_DATA) || place + 8 > size)
			fail(index, -EINVAL);
		AT(u64, place) = AT(u64, slot_at(fixup) + SLOT_CONTAINER);
	}
	return 1;
}

/* Runs one record; true when a debugger wants it once more. */
static int run(u32 index)
{
	u64 at = records + (u64)index * RECORD_BYTES, args[6];
	struct control control;
	u32 op, result_slot, answer;
	s64 result;

	/* Written before anything is read: a write brings in one page, a read the sixteen around it (release_pages). */
	AT(u32, HEADER_POSITION) = index;
	AT(u8, at + RECORD_STATUS) = STATUS_RUNNING;
	op = AT(u16, at + RECORD_OP);
	result_slot = AT(u16, at + RECORD_RESULT);

	if (result_slot != NONE && result_slot >= AT(u32, HEADER_SLOT_COUNT))
		fail(index, -EINVAL);
	if (AT(u16, at + RECORD_PAUSE)) {
		AT(u8, at + RECORD_STATUS) = STATUS_PENDING;
		result = exchange(index, 0, 0, 0, &control, &answer);
		if (result < 0)
			fail(index, result);
		AT(u8, at + RECORD_STATUS) = STATUS_RUNNING;
	}
	if (op == OP_HAND_OVER) {
		result = hand_over(index, at);
	} else if (!resolve(index, at, args)) {
		AT(u8, at + RECORD_STATUS) = STATUS_SKIPPED;
		return 0;
	} else if (AT(u16, at + RECORD_INJECT)) {
		result = -(s64)AT(u16, at + RECORD_INJECT);
	} else if (op == OP_EXPECT || op == OP_REFUSE) {
		result = expect(args, op == OP_EXPECT);
	} else if (op == OP_LOAD) {
		result = load(args);
	} else if (op == OP_RELEASE_PAGES) {
		result = call6(NR_MADVISE, base, size, MADV_DONTNEED, 0, 0, 0);
	} else if (op == OP_REPORT_TO) {
		AT(int, HEADER_CHANNEL) = args[0];
		result = 0;
	} else if (AT(u16, at + RECORD_NUMBER) == NONE || op >= OP_COUNT) {
		result = -EINVAL;
	} else {
		if (op == OP_SECCOMP) {
			mark_time(HEADER_TICKS1, HEADER_TIME1);
			AT(u32, HEADER_QUIET) = 1;
		}
		/* execve(2) never returns when it succeeds: what it will have been is written first. */
		if (op == OP_EXECVE || op == OP_EXECVEAT) {
			AT(u8, at + RECORD_STATUS) = STATUS_DONE;
			AT(u64, at + RECORD_TICKS) = ticks();
		}
		do {
			result = call6(AT(u16, at + RECORD_NUMBER), args[0], args[1], args[2], args[3], args[4], args[5]);
		} while (result == -EINTR);
	}
	if (op == OP_CLONE3 && result == 0)
		return 0; /* The new process goes on with the next record; its parent writes this one's result. */
	AT(s64, at + RECORD_VALUE) = result;
	AT(u64, at + RECORD_TICKS) = ticks();
	if (result < 0) {
		if (!tolerated(at, result)) {
			AT(u8, at + RECORD_STATUS) = STATUS_FAILED;
			if (fail_with(index, result, op == OP_FSCONFIG || op == OP_FSMOUNT ? (int)args[0] : -1) == ANSWER_AGAIN)
				return 1;
		}
		AT(u8, at + RECORD_STATUS) = STATUS_TOLERATED;
		return 0;
	}
	AT(u8, at + RECORD_STATUS) = STATUS_DONE;
	if (result_slot != NONE)
		set_slot(result_slot, result, op == OP_CLONE3 ? 3 : 2);
	if (op == OP_CLONE3)
		quit(0);
	return 0;
}

static u32 parse_number(const char *text)
{
	u32 value = 0;

	while (*text >= '0' && *text <= '9')
		value = value * 10 + (u32)(*text++ - '0');
	return value;
}

__attribute__((used)) void interpreter_main(u64 *stack)
{
	u8 head[HEADER_BYTES] __attribute__((aligned(8))), status[256] __attribute__((aligned(8)));
	u32 fd, index, count;
	s64 mapped;

	if (stack[0] < 2)
		quit(2);
	fd = parse_number((const char *)stack[2]);
	if (call6(NR_PREAD64, fd, (u64)head, sizeof head, 0, 0, 0) != sizeof head || *(u64 *)head != MAGIC)
		quit(2);
	base = *(u64 *)(head + HEADER_BASE);
	size = *(u32 *)(head + HEADER_SIZE);
	if (call6(NR_FSTAT, fd, (u64)status, 0, 0, 0, 0) < 0 || *(u64 *)(status + STAT_SIZE_OFFSET) != size || *(u32 *)(head + HEADER_ARCH) != ARCH)
		quit(2);
	mapped = call6(NR_MMAP, base, size, 3, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	if ((u64)mapped != base)
		quit(3);
	call6(NR_CLOSE, fd, 0, 0, 0, 0, 0);
	image = (u8 *)base;
	count = AT(u32, HEADER_RECORD_COUNT);
	records = AT(u32, HEADER_RECORDS);
	if (AT(u32, HEADER_SLOTS) + (u64)AT(u32, HEADER_SLOT_COUNT) * SLOT_BYTES > AT(u32, HEADER_RECORDS) ||
	    AT(u32, HEADER_RECORDS) + (u64)count * RECORD_BYTES > AT(u32, HEADER_DATA) || AT(u32, HEADER_DATA) > size)
		quit(2);
	mark_time(HEADER_TICKS0, HEADER_TIME0);
	for (index = AT(u32, HEADER_ENTRY); index < count; index++) {
		/* Page by page, as above: the side of the next record is on this page or on one already there. */
		if (AT(u8, records + (u64)index * RECORD_BYTES + RECORD_SIDE) == SIDE_CONTAINER)
			while (run(index))
				;
	}
	quit(0);
}
