/* Runs a prepared program in this process: the records of src/prepared/verbs.ts, one after the other. A step that fails ends it: fail(). */
#pragma once
#include "../interpreter/records.h"

#define EINTR 4
#define ESRCH 3
#define PROT_READ_WRITE 3

static s64 same(const u64 *args)
{
	for (u64 i = 0; i < args[2]; i++)
		if (AT(u8, args[0] - base + i) != AT(u8, args[1] - base + i))
			return -(s64)args[3];
	return 0;
}

/* proc_pid_stat(5): the name, field 2, may hold anything, but what follows it holds no parenthesis. */
static s64 start_time(const u64 *args)
{
	u64 i = args[1], end = args[1];
	s64 time = 0;

	while (i > 0 && AT(u8, args[0] - base + i - 1) != ')')
		i--;
	if (i == 0 || i + 1 >= end || AT(u8, args[0] - base + i + 1) == 'Z' || AT(u8, args[0] - base + i + 1) == 'X')
		return -ESRCH;
	for (u32 field = 2; field < 22 && i < end; i++)
		field += AT(u8, args[0] - base + i) == ' ';
	for (; i < end && AT(u8, args[0] - base + i) >= '0' && AT(u8, args[0] - base + i) <= '9'; i++)
		time = time * 10 + (AT(u8, args[0] - base + i) - '0');
	return time;
}

static void run_record(u32 index)
{
	u64 at = records + (u64)index * RECORD_BYTES, args[6];
	u32 op = AT(u16, at + RECORD_OP), result_slot = AT(u16, at + RECORD_RESULT), number = AT(u16, at + RECORD_NUMBER);
	s64 result;

	if (!resolve(index, at, args))
		return;
	if (op == OP_EXPECT)
		result = expect(args, 1);
	else if (op == OP_LOAD)
		result = load(args);
	else if (op == OP_SAME)
		result = same(args);
	else if (op == OP_START_TIME)
		result = start_time(args);
	else if (op == OP_GIVE_UP)
		result = -(s64)args[0];
	else if (number == NONE)
		result = -EINVAL;
	else
		do
			result = call6(number, args[0], args[1], args[2], args[3], args[4], args[5]);
		while (result == -EINTR);
	if (result < 0 && !tolerated(at, result))
		fail(index, result);
	if (result >= 0 && result_slot != NONE)
		set_slot(result_slot, result, 2);
}

/* A slot that is not given is unset: steps that need it are skipped. */
static void give(u32 slot, s64 value, int is_given)
{
	AT(s64, slot_at(slot) + SLOT_CONTAINER) = value;
	AT(u32, slot_at(slot) + SLOT_SET) = is_given ? 2 : 0;
}

/* The address of each text, and its bytes. */
static void give_limits(void)
{
	for (u32 i = 0; i < LIMITS; i++) {
		s64 length = 0;

		while (limit_texts[i][length])
			length++;
		give(GIVEN_LIMITS + 2 * i, (s64)limit_texts[i], length > 0);
		give(GIVEN_LIMITS + 2 * i + 1, length, length > 0);
	}
}

static void run_verb(const struct call *call)
{
	const struct verb *verb = call->verb;
	const u64 *from = (const u64 *)verb->image;
	char removed[ID_MAX + 3];
	u32 i = 0;

	base = *(const u64 *)(verb->image + HEADER_BASE);
	size = verb->size;
	if (*(const u32 *)(verb->image + HEADER_ARCH) != ARCH || (u64)call6(NR_MMAP, base, size, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != base)
		return;
	image = (u8 *)base;
	for (u64 n = 0; n < verb->stored / 8; n++)
		if (from[n])
			((u64 *)base)[n] = from[n]; /* what is 0 is there already, and a page of it need not be */
	for (u64 n = verb->stored & ~7ul; n < verb->stored; n++)
		image[n] = verb->image[n];
	records = AT(u32, HEADER_RECORDS);

	/* Where container/state.ts has a directory that is being removed. */
	removed[0] = '.';
	while (call->id[i])
		removed[i + 1] = call->id[i], i++;
	removed[i + 1] = '^';
	removed[i + 2] = 0;
	give(GIVEN_PATH, (s64)call->path, 1);
	give(GIVEN_ID, (s64)call->id, 1);
	give(GIVEN_REMOVED, (s64)removed, 1);
	give(GIVEN_SIGNAL, call->signal, 1);
	give(GIVEN_FORCE, call->is_forced, call->is_forced);
	give(GIVEN_INIT, call->init, call->init > 0);
	if (equals(verb->name, "update"))
		give_limits();
	for (i = 0; i < AT(u32, HEADER_RECORD_COUNT); i++) {
		run_record(i);
		if (verb->left != NONE && is_set(verb->left))
			connection = AT(s64, slot_at(verb->left) + SLOT_CONTAINER);
	}
	quit(attended >= 0 ? attended : 0);
}
