/*
 * The file engine/snapshot: an engine that has loaded all of runt, as it stood still (pause.c) when take.c wrote it, to be continued by any number
 * of processes (resume.h). This header, then pages. A region is memory at the same address in each of them.
 */
#pragma once

/** Another one for each layout of what follows: a launcher that has waited for days may meet what a newer one is for. */
#define SNAPSHOT_MAGIC 0x36746f6873706e73ul
#define SNAPSHOT_FILES 12
#define SNAPSHOT_REGIONS 480
#define SNAPSHOT_RUNS 512
#define SNAPSHOT_FDS 24
#define SNAPSHOT_PATH 232
#define PAGE_BYTES 4096ul
#define OSXSAVE (1u << 27)

/** Where the bytes of a region are: nowhere (zeros), in the engine's executable, in the snapshot. `OVER` is in the snapshot too, and lies over a part of a region of the first two. */
enum { ZEROS, IN_ENGINE, IN_SNAPSHOT, OVER };

struct snapshot_region {
	unsigned long start, size, offset;
	unsigned protection, source;
};

/** Pages that `run` writes: to have them at once is cheaper than a fault each. */
struct snapshot_run {
	unsigned long start, size;
};

/** A file that is part of the engine; with another one the snapshot is of no use. The first is the executable, whose path does not count. */
struct snapshot_file {
	unsigned long size;
	long seconds, nanoseconds;
	char path[SNAPSHOT_PATH];
};

/** Descriptors of the engine's event loops: they must have these numbers. WATCHED says what epoll `fd` was told of `other`. A PIPE's writing
 * end is `other`, and `events` bytes of `data` wait in it. */
enum { EPOLL, EVENTFD, PIPE, NULL_DEVICE, WATCHED };

struct snapshot_fd {
	unsigned kind, fd, other, events;
	unsigned long data;
};

/** What the engine's code depends on: it has chosen its variants of copying and searching. cpuid, leaves 1 and 7, and which registers the kernel keeps (XCR0). */
struct snapshot_processor {
	unsigned words[7];
};

struct snapshot {
	/** bytes: of the whole file. resume: the address to go on at, which expects a `struct given` in the first argument's register. */
	unsigned long magic, bytes, resume;
	/** CLOCK_MONOTONIC must not be behind this. */
	long nanoseconds;
	struct snapshot_processor processor;
	unsigned fds, files, regions, runs;
	struct snapshot_fd fd[SNAPSHOT_FDS];
	struct snapshot_file file[SNAPSHOT_FILES];
	struct snapshot_run run[SNAPSHOT_RUNS];
	struct snapshot_region region[SNAPSHOT_REGIONS];
} __attribute__((aligned(4096)));

/** What a process that goes on is to do. */
struct given {
	char *directory;
	char **words, **environment;
	const struct snapshot *snapshot;
};

static inline void ask_processor(struct snapshot_processor *of)
{
	unsigned ignored;

	__asm__ volatile("cpuid" : "=a"(of->words[0]), "=b"(ignored), "=c"(of->words[1]), "=d"(of->words[2]) : "a"(1), "c"(0));
	__asm__ volatile("cpuid" : "=a"(ignored), "=b"(of->words[3]), "=c"(of->words[4]), "=d"(of->words[5]) : "a"(7), "c"(0));
	of->words[6] = 0;
	if (of->words[1] & OSXSAVE)
		__asm__ volatile("xgetbv" : "=a"(of->words[6]), "=d"(ignored) : "c"(0));
}
