/*-------------------------------------------------------------------------
 *
 * library.h
 *	  The loaded documents as a planner sees them.
 *
 * A library reads each document at most once and keeps it for its own
 * life: one planning, one listing.  Nothing is fetched from a network.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_LIBRARY_H
#define ARAZZO_DOCUMENT_LIBRARY_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "document/node.h"
#include "support/errors.h"

typedef enum ArazzoDocumentKind
{
	DOCUMENT_ARAZZO,
	DOCUMENT_OPENAPI,			/* also Swagger 2.0 */
	DOCUMENT_ASYNCAPI,
	DOCUMENT_OTHER				/* a fragment that others refer to */
} ArazzoDocumentKind;

typedef struct ArazzoDocument
{
	const char *uri;			/* the one it was loaded under */
	const char *base;			/* what its references resolve against */
	ArazzoDocumentKind kind;
	const char *version;		/* "1.0.1", "3.1.0", "2.0", or "" */
	JsonbValue *content;		/* the whole document */
	ArazzoNode *tree;			/* Arazzo documents only, else NULL */
	struct HTAB *workflows;		/* the library's: nodes by workflow id, or NULL */
} ArazzoDocument;

typedef struct ArazzoLibrary ArazzoLibrary;

/* A library in the current memory context; it keeps what it reads there. */
extern ArazzoLibrary *arazzo_library_create(void);

/* The document under a URI (no fragment), or NULL if it is not loaded. */
extern const ArazzoDocument *arazzo_library_get(ArazzoLibrary *library, const char *uri);

/* Tests: put a document in place without a table. */
extern const ArazzoDocument *arazzo_library_put(ArazzoLibrary *library, const char *uri, JsonbValue *content, ArazzoNode *tree);

/* The workflow of a document by its id, or NULL. */
extern const ArazzoNode *arazzo_library_workflow(ArazzoLibrary *library, const ArazzoDocument *document,
												 const char *workflow_id);

/* Kind and version by the root members arazzo, openapi, swagger, asyncapi. */
extern ArazzoDocumentKind arazzo_document_kind(const JsonbValue *content, const char **version);

/*
 * Follows $ref members from a value of a document, within it and across
 * loaded documents, until something that is no reference.  *document (in and
 * out) is the document the value stands in.  On failure (not loaded, no such
 * place, a cycle) returns NULL and sets *failure (WF002).
 */
extern JsonbValue *arazzo_library_follow(ArazzoLibrary *library, const ArazzoDocument **document,
										 JsonbValue *value, ArazzoFailure **failure);

/* A digest of all documents that the library has read: it changes when any
 * of them does.  In the current context. */
extern char *arazzo_library_version(const ArazzoLibrary *library);

/* URIs of the documents that hold a workflow of this id, sorted. */
extern List *arazzo_library_find_workflow(const char *workflow_id);

/* URIs of all loaded Arazzo documents, sorted. */
extern List *arazzo_library_arazzo_uris(void);

#endif							/* ARAZZO_DOCUMENT_LIBRARY_H */
