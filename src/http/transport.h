/*-------------------------------------------------------------------------
 *
 * transport.h
 *	  HTTP requests in flight: start, poll, take the response.
 *
 * One multi handle a backend, created with the first request.  Connections
 * are kept alive and are shared only by requests of the same pool.  One
 * request is one request on the wire: libcurl's replay on a dead re-used
 * connection is stopped.  transport.c is the only file that sees libcurl.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_TRANSPORT_H
#define ARAZZO_HTTP_TRANSPORT_H

#include "support/message.h"

/* Open at a time, of one pool: requests beyond that wait for a connection. */
#define HTTP_MAX_CONNECTIONS 128

/* How to send; taken from a connection's options. */
typedef struct HttpOptions
{
	uint64		pool;			/* requests with different pools never share a
								 * connection: made of role and server */
	int			connect_timeout;	/* ms */
	int			timeout;		/* ms, the whole request */
	int64		max_response_bytes; /* decoded body */
	int			max_header_bytes;
	const char *ca_file;		/* NULL: the system's */
	const char *crl_file;		/* revoked certificates; NULL: not asked */
	const char *client_cert;	/* PEM text or NULL */
	const char *client_key;
	const char *user;			/* for http digest only, else NULL */
	const char *password;
	const char *proxy;			/* NULL: none, whatever the environment says */
	const char *pinned_public_key;
	bool		allow_loopback; /* the configured host is loopback itself */
	const char *allow_private;	/* comma-separated networks, or NULL */
} HttpOptions;

typedef struct HttpTransfer HttpTransfer;

/*
 * Starts a request.  Request and options must stay until the transfer is
 * freed.  The transfer belongs to the memory context current at the call:
 * resetting or deleting that context ends it and gives its handle back.
 * A request that may not be sent (scheme, address, header with CR or LF)
 * gives a transfer that is done at once with OUTCOME_NOT_SENT.
 */
extern HttpTransfer *arazzo_http_start(const ArazzoRequest *request, const HttpOptions *options);

/*
 * Drives all transfers, and all that listens (listener.h); returns when one
 * is done or has something new, or after the given time (ms), or sooner.
 * Interrupts are honoured (57014) within 100 ms.
 */
extern void arazzo_http_poll(int timeout);

/* Is there a transfer in flight, or does anything listen?  Else a poll does not wait. */
extern bool arazzo_http_is_busy(void);

/*
 * Has a function called when the transfer is done: from within a poll, or at
 * once if it is done already.  It must neither throw nor end a transfer.
 */
typedef void (*HttpNotify) (void *argument);
extern void arazzo_http_notify(HttpTransfer *transfer, HttpNotify notify, void *argument);

/* The response of a transfer that is done, else NULL.  Lives as long as the
 * transfer does. */
extern const ArazzoResponse *arazzo_http_response(HttpTransfer *transfer);

/* Peer address and HTTP version of a transfer that got that far, else NULL. */
extern const char *arazzo_http_peer(HttpTransfer *transfer);

/* Ends the transfer, whatever its state, and frees it. */
extern void arazzo_http_free(HttpTransfer *transfer);

/* Start, poll until done: the response; interruptible. */
extern const ArazzoResponse *arazzo_http_perform(const ArazzoRequest *request, const HttpOptions *options);

/* Number of transfers in flight and of idle handles, for tests. */
extern void arazzo_http_counts(int *in_flight, int *idle_handles);

#endif							/* ARAZZO_HTTP_TRANSPORT_H */
