/*-------------------------------------------------------------------------
 *
 * token.h
 *	  Access tokens (OAuth 2.0, RFC 6749), fetched and kept.
 *
 * A token is kept by the backend for all calls of the same role to the same
 * server with the same scopes and credentials.  Calls that need one at the
 * same time share one fetch.  It is a transfer like any other, driven by
 * arazzo_http_poll(): nothing here waits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_TOKEN_H
#define ARAZZO_DRIVE_TOKEN_H

#include "nodes/pg_list.h"

#include "http/connection.h"
#include "http/transport.h"

/* Where tokens for a call come from, and what they are given for. */
typedef struct TokenSource
{
	Oid			server;			/* that takes the token */
	const ArazzoConnection *connection; /* of the place that gives it */
	const ConnectionCredentials *credentials;
	bool		password;		/* for the user's password (4.3), else for the
								 * client's own credentials (4.4) */
	bool		discover;		/* url is that of an OpenID provider's
								 * configuration, which has the endpoint */
	const char *url;			/* as it is sent */
	const List *scopes;			/* of char * */
	int			timeout;		/* ms that a fetch may take, 0: as the connection
								 * says */
} TokenSource;

/* A call's part in a fetch; it ends with the memory context it is in. */
typedef struct TokenWait TokenWait;

/*
 * The token to use, in the current context.  When there is none at hand, or
 * it is about to expire, or it is the one that was refused (or NULL), that
 * returns NULL, and *wait is where to wait for another.
 */
extern const char *arazzo_token_get(const TokenSource *source, const char *refused, TokenWait **wait);

/*
 * Has a function called when there is something new: from within a poll, or
 * at once.  It must neither throw nor end the wait.
 */
extern void arazzo_token_notify(TokenWait *wait, HttpNotify notify, void *argument);

/* Takes what has arrived; true when the wait is over. */
extern bool arazzo_token_ready(TokenWait *wait);

/*
 * Ends a wait that is over: the token in the current context, or NULL and
 * the answer is why the call could not be sent, for *unauthorized because the
 * credentials were refused.
 */
extern const char *arazzo_token_take(TokenWait *wait, ArazzoResponse *answer, bool *unauthorized);

#endif							/* ARAZZO_DRIVE_TOKEN_H */
