/* The command lines for which there are prepared programs: runc's flags as managers give them, a verb, an id. Anything else is the engine's. */
#pragma once
#include "prepared.h"

#define DEFAULT_ROOT "/run/runt"
#define LAST_SIGNAL 64
#define LARGEST 0x7fffffff
#define ID_MAX 250

struct call { const struct verb *verb; const char *path, *id; s64 signal, init; int is_forced; };

/** What `update` is given of each limit, empty for nothing; the rest of the room is NUL. */
static char limit_texts[LIMITS][LIMIT_BYTES];

static int begins(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return 0;
	return 1;
}

static int equals(const char *text, const char *other)
{
	return begins(text, other) && begins(other, text);
}

/** The value of a variable; 0 when it is not set, or to nothing. */
static const char *variable(char **env, const char *name)
{
	for (; *env; env++)
		if (begins(*env, name)) {
			const char *rest = *env;
			while (*name)
				rest++, name++;
			return *rest ? rest : 0;
		}
	return 0;
}

/** When the word is this flag, one dash or two, moves on behind its value; else gives 0. */
static const char *flag_value(char ***words, const char *name)
{
	const char *rest = **words + ((**words)[1] == '-' ? 2 : 1);

	if (!begins(rest, name))
		return 0;
	while (*name)
		rest++, name++;
	if (*rest == '=') {
		(*words)++;
		return rest + 1;
	}
	if (*rest || !(*words)[1])
		return 0;
	*words += 2;
	return (*words)[-1];
}

static int is_id(const char *text)
{
	unsigned length = 0;

	for (; *text; text++, length++) {
		char letter = *text | 0x20;
		if (!(letter >= 'a' && letter <= 'z') && !(*text >= '0' && *text <= '9') && *text != '_' && *text != '+' && *text != '-' && (*text != '.' || !length))
			return 0;
	}
	return length > 0 && length <= ID_MAX;
}

/** Moves on behind the digits. */
static s64 decimal(const char **text)
{
	s64 value = 0;

	for (; **text >= '0' && **text <= '9' && value <= LARGEST; (*text)++)
		value = value * 10 + (**text - '0');
	return value;
}

/** `9`, `KILL`, `SIGKILL`; -1 for what needs more thought. */
static s64 signal_number(const char *text)
{
	s64 number = 0;

	if (*text >= '0' && *text <= '9') {
		number = decimal(&text);
		return *text || number > LAST_SIGNAL ? -1 : number;
	}
	if (begins(text, "SIG"))
		text += 3;
	for (; number < (s64)(sizeof signal_names / sizeof *signal_names); number++)
		if (equals(text, signal_names[number]))
			return number + 1;
	return -1;
}

/** What is written to the cgroup as it is: a number above 0, with a unit where the kernel knows units, or a list of numbers. Else it needs more thought. */
static int is_plain(const char *text, const struct limit *limit)
{
	int is_list = limit->kind == LIMIT_LIST;
	unsigned length = 0, longest = is_list ? LIMIT_BYTES - 1 : LONGEST_NUMBER;
	char unit;

	if (*text < '0' + !is_list || *text > '9')
		return 0;
	while ((text[length] >= '0' && text[length] <= '9') || (is_list && (text[length] == ',' || text[length] == '-')))
		length++;
	unit = text[length] | 0x20;
	if (limit->kind == LIMIT_SIZE && (unit == 'k' || unit == 'm' || unit == 'g'))
		return !text[length + 1] && length <= LONGEST_WITH_UNIT;
	return !text[length] && length <= longest;
}

/** Moves on behind the limits, each of them given once; 0 when there are none, or others. */
static int take_limits(char ***words)
{
	const char *value = 0;
	unsigned i, n;
	int taken = 0;

	for (; **words && ***words == '-'; taken = 1) {
		for (i = 0; i < LIMITS && !(value = flag_value(words, limits[i].flag)); i++)
			;
		if (i == LIMITS || *limit_texts[i] || !is_plain(value, &limits[i]))
			return 0;
		for (n = 0; value[n]; n++)
			limit_texts[i][n] = value[n];
	}
	return taken;
}

/** The state root: neither empty nor `/`. */
static int is_root(const char *path)
{
	while (*path == '/')
		path++;
	return *path != 0;
}

/** Whether there is a prepared program for these words; then what it must be given. */
static int understand(char **words, char **env, struct call *call)
{
	const char *value;
	unsigned i;

	call->path = 0;
	while (*words && **words == '-') {
		if ((value = flag_value(&words, "root")))
			call->path = value;
		else if ((value = flag_value(&words, "log-format"))) {
			if (!equals(value, "json") && !equals(value, "text"))
				return 0;
		} else if (equals(*words, "--systemd-cgroup"))
			words++;
		else if (!flag_value(&words, "log")) /* written to when something fails, and that is the engine's */
			return 0;
	}
	if (!*words || (!call->path && variable(env, "XDG_RUNTIME_DIR=")))
		return 0;
	if (!call->path)
		call->path = DEFAULT_ROOT;
	for (i = 0; i < sizeof verbs / sizeof *verbs && !equals(*words, verbs[i].name); i++)
		;
	if (i == sizeof verbs / sizeof *verbs || !is_root(call->path))
		return 0;
	call->verb = &verbs[i];
	words++;
	call->is_forced = call->init = 0;
	while (*words && **words == '-' && equals(call->verb->name, "delete")) {
		if (equals(*words, "--force") || equals(*words, "-f"))
			call->is_forced = 1, words++;
		else if (!(value = flag_value(&words, "pid")) || !(call->init = decimal(&value)) || *value)
			return 0;
	}
	if (equals(call->verb->name, "update") && !take_limits(&words))
		return 0;
	if (!*words || **words == '-' || !is_id(*words))
		return 0;
	call->id = *words++;
	call->signal = 15;
	if (*words && equals(call->verb->name, "kill") && (call->signal = signal_number(*words++)) < 0)
		return 0;
	/* Readiness is waited for by the engine. */
	return !*words && !(equals(call->verb->name, "start") && variable(env, "NOTIFY_SOCKET="));
}
