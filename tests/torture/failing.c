/*-------------------------------------------------------------------------
 *
 * failing.c
 *	  A C library whose calls fail when they are told to.
 *
 * Preloaded into a server.  A session says which kind of call is counted and
 * which one of them fails; before and after that, and in other processes,
 * everything is as always.  Threads that the HTTP library starts are not
 * counted: when they get to their calls differs from time to time.
 *
 *-------------------------------------------------------------------------
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "failing.h"

/* What dlsym() finds must not be asked for in an allocation, since it may
 * allocate. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static FailingKind counted = FAILING_NOTHING;
static long count = 0;
static long first = 0;
static long last = 0;
static int	spared = -1;		/* descriptor for which nothing fails */
static int	used = -1;			/* that was used last while nothing was counted */

void
failing_start(FailingKind kind, long number, long length)
{
	counted = kind;
	count = 0;
	first = number;
	last = number + length - 1;
	spared = used;
}

long
failing_stop(void)
{
	counted = FAILING_NOTHING;
	return count;
}

FailingKind
failing_pause(void)
{
	FailingKind kind = counted;

	counted = FAILING_NOTHING;
	return kind;
}

void
failing_resume(FailingKind kind)
{
	counted = kind;
}

bool
failing_due(FailingKind kind)
{
	if (counted != kind || gettid() != getpid())
		return false;
	count++;
	return count >= first && count <= last;
}

size_t
failing_in_use(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

#define MAX_SOCKETS 1024

/* Descriptors that socket() has made. */
static bool is_socket[MAX_SOCKETS];

/* Notes why a call fails, if it does. */
static bool
fails(FailingKind kind, int error)
{
	if (!failing_due(kind))
		return false;
	errno = error;
	return true;
}

void *
malloc(size_t size)
{
	return fails(FAILING_MALLOC, ENOMEM) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t items, size_t size)
{
	return fails(FAILING_MALLOC, ENOMEM) ? NULL : __libc_calloc(items, size);
}

void *
realloc(void *memory, size_t size)
{
	return fails(FAILING_MALLOC, ENOMEM) ? NULL : __libc_realloc(memory, size);
}

int
posix_memalign(void **memory, size_t alignment, size_t size)
{
	void	   *given = failing_due(FAILING_MALLOC) ? NULL : __libc_memalign(alignment, size);

	if (given == NULL)
		return ENOMEM;
	*memory = given;
	return 0;
}

/* The next definition of a function, which is the C library's. */
#define NEXT(name) \
	static __typeof__(&name) next_##name = NULL; \
	if (next_##name == NULL) \
	{ \
		FailingKind kind_before = failing_pause(); \
 \
		next_##name = (__typeof__(&name)) dlsym(RTLD_NEXT, #name); \
		failing_resume(kind_before); \
	}

#define FAIL_AS(kind, error, result) \
	if (fails(kind, error)) \
		return result

int
socket(int domain, int type, int protocol)
{
	int			descriptor;

	NEXT(socket);
	FAIL_AS(FAILING_RESOURCE, EMFILE, -1);
	descriptor = next_socket(domain, type, protocol);
	if (descriptor >= 0 && descriptor < MAX_SOCKETS)
		is_socket[descriptor] = true;
	return descriptor;
}

int
socketpair(int domain, int type, int protocol, int ends[2])
{
	NEXT(socketpair);
	FAIL_AS(FAILING_RESOURCE, EMFILE, -1);
	return next_socketpair(domain, type, protocol, ends);
}

int
pipe(int ends[2])
{
	NEXT(pipe);
	FAIL_AS(FAILING_RESOURCE, EMFILE, -1);
	return next_pipe(ends);
}

int
pipe2(int ends[2], int flags)
{
	NEXT(pipe2);
	FAIL_AS(FAILING_RESOURCE, EMFILE, -1);
	return next_pipe2(ends, flags);
}

int
eventfd(unsigned int value, int flags)
{
	NEXT(eventfd);
	FAIL_AS(FAILING_RESOURCE, EMFILE, -1);
	return next_eventfd(value, flags);
}

int
epoll_create1(int flags)
{
	NEXT(epoll_create1);
	FAIL_AS(FAILING_RESOURCE, EMFILE, -1);
	return next_epoll_create1(flags);
}

int
dup(int descriptor)
{
	NEXT(dup);
	FAIL_AS(FAILING_RESOURCE, EMFILE, -1);
	return next_dup(descriptor);
}

FILE *
fopen(const char *path, const char *mode)
{
	NEXT(fopen);
	FAIL_AS(FAILING_RESOURCE, EMFILE, NULL);
	return next_fopen(path, mode);
}

FILE *
fopen64(const char *path, const char *mode)
{
	NEXT(fopen64);
	FAIL_AS(FAILING_RESOURCE, EMFILE, NULL);
	return next_fopen64(path, mode);
}

int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start) (void *), void *argument)
{
	NEXT(pthread_create);
	FAIL_AS(FAILING_RESOURCE, EAGAIN, EAGAIN);
	return next_pthread_create(thread, attributes, start, argument);
}

int
poll(struct pollfd *entries, nfds_t entry_count, int timeout)
{
	NEXT(poll);
	FAIL_AS(FAILING_CALL, ENOMEM, -1);
	return next_poll(entries, entry_count, timeout);
}

int
connect(int descriptor, const struct sockaddr *address, socklen_t length)
{
	NEXT(connect);
	FAIL_AS(FAILING_CALL, ENOBUFS, -1);
	return next_connect(descriptor, address, length);
}

ssize_t
send(int descriptor, const void *data, size_t length, int flags)
{
	NEXT(send);
	if (counted == FAILING_NOTHING)
		used = descriptor;
	else if (descriptor != spared)
		FAIL_AS(FAILING_CALL, ENOBUFS, -1);
	return next_send(descriptor, data, length, flags);
}

ssize_t
recv(int descriptor, void *data, size_t length, int flags)
{
	NEXT(recv);
	if (counted == FAILING_NOTHING)
		used = descriptor;
	else if (descriptor != spared)
		FAIL_AS(FAILING_CALL, ECONNRESET, -1);
	return next_recv(descriptor, data, length, flags);
}

int
close(int descriptor)
{
	NEXT(close);
	if (descriptor >= 0 && descriptor < MAX_SOCKETS)
		is_socket[descriptor] = false;
	return next_close(descriptor);
}

/* OpenSSL sends and receives with these; the server has other uses for them. */
ssize_t
write(int descriptor, const void *data, size_t length)
{
	NEXT(write);
	if (descriptor >= 0 && descriptor < MAX_SOCKETS && is_socket[descriptor])
		FAIL_AS(FAILING_CALL, EPIPE, -1);
	return next_write(descriptor, data, length);
}

ssize_t
read(int descriptor, void *data, size_t length)
{
	NEXT(read);
	if (descriptor >= 0 && descriptor < MAX_SOCKETS && is_socket[descriptor])
		FAIL_AS(FAILING_CALL, EIO, -1);
	return next_read(descriptor, data, length);
}

int
getsockopt(int descriptor, int level, int name, void *value, socklen_t *length)
{
	NEXT(getsockopt);
	FAIL_AS(FAILING_CALL, ENOBUFS, -1);
	return next_getsockopt(descriptor, level, name, value, length);
}

int
setsockopt(int descriptor, int level, int name, const void *value, socklen_t length)
{
	NEXT(setsockopt);
	FAIL_AS(FAILING_CALL, ENOBUFS, -1);
	return next_setsockopt(descriptor, level, name, value, length);
}

int
getsockname(int descriptor, struct sockaddr *address, socklen_t *length)
{
	NEXT(getsockname);
	FAIL_AS(FAILING_CALL, ENOBUFS, -1);
	return next_getsockname(descriptor, address, length);
}

int
getpeername(int descriptor, struct sockaddr *address, socklen_t *length)
{
	NEXT(getpeername);
	FAIL_AS(FAILING_CALL, ENOBUFS, -1);
	return next_getpeername(descriptor, address, length);
}
