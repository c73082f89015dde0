/*
 * The floor: what the default bundle asks of the kernel, in C, without JSON, state or errors worth reading. No runtime that
 * does the same can be faster.   floor ROOTFS PROGRAM [WORD...]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(int failed, const char *what)
{
	if (failed) {
		fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
		_exit(1);
	}
}

static void place(const char *type, const char *target, unsigned long flags, const char *data)
{
	if (mkdir(target, 0755) < 0)
		check(errno != EEXIST, target);
	check(mount(type, target, type, flags, data) < 0, target);
}

static void devices(void)
{
	static const struct { const char *path; int major, minor; } list[] = { { "dev/null", 1, 3 }, { "dev/zero", 1, 5 }, { "dev/full", 1, 7 }, { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 }, { "dev/tty", 5, 0 } };
	unsigned i;

	for (i = 0; i < sizeof list / sizeof *list; i++)
		check(mknod(list[i].path, S_IFCHR | 0666, makedev(list[i].major, list[i].minor)) < 0, list[i].path);
	check(symlink("/proc/self/fd", "dev/fd") < 0 || symlink("/proc/self/fd/0", "dev/stdin") < 0 || symlink("/proc/self/fd/1", "dev/stdout") < 0 ||
	      symlink("/proc/self/fd/2", "dev/stderr") < 0 || symlink("pts/ptmx", "dev/ptmx") < 0, "links");
}

static void mask(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode))
		check(mount("tmpfs", path, "tmpfs", MS_RDONLY, "size=0k") < 0, path);
	else
		check(mount("dev/null", path, NULL, MS_BIND, NULL) < 0, path);
}

static void readonly(const char *path)
{
	check(mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0 || mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0, path);
}

static int inside(void *words)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0x5e1, 0x5e1, 0 }, { 0, 0, 0 } };
	char **argv = words;
	int i;

	check(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0, "propagation");
	check(mount(argv[1], argv[1], NULL, MS_BIND | MS_REC, NULL) < 0 || chdir(argv[1]) < 0, argv[1]);
	check(sethostname("boxed", 5) < 0, "hostname");
	umask(0);
	place("proc", "proc", 0, NULL);
	place("tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
	place("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
	place("tmpfs", "dev/shm", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k");
	place("mqueue", "dev/mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL);
	place("sysfs", "sys", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL);
	devices();
	mask("proc/keys");
	mask("proc/timer_list");
	mask("sys/firmware");
	readonly("proc/sys");
	readonly("proc/bus");
	check(syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0, "pivot_root");
	umask(022);
	for (i = 0; i < 41; i++)
		if (!(0x5e1 & (1ull << i)))
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0, "ids");
	check(syscall(SYS_capset, &header, data) < 0, "capset");
	execv(argv[2], argv + 2);
	check(1, argv[2]);
	return 1;
}

int main(int argc, char **argv)
{
	static char stack[1 << 16] __attribute__((aligned(16)));
	char cgroup[64], text[32];
	int status, fd;
	pid_t pid;

	if (argc < 3)
		return 2;
	snprintf(cgroup, sizeof cgroup, "/sys/fs/cgroup/floor%d", getpid());
	check(mkdir(cgroup, 0755) < 0, cgroup);
	pid = clone(inside, stack + sizeof stack, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWCGROUP | SIGCHLD, argv);
	check(pid < 0, "clone");
	snprintf(cgroup, sizeof cgroup, "/sys/fs/cgroup/floor%d/cgroup.procs", getpid());
	if ((fd = open(cgroup, O_WRONLY | O_CLOEXEC)) >= 0 && write(fd, text, snprintf(text, sizeof text, "%d", pid)) < 0 && errno != ESRCH)
		perror(cgroup);
	waitpid(pid, &status, 0);
	close(fd);
	snprintf(cgroup, sizeof cgroup, "/sys/fs/cgroup/floor%d", getpid());
	check(rmdir(cgroup) < 0, cgroup);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
