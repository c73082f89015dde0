/*
 * Prints a program file as src/program/print.ts does, from the same tables: one differential test covers the encoding.
 * A tool for tests; the runtime never runs it. Usage: runt-dump FILE
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "names.h"
#include "program.h"

#define CALL_WIDTH 92
#define TEXT_LIMIT 120

static uint8_t *image;
static uint64_t base, size;
static char line[1 << 20];
static size_t used;

static uint64_t load(uint64_t offset, int width)
{
	uint64_t value = 0;

	if (offset + (uint64_t)width > size) {
		fprintf(stderr, "offset %llu is outside the image\n", (unsigned long long)offset);
		exit(1);
	}
	memcpy(&value, image + offset, (size_t)width);
	return value;
}

static void add(const char *text)
{
	size_t length = strlen(text);

	if (used + length + 1 > sizeof line)
		exit(1);
	memcpy(line + used, text, length + 1);
	used += length;
}

static void add_number(const char *format, uint64_t value)
{
	char text[64];

	snprintf(text, sizeof text, format, value);
	add(text);
}

static void add_quoted(uint64_t offset, uint64_t length)
{
	char text[8];
	uint64_t i;

	add("\"");
	for (i = 0; i < length && i < TEXT_LIMIT; i++) {
		uint8_t byte = (uint8_t)load(offset + i, 1);

		if (byte == '\n')
			add("\\n");
		else {
			snprintf(text, sizeof text, byte == '"' || byte == '\\' ? "\\%c" : byte < 0x20 || byte >= 0x7f ? "\\x%02x" : "%c", byte);
			add(text);
		}
	}
	add("\"");
	if (length > TEXT_LIMIT)
		add("…");
}

static uint64_t text_length(uint64_t offset)
{
	uint64_t end = offset;

	while (load(end, 1) != 0)
		end++;
	return end - offset;
}

static void add_text(uint64_t offset)
{
	text_length(offset);
	add((const char *)image + offset);
}

static void add_slot_name(uint64_t number)
{
	add("$");
	add_text(load(load(HEADER_SLOTS, 4) + number * SLOT_BYTES + SLOT_NAME, 4));
}

static void add_errno(uint64_t number)
{
	const struct name *row;

	for (row = errno_names; row->name; row++)
		if (row->value == number) {
			add(row->name);
			return;
		}
	add_number("errno %lu", number);
}

static void add_named(int table, uint64_t value)
{
	const struct name *row = name_tables[table].names;
	uint64_t rest = value;
	int shown = 0;

	for (; row->name; row++) {
		if (!name_tables[table].flags) {
			if (row->value != value)
				continue;
			add(row->name);
			return;
		}
		if ((rest & row->value) != row->value)
			continue;
		if (shown++)
			add("|");
		add(row->name);
		rest &= ~row->value;
	}
	if (rest == 0 && shown == 0)
		add(name_tables[table].flags ? "0" : "0x0");
	else if (rest != 0 || !name_tables[table].flags) {
		if (shown)
			add("|");
		add_number("0x%lx", rest);
	}
}

static void add_value(int format, uint64_t value)
{
	if (format == FORMAT_FD && (int64_t)value == -100)
		add("AT_FDCWD");
	else if (format == FORMAT_OCTAL)
		add_number("0%lo", value);
	else if (format == FORMAT_DEVICE) {
		add_number("makedev(%lu", ((value >> 8) & 0xfff) | ((value >> 32) & ~0xfffull));
		add_number(", %lu)", (value & 0xff) | ((value >> 12) & ~0xffull));
	} else if (format == FORMAT_ERRNO)
		add_errno(value);
	else if (format >= FORMAT_STRUCT)
		add_number("%ld", value);
	else if (format >= FORMAT_NAME)
		add_named(format - FORMAT_NAME, value);
	else
		add_number(format == FORMAT_HEX ? "0x%lx" : "%ld", value);
}

static void add_struct(uint64_t record, uint64_t offset, const struct member *member)
{
	uint64_t fixup = load(record + RECORD_FIXUP, 4), slot = load(record + RECORD_FIXUP_SLOT, 2);
	int shown = 0;

	add("{");
	for (; member->name; offset += (uint64_t)member->size, member++) {
		int is_fixup = slot != NONE && fixup == offset, is_text = member->format == FORMAT_TEXT;

		if (!is_fixup && !is_text && (member->size > 8 || load(offset, member->size) == 0))
			continue;
		if (shown++)
			add(", ");
		add(member->name);
		add("=");
		if (is_fixup)
			add_slot_name(slot);
		else if (is_text)
			add_quoted(offset, text_length(offset));
		else
			add_value(member->format, load(offset, member->size));
	}
	add("}");
}

static void add_words(uint64_t offset)
{
	uint64_t address;
	int shown = 0;

	add("[");
	for (; offset + 8 <= size && (address = load(offset, 8)) != 0; offset += 8) {
		if (shown++)
			add(", ");
		add_quoted(address - base, text_length(address - base));
	}
	add("]");
}

static void add_argument(uint64_t record, int format, int index)
{
	uint64_t value = load(record + RECORD_ARGS + 8 * (uint64_t)index, 8), kind = load(record + RECORD_KINDS + (uint64_t)index, 1);

	if (kind == KIND_NULL)
		add("NULL");
	else if (kind == KIND_SLOT)
		add_slot_name(value);
	else if (kind != KIND_DATA || value - base >= size)
		add_value(format, value);
	else if (format == FORMAT_TEXT)
		add_quoted(value - base, text_length(value - base));
	else if (format == FORMAT_DATA && load(record + RECORD_KINDS + (uint64_t)index + 1, 1) == KIND_IMMEDIATE)
		add_quoted(value - base, load(record + RECORD_ARGS + 8 * ((uint64_t)index + 1), 8));
	else if (format == FORMAT_WORDS)
		add_words(value - base);
	else if (format >= FORMAT_STRUCT)
		add_struct(record, value - base, struct_table[format - FORMAT_STRUCT]);
	else
		add(format == FORMAT_BYTES ? "<bytes>" : "<memory>");
}

static void add_hand_over(uint64_t record)
{
	int i, shown = 0;

	add("     ── hand over");
	for (i = 0; i < 6; i++) {
		if (load(record + RECORD_KINDS + (uint64_t)i, 1) != KIND_SLOT)
			continue;
		add(shown++ ? " " : ", passing ");
		add_slot_name(load(record + RECORD_ARGS + 8 * (uint64_t)i, 8));
	}
	add(" ──");
}

static void add_conditions(uint64_t record)
{
	uint64_t i, count = load(record + RECORD_TOLERATED, 2);

	for (i = 0; i < count; i++) {
		add(i ? "|" : " or ");
		add_errno(load(record + RECORD_TOLERATE + 2 * i, 2));
	}
	if (load(record + RECORD_UNLESS, 2) != NONE) {
		add(" unless ");
		add_slot_name(load(record + RECORD_UNLESS, 2));
	}
	if (load(record + RECORD_NEEDS, 2) != NONE) {
		add(" if ");
		add_slot_name(load(record + RECORD_NEEDS, 2));
	}
}

/* Pads as JavaScript counts: an ellipsis is one character there and three bytes here. */
static void pad_to(size_t start, size_t width)
{
	size_t i, characters = 0;

	for (i = start; i < used; i++)
		characters += ((unsigned char)line[i] & 0xc0) != 0x80;
	for (; characters < width; characters++)
		add(" ");
}

static void print_record(uint64_t index)
{
	uint64_t record = load(HEADER_RECORDS, 4) + index * RECORD_BYTES, op = load(record + RECORD_OP, 2);
	size_t start;
	int i;

	used = 0;
	if (op >= OP_COUNT)
		exit(1);
	if (op == OP_HAND_OVER) {
		add_hand_over(record);
		puts(line);
		return;
	}
	add_number("%4lu ", index);
	start = used;
	if (load(record + RECORD_RESULT, 2) != NONE) {
		add_slot_name(load(record + RECORD_RESULT, 2));
		add(" = ");
	}
	add(op_table[op].name);
	add("(");
	for (i = 0; i < op_table[op].count; i++) {
		if (i)
			add(", ");
		add_argument(record, op_table[op].formats[i], i);
	}
	add(")");
	add_conditions(record);
	pad_to(start, CALL_WIDTH);
	add(load(record + RECORD_SIDE, 1) ? " container " : " runtime   ");
	add_text(load(record + RECORD_POINTER, 4));
	while (used > 0 && line[used - 1] == ' ')
		line[--used] = 0;
	puts(line);
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	uint64_t i;
	long length;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (length = ftell(file)) < HEADER_BYTES)
		return 1;
	rewind(file);
	image = malloc((size_t)length);
	if (!image || fread(image, 1, (size_t)length, file) != (size_t)length)
		return 1;
	size = (uint64_t)length;
	if (load(HEADER_MAGIC, 8) != MAGIC || load(HEADER_SIZE, 4) != size)
		return 1;
	base = load(HEADER_BASE, 8);
	for (i = 0; i < load(HEADER_RECORD_COUNT, 4); i++)
		print_record(i);
	return 0;
}
