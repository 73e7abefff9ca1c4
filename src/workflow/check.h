/*-------------------------------------------------------------------------
 *
 * check.h
 *	  What is wrong with a document, with positions.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORKFLOW_CHECK_H
#define ARAZZO_WORKFLOW_CHECK_H

#include "nodes/pg_list.h"

#include "document/node.h"
#include "support/errors.h"

typedef struct ArazzoFinding
{
	bool		error;			/* refuses loading, or keeps a workflow from being
								 * run; else a warning */
	const char *code;			/* stable: "unknown-field", ... */
	int			line;
	int			column;
	char	   *pointer;		/* JSON Pointer of the place; NULL: by position */
	char	   *message;
	char	   *hint;			/* what to do, a sentence, or NULL */
} ArazzoFinding;

/*
 * Checks an Arazzo document against the structure its version asks for
 * (Arazzo 1.0.1 and 1.1.0, Schema).  Returns a List of ArazzoFinding in
 * document order.
 */
extern List *arazzo_check_structure(const ArazzoNode *root);

/*
 * The same for an OpenAPI document (2.0, 3.x), as far as looking operations
 * up relies on it.
 */
extern List *arazzo_check_openapi(const ArazzoNode *root);

/* Puts findings into document order. */
extern void arazzo_check_sort(List *findings);

/* The findings that are errors, as one failure (WF001), or NULL. */
extern ArazzoFailure *arazzo_check_failure(const char *uri, List *findings);

#endif							/* ARAZZO_WORKFLOW_CHECK_H */
