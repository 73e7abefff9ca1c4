/*-------------------------------------------------------------------------
 *
 * handle.h
 *	  Handles of the HTTP library and pools of its connections.
 *
 * What transport.c, which alone sees the library, does for transfer.c.  The
 * library's types are not shown: easy is a CURL, share a CURLSH.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_HANDLE_H
#define ARAZZO_HTTP_HANDLE_H

#include "lib/ilist.h"

#include "http/egress.h"
#include "http/fault.h"
#include "http/response.h"
#include "http/sockets.h"
#include "http/transport.h"
#include "http/url.h"

/* Connections kept alive that only requests of one pool may use. */
typedef struct HttpPool
{
	dlist_node	node;
	uint64		id;
	void	   *share;
	int			users;			/* transfers that have it */
	uint64		last_use;
} HttpPool;

/* An easy handle with what its callbacks read and fill; re-used but for the former. */
typedef struct HttpHandle
{
	dlist_node	node;			/* in the list of idle handles */
	void	   *easy;
	bool		driven;			/* among those that are driven */

	/* of the request at hand */
	HttpTransfer *transfer;
	const HttpOptions *options;
	bool		plain;			/* without TLS */
	ResponseCollector collector;
	int			requests;		/* how often a request was let through */
	HttpSocket *socket;			/* that the last of them went to */
	HttpFault	stop;			/* why a callback stopped the transfer */
	IpAddress	refused;		/* an address that was not connected to */
	int			opened;			/* sockets for it, one for each address that was tried */
	char		error[256];		/* the library's own words */
} HttpHandle;

/*
 * The pool of an id, made when there is none; throws when memory is short.
 * Keeps the pool until it is released; after that its connections stay open
 * for a while.
 */
extern HttpPool *arazzo_pool_acquire(uint64 id);
extern void arazzo_pool_release(HttpPool *pool);

/* What a pool shares: NULL when memory is short; false when it is still used. */
extern void *arazzo_share_create(void);
extern bool arazzo_share_free(void *share);

/* An idle handle, or a new one; throws when memory is short. */
extern HttpHandle *arazzo_handle_acquire(void);

/* Makes a handle idle: nothing of the request it had stays.  Does not throw. */
extern void arazzo_handle_release(HttpHandle *handle);

/*
 * Gives a request to a handle; what it points to must stay until the handle
 * is released, and so must the current memory context.  Returns false, with
 * the library's words in error, when the library does not take an option.
 */
extern bool arazzo_handle_prepare(HttpHandle *handle, const ArazzoRequest *request, const HttpUrl *url,
								  const HttpOptions *options, HttpPool *pool);

/* Puts a handle among those that are driven, and takes it away: this ends its request. */
extern bool arazzo_handle_add(HttpHandle *handle);
extern void arazzo_handle_remove(HttpHandle *handle);

/*
 * Lets all requests go on without waiting, and calls done for each that is
 * over; that function takes the handle away.
 */
typedef void (*HandleDone) (HttpHandle *handle, HttpFault fault);
extern void arazzo_handles_drive(HandleDone done);

/* Waits until a request can go on or a signal comes, at most the time given (ms). */
extern void arazzo_handles_wait(long timeout);

/* Status of the response, 0 when its header section is not complete. */
extern int	arazzo_handle_status(const HttpHandle *handle);

/* errno of the connection, or 0. */
extern int	arazzo_handle_os_error(const HttpHandle *handle);

/* Peer address and HTTP version, in the current context; NULL without a peer. */
extern char *arazzo_handle_peer(const HttpHandle *handle);

/* Whether a byte of the request may have left. */
extern bool arazzo_handle_request_left(const HttpHandle *handle);

extern int	arazzo_handle_idle_count(void);

/* The file of certificate authorities that the library trusts, or NULL. */
extern const char *arazzo_handle_ca_file(void);

#endif							/* ARAZZO_HTTP_HANDLE_H */
