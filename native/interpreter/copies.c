/* The copies of a template in the image (src/program/copies.ts, which says what `plan` is): a library for the engine, since an engine without
 * a compiler of its own takes ten microseconds for each. */
#include <string.h>
#include "program.h"

typedef unsigned char u8;
typedef unsigned u32;

enum { SOURCE, BYTES, WORDS, TEXTS, SLOTS, MARKS, NAMES, RUNS, SLOT_TABLE, END, HEAD };
enum { MOST_TEXTS = 64, MOST_WORDS = 10 };

/* A pattern with the words of a row in its holes, and NUL; gives where the next pattern begins. */
static const u8 *fill(u8 *image, u32 *end, const u8 *pattern, const u8 *const *words, const u32 *lengths)
{
	for (;;) {
		u32 length = strlen((const char *)pattern), word = pattern[length + 1] - '0';

		if (image)
			memcpy(image + *end, pattern, length);
		*end += length;
		pattern += length + 2;
		if (!pattern[-1])
			break;
		if (image)
			memcpy(image + *end, words[word], lengths[word]);
		*end += lengths[word];
	}
	++*end;
	return pattern;
}

/* 0 when the plan has more texts or words than there is room for. */
__attribute__((visibility("default"))) unsigned long runt_write_copies(u8 *image, const u32 *plan, const u8 *patterns, const u8 *words)
{
	const u32 *firsts = plan + HEAD, *slots = firsts + plan[TEXTS], *marks = slots + 2 * plan[SLOTS], *names = marks + 3 * plan[MARKS];
	const u32 *runs = names + 2 * plan[NAMES], *run, *one;
	const u8 *row[MOST_WORDS];
	u32 lengths[MOST_WORDS], offsets[MOST_TEXTS], end = plan[END], nth = 0, at, left, i;

	if (plan[TEXTS] > MOST_TEXTS || plan[WORDS] > MOST_WORDS)
		return 0;
	for (run = runs; run < runs + 2 * plan[RUNS]; run += 2) {
		for (at = run[0], left = run[1]; left; left--, at += plan[BYTES]) {
			const u8 *pattern = patterns;

			nth++;
			for (i = 0; i < plan[WORDS]; i++) {
				row[i] = words;
				lengths[i] = strlen((const char *)words);
				words += lengths[i] + 1;
			}
			for (i = 0; i < plan[TEXTS]; i++) {
				offsets[i] = end;
				pattern = fill(image, &end, pattern, row, lengths);
			}
			if (!image)
				continue;
			memcpy(image + at, image + plan[SOURCE], plan[BYTES]);
			for (one = marks; one < names; one += 3) {
				u32 *word = (u32 *)(image + at) + one[0];

				*word += one[1] < plan[TEXTS] ? offsets[one[1]] - firsts[one[1]] : (slots[2 * (one[1] - plan[TEXTS]) + 1] * nth) << one[2];
			}
			for (one = names; one < runs; one += 2)
				*(u32 *)(image + plan[SLOT_TABLE] + (slots[2 * one[1]] + slots[2 * one[1] + 1] * nth) * SLOT_BYTES + SLOT_NAME) = offsets[one[0]];
		}
	}
	return end;
}
