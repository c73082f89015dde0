/*
 * runt-snapshot: takes the snapshot of the engine beside it. It runs the engine, which loads all of runt, creates some containers (bin/warm.ts) and
 * pauses; writes its memory to engine/snapshot; and runs one more container with it, to see that it serves and which pages are written. As
 * root, in a mount namespace of its own with a cgroup v2 view; others cannot create that container, and their snapshot is of less use.
 * RUNT_SNAPSHOT tells the engine a directory for what it needs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "snapshot.h"
#include "tracee.h"
#include "memory.h"
#include "event-loops.h"

/** By how many seconds the engine's machine has been up for less long than ours. */
static long younger;

static void save_head(void)
{
	head.bytes = sizeof head + written;
	if (pwrite(out, &head, sizeof head, 0) != sizeof head || ftruncate(out, head.bytes))
		fail("%s: %s", unfinished, strerror(errno));
}

static void take(void)
{
	struct user_regs_struct registers;
	struct timespec now;
	char variable[sizeof work + sizeof "RUNT_SNAPSHOT="];

	snprintf(variable, sizeof variable, "RUNT_SNAPSHOT=%s", work);
	add_file(engine);
	/* What realloc(3) would have the kernel extend would be extended by what follows in the snapshot: no block is a mapping of its own. */
	static char no_mremap[] = "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=1073741824";
	/*
	 * No threads for collecting garbage or compiling. No JIT: its code is more memory to touch than it is time. And no collection before 64 or 16 MB,
	 * because the first one drops code that is older than some seconds, which here all is.
	 */
	start_traced(is_node ? (char *[]){ engine, "--no-warnings", "--single-threaded", "--v8-pool-size=0", "--no-flush-bytecode", "--min-semi-space-size=16", script, NULL } : (char *[]){ engine, NULL },
		(char *[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "BUN_JSC_useJIT=0", "BUN_JSC_numberOfGCMarkers=1", "BUN_JSC_useConcurrentGC=0", "BUN_JSC_largeHeapSize=67108864", no_mremap, variable, NULL }, 1);
	hide_vdso();
	ptrace(PTRACE_CONT, child, 0, 0);
	wait_for(0);
	ptrace(PTRACE_GETREGS, child, 0, &registers);
	head.magic = SNAPSHOT_MAGIC;
	head.resume = registers.rdx;
	clock_gettime(CLOCK_MONOTONIC, &now);
	head.nanoseconds = (now.tv_sec - younger) * 1000000000 + now.tv_nsec;
	ask_processor(&head.processor);
	stop_threads();
	add_event_loops();
	memory = open_of("mem", O_RDONLY);
	open_pagemap();
	add_mappings();
	close(memory);
	close(pagemap);
	end_child();
	*head.file[0].path = 0;
	save_head();
	if (rename(unfinished, snapshot))
		fail("%s: %s", snapshot, strerror(errno));
}

static int lies_under_later(unsigned number, unsigned long address)
{
	while (++number < head.regions)
		if (address - head.region[number].start < head.region[number].size)
			return 1;
	return 0;
}

/** The launcher's command line: what each engine's has before them, then `words`. */
static char **launched(char *const *words)
{
	static char *all[16];
	unsigned count = 0;

	all[count++] = launcher;
	if (is_node) {
		all[count++] = engine;
		all[count++] = script;
	}
	while ((all[count++] = *words++))
		;
	return all;
}

/** Runs a container by the snapshot, and remembers which pages that wrote: hardly more than `create` alone. Not where the new process's stack is in the way, which is rare. */
static int learn(void)
{
	char root[PATH_MAX], bundle[PATH_MAX], id[32], line[PATH_MAX];
	struct snapshot_run *last = NULL;
	int is_resumed = 0;
	FILE *maps;

	snprintf(root, sizeof root, "%s/root", work);
	snprintf(bundle, sizeof bundle, "%s/bundle", work);
	snprintf(id, sizeof id, "runt-snapshot-%d", getpid());
	start_traced(launched((char *[]){ "--root", root, "run", "--detach", "--bundle", bundle, id, NULL }), (char *[]){ NULL }, 0);
	ptrace(PTRACE_CONT, child, 0, 0);
	wait_for(PTRACE_EVENT_EXIT);
	for (maps = read_of("maps"); fgets(line, sizeof line, maps);)
		is_resumed |= strstr(line, snapshot) != NULL;
	fclose(maps);
	open_pagemap();
	for (unsigned i = 0; is_resumed && i < head.regions; i++) {
		const struct snapshot_region *region = &head.region[i];

		if (!(region->protection & PROT_WRITE) || (region->source == ZEROS && region->size > STACK_BYTES))
			continue;
		for (unsigned long at = region->start; at < region->start + region->size; at += PAGE_BYTES) {
			if (lies_under_later(i, at) || !is_own(at))
				continue;
			if (last && last->start >= region->start && at - (last->start + last->size) <= PAGE_BYTES)
				last->size = at + PAGE_BYTES - last->start;
			else if (head.runs < SNAPSHOT_RUNS)
				*(last = &head.run[head.runs++]) = (struct snapshot_run){ at, PAGE_BYTES };
		}
	}
	ptrace(PTRACE_DETACH, child, 0, 0);
	waitpid(child, NULL, 0);
	child = 0;
	run(launched((char *[]){ "--root", root, "delete", "--force", id, NULL }));
	save_head();
	return is_resumed;
}

/** What the containers need and nobody else is to see. Without the right to it they are refused, and that is then what the snapshot knows. */
static void enter_private_view(void)
{
	struct statfs about;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("runt-snapshot", "/run", "tmpfs", 0, NULL))
		return;
	if (statfs("/sys/fs/cgroup", &about) == 0 && about.f_type != CGROUP2_SUPER_MAGIC && umount2("/sys/fs/cgroup", MNT_DETACH) == 0)
		mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL);
}

/**
 * Engines count from when they began, and Node ends where the clock is behind that, as after a reboot: here it has begun a moment ago
 * (time_namespaces(7)). Where that is not to be had the snapshot serves once the machine has been up for as long as it is now.
 */
static void enter_young_machine(void)
{
	struct timespec up, booted;
	int offsets = -1;

	clock_gettime(CLOCK_MONOTONIC, &up);
	clock_gettime(CLOCK_BOOTTIME, &booted);
	if (unshare(CLONE_NEWTIME) == 0 && (offsets = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC)) >= 0
		&& dprintf(offsets, "monotonic -%ld 0\nboottime -%ld 0\n", up.tv_sec - 1, booted.tv_sec - 1) > 0)
		younger = up.tv_sec - 1;
	close(offsets);
}

/** Where everything is: the executable's engine, or the node that the Node build was built with. */
static void find_files(void)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(launcher, sizeof launcher, "%s/%s", directory, is_node ? "node/launcher" : "runt");
	snprintf(script, sizeof script, "%s/node/runt.cjs", directory);
	snprintf(engine, sizeof engine, "%s/engine/runt", directory);
	snprintf(snapshot, sizeof snapshot, "%s/%s/snapshot", directory, is_node ? "node" : "engine");
	snprintf(unfinished, sizeof unfinished, "%s/%s/snapshot.%d", directory, is_node ? "node" : "engine", getpid());
	if (!is_node)
		return;
	snprintf(path, sizeof path, "%s/node/engine", directory);
	if (!(file = fopen(path, "r")) || fscanf(file, "%4095[^\n]", path) != 1 || !realpath(path, engine))
		fail("%s/node/engine: %s", directory, strerror(errno));
	fclose(file);
}

int main(int count, char **words)
{
	ssize_t length = readlink("/proc/self/exe", directory, sizeof directory - 1);

	is_node = count == 2 && !strcmp(words[1], "--node");
	if (count > 1 + is_node)
		return fputs("usage: runt-snapshot [--node]\n", stderr), 2;
	if (length <= 0)
		fail("/proc/self/exe: %s", strerror(errno));
	directory[length] = 0;
	*strrchr(directory, '/') = 0;
	find_files();
	snprintf(work, sizeof work, "%s/runt-snapshot.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(work)) {
		*work = 0;
		fail("no directory in TMPDIR or /tmp: %s", strerror(errno));
	}
	unlink(unfinished);
	if ((out = open(unfinished, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) < 0)
		fail("%s: %s", unfinished, strerror(errno));
	fchmod(out, 0644);
	signal(SIGALRM, give_up);
	signal(SIGINT, give_up);
	signal(SIGTERM, give_up);
	alarm(LONGEST_SECONDS);
	enter_private_view();
	enter_young_machine();
	take();
	if (!learn() && !learn() && !learn())
		fail("it does not serve");
	tidy();
	printf("%s: %lu KB, %u regions, %u runs of pages\n", snapshot, (sizeof head + written) >> 10, head.regions, head.runs);
	return 0;
}
