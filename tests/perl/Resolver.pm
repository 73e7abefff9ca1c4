# A resolver in place of the system's, for servers that a test starts.
#
#	Resolver::with(sub { $node = start_node('x'); });
#
# Names below .test mean, "_" between addresses and "-" for the colons of IPv6:
#
#	hang.test			no answer for a minute
#	nothing.test		no such name
#	failing.test		a failure that may pass
#	A_B.addresses.test	all these addresses
#	A_B.turns.test		A when it is asked for the first time in a process,
#						B from then on
package Resolver;

use strict;
use warnings;

use PostgreSQL::Test::Utils;

my $source = <<'C';
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

typedef int (*Resolver) (const char *, const char *, const struct addrinfo *, struct addrinfo **);

static Resolver next_resolver;
static int turns = 0;

/* Whether a name ends like this; what is before it goes to the buffer. */
static int
has_suffix(const char *node, const char *suffix, char *before, size_t size)
{
	size_t		length = strlen(node);
	size_t		count = strlen(suffix);

	if (length <= count || length - count >= size || strcmp(node + length - count, suffix) != 0)
		return 0;
	memcpy(before, node, length - count);
	before[length - count] = '\0';
	return 1;
}

static int
resolve_one(char *address, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	char	   *p;

	for (p = address; *p != '\0'; p++)
	{
		if (*p == '-')
			*p = ':';
	}
	return next_resolver(address, service, hints, result);
}

/* An address of the other family than asked for is left out. */
static int
resolve_all(char *addresses, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	struct addrinfo **end = result;
	char	   *rest;
	char	   *address;

	*result = NULL;
	for (address = strtok_r(addresses, "_", &rest); address != NULL; address = strtok_r(NULL, "_", &rest))
	{
		if (resolve_one(address, service, hints, end) != 0)
			*end = NULL;
		while (*end != NULL)
			end = &(*end)->ai_next;
	}
	return *result == NULL ? EAI_NONAME : 0;
}

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	char		before[256];
	char	   *other;

	if (next_resolver == NULL)
		next_resolver = (Resolver) dlsym(RTLD_NEXT, "getaddrinfo");
	if (node != NULL && strcmp(node, "hang.test") == 0)
	{
		sleep(60);
		return EAI_AGAIN;
	}
	if (node != NULL && strcmp(node, "failing.test") == 0)
		return EAI_AGAIN;
	if (node != NULL && strcmp(node, "nothing.test") == 0)
		return EAI_NONAME;
	if (node != NULL && has_suffix(node, ".addresses.test", before, sizeof(before)))
		return resolve_all(before, service, hints, result);
	if (node != NULL && has_suffix(node, ".turns.test", before, sizeof(before)) &&
		(other = strchr(before, '_')) != NULL)
	{
		*other = '\0';
		return resolve_one(turns++ == 0 ? before : other + 1, service, hints, result);
	}
	return next_resolver(node, service, hints, result);
}
C

# Calls a function that starts servers, which get the resolver.
sub with
{
	my ($start) = @_;
	my $directory = PostgreSQL::Test::Utils::tempdir();

	append_to_file("$directory/resolver.c", $source);
	system($ENV{CC} // 'cc', '-shared', '-fPIC', '-o', "$directory/resolver.so", "$directory/resolver.c", '-ldl') == 0
	  or die 'could not compile the resolver';
	local $ENV{LD_PRELOAD} = join q( ), $ENV{LD_PRELOAD} // (), "$directory/resolver.so";
	return $start->();
}

1;
