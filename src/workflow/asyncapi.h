/*-------------------------------------------------------------------------
 *
 * asyncapi.h
 *	  Operations and channels of AsyncAPI descriptions (2.x and 3.x).
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORKFLOW_ASYNCAPI_H
#define ARAZZO_WORKFLOW_ASYNCAPI_H

#include "document/library.h"
#include "openapi/operation.h"

/* A channel with a server it is available on. */
typedef struct AsyncapiChannel
{
	OpenapiOperation *operation;	/* method, address as path, server, security,
									 * content type: what a request takes */
	const char *protocol;		/* of the server; "" when none is known */
	const char *server;			/* its URL, or NULL */
	const char *database;		/* the server's path without "/", or NULL */
	const char *action;			/* "send", "receive", or NULL: not said */
	const char *correlation;	/* location of the correlation id, or NULL */
} AsyncapiChannel;

/*
 * The channel of an operation id, or at a JSON Pointer; in the current
 * memory context.  NULL and *failure (WF002) when there is none.
 */
extern AsyncapiChannel *arazzo_asyncapi_operation(ArazzoLibrary *library, const ArazzoDocument *document,
												  const char *operation_id, ArazzoFailure **failure);
extern AsyncapiChannel *arazzo_asyncapi_channel(ArazzoLibrary *library, const ArazzoDocument *document,
												const char *pointer, ArazzoFailure **failure);

/* Whether the description has an operation of this id. */
extern bool arazzo_asyncapi_has_operation(const ArazzoDocument *document, const char *operation_id);

/* Protocols that are LISTEN/NOTIFY of a database, or HTTP. */
extern bool arazzo_asyncapi_is_notify(const char *protocol);
extern bool arazzo_asyncapi_is_http(const char *protocol);

#endif							/* ARAZZO_WORKFLOW_ASYNCAPI_H */
