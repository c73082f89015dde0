/* What travels over the hand-over socket: an index and an errno, an answer, descriptors (unix(7), SCM_RIGHTS). */
#pragma once
#include "image.h"

#define EINTR 4
#define MSG_NOSIGNAL 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000
#define FDS_MAX 3

struct iovec { void *base; u64 length; };
struct message { void *name; u32 name_length; struct iovec *parts; u64 part_count; void *control; u64 control_length; u32 flags; };
struct control { u64 length; u32 level; u32 type; int fds[FDS_MAX + 1]; };
struct report { u32 record; u32 error; };

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
