/*-------------------------------------------------------------------------
 *
 * serialize.h
 *	  Values to the wire and back: parameters (OpenAPI 3.1, Parameter
 *	  Object, Style Values; RFC 6570), bodies by media type, responses.
 *
 * Nothing here throws for bad values; functions that can fail return false
 * and set *failure.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_OPENAPI_SERIALIZE_H
#define ARAZZO_OPENAPI_SERIALIZE_H

#include "lib/stringinfo.h"

#include "openapi/operation.h"

/*
 * A parameter that no description declares: the defaults of its location,
 * explode as the location has it.
 */
extern OpenapiParameter *arazzo_serialize_undeclared(ParameterLocation in, const char *name);

/* Does a variable of a path template, without its braces, name a parameter?
 * "+name" (RFC 6570, reserved expansion) names it as well. */
extern bool arazzo_path_variable_is(const char *variable, int length, const char *name);

/* Does a path template, or a query that stands in it, have the variable? */
extern bool arazzo_path_has_variable(const char *path, const char *name);

/* Appends the expansion of a path parameter: percent-encoded, so that it
 * stays within its segment. */
extern bool arazzo_serialize_path(StringInfo out, const OpenapiParameter *parameter,
								  const JsonbValue *value, ArazzoFailure **failure);

/* Appends name=value pairs, "&" before each but the first of the query. */
extern bool arazzo_serialize_query(StringInfo query, const OpenapiParameter *parameter,
								   const JsonbValue *value, ArazzoFailure **failure);

/* Appends a header's value, as it goes on the wire.  A CR, LF or other
 * control character in it is a failure (22023). */
extern bool arazzo_serialize_header(StringInfo out, const OpenapiParameter *parameter,
									const JsonbValue *value, ArazzoFailure **failure);

/* Appends name=value to a Cookie header, "; " before each but the first. */
extern bool arazzo_serialize_cookie(StringInfo out, const OpenapiParameter *parameter,
									const JsonbValue *value, ArazzoFailure **failure);

/* True for application/json and +json types, parameters aside; no range. */
extern bool arazzo_media_type_is_json(const char *content_type);

/* True if the media type, parameters aside, is the given one, without case. */
extern bool arazzo_media_type_is(const char *content_type, const char *type);

/*
 * Appends a body for the content type: JSON, form-urlencoded (nested objects
 * as a[b]=c unless the encoding says otherwise), multipart/form-data,
 * text and XML (the string as it is), binary (base64 or bytea hex "\x..").
 * description may be NULL.  order (or NULL) is the payload as the document
 * has it: members of a form or a multipart body are written in its order.  *sent_type receives
 * the Content-Type header to send (multipart: with the boundary).
 */
extern bool arazzo_serialize_body(StringInfo out, const char *content_type,
								  const OpenapiMediaType *description,
								  const JsonbValue *payload, const ArazzoNode *order,
								  const char **sent_type, ArazzoFailure **failure);

/*
 * A response body as a value: JSON when the content type says so and it
 * parses, else a string (bytes that are no UTF-8: absent).  NULL when empty.
 * *warning (may be NULL) is set when the body is not what its type says.
 */
extern JsonbValue *arazzo_deserialize_body(const char *content_type, const char *body, size_t length,
										   char **warning);

#endif							/* ARAZZO_OPENAPI_SERIALIZE_H */
