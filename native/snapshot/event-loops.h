/* The descriptors of the engine's event loops, as table of what is to be made and under which number. */
#pragma once

static void add_fd(struct snapshot_fd fd)
{
	if (head.fds == SNAPSHOT_FDS)
		fail("the engine has too many descriptors");
	head.fd[head.fds++] = fd;
}

static unsigned flags_of(unsigned fd)
{
	char line[64], path[64];
	unsigned flags = 0;
	FILE *about;

	snprintf(path, sizeof path, "fdinfo/%u", fd);
	for (about = read_of(path); fgets(line, sizeof line, about);)
		sscanf(line, "flags: %o", &flags);
	fclose(about);
	return flags;
}

/** The two ends of a pipe have the same name. */
static unsigned writing_end(int list, const char *name)
{
	char number[16], target[64];

	for (unsigned fd = FIRST_FD; fd < FIRST_FD + 64; fd++) {
		ssize_t length;

		snprintf(number, sizeof number, "%u", fd);
		if ((length = readlinkat(list, number, target, sizeof target - 1)) <= 0)
			continue;
		target[length] = 0;
		if (!strcmp(target, name) && (flags_of(fd) & O_ACCMODE) == O_WRONLY)
			return fd;
	}
	fail("the engine has %s open", name);
}

/** What waits in a pipe is part of it: libuv's lock is a byte that whoever has the lock has read. */
static void add_pipe(unsigned fd, unsigned other)
{
	struct snapshot_fd one = { .kind = PIPE, .fd = fd, .other = other };
	char path[16];
	int pipe, waiting = 0;

	snprintf(path, sizeof path, "fd/%u", fd);
	pipe = open_of(path, O_RDONLY | O_NONBLOCK);
	if (ioctl(pipe, FIONREAD, &waiting) || (unsigned)waiting > sizeof one.data || read(pipe, &one.data, waiting) != waiting)
		if (waiting)
			fail("a pipe of the engine holds %d bytes", waiting);
	one.events = waiting;
	close(pipe);
	add_fd(one);
}

static void add_watches(unsigned epoll)
{
	struct snapshot_fd one = { .kind = WATCHED, .fd = epoll };
	char path[64], line[256];
	FILE *about;

	snprintf(path, sizeof path, "fdinfo/%u", epoll);
	for (about = read_of(path); fgets(line, sizeof line, about);)
		if (sscanf(line, "tfd: %u events: %x data: %lx", &one.other, &one.events, &one.data) == 3)
			add_fd(one);
	fclose(about);
}

/** What event loops are made of; with anything else open the engine is not what its memory can tell. */
static void add_event_loops(void)
{
	char path[64], target[64];
	struct dirent *entry;
	DIR *list;

	snprintf(path, sizeof path, "/proc/%d/fd", child);
	for (list = opendir(path); (entry = readdir(list));) {
		unsigned fd = atoi(entry->d_name);
		ssize_t length = readlinkat(dirfd(list), entry->d_name, target, sizeof target - 1);

		if (fd < 3)
			continue;
		target[length < 0 ? 0 : length] = 0;
		if (!strcmp(target, "anon_inode:[eventpoll]"))
			add_fd((struct snapshot_fd){ .kind = EPOLL, .fd = fd });
		else if (!strcmp(target, "anon_inode:[eventfd]"))
			add_fd((struct snapshot_fd){ .kind = EVENTFD, .fd = fd });
		else if (!strcmp(target, "/dev/null"))
			add_fd((struct snapshot_fd){ .kind = NULL_DEVICE, .fd = fd });
		else if (strncmp(target, "pipe:", 5))
			fail("the engine has %s open", target);
		else if ((flags_of(fd) & O_ACCMODE) == O_RDONLY)
			add_pipe(fd, writing_end(dirfd(list), target));
	}
	closedir(list);
	for (unsigned i = 0, count = head.fds; i < count; i++)
		if (head.fd[i].kind == EPOLL)
			add_watches(head.fd[i].fd);
}
