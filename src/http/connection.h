/*-------------------------------------------------------------------------
 *
 * connection.h
 *	  Connections: a foreign server of the wrapper "arazzo" and the user
 *	  mapping of the role that runs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_CONNECTION_H
#define ARAZZO_HTTP_CONNECTION_H

#include "http/transport.h"
#include "support/errors.h"

/* Where the idempotency key of a call goes. */
typedef enum KeyPlace
{
	KEY_NONE,
	KEY_HEADER,					/* key_name is the header */
	KEY_BODY					/* key_name is a JSON Pointer into the body */
} KeyPlace;

/* Values of a user mapping and its secret_file; NULL where the option is not
 * set. */
typedef struct ConnectionCredentials
{
	const char *api_key;
	const char *api_key_next;	/* while keys are rotated */
	const char *token;
	const char *token_next;
	const char *user;
	const char *password;
	const char *client_id;
	const char *client_secret;
	bool		client_post;	/* the client's secret goes in the body */
} ConnectionCredentials;

typedef struct ArazzoConnection
{
	Oid			server;
	Oid			role;
	const char *role_name;		/* NULL when it is gone */
	const char *server_name;
	const char *api;			/* prefix of the description's URLs, no trailing slash */
	const char *url;			/* takes the place of that prefix, no trailing slash */
	bool		has_mapping;
	ConnectionCredentials credentials;
	HttpOptions http;
	KeyPlace	key_place;
	const char *key_name;
	const char *token_url;		/* where tokens come from, or NULL: as described */
	int			max_concurrency;	/* 0: no limit */
	double		max_rate;		/* requests a second, 0: no limit */
	int			retry_limit;	/* of queued runs */
	int			idempotency_window; /* s that the API remembers a key, 0: for ever */
	int			duplicate_status;	/* of an answer that says that the call was taken
									 * in before, 0: there is none */
	const char *duplicate_text; /* and what its body has: text, or a JSONPath */
} ArazzoConnection;

/*
 * The connection for a URL as a description has it, for a role: the server
 * whose api is the longest prefix (whole path segments, scheme and host
 * without case, default ports dropped).  NULL and *failure when there is no
 * server (42501, the hint has the CREATE SERVER to type), the role has no
 * USAGE on it (42501) or the secret_file cannot be used (WF008).  The result
 * is cached and stays valid until the next command of the session.
 */
extern const ArazzoConnection *arazzo_connection_find(const char *url, Oid role, ArazzoFailure **failure);

/* Lets a connection stay valid until the current memory context is reset. */
extern void arazzo_connection_keep(const ArazzoConnection *connection);

/* The URL to send to: url in place of api.  In the current context. */
extern char *arazzo_connection_rewrite(const ArazzoConnection *connection, const char *url);

/*
 * The same for a URL that a server gave in an answer: as a description would
 * have it, or as requests have it.  NULL when the place is not the
 * connection's.
 */
extern char *arazzo_connection_locate(const ArazzoConnection *connection, const char *url);

/* Name of the server that serves a URL, whoever asks; NULL when there is none. */
extern const char *arazzo_connection_server_name(const char *url);

/* Registers cache callbacks; called once when the module is loaded. */
extern void arazzo_connection_init(void);

#endif							/* ARAZZO_HTTP_CONNECTION_H */
