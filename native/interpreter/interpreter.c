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
#define ENTRY "interpreter_main"
#include "report.h"
#include "records.h"

#define SIDE_CONTAINER 1
#define MAP_SHARED 1
#define MAP_FIXED_NOREPLACE 0x100000
#define MADV_DONTNEED 4

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
