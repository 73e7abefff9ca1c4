/*-------------------------------------------------------------------------
 *
 * call.h
 *	  One call of a run: connection, credentials, transfers.
 *
 * A call is more than one transfer when it needs an access token that has to
 * be fetched, or when its credential is refused and there is another.  Who
 * drives it sees one call with one answer:
 *
 *		arazzo_call_start(call);
 *		arazzo_call_notify(call, ...);
 *		... arazzo_http_poll() ...
 *		response = arazzo_call_response(call);	(NULL: not yet)
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_CALL_H
#define ARAZZO_DRIVE_CALL_H

#include "drive/token.h"
#include "http/connection.h"
#include "http/transport.h"
#include "run/machine.h"

typedef struct DriveCall
{
	const ArazzoConnection *connection;
	ArazzoRequest request;		/* as it is sent */
	HttpOptions options;
	HttpTransfer *transfer;		/* NULL until it is sent */
	bool		repeatable;		/* safe, or keyed */
	bool		takes_key;		/* the API knows repetitions by a key */
	const char *key;			/* that was put into it; or NULL */
	bool		unauthorized;	/* no token was given for its credentials */

	/* the rest is for call.c and credential.c */
	ArazzoRequest plain;		/* the request without credentials */
	const OpenapiSecurity *security;	/* the alternative that is met, or NULL */
	const char *api_key;		/* that goes out, if the alternative asks for one */
	const char *token;			/* likewise; NULL until it is fetched */
	TokenSource *source;		/* where it is fetched, NULL: it is at hand */
	TokenWait  *wait;			/* for it, or NULL */
	const char *refused;		/* the token that was, or NULL */
	bool		fetched;		/* the token was fetched for this call */
	bool		repeated;		/* with another credential */
	List	   *tokens;			/* of char *: all that were fetched */
	ArazzoResponse answer;		/* when no token could be had */
	const ArazzoResponse *response; /* NULL until it is over */
	int			limit;			/* ms that it may take, 0: no limit of its own */
	TimestampTz deadline;		/* the same as a moment, from its start on */
	bool		awake;			/* there is news that nobody has looked at */
	HttpNotify	notify;
	void	   *notify_argument;
} DriveCall;

/* Finds the connection for a URL, as arazzo_connection_find does. */
typedef const ArazzoConnection *(*CallConnect) (void *owner, const char *url, Oid role, ArazzoFailure **failure);

/*
 * Makes the request of a run ready to send as a role: the connection's URL
 * and its credentials.  In the current memory context.  Returns a
 * failure when the role may not make the call or has no credential for it;
 * nothing is sent here.
 */
extern ArazzoFailure *arazzo_call_prepare(DriveCall *call, const RunNext *next, Oid role);

/*
 * The same, over a connection that was found; it must stay until the call is
 * over, as must others that connect gives (NULL: arazzo_connection_find),
 * which is asked for places that give tokens.
 */
extern ArazzoFailure *arazzo_call_prepare_on(DriveCall *call, const RunNext *next,
											 const ArazzoConnection *connection,
											 CallConnect connect, void *owner);

/*
 * Puts the idempotency key of a call that takes one where the connection
 * says; the call is then repeatable.
 */
extern void arazzo_call_set_key(DriveCall *call, const char *key);

/* Starts it, in the current memory context, with which it ends. */
extern void arazzo_call_start(DriveCall *call);

/*
 * Has a function called whenever arazzo_call_response() has something to do:
 * from within a poll, or at once.  It must neither throw nor end the call.
 */
extern void arazzo_call_notify(DriveCall *call, HttpNotify notify, void *argument);

/*
 * The answer, or NULL when it is not there yet: then the call has gone on as
 * far as it can.  To be called in the memory context it was started in.
 */
extern const ArazzoResponse *arazzo_call_response(DriveCall *call);

/* What the call has that is secret, tokens fetched so far included, to be
 * masked (List of char *). */
extern List *arazzo_call_secrets(const DriveCall *call);

#endif							/* ARAZZO_DRIVE_CALL_H */
