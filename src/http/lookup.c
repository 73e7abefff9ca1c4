/*-------------------------------------------------------------------------
 *
 * lookup.c
 *	  Addresses of a host name, found in a thread of its own.
 *
 * Thread and server process own the look-up together; whoever is through
 * last frees it.  The thread touches nothing else: no memory of a context,
 * no report.  It runs with all signals blocked, so that no signal handler of
 * the server ever runs there.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "port/atomics.h"

#include "http/lookup.h"

struct HostLookup
{
	pg_atomic_uint32 owners;
	int			ends[2];		/* of a pipe: closing the second tells */
	int			error;
	struct addrinfo *addresses;
	char		host[256];
};

static bool open_pipe(int ends[2]);
static bool start_thread(HostLookup *lookup);
static void *resolve(void *argument);
static void disown(HostLookup *lookup);

HostLookup *
arazzo_lookup_start(const char *host)
{
	HostLookup *lookup = calloc(1, sizeof(HostLookup));

	if (lookup == NULL || strlen(host) >= sizeof(lookup->host) || !open_pipe(lookup->ends))
	{
		free(lookup);
		return NULL;
	}
	strlcpy(lookup->host, host, sizeof(lookup->host));
	pg_atomic_init_u32(&lookup->owners, 2);
	if (start_thread(lookup))
		return lookup;
	close(lookup->ends[1]);
	disown(lookup);
	disown(lookup);
	return NULL;
}

static bool
open_pipe(int ends[2])
{
	if (pipe(ends) != 0)
		return false;
	(void) fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	(void) fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	return true;
}

static bool
start_thread(HostLookup *lookup)
{
	pthread_attr_t attributes;
	pthread_t	thread;
	sigset_t	all;
	sigset_t	saved;
	bool		started;

	if (pthread_attr_init(&attributes) != 0)
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &saved);
	started = pthread_create(&thread, &attributes, resolve, lookup) == 0;
	sigprocmask(SIG_SETMASK, &saved, NULL);
	pthread_attr_destroy(&attributes);
	return started;
}

/* The thread.  Closing its end of the pipe publishes what it has found. */
static void *
resolve(void *argument)
{
	HostLookup *lookup = argument;
	struct addrinfo hints = {.ai_family = AF_UNSPEC,.ai_socktype = SOCK_STREAM};

	lookup->error = getaddrinfo(lookup->host, NULL, &hints, &lookup->addresses);
	pg_memory_barrier();
	close(lookup->ends[1]);
	disown(lookup);
	return NULL;
}

int
arazzo_lookup_descriptor(const HostLookup *lookup)
{
	return lookup->ends[0];
}

bool
arazzo_lookup_done(const HostLookup *lookup, const struct addrinfo **addresses, int *error)
{
	struct pollfd entry = {.fd = lookup->ends[0],.events = POLLIN};

	if (poll(&entry, 1, 0) <= 0)
		return false;
	pg_memory_barrier();
	*addresses = lookup->addresses;
	*error = lookup->error;
	return true;
}

void
arazzo_lookup_end(HostLookup *lookup)
{
	disown(lookup);
}

static void
disown(HostLookup *lookup)
{
	if (pg_atomic_sub_fetch_u32(&lookup->owners, 1) > 0)
		return;
	if (lookup->addresses != NULL)
		freeaddrinfo(lookup->addresses);
	close(lookup->ends[0]);
	free(lookup);
}
