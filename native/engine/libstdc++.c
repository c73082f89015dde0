// The part of libstdc++ that koffi's addon uses, for the executable: loading the whole library costs 0.8 ms of every call, and a
// host without it could not run runt. Names and layouts are those of the Itanium C++ ABI and of libstdc++'s gthr-posix.
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define SYMBOL(name) __asm__(name)

/** koffi is built without exceptions: what would be thrown ends the process, as it does there. */
static _Noreturn void fail(const char *what, size_t length) {
	if (write(2, what, length) < 0) _exit(1);
	abort();
}
#define FAIL(what) fail("runt: koffi: " what "\n", sizeof "runt: koffi: " what)

static void *allocate(size_t size) {
	void *memory = malloc(size ? size : 1);
	if (memory == NULL) FAIL("out of memory");
	return memory;
}

void *operator_new(size_t size) SYMBOL("_Znwm");
void *operator_new(size_t size) { return allocate(size); }
void *operator_new_array(size_t size) SYMBOL("_Znam");
void *operator_new_array(size_t size) { return allocate(size); }
void *operator_new_aligned(size_t size, size_t alignment) SYMBOL("_ZnwmSt11align_val_t");
void *operator_new_aligned(size_t size, size_t alignment) {
	void *memory = NULL;
	if (posix_memalign(&memory, alignment, size ? size : 1) != 0) FAIL("out of memory");
	return memory;
}
void operator_delete(void *memory, size_t size) SYMBOL("_ZdlPvm");
void operator_delete(void *memory, size_t size) { (void)size; free(memory); }
void operator_delete_array(void *memory) SYMBOL("_ZdaPv");
void operator_delete_array(void *memory) { free(memory); }

void throw_bad_alloc(void) SYMBOL("_ZSt17__throw_bad_allocv");
void throw_bad_alloc(void) { FAIL("std::bad_alloc"); }
void throw_logic_error(const char *what) SYMBOL("_ZSt19__throw_logic_errorPKc");
void throw_logic_error(const char *what) { (void)what; FAIL("std::logic_error"); }
void throw_length_error(const char *what) SYMBOL("_ZSt20__throw_length_errorPKc");
void throw_length_error(const char *what) { (void)what; FAIL("std::length_error"); }
void throw_system_error(int number) SYMBOL("_ZSt20__throw_system_errori");
void throw_system_error(int number) { (void)number; FAIL("std::system_error"); }
void throw_bad_function_call(void) SYMBOL("_ZSt25__throw_bad_function_callv");
void throw_bad_function_call(void) { FAIL("std::bad_function_call"); }

/** std::condition_variable is a pthread_cond_t, std::mutex a pthread_mutex_t, std::unique_lock begins with a pointer to one. */
void condition_construct(pthread_cond_t *condition) SYMBOL("_ZNSt18condition_variableC1Ev");
void condition_construct(pthread_cond_t *condition) { pthread_cond_init(condition, NULL); }
void condition_destroy(pthread_cond_t *condition) SYMBOL("_ZNSt18condition_variableD1Ev");
void condition_destroy(pthread_cond_t *condition) { pthread_cond_destroy(condition); }
void condition_notify_one(pthread_cond_t *condition) SYMBOL("_ZNSt18condition_variable10notify_oneEv");
void condition_notify_one(pthread_cond_t *condition) { pthread_cond_signal(condition); }
void condition_wait(pthread_cond_t *condition, pthread_mutex_t **lock) SYMBOL("_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE");
void condition_wait(pthread_cond_t *condition, pthread_mutex_t **lock) { pthread_cond_wait(condition, *lock); }

/** std::call_once: the caller leaves what is to be called here, pthread_once(3) calls the proxy. */
__thread void *once_callable SYMBOL("_ZSt15__once_callable");
__thread void (*once_call)(void) SYMBOL("_ZSt11__once_call");
void __once_proxy(void) { once_call(); }

/** Guards of local statics: the first byte says that it is made (Itanium C++ ABI, 3.3.3). One lock for all: they are few and short. */
static pthread_mutex_t guards = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
int __cxa_guard_acquire(int64_t *guard) {
	if (__atomic_load_n((char *)guard, __ATOMIC_ACQUIRE)) return 0;
	pthread_mutex_lock(&guards);
	if (!*(char *)guard) return 1;
	pthread_mutex_unlock(&guards);
	return 0;
}
void __cxa_guard_release(int64_t *guard) {
	__atomic_store_n((char *)guard, 1, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&guards);
}
