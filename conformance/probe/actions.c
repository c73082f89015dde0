#define _GNU_SOURCE
#include <time.h>
#include "actions.h"
#include "json.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

static void show_stat(const char *path)
{
	static const char *const types[16] = { [1] = "fifo", [2] = "char", [4] = "directory", [6] = "block", [8] = "file", [10] = "link", [12] = "socket" };
	struct stat st;
	char target[4096];
	ssize_t n;

	json_begin(path);
	if (lstat(path, &st) < 0) {
		json_errno("errno", -1);
	} else {
		json_text("errno", "0");
		json_text("type", types[(st.st_mode >> 12) & 15]);
		json_number("mode", st.st_mode & 07777);
		json_number("uid", st.st_uid);
		json_number("gid", st.st_gid);
		json_number("size", st.st_size);
		json_number("major", major(st.st_rdev));
		json_number("minor", minor(st.st_rdev));
		json_key("inode"), json_raw("\"%llu:%llu\"", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
		if (S_ISLNK(st.st_mode) && (n = readlink(path, target, sizeof target)) >= 0)
			json_key("link"), json_string(target, n);
	}
	json_end();
}

static void show_list(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;

	if (!directory) {
		json_errno("list", -1);
		return;
	}
	json_key("list");
	json_raw("[");
	while ((entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			json_text(NULL, entry->d_name);
	json_raw("]");
	closedir(directory);
}

static void show_statfs(const char *path)
{
	struct statfs fs;

	json_begin("statfs");
	if (statfs(path, &fs) < 0) {
		json_errno("errno", -1);
	} else {
		json_text("errno", "0");
		json_number("type", fs.f_type);
		json_number("flags", fs.f_flags);
		json_number("size", (long long)fs.f_blocks * fs.f_bsize);
		json_number("files", fs.f_files);
	}
	json_end();
}

static long write_file(const char *path, const char *data, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0666);
	long n;
	int saved;

	if (fd < 0)
		return -1;
	n = write(fd, data, strlen(data));
	saved = errno;
	close(fd);
	errno = saved;
	return n;
}

static long read_byte(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), saved;
	long n;

	if (fd < 0)
		return -1;
	n = read(fd, &byte, 1);
	saved = errno;
	close(fd);
	errno = saved;
	return n;
}

static void execute(char **words)
{
	int status = 0, ends[2], failure = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	json_flush();
	pid = fork();
	if (pid == 0) {
		execv(words[0], words);
		failure = errno;
		if (write(ends[1], &failure, sizeof failure) < 0)
			_exit(126);
		_exit(127);
	}
	close(ends[1]);
	if (read(ends[0], &failure, sizeof failure) < 0)
		failure = errno;
	close(ends[0]);
	waitpid(pid, &status, 0);
	json_text("errno", failure ? errno_name(failure) : "0");
	json_number("status", status);
}

static const struct { const char *name; long number; } calls[] = {
	{ "getpid", SYS_getpid }, { "getppid", SYS_getppid }, { "getuid", SYS_getuid }, { "acct", SYS_acct }, { "personality", SYS_personality },
	{ "socket", SYS_socket }, { "kill", SYS_kill }, { "getpriority", SYS_getpriority }, { "setpriority", SYS_setpriority }, { "sethostname", SYS_sethostname }, { "umask", SYS_umask }, { "mkdirat", SYS_mkdirat },
	{ "unshare", SYS_unshare }, { "keyctl", SYS_keyctl }, { "chroot", SYS_chroot }, { "swapoff", SYS_swapoff }, { "sched_yield", SYS_sched_yield }, { "dup", SYS_dup },
	{ "setuid", SYS_setuid }, { "setns", SYS_setns }, { "getsid", SYS_getsid },
};

/* In a child, because a filter may kill: what it returned, or the signal that ended it. */
static void call(int count, char **words)
{
	long number = -1, a[6] = { 0 };
	struct { long result; int error; } got = { 0, 0 };
	int i, ends[2], status = 0;
	pid_t pid;
	ssize_t n;

	for (i = 0; i < (int)(sizeof calls / sizeof *calls); i++)
		if (!strcmp(calls[i].name, words[0]))
			number = calls[i].number;
	if (number < 0)
		number = atol(words[0]);
	for (i = 1; i < count && i < 7; i++)
		a[i - 1] = *words[i] == '/' ? (long)words[i] : (long)strtoull(words[i], NULL, 0);
	if (pipe(ends) < 0)
		return;
	json_flush();
	pid = fork();
	if (pid == 0) {
		got.result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
		got.error = got.result == -1 ? errno : 0;
		_exit(write(ends[1], &got, sizeof got) != sizeof got);
	}
	close(ends[1]);
	n = read(ends[0], &got, sizeof got);
	close(ends[0]);
	waitpid(pid, &status, 0);
	json_begin("syscall");
	if (n == sizeof got) {
		json_number("result", got.result);
		json_text("errno", got.error ? errno_name(got.error) : "0");
	}
	json_number("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	json_end();
}

static void forks(int wanted)
{
	int made = 0, failure = 0, i;
	pid_t *pids = calloc(wanted, sizeof *pids);

	for (i = 0; i < wanted; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			pause();
			_exit(0);
		}
		if (pids[i] < 0) {
			failure = errno;
			break;
		}
		made++;
	}
	for (i = 0; i < made; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	json_number("forks", made);
	json_text("errno", failure ? errno_name(failure) : "0");
}

static volatile sig_atomic_t caught;
static void on_signal(int number) { caught = number; }

static void wait_for_signal(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t all, old;
	int i;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	for (i = 1; i < 65; i++)
		if (i != SIGCHLD)
			sigaction(i, &action, NULL);
	sigemptyset(&old);
	json_raw("\"ready\":1}\n");
	json_flush();
	while (!caught)
		sigsuspend(&old);
	json_raw("{\"signal\":%d", (int)caught);
}

int act(const char *name, int count, char **words)
{
	const char *path = count > 0 ? words[0] : "";
	int i;

#define IS(text, least) (!strcmp(name, text) && count >= (least))
	if (IS("stat", 1)) {
		json_begin("stat");
		for (i = 0; i < count; i++)
			show_stat(words[i]);
		json_end();
	} else if (IS("list", 1)) show_list(path);
	else if (IS("statfs", 1)) show_statfs(path);
	else if (IS("content", 1)) json_file("content", path);
	else if (IS("read", 1)) json_errno("read", read_byte(path));
	else if (IS("write", 2)) json_errno("write", write_file(path, words[1], O_WRONLY | O_CREAT | O_TRUNC));
	else if (IS("put", 2)) json_errno("write", write_file(path, words[1], O_WRONLY));
	else if (IS("mkdir", 1)) json_errno("mkdir", mkdir(path, 0777));
	else if (IS("unlink", 1)) json_errno("unlink", unlink(path));
	else if (IS("umount", 1)) json_errno("umount", umount(path));
	else if (IS("mount", 2)) json_errno("mount", mount(path, words[1], count > 2 ? words[2] : NULL, count > 3 ? strtoul(words[3], NULL, 0) : 0, NULL));
	else if (IS("chown", 3)) json_errno("chown", lchown(path, atoi(words[1]), atoi(words[2])));
	else if (IS("mknod", 4)) json_errno("mknod", mknod(path, (*words[1] == 'b' ? S_IFBLK : S_IFCHR) | 0600, makedev(atoi(words[2]), atoi(words[3]))));
	else if (IS("execute", 1)) execute(words);
	else if (IS("syscall", 1)) call(count, words);
	else if (IS("forks", 1)) forks(atoi(path));
	else if (IS("wait", 0)) wait_for_signal();
	else if (IS("sethostname", 1)) json_errno("sethostname", sethostname(path, strlen(path)));
	else if (IS("echo", 0)) {
		char data[4096];
		ssize_t n;

		while ((n = read(0, data, sizeof data)) > 0)
			json_key("input"), json_string(data, n);
	} else if (IS("memory", 1)) {
		size_t size = strtoull(path, NULL, 0);
		char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory != MAP_FAILED)
			memset(memory, 1, size);
		json_text("memory", memory == MAP_FAILED ? errno_name(errno) : "0");
	} else if (IS("burn", 1)) { /* seconds of wall clock spent computing: the processor time they gave */
		struct timespec begin, now, used;

		clock_gettime(CLOCK_MONOTONIC, &begin);
		do
			clock_gettime(CLOCK_MONOTONIC, &now);
		while (now.tv_sec - begin.tv_sec < atoi(path));
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
		json_number("milliseconds", used.tv_sec * 1000 + used.tv_nsec / 1000000);
	} else
		return 0;
	return 1;
}
