/* "facts": everything a process can tell about itself, as one JSON object. */
#define _GNU_SOURCE
#include "facts.h"
#include "json.h"
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void strings(const char *name, char **list)
{
	json_key(name);
	json_raw("[");
	for (; *list; list++)
		json_text(NULL, *list);
	json_raw("]");
}

static void ids(void)
{
	gid_t groups[1024];
	int i, n = getgroups(1024, groups);
	uid_t r, e, s;
	mode_t mask = umask(0);

	umask(mask);
	getresuid(&r, &e, &s);
	json_key("uid");
	json_raw("[%u,%u,%u]", r, e, s);
	getresgid(&r, &e, &s);
	json_key("gid");
	json_raw("[%u,%u,%u]", r, e, s);
	json_key("groups");
	json_raw("[");
	for (i = 0; i < n; i++)
		json_number(NULL, groups[i]);
	json_raw("]");
	json_number("umask", mask);
}

static void capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	unsigned long long bounding = 0, ambient = 0;
	int i;

	syscall(SYS_capget, &header, data);
	for (i = 0; i < 64; i++) {
		if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
			bounding |= 1ull << i;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
			ambient |= 1ull << i;
	}
	json_begin("capabilities");
	json_key("effective"), json_raw("\"%08x%08x\"", data[1].effective, data[0].effective);
	json_key("permitted"), json_raw("\"%08x%08x\"", data[1].permitted, data[0].permitted);
	json_key("inheritable"), json_raw("\"%08x%08x\"", data[1].inheritable, data[0].inheritable);
	json_key("bounding"), json_raw("\"%016llx\"", bounding);
	json_key("ambient"), json_raw("\"%016llx\"", ambient);
	json_end();
}

static const char *const limits[] = {
	[RLIMIT_CPU] = "RLIMIT_CPU", [RLIMIT_FSIZE] = "RLIMIT_FSIZE", [RLIMIT_DATA] = "RLIMIT_DATA", [RLIMIT_STACK] = "RLIMIT_STACK",
	[RLIMIT_CORE] = "RLIMIT_CORE", [RLIMIT_RSS] = "RLIMIT_RSS", [RLIMIT_NPROC] = "RLIMIT_NPROC", [RLIMIT_NOFILE] = "RLIMIT_NOFILE",
	[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK", [RLIMIT_AS] = "RLIMIT_AS", [RLIMIT_LOCKS] = "RLIMIT_LOCKS", [RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
	[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE", [RLIMIT_NICE] = "RLIMIT_NICE", [RLIMIT_RTPRIO] = "RLIMIT_RTPRIO", [RLIMIT_RTTIME] = "RLIMIT_RTTIME",
};

static void rlimits(void)
{
	unsigned i;

	json_begin("rlimits");
	for (i = 0; i < sizeof limits / sizeof *limits; i++) {
		struct rlimit value = { 0, 0 };

		getrlimit(i, &value);
		json_key(limits[i]);
		json_raw("[\"%llu\",\"%llu\"]", (unsigned long long)value.rlim_cur, (unsigned long long)value.rlim_max);
	}
	json_end();
}

static void link_of(const char *name, const char *path)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof target);

	json_key(name);
	if (n < 0)
		json_raw("null");
	else
		json_string(target, n);
}

static void namespaces(void)
{
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts" };
	unsigned i;
	char path[64];

	json_begin("namespaces");
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
		link_of(names[i], path);
	}
	json_end();
}

static void descriptors(void)
{
	int fd, first = 1;
	char path[64];

	json_key("descriptors");
	json_raw("{");
	for (fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		json_raw("%s\"%d\":", first ? "" : ",", fd);
		first = 0;
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		char target[4096];
		ssize_t n = readlink(path, target, sizeof target);
		if (n < 0)
			json_raw("null");
		else
			json_string(target, n);
	}
	json_raw("}");
}

struct scheduling {
	unsigned size, policy;
	unsigned long long flags;
	int nice;
	unsigned priority;
	unsigned long long runtime, deadline, period;
};

static void scheduling(void)
{
	struct scheduling s = { 0 };
	cpu_set_t set;
	unsigned i;

	syscall(SYS_sched_getattr, 0, &s, sizeof s, 0);
	json_begin("scheduler");
	json_number("policy", s.policy);
	json_number("flags", s.flags);
	json_number("nice", s.nice);
	json_number("priority", s.priority);
	json_number("runtime", s.runtime);
	json_number("deadline", s.deadline);
	json_number("period", s.period);
	json_end();
	json_number("ioprio", syscall(SYS_ioprio_get, 1, 0));
	sched_getaffinity(0, sizeof set, &set);
	json_key("affinity");
	json_raw("[");
	for (i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			json_number(NULL, i);
	json_raw("]");
}

static void clocks(void)
{
	struct timespec t;

	json_begin("clocks");
	clock_gettime(CLOCK_MONOTONIC, &t);
	json_number("monotonic", t.tv_sec);
	clock_gettime(CLOCK_BOOTTIME, &t);
	json_number("boottime", t.tv_sec);
	json_end();
}

static void terminal(void)
{
	struct winsize size = { 0 };

	json_key("terminals");
	json_raw("[%d,%d,%d]", isatty(0), isatty(1), isatty(2));
	ioctl(0, TIOCGWINSZ, &size);
	json_key("window");
	json_raw("[%d,%d]", size.ws_row, size.ws_col);
	json_number("controllingTerminal", open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY) >= 0);
}

void facts(char **argv)
{
	struct utsname name;
	char cwd[4096] = "";
	int signal = 0;

	json_begin("facts");
	json_number("pid", getpid());
	json_number("ppid", getppid());
	json_number("pgid", getpgrp());
	json_number("sid", getsid(0));
	ids();
	json_text("cwd", syscall(SYS_getcwd, cwd, sizeof cwd) < 0 ? NULL : cwd);
	strings("args", argv);
	strings("env", environ);
	uname(&name);
	json_text("hostname", name.nodename);
	json_text("domainname", name.domainname);
	json_text("machine", name.machine);
	capabilities();
	json_number("noNewPrivileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	json_number("securebits", prctl(PR_GET_SECUREBITS));
	json_number("keepCapabilities", prctl(PR_GET_KEEPCAPS));
	json_number("dumpable", prctl(PR_GET_DUMPABLE));
	prctl(PR_GET_PDEATHSIG, &signal);
	json_number("parentDeathSignal", signal);
	json_number("subreaper", (prctl(PR_GET_CHILD_SUBREAPER, &signal), signal));
	json_number("personality", personality(0xffffffff));
	rlimits();
	scheduling();
	clocks();
	terminal();
	json_number("sessionKeyring", syscall(SYS_keyctl, 0, -3, 0, 0, 0));
	namespaces();
	descriptors();
	link_of("exe", "/proc/self/exe");
	json_file("oomScoreAdj", "/proc/self/oom_score_adj");
	json_file("status", "/proc/self/status");
	json_file("mountinfo", "/proc/self/mountinfo");
	json_file("cgroup", "/proc/self/cgroup");
	json_file("uidMap", "/proc/self/uid_map");
	json_file("gidMap", "/proc/self/gid_map");
	json_file("setgroups", "/proc/self/setgroups");
	json_file("timeOffsets", "/proc/self/timens_offsets");
	json_end();
}
