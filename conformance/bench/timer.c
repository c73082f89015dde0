/*
 * Times a command: timer COUNT PARALLEL OUTPUT COMMAND...  Starts it COUNT times with posix_spawn, at most PARALLEL at once, and
 * writes a line for each run, "nanoseconds kilobytes" (wall clock, ru_maxrss), to OUTPUT; the last line, "all N", is the time of
 * all. A failing run ends the whole. "%d" in an argument becomes the run's number plus TIMER_OFFSET.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct run { pid_t pid; long long begin; };

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static pid_t start(int argc, char **argv, int number)
{
	char *args[64], text[64][256];
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int j;

	for (j = 4; j < argc && j < 63; j++) {
		char *mark = strstr(argv[j], "%d");

		if (mark) {
			snprintf(text[j], sizeof text[j], "%.*s%d%s", (int)(mark - argv[j]), argv[j], number, mark + 2);
			args[j - 4] = text[j];
		} else
			args[j - 4] = argv[j];
	}
	args[j - 4] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, args[0], &actions, NULL, args, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

int main(int argc, char **argv)
{
	int count = argc > 4 ? atoi(argv[1]) : 0, parallel = argc > 4 ? atoi(argv[2]) : 0, started = 0, running = 0, i;
	int offset = getenv("TIMER_OFFSET") ? atoi(getenv("TIMER_OFFSET")) : 0;
	struct run *runs = calloc(count + 1, sizeof *runs);
	FILE *out = argc > 4 ? fopen(argv[3], "we") : NULL;
	long long begin = now();

	if (!out || !runs || parallel < 1)
		return 2;
	while (started < count || running) {
		struct rusage usage;
		int status;
		pid_t pid;

		while (started < count && running < parallel) {
			runs[started].begin = now();
			runs[started].pid = start(argc, argv, started + offset);
			if (runs[started].pid < 0)
				return 3;
			started++, running++;
		}
		pid = wait4(-1, &status, 0, &usage);
		for (i = 0; i < started && runs[i].pid != pid; i++)
			;
		if (i == started)
			continue; /* a process that a run left to us */
		running--;
		fprintf(out, "%lld %ld\n", now() - runs[i].begin, usage.ru_maxrss);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
			fprintf(stderr, "%s: status %x\n", argv[4], status);
			return 4;
		}
	}
	fprintf(out, "all %lld\n", now() - begin);
	return fclose(out) != 0;
}
