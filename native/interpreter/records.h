/* What a record says, for whoever runs it: the interpreter, and the launcher, whose prepared programs are of the same language.
 * fail(), which does not return, is the includer's. */
#pragma once
#include "image.h"

#define EINVAL 22

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
