/*-------------------------------------------------------------------------
 *
 * store.h
 *	  The table arazzo_documents: every statement on it.
 *
 * Reading needs no privilege on the table: whoever may call the functions
 * may use the documents.  What is read is what is committed now and what
 * this transaction did, whatever the isolation level, so that all backends
 * agree on the plans they cache.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DOCUMENT_STORE_H
#define ARAZZO_DOCUMENT_STORE_H

#include "nodes/pg_list.h"
#include "utils/jsonb.h"

typedef struct StoredDocument
{
	char	   *uri;
	char	   *kind;			/* "arazzo", "openapi", "asyncapi", "other" */
	char	   *version;
	char	   *title;			/* or NULL */
	char	   *self;			/* absolute $self, or NULL */
	List	   *workflow_ids;	/* of char * */
	char	   *source;			/* NULL when it was not asked for */
	Jsonb	   *content;
} StoredDocument;

/*
 * The document under a URI, or with that $self; NULL when there is none.
 * The source comes with Arazzo documents only.
 */
extern StoredDocument *arazzo_store_get(const char *uri);

/* Inserts or replaces.  Throws 42501 for the URI of a shipped document. */
extern void arazzo_store_put(const StoredDocument *document);

/* Deletes; false when there was none.  Throws 42501 for a shipped one. */
extern bool arazzo_store_delete(const char *uri);

/* URIs of Arazzo documents, all or those with a workflow of this id. */
extern List *arazzo_store_arazzo_uris(const char *workflow_id);

/* URIs of all documents that end with a text. */
extern List *arazzo_store_uris_ending(const char *end);

/* Ids of all workflows of all documents, for hints. */
extern List *arazzo_store_workflow_ids(void);

/* The source text of a document, or NULL. */
extern char *arazzo_store_source(const char *uri);

/* Counts up whenever documents may have changed: caches compare it. */
extern uint64 arazzo_store_generation(void);

/* Registers the invalidation callback; called once at module load. */
extern void arazzo_store_init(void);

#endif							/* ARAZZO_DOCUMENT_STORE_H */
