/*-------------------------------------------------------------------------
 *
 * call.h
 *	  One call of a run: connection, credentials, transfer.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_CALL_H
#define ARAZZO_DRIVE_CALL_H

#include "http/connection.h"
#include "http/transport.h"
#include "run/machine.h"

typedef struct DriveCall
{
	const ArazzoConnection *connection;
	ArazzoRequest request;		/* as it is sent */
	HttpOptions options;
	HttpTransfer *transfer;		/* NULL until it is started */
	bool		repeatable;		/* safe, or keyed */
	bool		takes_key;		/* the API knows repetitions by a key */
	const char *key;			/* that was put into it; or NULL */
} DriveCall;

/*
 * Makes the request of a run ready to send as a role: the connection's URL
 * and its credentials.  In the current memory context.  Returns a
 * failure when the role may not make the call or has no credential for it;
 * nothing is sent here.
 */
extern ArazzoFailure *arazzo_call_prepare(DriveCall *call, const RunNext *next, Oid role);

/* The same, over a connection that was found; it must stay until the call is
 * over. */
extern ArazzoFailure *arazzo_call_prepare_on(DriveCall *call, const RunNext *next,
											 const ArazzoConnection *connection);

/*
 * Puts the idempotency key of a call that takes one where the connection
 * says; the call is then repeatable.
 */
extern void arazzo_call_set_key(DriveCall *call, const char *key);

/* Starts it. */
extern void arazzo_call_start(DriveCall *call);

/* Secrets of the call's connection, to be masked (List of char *). */
extern List *arazzo_call_secrets(const DriveCall *call);

#endif							/* ARAZZO_DRIVE_CALL_H */
