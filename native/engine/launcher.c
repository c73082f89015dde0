/*
 * dist/runt: starts the engine's executable, engine/runt beside it, with what could change the engine taken out of the environment
 * (BUN_BE_BUN=1 alone would make it a package manager) and its JIT off: code that runs once gains nothing from one.
 * Freestanding: a C library's start would cost more than all this does (0.2 ms).
 */
#if defined(__x86_64__)
enum { NR_WRITE = 1, NR_READLINKAT = 267, NR_EXECVE = 59, NR_EXIT_GROUP = 231 };

static long call(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return result;
}

__asm__(".globl _start\n_start:\n xor %ebp,%ebp\n mov %rsp,%rdi\n and $-16,%rsp\n call launch\n");
#elif defined(__aarch64__)
enum { NR_WRITE = 64, NR_READLINKAT = 78, NR_EXECVE = 221, NR_EXIT_GROUP = 94 };

static long call(long number, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

__asm__(".globl _start\n_start:\n mov x0, sp\n bl launch\n");
#else
#error "x86-64 and aarch64 only"
#endif

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

__attribute__((used, noreturn)) void launch(long *stack)
{
	char **argv = (char **)(stack + 1), **env = argv + stack[0] + 1;
	char path[PATH_MAX + sizeof engine];
	long length, count = 0, kept = 0;

	while (env[count])
		count++;
	char *clean[count + 2];
	for (long i = 0; i < count; i++)
		if (!is_dropped(env[i]))
			clean[kept++] = env[i];
	clean[kept++] = option;
	clean[kept] = 0;

	length = call(NR_READLINKAT, AT_FDCWD, (long)"/proc/self/exe", (long)path, PATH_MAX);
	while (length > 0 && path[length - 1] != '/')
		length--;
	if (length > 0) {
		for (unsigned i = 0; i < sizeof engine; i++)
			path[length - 1 + i] = engine[i];
		call(NR_EXECVE, (long)path, (long)argv, (long)clean, 0);
	}
	call(NR_WRITE, 2, (long)failed, sizeof failed - 1, 0);
	for (;;)
		call(NR_EXIT_GROUP, 127, 0, 0, 0);
}
