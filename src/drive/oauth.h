/*-------------------------------------------------------------------------
 *
 * oauth.h
 *	  Requests for access tokens and what answers them, as OAuth 2.0 (RFC
 *	  6749) and OpenID Connect Discovery 1.0 have them.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_OAUTH_H
#define ARAZZO_DRIVE_OAUTH_H

#include "drive/token.h"

/* What an answer gave; in the current context. */
typedef struct OAuthAnswer
{
	const char *token;
	int64		expires_in;		/* seconds, -1 when it does not say */
	const char *endpoint;		/* of a provider's configuration: where to ask */
	bool		post;			/* likewise: it takes secrets in bodies only */
	ArazzoFailure *failure;		/* or NULL */
	bool		transient;		/* the failure may go away by itself */
	bool		unauthorized;	/* it is that the credentials were refused */
	const char *retry_after;	/* header of an answer that is transient, or NULL */
} OAuthAnswer;

/* The request for a token at an endpoint. */
extern void arazzo_oauth_request(const TokenSource *source, const char *endpoint, ArazzoRequest *request);

/* The request for a provider's configuration. */
extern void arazzo_oauth_discover(const TokenSource *source, ArazzoRequest *request);

/* What came back. */
extern void arazzo_oauth_read_token(const TokenSource *source, const ArazzoResponse *response, OAuthAnswer *answer);
extern void arazzo_oauth_read_configuration(const TokenSource *source, const ArazzoResponse *response,
											OAuthAnswer *answer);

/* RFC 7617: the value of an Authorization header, in the current context. */
extern char *arazzo_oauth_basic(const char *user, const char *password);

#endif							/* ARAZZO_DRIVE_OAUTH_H */
