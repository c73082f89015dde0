/*
 * A process that becomes an engine which has loaded all of runt already: the memory of engine/snapshot is mapped where it was, and the engine
 * goes on where it paused (pause.c). Half of what it takes to start one; a `run` takes half the time.
 */
#pragma once
#include "snapshot.h"

#define NR_EPOLL_CREATE1 291
#define NR_EPOLL_CTL 233
#define NR_EVENTFD2 290
#define NR_FCNTL 72
#define NR_MUNMAP 11
#define NR_NEWFSTATAT 262
#define NR_OPENAT 257
#define NR_PIPE2 293
#define NR_PRLIMIT64 302
#define NR_RT_SIGACTION 13
#define PROT_READ 1
#define MAP_FIXED 0x10
#define MAP_NORESERVE 0x4000
#define MAP_POPULATE 0x8000
#define MADV_NOHUGEPAGE 15
#define MADV_POPULATE_WRITE 23
#define HUGE_PAGE (2ul << 20)
#define F_GETFD 1
#define F_DUPFD_CLOEXEC 1030
#define O_RDWR 2
#define O_NONBLOCK 04000
#define AT_EMPTY_PATH 0x1000
#define STAT_MTIME_OFFSET 88
#define EPOLL_CTL_ADD 1
#define RLIMIT_NOFILE 7
#define CLOCK_MONOTONIC 1
/** More descriptors than a prepared program opens. */
#define MOST_OWN 32
/** Below the launcher's own pages (native/engine/build.sh), where no engine has anything. */
#define HEAD_ADDRESS 0x6f000000

/**
 * What an execve(2) would do: a prepared program that has given up leaves its memory, where the engine may want a program, and descriptors, which
 * close on exec. A number is free only where one of those few was closed again, or beyond all; and a closed standard stream is /dev/null to the engine.
 */
static void tidy(void)
{
	if (image)
		call6(NR_MUNMAP, base, size, 0, 0, 0, 0);
	for (s64 fd = 0, gap = 0; gap < MOST_OWN; fd++) {
		s64 flags = call6(NR_FCNTL, fd, F_GETFD, 0, 0, 0, 0);

		gap = flags < 0 ? gap + 1 : 0;
		if (flags < 0 && fd < 3)
			call6(NR_OPENAT, AT_FDCWD, (u64)"/dev/null", O_RDWR, 0, 0, 0);
		else if (flags > 0)
			call6(NR_CLOSE, fd, 0, 0, 0, 0, 0);
	}
}

/** A descriptor under the very number that the engine knows it by, if that is free. */
static int place(s64 fd, u32 number)
{
	s64 placed = fd < 0 ? fd : call6(NR_FCNTL, fd, F_DUPFD_CLOEXEC, number, 0, 0, 0);

	if (fd >= 0)
		call6(NR_CLOSE, fd, 0, 0, 0, 0, 0);
	return placed == number;
}

struct about {
	u64 before[STAT_SIZE_OFFSET / 8], size, between[STAT_MTIME_OFFSET / 8 - STAT_SIZE_OFFSET / 8 - 1];
	s64 seconds, nanoseconds;
	u64 after[5];
};

/** stat(2) of a descriptor, or of a path with AT_FDCWD. */
static int ask(s64 fd, const char *path, struct about *about)
{
	return call6(NR_NEWFSTATAT, fd, (u64)path, (u64)about, fd < 0 ? 0 : AT_EMPTY_PATH, 0, 0) == 0;
}

static int is_same_file(const struct snapshot_file *file, s64 fd)
{
	struct about about;

	return ask(fd, fd < 0 ? file->path : "", &about) && about.size == file->size && about.seconds == file->seconds && about.nanoseconds == file->nanoseconds;
}

/** The head of a file that has one: what a mapping has beyond the end of a file must not be looked at. */
static const struct snapshot *map_head(s64 file)
{
	struct about about;
	s64 head;

	if (!ask(file, "", &about) || about.size < sizeof(struct snapshot))
		return 0;
	head = call6(NR_MMAP, HEAD_ADDRESS, sizeof(struct snapshot), PROT_READ, MAP_PRIVATE | MAP_POPULATE | MAP_FIXED_NOREPLACE, file, 0);
	return head == HEAD_ADDRESS && ((const struct snapshot *)head)->bytes == about.size ? (const struct snapshot *)head : 0;
}

static int is_for_here(const struct snapshot *it, s64 engine)
{
	struct snapshot_processor here;
	s64 now[2];

	if (it->magic != SNAPSHOT_MAGIC || call6(NR_CLOCK_GETTIME, CLOCK_MONOTONIC, (u64)now, 0, 0, 0, 0) < 0 || now[0] * 1000000000 + now[1] < it->nanoseconds)
		return 0;
	ask_processor(&here);
	for (u32 i = 0; i < sizeof here.words / sizeof *here.words; i++)
		if (here.words[i] != it->processor.words[i])
			return 0;
	for (u32 i = 0; i < it->files; i++)
		if (!is_same_file(&it->file[i], i == 0 ? engine : AT_FDCWD))
			return 0;
	return 1;
}

/** The descriptors of event loops, as the engine left them. Where one cannot be had, those that were made close with the next execve. */
static int make_event_loops(const struct snapshot *it)
{
	for (u32 i = 0; i < it->fds; i++) {
		const struct snapshot_fd *one = &it->fd[i];
		struct { u32 events; u64 data; } __attribute__((packed)) event = { one->events, one->data };
		int pipe[2];
		int made;

		if (one->kind == EPOLL)
			made = place(call6(NR_EPOLL_CREATE1, O_CLOEXEC, 0, 0, 0, 0, 0), one->fd);
		else if (one->kind == EVENTFD)
			made = place(call6(NR_EVENTFD2, 0, O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0), one->fd);
		else if (one->kind == NULL_DEVICE)
			made = place(call6(NR_OPENAT, AT_FDCWD, (u64)"/dev/null", O_CLOEXEC, 0, 0, 0), one->fd);
		else if (one->kind == PIPE)
			made = call6(NR_PIPE2, (u64)pipe, O_CLOEXEC | O_NONBLOCK, 0, 0, 0, 0) == 0 && place(pipe[0], one->fd) && place(pipe[1], one->other)
				&& (one->events == 0 || call6(NR_WRITE, one->other, (u64)&one->data, one->events, 0, 0, 0) == one->events);
		else
			made = call6(NR_EPOLL_CTL, one->fd, EPOLL_CTL_ADD, one->other, (u64)&event, 0, 0) == 0;
		if (!made)
			return 0;
	}
	return 1;
}

/** Maps all of it; not where this process has something of its own, its stack or the kernel's page, whose places are not the same twice. */
static int map_regions(const struct snapshot *it, s64 file, s64 engine)
{
	for (u32 i = 0; i < it->regions; i++) {
		const struct snapshot_region *region = &it->region[i];
		u64 flags = MAP_PRIVATE | (region->source == ZEROS ? MAP_ANONYMOUS | MAP_NORESERVE : 0) | (region->source == OVER ? MAP_FIXED : MAP_FIXED_NOREPLACE);
		s64 from = region->source == ZEROS ? -1 : region->source == IN_ENGINE ? engine : file;

		if (call6(NR_MMAP, region->start, region->size, region->protection, flags, from, region->offset) != (s64)region->start)
			return 0;
		if (region->source == ZEROS && region->size >= HUGE_PAGE)
			call6(NR_MADVISE, region->start, region->size, MADV_NOHUGEPAGE, 0, 0, 0);
	}
	for (u32 i = 0; i < it->runs; i++)
		call6(NR_MADVISE, it->run[i].start, it->run[i].size, MADV_POPULATE_WRITE, 0, 0, 0);
	return 1;
}

/** When they start: there may be as many descriptors as can be, because each mount of a container is one for a while. */
static void do_as_engines_do(void)
{
	u64 limit[2];
#ifdef NODE
	u64 by_default[4] = { 0 };

	for (u64 number = 1; number <= LAST_PLAIN_SIGNAL; number++) /* what the caller ignores as well; the engine's own actions follow */
		call6(NR_RT_SIGACTION, number, (u64)by_default, 0, 8, 0, 0);
	mask_signals(0);
#endif

	if (call6(NR_PRLIMIT64, 0, RLIMIT_NOFILE, 0, (u64)limit, 0, 0) == 0 && limit[0] < limit[1]) {
		limit[0] = limit[1];
		call6(NR_PRLIMIT64, 0, RLIMIT_NOFILE, (u64)limit, 0, 0, 0);
	}
}

/** Goes on as `engine`, if there is a snapshot of it that serves here and now: else it is started instead, which makes these mappings gone. */
static void resume(const char *engine_path, const char *snapshot_path, char *directory, char **words, char **environment)
{
	s64 file, engine;
	const struct snapshot *it;
	struct given given = { directory, words, environment, 0 };

	tidy();
	if ((file = call6(NR_OPENAT, AT_FDCWD, (u64)snapshot_path, O_CLOEXEC, 0, 0, 0)) < 0)
		return;
	engine = call6(NR_OPENAT, AT_FDCWD, (u64)engine_path, O_CLOEXEC, 0, 0, 0);
	given.snapshot = it = map_head(file);
	if (engine >= 0 && it && is_for_here(it, engine) && make_event_loops(it) && map_regions(it, file, engine)) {
		call6(NR_CLOSE, engine, 0, 0, 0, 0, 0);
		call6(NR_CLOSE, file, 0, 0, 0, 0, 0);
		do_as_engines_do();
		((void (*)(struct given *))it->resume)(&given);
	}
}
