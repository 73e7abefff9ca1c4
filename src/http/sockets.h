/*-------------------------------------------------------------------------
 *
 * sockets.h
 *	  The sockets that the HTTP library has open.
 *
 * Called from within library callbacks: nothing here throws.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_SOCKETS_H
#define ARAZZO_HTTP_SOCKETS_H

#include "lib/ilist.h"

#include "http/egress.h"

typedef struct HttpSocket
{
	dlist_node	node;
	int			descriptor;		/* -1 once it is closed */
	uint64		inode;			/* tells it from a later one of that number */
	IpAddress	peer;
	int			peer_port;
	int			local_port;		/* 0 until it is asked for */
	int			requests;		/* that were sent on it */
	int			users;			/* requests that are on their way */
	bool		multiplexed;	/* HTTP/2: its frames come at any time */
} HttpSocket;

struct sockaddr;

/*
 * How many there may be: the server lets a third of its descriptors be used
 * for such as these, and half of them are left to others.
 */
extern int	arazzo_sockets_most(void);

/* Address and port of a socket address; false for other families than IP. */
extern bool arazzo_socket_address(const struct sockaddr *target, IpAddress *address, int *port);

/*
 * Makes a socket for an address, counted among the server's descriptors;
 * returns -1 and sets errno when it cannot.
 */
extern int	arazzo_socket_open(const struct sockaddr *target, int type, int protocol);
extern void arazzo_socket_close(int descriptor);

/*
 * Forgets sockets that were closed in another way: the library does not tell
 * of each one on which it gave up connecting.
 */
extern void arazzo_sockets_sweep(void);

/* The open socket between two ends; NULL when it is not known. */
extern HttpSocket *arazzo_socket_find(const IpAddress *peer, int peer_port, int local_port);

/*
 * True when bytes, or the end, have come over an idle connection: whatever
 * they are, they do not answer the request that is about to be sent.
 */
extern bool arazzo_socket_is_stale(const HttpSocket *socket);

/* A request begins and ends to use a socket; it stays known in between. */
extern void arazzo_socket_use(HttpSocket *socket);
extern void arazzo_socket_unuse(HttpSocket *socket);

#endif							/* ARAZZO_HTTP_SOCKETS_H */
