/*-------------------------------------------------------------------------
 *
 * sanitizer.c
 *	  Gets the sanitizers started in programs that were built without them.
 *
 * Preloaded before the address sanitizer's library.  A server process
 * overwrites its environment, so options have to come from functions; and a
 * library that the server is linked with binds a domain of messages as it is
 * loaded, where malloc() is called with the C library's lock of messages held.
 * If that call were the first, the address sanitizer would start in it, look
 * for a symbol that is not there, have the error translated, and so give the
 * lock up twice; the next to take it would wait for ever.  -z initfirst runs
 * the function below before any other library's.
 *
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

/* SANITIZER_OPTIONS comes from the command line of the compiler. */
const char *
__asan_default_options(void)
{
	return "verify_asan_link_order=0:detect_leaks=0:" SANITIZER_OPTIONS;
}

const char *
__ubsan_default_options(void)
{
	return "print_stacktrace=1:" SANITIZER_OPTIONS;
}

__attribute__((constructor)) static void
start_first(void)
{
	void	   *volatile memory = malloc(1);

	free(memory);
}
