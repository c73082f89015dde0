/*
 * Times a command: timer COUNT OUTPUT COMMAND...  Starts it COUNT times with posix_spawn and writes the nanoseconds of
 * each run, a line each, to the file OUTPUT. A failing run ends the whole. "%d" in an argument becomes the run's number.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int main(int argc, char **argv)
{
	FILE *out = argc > 3 ? fopen(argv[2], "a") : NULL;
	int i, j, count = argc > 3 ? atoi(argv[1]) : 0, offset = getenv("TIMER_OFFSET") ? atoi(getenv("TIMER_OFFSET")) : 0;

	if (!out)
		return 2;
	for (i = 0; i < count; i++) {
		char *args[64], text[64][256];
		posix_spawn_file_actions_t actions;
		long long begin;
		int status;
		pid_t pid;

		for (j = 3; j < argc && j < 63; j++) {
			char *mark = strstr(argv[j], "%d");

			if (mark) {
				snprintf(text[j], sizeof text[j], "%.*s%d%s", (int)(mark - argv[j]), argv[j], i + offset, mark + 2);
				args[j - 3] = text[j];
			} else
				args[j - 3] = argv[j];
		}
		args[j - 3] = NULL;
		posix_spawn_file_actions_init(&actions);
		posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
		begin = now();
		if (posix_spawnp(&pid, args[0], &actions, NULL, args, environ) != 0 || waitpid(pid, &status, 0) != pid)
			return 3;
		fprintf(out, "%lld\n", now() - begin);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
			fprintf(stderr, "%s: status %x\n", args[0], status);
			return 4;
		}
	}
	fclose(out);
	return 0;
}
