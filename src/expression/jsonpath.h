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
 * Parses a query in UTF-8; well-typedness of function calls is checked too.
 * NULL and *failure (WF003, with the offset of the offending character,
 * counted in characters from 0) when invalid.  The result belongs to the
 * current memory context.
 */
extern ArazzoJsonPath *arazzo_jsonpath_parse(const char *text, int length, ArazzoFailure **failure);

/*
 * Applies the query to a value.  Returns a List of ArazzoJsonPathNode in the
 * standard's order; NIL for an empty nodelist.  Interruptible.  With
 * locations, each node carries its normalized path.  Values point into the
 * root's jsonb.
 *
 * Throws only for want of resources: 54000 when nodes are selected so many
 * times over that there are more than a million of them and than the value
 * has bytes, 2201B or 0A000 when a regular expression taken from the value is
 * more than the engine can take.
 */
extern List *arazzo_jsonpath_query(const ArazzoJsonPath *path, const JsonbValue *root, bool locations);

#endif							/* ARAZZO_EXPRESSION_JSONPATH_H */
