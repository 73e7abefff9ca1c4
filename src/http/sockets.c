/*-------------------------------------------------------------------------
 *
 * sockets.c
 *	  The sockets that the HTTP library has open.
 *
 * They are known here for two reasons: to count them among the descriptors
 * that the server may open, and to look into an idle connection before it is
 * used again.  Called from within library callbacks: memory comes from
 * malloc, and nothing throws.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/fd.h"

#include "http/sockets.h"
#include "http/transport.h"

static dlist_head sockets = DLIST_STATIC_INIT(sockets);

static uint64 inode_of(int descriptor);
static int	find_local_port(int descriptor);
static void forget(HttpSocket *known);

int
arazzo_sockets_most(void)
{
	return Max(1, Min(HTTP_MAX_CONNECTIONS, max_safe_fds / 6));
}

bool
arazzo_socket_address(const struct sockaddr *target, IpAddress *address, int *port)
{
	const struct sockaddr_in *target4 = (const struct sockaddr_in *) target;
	const struct sockaddr_in6 *target6 = (const struct sockaddr_in6 *) target;

	memset(address, 0, sizeof(IpAddress));
	if (target->sa_family == AF_INET)
	{
		address->length = 4;
		memcpy(address->bytes, &target4->sin_addr, 4);
		*port = ntohs(target4->sin_port);
	}
	else if (target->sa_family == AF_INET6)
	{
		address->length = 16;
		memcpy(address->bytes, &target6->sin6_addr, 16);
		*port = ntohs(target6->sin6_port);
	}
	return address->length > 0;
}

int
arazzo_socket_open(const struct sockaddr *target, int type, int protocol)
{
	HttpSocket *opened = calloc(1, sizeof(HttpSocket));

	if (opened == NULL || !arazzo_socket_address(target, &opened->peer, &opened->peer_port) ||
		!AcquireExternalFD())
	{
		free(opened);
		errno = EMFILE;
		return -1;
	}
	opened->descriptor = socket(target->sa_family, type, protocol);
	if (opened->descriptor < 0 || fcntl(opened->descriptor, F_SETFD, FD_CLOEXEC) < 0)
	{
		int			save_errno = errno;

		if (opened->descriptor >= 0)
			close(opened->descriptor);
		ReleaseExternalFD();
		free(opened);
		errno = save_errno;
		return -1;
	}
	opened->inode = inode_of(opened->descriptor);
	dlist_push_head(&sockets, &opened->node);
	return opened->descriptor;
}

/* 0 when the descriptor is not open. */
static uint64
inode_of(int descriptor)
{
	struct stat status;

	return fstat(descriptor, &status) == 0 ? (uint64) status.st_ino : 0;
}

void
arazzo_socket_close(int descriptor)
{
	dlist_iter	iter;

	dlist_foreach(iter, &sockets)
	{
		HttpSocket *known = dlist_container(HttpSocket, node, iter.cur);

		if (known->descriptor == descriptor)
		{
			known->descriptor = -1;
			forget(known);
			break;
		}
	}
	ReleaseExternalFD();
	close(descriptor);
}

void
arazzo_sockets_sweep(void)
{
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &sockets)
	{
		HttpSocket *known = dlist_container(HttpSocket, node, iter.cur);

		if (known->descriptor >= 0 && inode_of(known->descriptor) != known->inode)
		{
			known->descriptor = -1;
			forget(known);
			ReleaseExternalFD();
		}
	}
}

HttpSocket *
arazzo_socket_find(const IpAddress *peer, int peer_port, int local_port)
{
	dlist_iter	iter;

	dlist_foreach(iter, &sockets)
	{
		HttpSocket *known = dlist_container(HttpSocket, node, iter.cur);

		if (known->descriptor < 0 || known->peer_port != peer_port ||
			known->peer.length != peer->length ||
			memcmp(known->peer.bytes, peer->bytes, peer->length) != 0)
			continue;
		if (known->local_port == 0)
			known->local_port = find_local_port(known->descriptor);
		if (known->local_port == local_port)
			return known;
	}
	return NULL;
}

static int
find_local_port(int descriptor)
{
	struct sockaddr_storage local;
	socklen_t	length = sizeof(local);
	IpAddress	address;
	int			port = 0;

	if (getsockname(descriptor, (struct sockaddr *) &local, &length) != 0 ||
		!arazzo_socket_address((struct sockaddr *) &local, &address, &port))
		return 0;
	return port;
}

bool
arazzo_socket_is_stale(const HttpSocket *socket)
{
	struct pollfd entry;

	if (socket->requests == 0 || socket->users > 0 || socket->multiplexed)
		return false;
	entry.fd = socket->descriptor;
	entry.events = POLLIN;
	entry.revents = 0;
	return poll(&entry, 1, 0) != 0;
}

void
arazzo_socket_use(HttpSocket *socket)
{
	socket->requests++;
	socket->users++;
}

void
arazzo_socket_unuse(HttpSocket *socket)
{
	socket->users--;
	forget(socket);
}

/* Gives back what is neither open nor used. */
static void
forget(HttpSocket *known)
{
	if (known->descriptor >= 0 || known->users > 0)
		return;
	dlist_delete(&known->node);
	free(known);
}
