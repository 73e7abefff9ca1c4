/*-------------------------------------------------------------------------
 *
 * body.h
 *	  Writers of request bodies.  Private to the room.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_OPENAPI_BODY_H
#define ARAZZO_OPENAPI_BODY_H

#include "lib/stringinfo.h"

#include "openapi/operation.h"

/* One body that is being written; writers return false with a failure. */
typedef struct BodyWriter
{
	StringInfo	out;
	const char *content_type;	/* no range */
	const OpenapiMediaType *description;	/* or NULL */
	const JsonbValue *payload;	/* never absent */
	const ArazzoNode *order;	/* the payload as the document has it, or NULL */
	const char *sent_type;		/* multipart: set by the writer */
	ArazzoFailure *failure;
} BodyWriter;

extern bool arazzo_body_write_form(BodyWriter *writer);
extern bool arazzo_body_write_multipart(BodyWriter *writer);

/* Fails the writer; returns false. */
extern bool arazzo_body_refuse(BodyWriter *writer, int sqlstate, const char *why);

/* The encoding of a member, or NULL. */
extern const OpenapiEncoding *arazzo_body_encoding(const BodyWriter *writer, const char *name);

/* What the schema of a member says of bytes; BINARY_UNTYPED if there is none. */
extern OpenapiBinary arazzo_body_member_binary(const BodyWriter *writer, const char *name);

/* The first type of an encoding's list that is no range; NULL if none. */
extern const char *arazzo_body_encoding_type(const OpenapiEncoding *encoding);

#endif							/* ARAZZO_OPENAPI_BODY_H */
