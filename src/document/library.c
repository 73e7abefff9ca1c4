/*-------------------------------------------------------------------------
 *
 * library.c
 *	  The loaded documents as a planner sees them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "common/sha2.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
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
static int	compare_documents(const ListCell *a, const ListCell *b);
static void report_digest(void);
static void digest(pg_cryptohash_ctx *hash, const void *data, size_t length);
static void index_workflows(ArazzoLibrary *library, ArazzoDocument *document);
static uint32 hash_id(const char *workflow_id);
static const ArazzoDocument *reference_target(ArazzoLibrary *library, const ArazzoDocument *document,
											  const char *reference, char **fragment,
											  ArazzoFailure **failure);
static JsonbValue *follow_once(ArazzoLibrary *library, const ArazzoDocument **document,
							   const char *reference, ArazzoFailure **failure);

/* A workflow of a document, by the hash of its id; ids that share a hash
 * stand in a chain. */
typedef struct WorkflowEntry
{
	uint32		hash;
	List	   *nodes;			/* of ArazzoNode */
} WorkflowEntry;

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

/* The index is made when it is used for the first time. */
const ArazzoNode *
arazzo_library_workflow(ArazzoLibrary *library, const ArazzoDocument *document, const char *workflow_id)
{
	uint32		hash = hash_id(workflow_id);
	WorkflowEntry *entry;
	ListCell   *cell;

	if (document->workflows == NULL)
		index_workflows(library, unconstify(ArazzoDocument *, document));
	entry = hash_search(document->workflows, &hash, HASH_FIND, NULL);
	foreach(cell, entry ? entry->nodes : NIL)
	{
		if (strcmp(arazzo_node_member_text(lfirst(cell), "workflowId"), workflow_id) == 0)
			return lfirst(cell);
	}
	return NULL;
}

static void
index_workflows(ArazzoLibrary *library, ArazzoDocument *document)
{
	MemoryContext old = MemoryContextSwitchTo(library->context);
	const ArazzoNode *list = arazzo_node_member(document->tree, "workflows");
	HASHCTL		control = {0};
	int			i;

	control.keysize = sizeof(uint32);
	control.entrysize = sizeof(WorkflowEntry);
	control.hcxt = library->context;
	document->workflows = hash_create("arazzo workflows", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	for (i = 0; list && list->type == NODE_ARRAY && i < list->count; i++)
	{
		const char *id = arazzo_node_member_text(list->u.items[i], "workflowId");
		uint32		hash = id ? hash_id(id) : 0;
		WorkflowEntry *entry;
		bool		found;

		if (id == NULL)
			continue;
		entry = hash_search(document->workflows, &hash, HASH_ENTER, &found);
		if (!found)
			entry->nodes = NIL;
		entry->nodes = lappend(entry->nodes, list->u.items[i]);
	}
	MemoryContextSwitchTo(old);
}

static uint32
hash_id(const char *workflow_id)
{
	return DatumGetUInt32(hash_any((const unsigned char *) workflow_id, strlen(workflow_id)));
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

/* The same whatever the order in which they were read. */
char *
arazzo_library_version(const ArazzoLibrary *library)
{
	List	   *documents = list_copy(library->documents);
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	uint8		result[PG_SHA256_DIGEST_LENGTH];
	char	   *text = palloc0(2 * sizeof(result) + 1);
	ListCell   *cell;

	list_sort(documents, compare_documents);
	if (hash == NULL || pg_cryptohash_init(hash) < 0)
		report_digest();
	foreach(cell, documents)
	{
		const ArazzoDocument *document = lfirst(cell);
		const Jsonb *content = arazzo_value_to_jsonb(document->content);

		digest(hash, document->uri, strlen(document->uri) + 1);
		digest(hash, content, VARSIZE(content));
	}
	if (pg_cryptohash_final(hash, result, sizeof(result)) < 0)
		report_digest();
	pg_cryptohash_free(hash);
	hex_encode((const char *) result, sizeof(result), text);
	return text;
}

static int
compare_documents(const ListCell *a, const ListCell *b)
{
	return strcmp(((const ArazzoDocument *) lfirst(a))->uri, ((const ArazzoDocument *) lfirst(b))->uri);
}

static void
digest(pg_cryptohash_ctx *hash, const void *data, size_t length)
{
	if (pg_cryptohash_update(hash, data, length) < 0)
		report_digest();
}

/* It is memory that the library for it was short of. */
static void
report_digest(void)
{
	ereport(ERROR,
			errcode(ERRCODE_OUT_OF_MEMORY),
			errmsg("could not compute a digest"));
}
