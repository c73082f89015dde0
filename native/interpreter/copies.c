/* The copies of a template in the image, as src/program/copies.ts, which says what `plan` is: a library for the engine, whose interpreter takes
 * sixty microseconds for each. */
#include <string.h>
#include <unistd.h>
#include "program.h"

typedef unsigned char u8;
typedef unsigned u32;

enum { MOST_TEXTS = 64, MOST_WORDS = 10, MOST_PARTS = 256, LAST = 0xff, STREAM_BYTES = 32 * 1024 };

/* A piece of a pattern, and the word after it; none after a text's last. */
struct part {
	const u8 *piece;
	u32 length, word;
};

/* The patterns in parts; how many, 0 when there are too many. */
static u32 take_apart(const u8 *patterns, u32 texts, struct part *parts)
{
	u32 count = 0;

	while (texts) {
		u32 length = strlen((const char *)patterns);
		u8 digit = patterns[length + 1];

		if (count == MOST_PARTS)
			return 0;
		parts[count++] = (struct part){ patterns, length, digit ? (u32)(digit - '0') : LAST };
		patterns += length + 2;
		texts -= !digit;
	}
	return count;
}

/* Records on their way into the image's file, neighbours all of them: a page that is written whole and mapped then costs a quarter less than one that is
 * first touched through its mapping. */
struct stream {
	int fd;
	u32 offset, used;
	u8 bytes[STREAM_BYTES];
};

static int flush(struct stream *stream)
{
	u32 done = 0;

	while (done < stream->used) {
		long count = pwrite(stream->fd, stream->bytes + done, stream->used - done, stream->offset + done);

		if (count <= 0)
			return 0;
		done += count;
	}
	stream->used = 0;
	return 1;
}

/* Where the records of the copy at this offset are made: in the image, or in what is on its way there; 0 when that cannot be written. */
static u8 *room_for(struct stream *stream, u8 *image, u32 at, u32 length)
{
	if (stream->fd < 0 || length > STREAM_BYTES)
		return image + at;
	if ((stream->used + length > STREAM_BYTES || stream->offset + stream->used != at) && !flush(stream))
		return 0;
	if (!stream->used)
		stream->offset = at;
	stream->used += length;
	return stream->bytes + stream->used - length;
}

/* `fd`: the file whose mapping the image is, or -1. 0 when the plan has more texts, words or parts than there is room for, or a path other words
 * than it says, or the file cannot be written. */
__attribute__((visibility("default"))) unsigned long runt_write_copies(u8 *image, const u32 *plan, const u8 *patterns, const u8 *words, int fd)
{
	const u32 *firsts = plan + PLAN_HEAD, *slots = firsts + plan[PLAN_TEXTS], *marks = slots + 2 * plan[PLAN_SLOTS], *names = marks + 3 * plan[PLAN_MARKS];
	const u32 *runs = names + 2 * plan[PLAN_NAMES], *run, *one;
	const u8 *row[MOST_WORDS];
	struct part parts[MOST_PARTS];
	struct stream stream;
	u8 *records;
	u32 lengths[MOST_WORDS], offsets[MOST_TEXTS], end = plan[PLAN_END], nth = 0, at, left, i, text, count;

	if (plan[PLAN_TEXTS] > MOST_TEXTS || plan[PLAN_WORDS] > MOST_WORDS || (!(count = take_apart(patterns, plan[PLAN_TEXTS], parts)) && plan[PLAN_TEXTS]))
		return 0;
	stream.fd = fd;
	stream.offset = stream.used = 0;
	for (run = runs; run < runs + 2 * plan[PLAN_RUNS]; run += 2) {
		for (at = run[0], left = run[1]; left; left--, at += plan[PLAN_BYTES]) {
			nth++;
			for (i = 0; i < plan[PLAN_PATH_WORDS]; i++) {
				if (*words != '/')
					return 0;
				row[i] = ++words;
				while (*words && *words != '/')
					words++;
				lengths[i] = words - row[i];
			}
			if (*words++)
				return 0;
			for (; i < plan[PLAN_WORDS]; i++) {
				row[i] = words;
				lengths[i] = strlen((const char *)words);
				words += lengths[i] + 1;
			}
			if (!image) {
				for (i = 0; i < count; i++)
					end += parts[i].length + (parts[i].word == LAST ? 1 : lengths[parts[i].word]);
				continue;
			}
			offsets[text = 0] = end;
			for (i = 0; i < count; i++) {
				memcpy(image + end, parts[i].piece, parts[i].length);
				end += parts[i].length;
				if (parts[i].word != LAST) {
					memcpy(image + end, row[parts[i].word], lengths[parts[i].word]);
					end += lengths[parts[i].word];
					continue;
				}
				end++;
				if (++text < plan[PLAN_TEXTS])
					offsets[text] = end;
			}
			if (!(records = room_for(&stream, image, at, plan[PLAN_BYTES])))
				return 0;
			memcpy(records, image + plan[PLAN_SOURCE], plan[PLAN_BYTES]);
			for (one = marks; one < names; one += 3) {
				u32 *word = (u32 *)records + one[0];

				*word += one[1] < plan[PLAN_TEXTS] ? offsets[one[1]] - firsts[one[1]] : (slots[2 * (one[1] - plan[PLAN_TEXTS]) + 1] * nth) << one[2];
			}
			for (one = names; one < runs; one += 2)
				*(u32 *)(image + plan[PLAN_SLOT_TABLE] + (slots[2 * one[1]] + slots[2 * one[1] + 1] * nth) * SLOT_BYTES + SLOT_NAME) = offsets[one[0]];
		}
	}
	return flush(&stream) ? end : 0;
}
