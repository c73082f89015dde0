/* The engine that is looked at: how it is started and held still with ptrace(2), and what there is to say when that fails. */
#pragma once

/** Descriptors below are taken while the engine starts, so that its event loop gets numbers no caller hands down. */
#define FIRST_FD 240
#define STACK_BYTES (8ul << 20)
/** Then it has failed somewhere, and ends with all it has started. */
#define LONGEST_SECONDS 120
#define AUXV_IGNORE 1

static struct snapshot head;
static char directory[PATH_MAX / 2], engine[PATH_MAX], script[PATH_MAX], launcher[PATH_MAX], snapshot[PATH_MAX], unfinished[PATH_MAX], work[PATH_MAX / 2];
static pid_t child;
static int is_node;

static void run(char *const *words)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execve(*words, words, (char *[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL });
		_exit(127);
	}
	waitpid(pid, &status, 0);
}

/** Its threads, where they are traced, have to be waited for before it. */
static void end_child(void)
{
	if (child > 0 && kill(child, SIGKILL) == 0)
		while (waitpid(-1, NULL, __WALL) != child)
			if (errno == ECHILD)
				break;
	child = 0;
}

static void tidy(void)
{
	end_child();
	if (*work)
		run((char *[]){ "/bin/rm", "-rf", work, NULL });
}

static _Noreturn void fail(const char *format, ...)
{
	va_list list;

	fputs("runt: no snapshot of the engine: ", stderr);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputs("; commands will start it instead\n", stderr);
	unlink(snapshot);
	unlink(unfinished);
	tidy();
	exit(1);
}

/** Too late, or somebody has had enough: nothing is left. */
static void give_up(int signal)
{
	static const char late[] = "runt: no snapshot of the engine: not in time\n";

	if (signal == SIGALRM && write(2, late, sizeof late - 1) < 0)
		_exit(1);
	unlink(snapshot);
	unlink(unfinished);
	tidy();
	_exit(1);
}

static int open_of(const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", child, name);
	if ((fd = open(path, flags | O_CLOEXEC)) < 0)
		fail("%s: %s", path, strerror(errno));
	return fd;
}

static FILE *read_of(const char *name)
{
	return fdopen(open_of(name, O_RDONLY), "r");
}

/** Goes on until the child stops for `event` (0: SIGTRAP, else one of PTRACE_EVENT_); gives it its other signals. */
static void wait_for(int event)
{
	int status;

	for (;;) {
		if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) {
			child = 0;
			fail("the engine ended, status %#x", status);
		}
		if (WSTOPSIG(status) == SIGTRAP && status >> 16 == event)
			return;
		if (WSTOPSIG(status) == SIGSEGV || WSTOPSIG(status) == SIGILL)
			fail("signal %d", WSTOPSIG(status));
		ptrace(PTRACE_CONT, child, 0, status >> 16 ? 0 : WSTOPSIG(status));
	}
}

static void start_traced(char *const *words, char *const *environment, int fills)
{
	child = fork();
	if (child == 0) {
		int none = open("/dev/null", O_RDWR);
		struct rlimit stack;

		for (int fd = 0; fd < 3; fd++)
			dup2(none, fd);
		for (int fd = 3; fills && fd < FIRST_FD; fd++)
			dup2(none, fd);
		if (getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur > STACK_BYTES) {
			stack.rlim_cur = STACK_BYTES; /* more than that the engine would believe in, and not have */
			setrlimit(RLIMIT_STACK, &stack);
		}
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execve(*words, words, environment);
		_exit(127);
	}
	wait_for(0);
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACEEXIT);
}

/** The kernel's own functions (vdso(7)) lie elsewhere in every process and differ between kernels; without their address the C library makes system calls. */
static void hide_vdso(void)
{
	struct user_regs_struct registers;
	unsigned long at, type;

	ptrace(PTRACE_GETREGS, child, 0, &registers);
	at = registers.rsp + 8 * (2 + ptrace(PTRACE_PEEKDATA, child, registers.rsp, 0));
	while (ptrace(PTRACE_PEEKDATA, child, at, 0))
		at += 8;
	for (at += 8; (type = ptrace(PTRACE_PEEKDATA, child, at, 0)) != AT_NULL; at += 16)
		if (type == AT_SYSINFO_EHDR)
			ptrace(PTRACE_POKEDATA, child, at, AUXV_IGNORE);
}

/** Other threads are not part of the snapshot (bin/warm.ts): they stand still while it is taken, and must be waiting then, with nothing half done. */
static void stop_threads(void)
{
	struct user_regs_struct registers;
	char path[64];
	struct dirent *entry;
	DIR *list;

	snprintf(path, sizeof path, "/proc/%d/task", child);
	for (list = opendir(path); (entry = readdir(list));) {
		pid_t thread = atoi(entry->d_name);

		if (thread <= 0 || thread == child)
			continue;
		if (ptrace(PTRACE_SEIZE, thread, 0, 0) || ptrace(PTRACE_INTERRUPT, thread, 0, 0) || waitpid(thread, NULL, __WALL) != thread || ptrace(PTRACE_GETREGS, thread, 0, &registers))
			fail("thread %d: %s", thread, strerror(errno));
		if (registers.orig_rax != SYS_futex && registers.orig_rax != SYS_epoll_wait && registers.orig_rax != SYS_epoll_pwait)
			fail("the engine has a thread at work, in system call %lld", registers.orig_rax);
	}
	closedir(list);
}
