/*
 * The probe: the only program in the suite's containers, and its hook. It prints facts as JSON, a line for each command,
 * and judges nothing.   probe COMMAND [WORD...] [, COMMAND [WORD...]]...
 */
#define _GNU_SOURCE
#include "actions.h"
#include "facts.h"
#include "json.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* hook FILE STATUS [SECONDS]: appends what came on standard input and the facts to FILE, and ends with STATUS. */
static void hook(int count, char **words, char **argv)
{
	static char data[65536];
	size_t size = 0;
	ssize_t n;
	int fd;

	while (size < sizeof data && (n = read(0, data + size, sizeof data - size)) > 0)
		size += n;
	fd = open(words[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0 || dup2(fd, 1) < 0)
		_exit(125);
	json_raw("{");
	json_text("hook", words[0]);
	json_key("input"), json_string(data, size);
	facts(argv);
	json_raw("}\n");
	json_flush();
	if (count > 2)
		sleep(atoi(words[2]));
	_exit(atoi(words[1]));
}

static void run(int count, char **words, char **argv)
{
	const char *name = words[0];

	if (!strcmp(name, "exit")) {
		json_flush();
		_exit(count > 1 ? atoi(words[1]) : 0);
	}
	if (!strcmp(name, "die")) {
		json_flush();
		signal(atoi(words[1]), SIG_DFL);
		kill(getpid(), atoi(words[1]));
		abort();
	}
	if (!strcmp(name, "sleep")) {
		json_flush();
		sleep(count > 1 ? atoi(words[1]) : 1000);
		return;
	}
	if (!strcmp(name, "say")) {
		json_raw("{");
		json_text("say", count > 1 ? words[1] : "");
		json_raw("}\n");
		json_flush();
		return;
	}
	if (!strcmp(name, "hook") && count > 2)
		hook(count - 1, words + 1, argv);
	if (!strcmp(name, "receive") && count > 1)
		_exit(receive(words[1], count > 2 ? words[2] : NULL));
	json_raw("{");
	if (!strcmp(name, "facts"))
		facts(argv);
	else if (!act(name, count - 1, words + 1))
		json_text("unknown", name);
	json_raw("}\n");
	json_flush();
}

int main(int argc, char **argv)
{
	int from = 1, i;

	for (i = 1; i <= argc; i++) {
		if (i < argc && strcmp(argv[i], ","))
			continue;
		if (i > from)
			run(i - from, argv + from, argv);
		from = i + 1;
	}
	return 0;
}
