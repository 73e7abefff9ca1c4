/*-------------------------------------------------------------------------
 *
 * instance.h
 *	  Walking and comparing instances without allocating.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SCHEMA_INSTANCE_H
#define ARAZZO_SCHEMA_INSTANCE_H

#include "utils/jsonb.h"

/*
 * A walk over the members or elements of a container, in the order jsonb
 * keeps them: keys by length, then by bytes.
 */
typedef struct Cursor
{
	JsonbContainer *container;
	char	   *data;
	int			count;
	int			next;
	uint32		key_offset;
	uint32		value_offset;
	bool		is_object;
} Cursor;

typedef struct CursorItem
{
	int			index;
	const char *key;			/* NULL in arrays */
	int			key_length;
	JsonbValue	value;
} CursorItem;

extern void arazzo_cursor_start(Cursor *cursor, const JsonbValue *container);
extern bool arazzo_cursor_next(Cursor *cursor, CursorItem *item);

/* The order of jsonb keys. */
extern int	arazzo_key_compare(const char *a, int a_length, const char *b, int b_length);

/* Is there a member of this name? */
extern bool arazzo_instance_has(const JsonbValue *object, const char *key, int length);

/* Equality of JSON values (numbers by value), and a hash that goes with it. */
extern bool arazzo_instance_equal(const JsonbValue *a, const JsonbValue *b);
extern uint32 arazzo_instance_hash(const JsonbValue *value);

/* Indexes of two elements that are equal; false when there are none. */
extern bool arazzo_instance_duplicate(const JsonbValue *array, int *first, int *second);

#endif							/* ARAZZO_SCHEMA_INSTANCE_H */
