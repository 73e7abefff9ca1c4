/*-------------------------------------------------------------------------
 *
 * operation_index.h
 *	  The operations of a description, by id.  Private to the room.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_OPENAPI_OPERATION_INDEX_H
#define ARAZZO_OPENAPI_OPERATION_INDEX_H

#include "openapi/operation.h"

/* One operation; its strings are those of the description, not terminated. */
typedef struct IndexedOperation
{
	const char *id;				/* NULL when it has none */
	int			id_length;
	const char *path;
	int			path_length;
	const char *method;			/* as it is sent, terminated */
	int			next;			/* of the same bucket, or -1 */
} IndexedOperation;

typedef struct OperationIndex
{
	IndexedOperation *operations;	/* in the order jsonb keeps */
	int			count;
	int			capacity;
	int		   *buckets;		/* first operation of each, or -1 */
	uint32		mask;
} OperationIndex;

/*
 * The index of a description, built by one walk at the first call; it lives
 * as long as the library that holds the description.
 */
extern const OperationIndex *arazzo_operation_index(ArazzoLibrary *library,
													const ArazzoDocument *document);

/*
 * Operations with an id (List of IndexedOperation *): those of exactly this
 * id, else those whose id differs in the case of ASCII letters only.
 */
extern List *arazzo_operation_index_find(const OperationIndex *index, const char *id, bool *exact);

/* Methods of the operations of a path item (List of char *). */
extern List *arazzo_operation_methods(const JsonbValue *item);

/* The method as it is sent and the member of a path item it stands in, for
 * a method in any case; false for one that has no member of its own. */
extern bool arazzo_operation_method(const char *name, const char **method, const char **member);

#endif							/* ARAZZO_OPENAPI_OPERATION_INDEX_H */
