/* The mapped program file: its fields by offset (program.h), its slots. */
#pragma once
#include "arch.h"
#include "program.h"

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
