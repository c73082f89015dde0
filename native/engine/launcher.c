/*
 * dist/runt, and of the Node build dist/node/launcher. Verbs for which there is a prepared program (src/prepared) are done here, without an
 * engine; for everything else, and when such a program gives up, it becomes the engine by its snapshot (../snapshot/resume.h), or starts it, with what
 * could change it taken out of the environment (BUN_BE_BUN=1 alone would make Bun a package manager): the executable engine/runt beside it, its JIT
 * off, because code that runs once gains nothing from one; or, with NODE defined, the node and the script that are its first two arguments (bin/runt).
 * Freestanding: a C library's start would cost more than all this does (0.2 ms).
 */
#define ENTRY "launch"
#include "../interpreter/image.h"
#include "words.h"

#define AT_FDCWD -100
#define PATH_MAX 4096
#define NAME_MAX 255
#define MAP_PRIVATE 2
#define MAP_ANONYMOUS 0x20
#define MAP_FIXED_NOREPLACE 0x100000

#ifdef NODE
#define OWN_WORDS 3
#define SNAPSHOT "snapshot"
static const char failed[] = "runt: node cannot be started\n  try: npm run build\n";
#else
#define OWN_WORDS 1
#define SNAPSHOT "engine/snapshot"
static const char engine[] = "engine/runt";
static const char failed[] = "runt: the engine is missing beside the executable (engine/runt)\n  try: npm run build, or npm run install:system\n";
static char option[] = "BUN_JSC_useJIT=0";
#endif
/** What the engine reads of the environment besides what every program does: Bun's, JavaScriptCore's, its allocator's and Node's names; and ours. */
static const char *const dropped[] = { "BUN_", "JSC_", "MIMALLOC_", "NODE_", "UV_", "RUNT_GATE=", "RUNT_ATTEND=", "RUNT_SNAPSHOT=" };

static char **given_words, **given_env;
/** The connection that a prepared `start` leaves, -1 for none. */
static s64 connection = -1;

#include "attend.h"

static int is_dropped(const char *variable)
{
	for (unsigned i = 0; i < sizeof dropped / sizeof *dropped; i++)
		if (begins(variable, dropped[i]))
			return 1;
	return 0;
}

/** A file beside this one: its path in a buffer, whether that can be said. */
static int beside(char *path, const char *name)
{
	s64 length = call6(NR_READLINKAT, AT_FDCWD, (u64)"/proc/self/exe", (u64)path, PATH_MAX, 0, 0);

	while (length > 0 && path[length - 1] != '/')
		length--;
	if (length <= 0)
		return 0;
	while ((path[length++] = *name++))
		;
	return 1;
}

#ifdef __x86_64__
#include "../snapshot/resume.h"
#endif

static void execute(char **env)
{
#ifdef NODE
	char *path = given_words[1], no_warnings[] = "--no-warnings";
#else
	char path[PATH_MAX + NAME_MAX];

	if (!beside(path, engine))
		return;
#endif
#ifdef __x86_64__
	char snapshot[PATH_MAX + NAME_MAX], directory[PATH_MAX + NAME_MAX];

	if (beside(snapshot, SNAPSHOT) && beside(directory, ""))
		resume(path, snapshot, directory, given_words + OWN_WORDS - 1, env);
#endif
#ifdef NODE
	given_words[0] = path;
	given_words[1] = no_warnings;
#endif
	call6(NR_EXECVE, (u64)path, (u64)given_words, (u64)env, 0, 0, 0);
}

static __attribute__((noreturn)) void start_engine(void)
{
	char gate[] = "RUNT_GATE=\0\0\0\0\0\0\0\0\0\0\0", digits[12];
	s64 count = 0, kept = 0;
	unsigned i = 0, end = sizeof "RUNT_GATE=" - 1;

	while (given_env[count])
		count++;
	char *clean[count + 3];
	for (s64 n = 0; n < count; n++)
		if (!is_dropped(given_env[n]))
			clean[kept++] = given_env[n];
#ifndef NODE
	clean[kept++] = option;
#endif
	if (connection >= 0) {
		do
			digits[i++] = '0' + connection % 10;
		while ((connection /= 10) && i < sizeof digits);
		while (i)
			gate[end++] = digits[--i];
		clean[kept++] = gate;
	}
	clean[kept] = 0;
	if (attended >= 0)
		have_engine_delete();
	execute(clean);
	call6(NR_WRITE, 2, (u64)failed, sizeof failed - 1, 0, 0, 0);
	for (;;)
		quit(127);
}

static void fail(u32 index, s64 error)
{
	(void)index, (void)error;
	start_engine();
}

#include "verb.h"

__attribute__((used, noreturn)) void launch(s64 *stack)
{
	struct call call;
	char *words[stack[0] + DELETE_WORDS], *process;

	given_words = (char **)(stack + 1);
	given_env = given_words + stack[0] + 1;
	if ((process = (char *)variable(given_env, "RUNT_ATTEND=")))
		attend(process, words, stack[0]);
	if (stack[0] > OWN_WORDS && understand(given_words + OWN_WORDS, given_env, &call))
		run_verb(&call);
	start_engine();
}
