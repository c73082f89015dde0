/*
 * `run` and `exec` in the foreground, from the moment the process runs: the engine has given way to the launcher (src/container/leave.ts), with
 * the same pid and children and its signals held back. Signals go to the process, orphans are reaped, and its status is the one to end with.
 */
#pragma once

#define ECHILD 10
#define SIGPIPE 13
#define SIGCHLD 17
#define SIGURG 23
#define LAST_PLAIN_SIGNAL 31
#define WNOHANG 1
#define WEXITED 4
#define WNOWAIT 0x1000000
#define P_PID 1
#define SIG_SETMASK 2
#define O_CLOEXEC 0x80000
#define SIGNALFD_SIGINFO_BYTES 128
#define NOT_OURS 255
#define DELETE_WORDS 6

/** The exit status of the process waited for, -1 where none was: what comes after does not change it. */
static int attended = -1;

static int exit_code(u32 status)
{
	return status & 127 ? 128 + (status & 127) : status >> 8 & 255;
}

static void mask_signals(u64 set)
{
	call6(NR_RT_SIGPROCMASK, SIG_SETMASK, (u64)&set, 0, sizeof set, 0, 0);
}

/** Waits for a child of ours; gives its wait status. */
static u32 forward_signals(s64 pid)
{
	u64 all = ~0ul;
	u32 info[SIGNALFD_SIGINFO_BYTES / 4], status = NOT_OURS << 8;
	s64 ended, signals, process = call6(NR_PIDFD_OPEN, pid, 0, 0, 0, 0, 0);

	mask_signals(all); /* before the first look: a child that ends after it is a signal to read */
	signals = call6(NR_SIGNALFD4, -1, (u64)&all, sizeof all, O_CLOEXEC, 0, 0);
	for (;;) {
		/* As a subreaper we are given orphans as well. */
		while ((ended = call6(NR_WAIT4, -1, (u64)&status, WNOHANG, 0, 0, 0)) > 0)
			if (ended == pid)
				return status;
		if (ended == -ECHILD)
			return NOT_OURS << 8;
		if (call6(NR_READ, signals, (u64)info, sizeof info, 0, 0, 0) != sizeof info)
			continue;
		if (*info != SIGCHLD && *info != SIGURG && *info != SIGPIPE && *info <= LAST_PLAIN_SIGNAL)
			call6(NR_PIDFD_SEND_SIGNAL, process, *info, 0, 0, 0, 0);
	}
}

/**
 * RUNT_ATTEND is the pid, and for a container that is to be deleted afterwards how many of our words are global flags: `words`, which has room for
 * DELETE_WORDS more than there are, becomes that command line. Does nothing when the pid is no child of ours: the variable came from elsewhere.
 */
static void attend(char *digits, char **words, s64 count)
{
	const char *text = digits;
	s64 pid = decimal(&text), n = 0;

	if (call6(NR_WAITID, P_PID, pid, 0, WEXITED | WNOHANG | WNOWAIT, 0, 0) < 0)
		return;
	attended = exit_code(forward_signals(pid));
	if (!*text)
		quit(attended);
	digits[text - digits] = 0;
	text++;
	for (s64 kept = OWN_WORDS + decimal(&text); n < kept && n < count; n++)
		words[n] = given_words[n];
	words[n++] = "delete";
	words[n++] = "--force";
	words[n++] = "--pid"; /* who has the id by now need not be who had it */
	words[n++] = digits;
	words[n++] = given_words[count - 1];
	words[n] = 0;
	given_words = words;
}

/** Returns in a child, which becomes the engine; this process waits for it, and ends as the process did. */
static void have_engine_delete(void)
{
	u32 status = 1;
	s64 child = call6(NR_CLONE, SIGCHLD, 0, 0, 0, 0, 0);

	if (child == 0) {
		mask_signals(0);
		return;
	}
	call6(NR_CLOSE_RANGE, 3, ~0u, 0, 0, 0, 0); /* the container's lock among them */
	call6(NR_WAIT4, child, (u64)&status, 0, 0, 0, 0);
	quit(exit_code(status) ? 1 : attended);
}
