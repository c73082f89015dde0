/*
 * dist/runt: starts the engine's executable, engine/runt beside it, with what could change the engine taken out of the environment
 * (BUN_BE_BUN=1 alone would make it a package manager) and its JIT off: code that runs once gains nothing from one.
 * Freestanding: a C library's start would cost more than all this does (0.2 ms).
 */
#define ENTRY "launch"
#include "../interpreter/arch.h"

#define AT_FDCWD -100
#define PATH_MAX 4096

static const char engine[] = "/engine/runt";
static const char failed[] = "runt: the engine is missing beside the executable (engine/runt)\n  try: npm run build, or npm run install:system\n";
/** What the engine reads of the environment besides what every program does: Bun's, JavaScriptCore's, its allocator's and Node's names. */
static const char *const dropped[] = { "BUN_", "JSC_", "MIMALLOC_", "NODE_", "UV_" };
static char option[] = "BUN_JSC_useJIT=0";

static int begins(const char *text, const char *prefix)
{
	while (*prefix)
		if (*text++ != *prefix++)
			return 0;
	return 1;
}

static int is_dropped(const char *variable)
{
	for (unsigned i = 0; i < sizeof dropped / sizeof *dropped; i++)
		if (begins(variable, dropped[i]))
			return 1;
	return 0;
}

__attribute__((used, noreturn)) void launch(s64 *stack)
{
	char **argv = (char **)(stack + 1), **env = argv + stack[0] + 1;
	char path[PATH_MAX + sizeof engine];
	s64 length, count = 0, kept = 0;

	while (env[count])
		count++;
	char *clean[count + 2];
	for (s64 i = 0; i < count; i++)
		if (!is_dropped(env[i]))
			clean[kept++] = env[i];
	clean[kept++] = option;
	clean[kept] = 0;

	length = call6(NR_READLINKAT, AT_FDCWD, (u64)"/proc/self/exe", (u64)path, PATH_MAX, 0, 0);
	while (length > 0 && path[length - 1] != '/')
		length--;
	if (length > 0) {
		for (unsigned i = 0; i < sizeof engine; i++)
			path[length - 1 + i] = engine[i];
		call6(NR_EXECVE, (u64)path, (u64)argv, (u64)clean, 0, 0, 0);
	}
	call6(NR_WRITE, 2, (u64)failed, sizeof failed - 1, 0, 0, 0);
	for (;;)
		call6(NR_EXIT_GROUP, 127, 0, 0, 0, 0, 0);
}
