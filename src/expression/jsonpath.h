/*-------------------------------------------------------------------------
 *
 * jsonpath.h
 *	  JSONPath (RFC 9535), complete with filters and functions.
 *
 * Not to be confused with PostgreSQL's own jsonpath, which is SQL/JSON.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_EXPRESSION_JSONPATH_H
#define ARAZZO_EXPRESSION_JSONPATH_H

#include "nodes/pg_list.h"

#include "support/errors.h"
#include "support/value.h"

typedef struct ArazzoJsonPath ArazzoJsonPath;

/* One node of a nodelist: where it is and what it is. */
typedef struct ArazzoJsonPathNode
{
	JsonbValue *value;
	char	   *location;		/* normalized path, NULL unless asked for */
} ArazzoJsonPathNode;

/*
 * Parses a query; well-typedness of function calls is checked too.  NULL and
 * *failure (WF003, with the offset of the offending character) when invalid.
 */
extern ArazzoJsonPath *arazzo_jsonpath_parse(const char *text, int length, ArazzoFailure **failure);

/*
 * Applies the query to a value.  Returns a List of ArazzoJsonPathNode in the
 * standard's order; NIL for an empty nodelist.  Interruptible.  With
 * locations, each node carries its normalized path.
 */
extern List *arazzo_jsonpath_query(const ArazzoJsonPath *path, const JsonbValue *root, bool locations);

#endif							/* ARAZZO_EXPRESSION_JSONPATH_H */
