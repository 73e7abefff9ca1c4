/*-------------------------------------------------------------------------
 *
 * request.h
 *	  Refuses requests that must not reach the wire, and writes the headers
 *	  of the others.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_HTTP_REQUEST_H
#define ARAZZO_HTTP_REQUEST_H

#include "http/transport.h"
#include "http/url.h"
#include "support/errors.h"

/*
 * Takes the URL of a request apart and checks method, URL and headers.
 * Returns NULL when the request may be sent, else why not: 22023 for what is
 * malformed, 42501 for what is not allowed, 54000 for a URL and headers that
 * are too large.  Shows no value of the request.
 */
extern ArazzoFailure *arazzo_request_check(const ArazzoRequest *request, const HttpOptions *options,
										   HttpUrl *url);

/*
 * The headers of a request as the HTTP library takes them, in the current
 * context: "name:" without a value stops one that it adds by itself, "name;"
 * is one whose value is empty.
 */
extern char **arazzo_request_lines(const ArazzoRequest *request, int *count);

/* True for a token (RFC 9110, section 5.6.2): a method or a header's name. */
extern bool arazzo_request_is_token(const char *text);

/* True for names of headers that belong to the transport alone. */
extern bool arazzo_request_is_reserved_header(const char *name);

#endif							/* ARAZZO_HTTP_REQUEST_H */
