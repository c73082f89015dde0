// Inside the engine, the two ends of a snapshot: runt_pause() is called once and returns many times. runt-pause.so is loaded for
// that one call, and is part of the snapshot then.
#ifdef __x86_64__
#define _GNU_SOURCE
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../interpreter/arch.h"
#include "snapshot.h"

#define NR_RT_SIGACTION 13
#define NR_SIGALTSTACK 131
#define NR_ARCH_PRCTL 158
#define NR_GETTID 186
#define NR_SET_TID_ADDRESS 218
#define NR_SET_ROBUST_LIST 273
#define NR_GET_ROBUST_LIST 274
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define SS_DISABLE 2
#define SIGNALS 64
#define SIGSET_BYTES 8
/** Where glibc keeps a thread's id beside its thread-local memory (struct pthread); its value is compared before it is believed. */
#define THREAD_ID 0x2d0
#define RSEQ_CPU_ID_REGISTRATION_FAILED -2

/** glibc's restartable sequences (rseq(2)); without them it asks the kernel which processor it is on. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));

struct action {
	u64 handler, flags, restorer, mask;
};

/** What the kernel knows of a thread and does not find in its memory. */
static struct {
	struct action actions[SIGNALS];
	u64 alternate_stack[3], thread_memory, robust_list, robust_list_size;
} kept;
static const struct given *given;
__attribute__((visibility("hidden"))) u64 runt_paused_stack;

/**
 * madvise(2) for the engine. Allocators give memory back and count on zeros when they touch it again; a page of the snapshot, which is a file's,
 * would be as it was in the file. So it is exchanged for a page of nobody's.
 */
static int advise(void *address, size_t length, int advice)
{
	u64 start = (u64)address, end = start + length;

	for (u32 i = 0; given && (advice == MADV_DONTNEED || advice == MADV_FREE) && i < given->snapshot->regions; i++) {
		const struct snapshot_region *region = &given->snapshot->region[i];

		if (region->source == IN_SNAPSHOT && start < region->start + region->size && region->start < end)
			return mmap(address, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED ? -1 : 0;
	}
	return (int)syscall(SYS_madvise, address, length, advice);
}

/** Has one object call `advise`, where it imports madvise: the slot of its procedure linkage table (elf(5), System V ABI for x86-64). */
static int take_over(struct dl_phdr_info *object, size_t size, void *count)
{
	const ElfW(Dyn) *dynamic = NULL;
	const ElfW(Rela) *relocation = NULL;
	const ElfW(Sym) *symbols = NULL;
	const char *names = NULL;
	size_t bytes = 0;

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dynamic = (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == DT_JMPREL)
			relocation = (const ElfW(Rela) *)dynamic->d_un.d_ptr;
		else if (dynamic->d_tag == DT_PLTRELSZ)
			bytes = dynamic->d_un.d_val;
		else if (dynamic->d_tag == DT_SYMTAB)
			symbols = (const ElfW(Sym) *)dynamic->d_un.d_ptr;
		else if (dynamic->d_tag == DT_STRTAB)
			names = (const char *)dynamic->d_un.d_ptr;
	}
	for (size_t i = 0; relocation && symbols && names && i < bytes / sizeof *relocation; i++)
		if (!strcmp(names + symbols[ELF64_R_SYM(relocation[i].r_info)].st_name, "madvise")) {
			void **slot = (void **)(object->dlpi_addr + relocation[i].r_offset);

			if (mprotect((void *)((u64)slot & ~(PAGE_BYTES - 1)), PAGE_BYTES, PROT_READ | PROT_WRITE) == 0) {
				*slot = (void *)advise;
				++*(int *)count;
			}
		}
	return 1; /* the first is the engine; nobody else gives memory back */
}

static int *thread_id(void)
{
	return (int *)(kept.thread_memory + THREAD_ID);
}

/** Whether this thread can be continued elsewhere. */
__attribute__((used, visibility("hidden"))) s64 runt_keep(void)
{
	int count = 0;

	dl_iterate_phdr(take_over, &count);
	if (count != 1)
		return 0;
	for (u64 number = 1; number <= SIGNALS; number++)
		call6(NR_RT_SIGACTION, number, 0, (u64)&kept.actions[number - 1], SIGSET_BYTES, 0, 0);
	call6(NR_SIGALTSTACK, 0, (u64)kept.alternate_stack, 0, 0, 0, 0);
	call6(NR_ARCH_PRCTL, ARCH_GET_FS, (u64)&kept.thread_memory, 0, 0, 0, 0);
	call6(NR_GET_ROBUST_LIST, 0, (u64)&kept.robust_list, (u64)&kept.robust_list_size, 0, 0, 0);
	return *thread_id() == call6(NR_GETTID, 0, 0, 0, 0, 0, 0);
}

/** In a new process, whose memory is the engine's and whose thread is not yet: nothing thread-local, the C library's errno included, before ARCH_SET_FS. */
__attribute__((used, visibility("hidden"))) void runt_continue(const struct given *to)
{
	given = to;
	call6(NR_ARCH_PRCTL, ARCH_SET_FS, kept.thread_memory, 0, 0, 0, 0);
	*thread_id() = call6(NR_SET_TID_ADDRESS, (u64)thread_id(), 0, 0, 0, 0, 0);
	call6(NR_SET_ROBUST_LIST, kept.robust_list, kept.robust_list_size, 0, 0, 0, 0);
	if (&__rseq_offset)
		((int *)(kept.thread_memory + __rseq_offset))[1] = RSEQ_CPU_ID_REGISTRATION_FAILED;
	for (u64 number = 1; number <= SIGNALS; number++)
		if (kept.actions[number - 1].handler)
			call6(NR_RT_SIGACTION, number, (u64)&kept.actions[number - 1], 0, SIGSET_BYTES, 0, 0);
	if (!(kept.alternate_stack[1] & SS_DISABLE))
		call6(NR_SIGALTSTACK, (u64)kept.alternate_stack, 0, 0, 0, 0, 0);
	if (brk(NULL) < 0) /* malloc goes on at this process's end of data, which brk(2) tells the C library */
		call6(NR_EXIT_GROUP, 127, 0, 0, 0, 0, 0);
}

/**
 * Stops for the tracer that takes the snapshot (take.c), with the address to go on at in rdx. Returns 1 in every process that is made of it; and
 * 0 at once when this thread cannot be continued. Only what the ABI lets a function's caller expect is kept of the registers.
 */
__asm__(".text\n.globl runt_pause\n.type runt_pause,@function\nrunt_pause:\n"
	" push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n sub $8,%rsp\n"
	" call runt_keep\n test %eax,%eax\n jz 2f\n"
	" mov %rsp,runt_paused_stack(%rip)\n lea 1f(%rip),%rdx\n int3\n"
	"1: mov runt_paused_stack(%rip),%rsp\n call runt_continue\n mov $1,%eax\n"
	"2: add $8,%rsp\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");

static u64 put(char *to, u64 size, u64 at, const char *word)
{
	do
		if (at++ < size)
			to[at - 1] = *word;
	while (*word++);
	return at;
}

/** The launcher's directory, then the words, then the environment, NUL after each: the bytes this takes; how many words in `count`. */
long runt_given(char *to, unsigned long size, unsigned *count)
{
	u64 at = put(to, size, 0, given->directory);

	for (*count = 0; given->words[*count]; ++*count)
		at = put(to, size, at, given->words[*count]);
	for (char **variable = given->environment; *variable; variable++)
		at = put(to, size, at, *variable);
	return (long)at;
}
#endif
