/*-------------------------------------------------------------------------
 *
 * load.h
 *	  What loading one document and importing many have in common.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORKFLOW_LOAD_H
#define ARAZZO_WORKFLOW_LOAD_H

#include "document/library.h"

typedef struct LoadedDocument
{
	char	   *uri;			/* normalized */
	List	   *workflow_ids;	/* of char * */
	const ArazzoNode *tree;
} LoadedDocument;

/*
 * Keeps a document under a URI, in place of what was there.  Throws WF001
 * for text that cannot be read or breaks the structure of its kind, 22023
 * for a URI that is not absolute, 42501 for that of a shipped document.
 */
extern LoadedDocument arazzo_load_text(const char *uri, const char *text, size_t length);

/* Why a workflow cannot be run, or NULL when it can. */
extern ArazzoFailure *arazzo_load_problem(ArazzoLibrary *library, const char *uri, const char *workflow_id);

/* Throws 42501 unless the role may read files of the server. */
extern void arazzo_load_require_files(void);

/* A regular file's content, NUL-terminated; throws what fopen() says, 42809
 * for what is no regular file, 54000 for one that is too large. */
extern char *arazzo_load_read_file(const char *path, size_t *length);

/* The file: URI of an absolute path. */
extern char *arazzo_load_file_uri(const char *path);

#endif							/* ARAZZO_WORKFLOW_LOAD_H */
