/*-------------------------------------------------------------------------
 *
 * jsonpath_children.h
 *	  Children of jsonb values, without allocating.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_EXPRESSION_JSONPATH_CHILDREN_H
#define ARAZZO_EXPRESSION_JSONPATH_CHILDREN_H

#include "support/value.h"

/* The way from a value to a child: a member's name, or an element's index. */
typedef struct JsonPathStep
{
	const char *name;			/* NULL for an element */
	int			length;			/* of the name, or the index */
} JsonPathStep;

typedef struct JsonPathChildren
{
	JsonbContainer *container;
	uint32		count;
	uint32		index;			/* of the next child */
	uint32		name_offset;	/* of its name */
	uint32		value_offset;	/* of its value */
} JsonPathChildren;

/* Begins with the first child of a value; a scalar has none. */
extern void arazzo_jsonpath_children(JsonPathChildren *children, const JsonbValue *value);

/* The next child, which points into the jsonb; false after the last. */
extern bool arazzo_jsonpath_next_child(JsonPathChildren *children, JsonbValue *child,
									   JsonPathStep *step);

/* The member of an object; false when there is none. */
extern bool arazzo_jsonpath_member(const JsonbValue *object, const char *name, int length,
								   JsonbValue *child);

/*
 * The element of an array, counted from the end when the index is negative;
 * false when there is none.  *step (may be NULL) becomes the way to it.
 */
extern bool arazzo_jsonpath_element(const JsonbValue *array, int64 index,
									JsonPathStep *step, JsonbValue *child);

#endif							/* ARAZZO_EXPRESSION_JSONPATH_CHILDREN_H */
