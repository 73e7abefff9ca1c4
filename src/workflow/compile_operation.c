/*-------------------------------------------------------------------------
 *
 * compile_operation.c
 *	  Which operation a step calls: operationId and operationPath.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "document/uri.h"
#include "utils/builtins.h"
#include "workflow/compile.h"

#define SOURCES "$sourceDescriptions."

/* Operations kept for steps that name them again: looked for one by one. */
#define MAX_SHARED 200

typedef struct SharedOperation
{
	const ArazzoDocument *document;
	const char *text;			/* of operationId or operationPath */
	const OpenapiOperation *operation;
} SharedOperation;

static const OpenapiOperation *shared_operation(WorkflowCompiler *self, const ArazzoNode *node);
static void share_operation(WorkflowCompiler *self, const ArazzoNode *node, const OpenapiOperation *operation);

static OpenapiOperation *by_id(WorkflowCompiler *self, const ArazzoNode *node);
static OpenapiOperation *by_plain_id(WorkflowCompiler *self, const ArazzoNode *node);
static OpenapiOperation *by_prefixed_id(WorkflowCompiler *self, const ArazzoNode *node);
static List *source_documents(WorkflowCompiler *self, const PlanSource **missing);
static OpenapiOperation *by_similar_id(WorkflowCompiler *self, const ArazzoNode *node, List *documents);
static void report_ambiguous(WorkflowCompiler *self, const ArazzoNode *node, List *holders);
static OpenapiOperation *by_path(WorkflowCompiler *self, const ArazzoNode *node);
static OpenapiOperation *by_method_and_path(WorkflowCompiler *self, const ArazzoNode *node);
static const ArazzoDocument *source_document(WorkflowCompiler *self, const ArazzoNode *place,
											 const PlanSource *source);
static List *openapi_sources(WorkflowCompiler *self);
static void note_path(WorkflowCompiler *self, const ArazzoNode *node, const PlanSource *source,
					  const OpenapiOperation *operation);
static void note_case(WorkflowCompiler *self, const char *written, const char *accepted);

const OpenapiOperation *
arazzo_compile_operation(WorkflowCompiler *self, const ArazzoNode *step)
{
	const ArazzoNode *id = arazzo_node_member(step, "operationId");
	const ArazzoNode *node = id ? id : arazzo_node_member(step, "operationPath");
	const OpenapiOperation *operation = shared_operation(self, node);

	if (operation)
		return operation;
	self->place = node;
	operation = id ? by_id(self, id) : by_path(self, node);
	self->place = NULL;
	if (operation && list_length(self->compiler->operations) < MAX_SHARED)
		share_operation(self, node, operation);
	return operation;
}

/*
 * An operation that a step before has named with the same words: steps of a
 * plan share it.  When a document is checked, each is looked up by itself,
 * so that what is to be said about it has its place.
 */
static const OpenapiOperation *
shared_operation(WorkflowCompiler *self, const ArazzoNode *node)
{
	ListCell   *cell;

	if (self->compiler->report)
		return NULL;
	foreach(cell, self->compiler->operations)
	{
		const SharedOperation *shared = lfirst(cell);

		if (shared->document == self->document && strcmp(shared->text, node->u.string) == 0)
			return shared->operation;
	}
	return NULL;
}

static void
share_operation(WorkflowCompiler *self, const ArazzoNode *node, const OpenapiOperation *operation)
{
	SharedOperation *shared = palloc(sizeof(SharedOperation));

	shared->document = self->document;
	shared->text = node->u.string;
	shared->operation = operation;
	self->compiler->operations = lappend(self->compiler->operations, shared);
}

static OpenapiOperation *
by_id(WorkflowCompiler *self, const ArazzoNode *node)
{
	const PlanSource *source;
	const ArazzoDocument *document;
	OpenapiOperation *operation;
	ArazzoFailure *failure = NULL;
	const char *rest;
	const char *accepted = NULL;

	if (!arazzo_compile_split_source(self, node->u.string, &source, &rest))
		return by_plain_id(self, node);
	if (source == NULL)
	{
		arazzo_compile_fail(self, node,
							arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												"\"%s\" names no source description of the document",
												node->u.string));
		return NULL;
	}
	document = source_document(self, node, source);
	if (document == NULL)
		return NULL;
	operation = arazzo_operation_by_id(self->compiler->library, document, rest, &accepted, &failure);
	if (operation == NULL)
		arazzo_compile_fail(self, node, failure);
	else
		note_case(self, rest, accepted);
	return operation;
}

/*
 * An id without a source: it must be unique among the sources.  Only when
 * none has exactly this id, one that differs in case will do.
 */
static OpenapiOperation *
by_plain_id(WorkflowCompiler *self, const ArazzoNode *node)
{
	ArazzoLibrary *library = self->compiler->library;
	const PlanSource *missing = NULL;
	List	   *documents = source_documents(self, &missing);
	List	   *holders = NIL;
	OpenapiOperation *operation;
	ArazzoFailure *failure = NULL;
	ListCell   *cell;

	foreach(cell, documents)
	{
		if (arazzo_operation_exists(library, lfirst(cell), node->u.string))
			holders = lappend(holders, lfirst(cell));
	}
	if (list_length(holders) > 1)
	{
		report_ambiguous(self, node, holders);
		return NULL;
	}
	if (holders == NIL && missing)
	{
		(void) source_document(self, node, missing);
		return NULL;
	}
	operation = holders == NIL ? by_prefixed_id(self, node) : NULL;
	if (operation || holders == NIL)
		return operation ? operation : by_similar_id(self, node, documents);
	operation = arazzo_operation_by_id(library, linitial(holders), node->u.string, NULL, &failure);
	if (operation == NULL)
		arazzo_compile_fail(self, node, failure);
	return operation;
}

/* "<source name>.<id>": a source that is named without its expression. */
static OpenapiOperation *
by_prefixed_id(WorkflowCompiler *self, const ArazzoNode *node)
{
	char	   *text = psprintf(SOURCES "%s", node->u.string);
	const PlanSource *source;
	const ArazzoDocument *document;
	OpenapiOperation *operation;
	ArazzoFailure *ignored = NULL;
	const char *id;

	if (!arazzo_compile_split_source(self, text, &source, &id) || source == NULL)
		return NULL;
	document = arazzo_library_get(self->compiler->library, source->uri);
	if (document == NULL || !arazzo_operation_exists(self->compiler->library, document, id))
		return NULL;
	operation = arazzo_operation_by_id(self->compiler->library, document, id, NULL, &ignored);
	if (operation)
		self->scope.accepted(self, node->u.string, text);
	return operation;
}

/* The loaded OpenAPI sources; *missing is one that is not loaded. */
static List *
source_documents(WorkflowCompiler *self, const PlanSource **missing)
{
	List	   *documents = NIL;
	ListCell   *cell;

	foreach(cell, openapi_sources(self))
	{
		const PlanSource *source = lfirst(cell);
		const ArazzoDocument *document = arazzo_library_get(self->compiler->library, source->uri);

		if (document)
			documents = list_append_unique_ptr(documents, unconstify(ArazzoDocument *, document));
		else
			*missing = source;
	}
	return documents;
}

/* An id that differs only in case, if it is the only one. */
static OpenapiOperation *
by_similar_id(WorkflowCompiler *self, const ArazzoNode *node, List *documents)
{
	OpenapiOperation *operation = NULL;
	const char *accepted = NULL;
	ArazzoFailure *failure;
	List	   *ids = NIL;
	char	   *nearest;
	int			found = 0;
	ListCell   *cell;

	foreach(cell, documents)
	{
		ArazzoFailure *ignored = NULL;
		OpenapiOperation *candidate = arazzo_operation_by_id(self->compiler->library, lfirst(cell),
															 node->u.string, &accepted, &ignored);

		if (candidate)
		{
			operation = candidate;
			found++;
		}
		ids = list_concat(ids, arazzo_operation_ids(self->compiler->library, lfirst(cell)));
	}
	if (found == 1)
	{
		note_case(self, node->u.string, operation->operation_id);
		return operation;
	}
	failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE, "operation \"%s\" does not exist", node->u.string);
	nearest = arazzo_operation_nearest(node->u.string, ids);
	if (nearest)
		arazzo_failure_hint(failure, "Nearest ids: %s.", nearest);
	arazzo_compile_fail(self, node, failure);
	return NULL;
}

static void
report_ambiguous(WorkflowCompiler *self, const ArazzoNode *node, List *holders)
{
	ArazzoFailure *failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												 "operation \"%s\" is ambiguous", node->u.string);
	StringInfoData candidates;
	ListCell   *cell;

	initStringInfo(&candidates);
	foreach(cell, openapi_sources(self))
	{
		const PlanSource *source = lfirst(cell);
		const ArazzoDocument *document = arazzo_library_get(self->compiler->library, source->uri);

		if (list_member_ptr(holders, document))
			appendStringInfo(&candidates, "%s" SOURCES "%s.%s", candidates.len > 0 ? ", " : "",
							 source->name, node->u.string);
	}
	arazzo_failure_hint(failure, "Write one of: %s.", candidates.data);
	arazzo_compile_fail(self, node, failure);
}

/*
 * Step Object, operationPath: a source and a JSON Pointer into it.  The
 * standard form is '{$sourceDescriptions.<name>.url}#/paths/...'; the source
 * may also be named without braces, or alone (published documents do both),
 * or by its URL.
 */
static OpenapiOperation *
by_path(WorkflowCompiler *self, const ArazzoNode *node)
{
	const char *text = node->u.string;
	const char *hash = strchr(text, '#');
	const PlanSource *source;
	const ArazzoDocument *document;
	OpenapiOperation *operation;
	ArazzoFailure *failure = NULL;
	char	   *pointer;

	if (hash == NULL && strncmp(text, SOURCES, strlen(SOURCES)) == 0)
	{
		self->scope.accepted(self, psprintf("operationPath: %s", text), psprintf("operationId: %s", text));
		return by_id(self, node);
	}
	if (hash == NULL)
		return by_method_and_path(self, node);
	source = arazzo_compile_path_source(self, text, hash - text);
	if (source == NULL)
	{
		arazzo_compile_fail(self, node,
							arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												"operationPath \"%s\" names no source description of the document",
												text));
		return NULL;
	}
	document = source_document(self, node, source);
	if (document == NULL)
		return NULL;
	pointer = arazzo_uri_decode(hash + 1, strlen(hash + 1));
	operation = arazzo_operation_by_pointer(self->compiler->library, document,
											pointer ? pointer : hash + 1, &failure);
	if (operation == NULL)
		arazzo_compile_fail(self, node, failure);
	else
		note_path(self, node, source, operation);
	return operation;
}

/* The forms "/path" and "METHOD /path", when there is one source. */
static OpenapiOperation *
by_method_and_path(WorkflowCompiler *self, const ArazzoNode *node)
{
	List	   *sources = openapi_sources(self);
	const char *path = strchr(node->u.string, '/');
	const ArazzoDocument *document;
	OpenapiOperation *operation;
	ArazzoFailure *failure = NULL;
	char	   *method = NULL;

	if (path == NULL || list_length(sources) != 1)
	{
		arazzo_compile_fail(self, node,
							arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												"operationPath \"%s\" has no JSON Pointer into a source",
												node->u.string));
		return NULL;
	}
	document = source_document(self, node, linitial(sources));
	if (document == NULL)
		return NULL;
	if (path > node->u.string)
		method = pnstrdup(node->u.string, strcspn(node->u.string, " "));
	operation = arazzo_operation_by_path(self->compiler->library, document, method, path, &failure);
	if (operation == NULL)
		arazzo_compile_fail(self, node, failure);
	else
		note_path(self, node, linitial(sources), operation);
	return operation;
}

const PlanSource *
arazzo_compile_path_source(WorkflowCompiler *self, const char *text, int length)
{
	const PlanSource *source;
	ListCell   *cell;

	if (length >= 2 && text[0] == '{' && text[length - 1] == '}')
	{
		text++;
		length -= 2;
	}
	if (strncmp(text, SOURCES, strlen(SOURCES)) == 0)
	{
		text += strlen(SOURCES);
		length -= strlen(SOURCES);
	}
	source = arazzo_compile_source(self, text, length);
	if (source == NULL && length > 4 && strncmp(text + length - 4, ".url", 4) == 0)
		source = arazzo_compile_source(self, text, length - 4);
	if (source)
		return source;
	foreach(cell, self->workflow->sources)
	{
		source = lfirst(cell);
		if (strncmp(source->url, text, length) == 0 && source->url[length] == '\0')
			return source;
	}
	return NULL;
}

const PlanSource *
arazzo_compile_source(WorkflowCompiler *self, const char *name, int length)
{
	ListCell   *cell;

	foreach(cell, self->workflow->sources)
	{
		const PlanSource *source = lfirst(cell);

		if (strncmp(source->name, name, length) == 0 && source->name[length] == '\0')
			return source;
	}
	return NULL;
}

/* Source names may hold dots in practice: the longest one that fits wins. */
bool
arazzo_compile_split_source(WorkflowCompiler *self, const char *text,
							const PlanSource **source, const char **rest)
{
	ListCell   *cell;
	size_t		longest = 0;

	*source = NULL;
	if (strncmp(text, SOURCES, strlen(SOURCES)) != 0)
		return false;
	text += strlen(SOURCES);
	foreach(cell, self->workflow->sources)
	{
		const PlanSource *candidate = lfirst(cell);
		size_t		length = strlen(candidate->name);

		if (strncmp(candidate->name, text, length) == 0 && text[length] == '.' && length >= longest)
		{
			longest = length;
			*source = candidate;
			*rest = text + length + 1;
		}
	}
	return true;
}

/* The loaded document of a source; a failure when it is not loaded. */
static const ArazzoDocument *
source_document(WorkflowCompiler *self, const ArazzoNode *place, const PlanSource *source)
{
	const ArazzoDocument *document = arazzo_library_get(self->compiler->library, source->uri);

	if (document == NULL)
		arazzo_compile_fail_source(self, place, source);
	return document;
}

/* A check says it of the source itself, once. */
void
arazzo_compile_fail_source(WorkflowCompiler *self, const ArazzoNode *place, const PlanSource *source)
{
	CompileReport *report = self->compiler->report;
	ArazzoFailure *failure = arazzo_failure_make(ERRCODE_ARAZZO_REFERENCE,
												 "source \"%s\" is not loaded", source->name);
	bool		muted = report && report->muted;

	arazzo_failure_hint(failure, "Load it with arazzo_load('%s', ...).", source->uri);
	if (report)
		report->muted = true;
	arazzo_compile_fail(self, place, failure);
	if (report)
		report->muted = muted;
}

static List *
openapi_sources(WorkflowCompiler *self)
{
	List	   *sources = NIL;
	ListCell   *cell;

	foreach(cell, self->workflow->sources)
	{
		PlanSource *source = lfirst(cell);

		if (source->type == NULL || strcmp(source->type, "openapi") == 0)
			sources = lappend(sources, source);
	}
	return sources;
}

/* Step Object, operationPath: whatever is not "{$sourceDescriptions.<name>.url}"
 * and a pointer to the operation. */
static void
note_path(WorkflowCompiler *self, const ArazzoNode *node, const PlanSource *source,
		  const OpenapiOperation *operation)
{
	StringInfoData standard;
	char	   *p;

	initStringInfo(&standard);
	appendStringInfo(&standard, "{" SOURCES "%s.url}#/paths", source->name);
	arazzo_pointer_append(&standard, operation->path);
	appendStringInfoChar(&standard, '/');
	for (p = pstrdup(operation->method); *p; p++)
		appendStringInfoChar(&standard, pg_ascii_tolower((unsigned char) *p));
	p = arazzo_uri_decode(node->u.string, node->count);
	if (strcmp(node->u.string, standard.data) != 0 && (p == NULL || strcmp(p, standard.data) != 0))
		self->scope.accepted(self, node->u.string, standard.data);
}

static void
note_case(WorkflowCompiler *self, const char *written, const char *accepted)
{
	if (accepted && strcmp(written, accepted) != 0)
		self->scope.accepted(self, written, accepted);
}
