/* Which memory the engine has, and which of it is its own: the regions and files of the snapshot. */
#pragma once

/** Own pages closer than this become one region: a mapping costs every process some microseconds, pages of zeros are a hole of the file. */
#define GAP_ANONYMOUS 1100
#define GAP_FILE 64
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_SWAPPED (1ull << 62)
#define PAGEMAP_FILE (1ull << 61)
/** How many pages are asked for at a time: one by one it is a million system calls. */
#define PAGEMAP_ENTRIES 4096

static int out = -1, memory = -1, pagemap = -1;
static unsigned long written;
/** How many pages page_of knows. */
static unsigned long entries;

static void open_pagemap(void)
{
	pagemap = open_of("pagemap", O_RDONLY);
	entries = 0;
}

static unsigned long page_of(unsigned long address)
{
	static unsigned long first;
	static uint64_t entry[PAGEMAP_ENTRIES];
	unsigned long number = address / PAGE_BYTES;

	if (number - first >= entries) {
		ssize_t length = pread(pagemap, entry, sizeof entry, number * sizeof *entry);

		if (length < (ssize_t)sizeof *entry)
			fail("/proc/PID/pagemap: %s", strerror(errno));
		first = number;
		entries = length / sizeof *entry;
	}
	return entry[number - first];
}

/** Whether the process has written a page, which is not as its file has it, or zeros. */
static int is_own(unsigned long address)
{
	unsigned long page = page_of(address);

	return (page & PAGEMAP_PRESENT && !(page & PAGEMAP_FILE)) || page & PAGEMAP_SWAPPED;
}

/** What goes on where the last one ends, in memory and in the snapshot, is one with it: a call and a fault fewer in every process. */
static void add_region(unsigned long start, unsigned long size, unsigned protection, unsigned source, unsigned long offset)
{
	struct snapshot_region *last = head.regions ? &head.region[head.regions - 1] : NULL;

	if (last && source >= IN_SNAPSHOT && last->source == source && last->protection == protection && last->start + last->size == start && last->offset + last->size == offset) {
		last->size += size;
		return;
	}
	if (head.regions == SNAPSHOT_REGIONS)
		fail("more than %d regions", SNAPSHOT_REGIONS);
	head.region[head.regions++] = (struct snapshot_region){ start, size, offset, protection, source };
}

static void copy_region(unsigned long start, unsigned long size, unsigned protection, unsigned source)
{
	static char page[PAGE_BYTES], zeros[PAGE_BYTES];

	add_region(start, size, protection, source, sizeof head + written);
	for (unsigned long at = start; at < start + size; at += PAGE_BYTES, written += PAGE_BYTES)
		if (pread(memory, page, PAGE_BYTES, at) != PAGE_BYTES || (memcmp(page, zeros, PAGE_BYTES) && pwrite(out, page, PAGE_BYTES, sizeof head + written) != PAGE_BYTES))
			fail("%s: %s", unfinished, strerror(errno));
}

/** A mapping, with what the engine has written over it; where that is nearly all, it is all. */
static void add_changed(unsigned long start, unsigned long end, unsigned protection, unsigned source, unsigned long offset, unsigned gap)
{
	unsigned before = head.regions;

	add_region(start, end - start, protection, source, offset);
	for (unsigned long at = start; at < end; at += PAGE_BYTES)
		if (is_own(at)) {
			unsigned long first = at - start <= gap * PAGE_BYTES ? start : at, last = at;

			for (; at < end && at - last <= gap * PAGE_BYTES; at += PAGE_BYTES)
				if (is_own(at))
					last = at;
			if (at < end)
				at = last + PAGE_BYTES;
			if (first == start && at == end) {
				head.regions = before;
				copy_region(start, end - start, protection, IN_SNAPSHOT);
			} else {
				copy_region(first, at - first, protection, OVER);
			}
		}
}

static void add_file(const char *path)
{
	struct snapshot_file *file = &head.file[head.files];
	struct stat about;

	for (unsigned i = 0; i < head.files; i++)
		if (!strcmp(head.file[i].path, path))
			return;
	if (head.files == SNAPSHOT_FILES || strlen(path) >= SNAPSHOT_PATH)
		fail("a file too many: %s", path);
	if (stat(path, &about))
		fail("%s: %s", path, strerror(errno));
	*file = (struct snapshot_file){ about.st_size, about.st_mtim.tv_sec, about.st_mtim.tv_nsec, "" };
	strcpy(file->path, path);
	head.files++;
}

/** proc_pid_maps(5). What is shared with others are programs of containers that are gone. */
static void add_mappings(void)
{
	char line[PATH_MAX + 128], flags[5], path[PATH_MAX];
	unsigned long start, end, offset;
	FILE *maps = read_of("maps");

	while (fgets(line, sizeof line, maps)) {
		unsigned protection;

		*path = 0;
		sscanf(line, "%lx-%lx %4s %lx %*s %*s %4095[^\n]", &start, &end, flags, &offset, path);
		protection = (flags[0] == 'r') | (flags[1] == 'w') << 1 | (flags[2] == 'x') << 2;
		if (flags[3] == 's' || !strcmp(path, "[vdso]") || !strncmp(path, "[vvar", 5) || !strcmp(path, "[vsyscall]"))
			continue;
		if (!strcmp(path, "[stack]"))
			add_changed(end - STACK_BYTES, end, protection, ZEROS, 0, GAP_ANONYMOUS);
		else if (!strcmp(path, engine))
			add_changed(start, end, protection, IN_ENGINE, offset, GAP_FILE);
		else if (*path == '/') {
			if (strncmp(path, directory, strlen(directory)))
				add_file(path);
			copy_region(start, end - start, protection, IN_SNAPSHOT);
		} else
			add_changed(start, end, protection, ZEROS, 0, GAP_ANONYMOUS);
	}
	fclose(maps);
}
