/*-------------------------------------------------------------------------
 *
 * style.h
 *	  Expansion of values by style and explode.  Private to the room.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_OPENAPI_STYLE_H
#define ARAZZO_OPENAPI_STYLE_H

#include "nodes/pg_list.h"

#include "openapi/operation.h"
#include "openapi/percent.h"

/* A name and a value as they go on the wire. */
typedef struct StylePair
{
	char	   *name;
	char	   *value;
} StylePair;

/*
 * The pairs (List of StylePair) that a value becomes in a style that carries
 * names: all but simple and label.  NIL for what RFC 6570, 2.3 calls
 * undefined: an empty array or object, or one that holds nothing but nulls.
 */
extern List *arazzo_style_pairs(const char *name, const JsonbValue *value,
								ParameterStyle style, bool explode, PercentSet set);

/* Appends name=value pairs with a separator between them. */
extern void arazzo_style_append_pairs(StringInfo out, const List *pairs, const char *separator);

/* Appends a value in style simple, label or matrix, or delimited without a
 * name (OpenAPI 2.0 in paths and headers). */
extern void arazzo_style_append(StringInfo out, const char *name, const JsonbValue *value,
								ParameterStyle style, bool explode, PercentSet set);

#endif							/* ARAZZO_OPENAPI_STYLE_H */
