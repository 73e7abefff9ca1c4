/*-------------------------------------------------------------------------
 *
 * library.c
 *	  The loaded documents as a planner sees them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "document/library.h"
#include "document/reader.h"
#include "document/store.h"
#include "document/uri.h"
#include "support/value.h"

/* More references in a row than any document has a use for: a cycle. */
#define MAX_REFERENCES 100

struct ArazzoLibrary
{
	MemoryContext context;
	List	   *documents;		/* of ArazzoDocument */
	List	   *missing;		/* of char *: URIs that are not loaded */
};

/* Root members that say what a document is. */
static const struct
{
	const char *member;
	ArazzoDocumentKind kind;
}			kinds[] =
{
	{"arazzo", DOCUMENT_ARAZZO},
	{"openapi", DOCUMENT_OPENAPI},
	{"swagger", DOCUMENT_OPENAPI},
	{"asyncapi", DOCUMENT_ASYNCAPI}
};

static const ArazzoDocument *read_document(ArazzoLibrary *library, const char *uri);
static const ArazzoDocument *keep(ArazzoLibrary *library, const char *uri, const char *self,
								  JsonbValue *content, ArazzoNode *tree);
static const ArazzoDocument *reference_target(ArazzoLibrary *library, const ArazzoDocument *document,
											  const char *reference, char **fragment,
											  ArazzoFailure **failure);
static JsonbValue *follow_once(ArazzoLibrary *library, const ArazzoDocument **document,
							   const char *reference, ArazzoFailure **failure);

ArazzoLibrary *
arazzo_library_create(void)
{
	ArazzoLibrary *library = palloc0(sizeof(ArazzoLibrary));

	library->context = CurrentMemoryContext;
	return library;
}

ArazzoDocumentKind
arazzo_document_kind(const JsonbValue *content, const char **version)
{
	size_t		i;

	for (i = 0; i < lengthof(kinds); i++)
	{
		JsonbValue *member = arazzo_value_member_cstring(content, kinds[i].member);

		if (member == NULL)
			continue;
		*version = arazzo_value_to_text(member);
		return kinds[i].kind;
	}
	*version = "";
	return DOCUMENT_OTHER;
}

const ArazzoDocument *
arazzo_library_get(ArazzoLibrary *library, const char *uri)
{
	ListCell   *cell;

	foreach(cell, library->documents)
	{
		const ArazzoDocument *document = lfirst(cell);

		if (strcmp(document->uri, uri) == 0 || strcmp(document->base, uri) == 0)
			return document;
	}
	foreach(cell, library->missing)
	{
		if (strcmp(lfirst(cell), uri) == 0)
			return NULL;
	}
	return read_document(library, uri);
}

/* Reads a document from the store into the library's own context. */
static const ArazzoDocument *
read_document(ArazzoLibrary *library, const char *uri)
{
	MemoryContext old = MemoryContextSwitchTo(library->context);
	StoredDocument *stored = arazzo_store_get(uri);
	const ArazzoDocument *document = NULL;

	if (stored == NULL)
		library->missing = lappend(library->missing, pstrdup(uri));
	else
	{
		ArazzoFailure *failure = NULL;
		ArazzoNode *tree = NULL;

		if (stored->source)
		{
			tree = arazzo_reader_read(stored->source, strlen(stored->source), &failure);
			if (tree == NULL)
				arazzo_failure_report(failure, ERROR);
		}
		document = keep(library, stored->uri, stored->self,
						arazzo_value_from_jsonb(stored->content), tree);
	}
	MemoryContextSwitchTo(old);
	return document;
}

const ArazzoDocument *
arazzo_library_put(ArazzoLibrary *library, const char *uri, JsonbValue *content, ArazzoNode *tree)
{
	MemoryContext old = MemoryContextSwitchTo(library->context);
	const char *self = arazzo_value_member_text(content, "$self");
	const ArazzoDocument *document;

	document = keep(library, pstrdup(uri), self ? arazzo_uri_resolve(uri, self) : NULL, content, tree);
	MemoryContextSwitchTo(old);
	return document;
}

static const ArazzoDocument *
keep(ArazzoLibrary *library, const char *uri, const char *self,
	 JsonbValue *content, ArazzoNode *tree)
{
	ArazzoDocument *document = palloc0(sizeof(ArazzoDocument));

	document->uri = uri;
	document->base = self ? self : uri;
	document->kind = arazzo_document_kind(content, &document->version);
	document->content = content;
	document->tree = tree;
	library->documents = lappend(library->documents, document);
	return document;
}

JsonbValue *
arazzo_library_follow(ArazzoLibrary *library, const ArazzoDocument **document,
					  JsonbValue *value, ArazzoFailure **failure)
{
	int			references;

	for (references = 0; references < MAX_REFERENCES; references++)
	{
		char	   *reference = arazzo_value_member_text(value, "$ref");

		if (reference == NULL)
			return value;
		value = follow_once(library, document, reference, failure);
		if (value == NULL)
			return NULL;
	}
	*failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
								   "references in document \"%s\" form a cycle", (*document)->uri);
	return NULL;
}

/* What one reference names, and the document that it stands in. */
static JsonbValue *
follow_once(ArazzoLibrary *library, const ArazzoDocument **document,
			const char *reference, ArazzoFailure **failure)
{
	const ArazzoDocument *target;
	JsonbValue *place;
	char	   *fragment = NULL;
	char	  **tokens;
	int			count;

	target = reference_target(library, *document, reference, &fragment, failure);
	if (target == NULL)
		return NULL;
	if (fragment == NULL)
		place = target->content;
	else if (!arazzo_pointer_parse(fragment, strlen(fragment), &tokens, &count))
	{
		*failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
									   "fragment of reference \"%s\" is not a JSON Pointer", reference);
		return NULL;
	}
	else
		place = arazzo_pointer_value(target->content, tokens, count);
	if (place == NULL)
	{
		*failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
									   "reference \"%s\" leads nowhere in document \"%s\"",
									   reference, target->uri);
		return NULL;
	}
	*document = target;
	return place;
}

/* The document that a reference points into. */
static const ArazzoDocument *
reference_target(ArazzoLibrary *library, const ArazzoDocument *document,
				 const char *reference, char **fragment, ArazzoFailure **failure)
{
	const ArazzoDocument *target;
	char	   *uri;

	if (reference[0] == '#')
	{
		(void) arazzo_uri_defragment(reference, fragment);
		return document;
	}
	uri = arazzo_uri_defragment(arazzo_uri_resolve(document->base, reference), fragment);
	target = arazzo_library_get(library, uri);
	if (target == NULL)
	{
		*failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
									   "document \"%s\" is not loaded", uri);
		arazzo_failure_detail(*failure, "Document \"%s\" refers to it as \"%s\".",
							  document->uri, reference);
		arazzo_failure_hint(*failure, "Load it with arazzo_load('%s', ...).", uri);
	}
	return target;
}

List *
arazzo_library_find_workflow(const char *workflow_id)
{
	return arazzo_store_arazzo_uris(workflow_id);
}

List *
arazzo_library_arazzo_uris(void)
{
	return arazzo_store_arazzo_uris(NULL);
}
