/*-------------------------------------------------------------------------
 *
 * check.c
 *	  arazzo_check: all that can be said about a document before a run.
 *
 * Structure first; what is sound is then compiled as if it were to be run,
 * against the documents that are loaded, and looked over.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "document/reader.h"
#include "document/store.h"
#include "document/uri.h"
#include "workflow/check.h"
#include "workflow/compile.h"

PG_FUNCTION_INFO_V1(arazzo_check);

#define CHECK_COLUMNS 7

/* What relative references are resolved against when nothing better is known. */
#define NOWHERE "arazzo-check:/document"

/* Lists of this length are worth a note of where one was found last. */
#define LONG_LIST 64

typedef struct PointerCursor
{
	const ArazzoNode *node;
	int			index;
} PointerCursor;

static List *check_text(const char *text, size_t length, const char *uri);
static List *check_arazzo(ArazzoNode *root, const char *text, const char *uri);
static bool is_broken_above(const List *findings, const ArazzoNode *root);
static List *broken_workflows(const List *findings, const ArazzoNode *root);
static bool stands_in(const ArazzoFinding *finding, const ArazzoNode *list, int index);
static bool is_before(int line, int column, const ArazzoNode *node);
static List *check_workflows(const ArazzoDocument *document, ArazzoLibrary *library, List *broken);
static List *missing_sources(const ArazzoDocument *document, ArazzoLibrary *library);
static const char *base_uri(const ArazzoNode *root, const char *text);
static const char *loaded_uri(const ArazzoNode *root, const char *text);
static const char *source_base(const char *url);
static void set_pointers(List *findings, const ArazzoNode *root);
static char *pointer_at(const ArazzoNode *node, int line, int column, PointerCursor *cursor);
static int	child_at(const ArazzoNode *node, int line, int column, PointerCursor *cursor);
static const ArazzoNode *child(const ArazzoNode *node, int index);
static List *without_duplicates(List *findings);
static void put_rows(List *findings, ReturnSetInfo *result);
static ArazzoFinding *single_finding(const char *code, char *message, char *hint, int line, int column);

/*
 * arazzo_check(document text, uri text) returns setof (severity, code, line,
 * col, pointer, message, hint)
 *
 * The URI is what the document's references are resolved against; without
 * one it is what the document is loaded under, or what its sources are.
 */
Datum
arazzo_check(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext work;
	MemoryContext old;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	work = AllocSetContextCreate(CurrentMemoryContext, "arazzo_check", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	{
		text	   *document = PG_GETARG_TEXT_PP(0);
		char	   *uri = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));

		put_rows(check_text(text_to_cstring(document), VARSIZE_ANY_EXHDR(document), uri), result);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	return (Datum) 0;
}

static List *
check_text(const char *text, size_t length, const char *uri)
{
	ArazzoFailure *failure = NULL;
	ArazzoNode *root = arazzo_reader_read(text, length, &failure);
	List	   *findings = NIL;

	if (root == NULL)
		return list_make1(single_finding("unreadable", failure->message, failure->hint,
										 failure->line, failure->column));
	if (root->type != NODE_OBJECT)
		return list_make1(single_finding("wrong-type", psprintf("document must be an object, not %s",
																arazzo_node_type_name(root)), NULL,
										 root->line, root->column));
	if (arazzo_node_member(root, "arazzo"))
		findings = check_arazzo(root, text, uri);
	else if (arazzo_node_member(root, "openapi") || arazzo_node_member(root, "swagger"))
		findings = arazzo_check_openapi(root);
	else if (arazzo_node_member(root, "asyncapi") == NULL)
	{
		findings = list_make1(single_finding("unknown-kind",
											 pstrdup("document is neither Arazzo nor OpenAPI"),
											 pstrdup("An Arazzo document begins with \"arazzo: 1.0.1\"."),
											 root->line, root->column));
		((ArazzoFinding *) linitial(findings))->error = false;
	}
	arazzo_check_sort(findings);
	findings = without_duplicates(findings);
	set_pointers(findings, root);
	return findings;
}

static List *
check_arazzo(ArazzoNode *root, const char *text, const char *uri)
{
	List	   *findings = arazzo_check_structure(root);
	ArazzoLibrary *library;
	const ArazzoDocument *document;

	if (is_broken_above(findings, root))
		return findings;
	library = arazzo_library_create();
	document = arazzo_library_put(library, uri ? uri : base_uri(root, text),
								  arazzo_value_from_jsonb(arazzo_node_to_jsonb(root)), root);
	return list_concat(findings, check_workflows(document, library, broken_workflows(findings, root)));
}

/* Is something broken that all workflows rely on? */
static bool
is_broken_above(const List *findings, const ArazzoNode *root)
{
	static const char *const shared[] = {"sourceDescriptions", "components", "$self"};
	const ArazzoNode *workflows = arazzo_node_member(root, "workflows");
	PointerCursor cursor = {NULL, 0};
	ListCell   *cell;
	size_t		i;

	if (workflows == NULL || workflows->type != NODE_ARRAY || arazzo_node_member(root, shared[0]) == NULL)
		return true;
	foreach(cell, findings)
	{
		const ArazzoFinding *finding = lfirst(cell);
		char	   *pointer;

		if (!finding->error)
			continue;
		pointer = pointer_at(root, finding->line, finding->column, &cursor);
		for (i = 0; i < lengthof(shared); i++)
		{
			if (strncmp(pointer + 1, shared[i], strlen(shared[i])) == 0)
				return true;
		}
	}
	return false;
}

/* Workflows whose structure is not sound enough to be compiled. */
static List *
broken_workflows(const List *findings, const ArazzoNode *root)
{
	const ArazzoNode *workflows = arazzo_node_member(root, "workflows");
	List	   *broken = NIL;
	ListCell   *cell;
	int			i;

	foreach(cell, findings)
	{
		const ArazzoFinding *finding = lfirst(cell);

		for (i = 0; finding->error && i < workflows->count; i++)
		{
			if (stands_in(finding, workflows, i))
				broken = list_append_unique_ptr(broken, workflows->u.items[i]);
		}
	}
	return broken;
}

static bool
stands_in(const ArazzoFinding *finding, const ArazzoNode *list, int index)
{
	return !is_before(finding->line, finding->column, list->u.items[index]) &&
		(index + 1 == list->count || is_before(finding->line, finding->column, list->u.items[index + 1]));
}

static bool
is_before(int line, int column, const ArazzoNode *node)
{
	return line < node->line || (line == node->line && column < node->column);
}

/* Compiles all workflows of the document into one plan, and looks it over. */
static List *
check_workflows(const ArazzoDocument *document, ArazzoLibrary *library, List *broken)
{
	const ArazzoNode *workflows = arazzo_node_member(document->tree, "workflows");
	CompileReport report = {.document = document,.broken = broken};
	Compiler	compiler = {.library = library,.report = &report};
	ListCell   *cell;
	int			i;

	compiler.plan = palloc0(sizeof(ArazzoPlan));
	compiler.plan->context = CurrentMemoryContext;
	for (i = 0; i < workflows->count; i++)
	{
		const char *id = arazzo_node_member_text(workflows->u.items[i], "workflowId");

		if (id && !list_member_ptr(broken, workflows->u.items[i]))
			(void) arazzo_compile_enter(&compiler, document, id);
	}
	arazzo_compile_pending(&compiler);
	foreach(cell, compiler.entered)
	{
		WorkflowCompiler *workflow = lfirst(cell);

		if (workflow->document == document && !list_member_ptr(broken, workflow->node))
			arazzo_compile_check_flow(workflow);
	}
	return list_concat(report.findings, missing_sources(document, library));
}

/* One warning for a source that is not loaded: nothing in it was judged. */
static List *
missing_sources(const ArazzoDocument *document, ArazzoLibrary *library)
{
	const ArazzoNode *list = arazzo_node_member(document->tree, "sourceDescriptions");
	List	   *findings = NIL;
	int			i;

	for (i = 0; i < list->count; i++)
	{
		const ArazzoNode *node = list->u.items[i];
		const char *url = arazzo_node_member_text(node, "url");
		ArazzoFinding *finding;

		if (arazzo_library_get(library, arazzo_uri_defragment(arazzo_uri_resolve(document->base, url), NULL)))
			continue;
		finding = single_finding("source-not-loaded",
								 psprintf("source \"%s\" is not loaded, so what is in it is not checked",
										  arazzo_node_member_text(node, "name")),
								 psprintf("Load it with arazzo_load() under the URI that \"%s\" resolves to.", url),
								 node->line, node->column);
		finding->error = false;
		findings = lappend(findings, finding);
	}
	return findings;
}

/* Under which URI a text that came without one can be looked at. */
static const char *
base_uri(const ArazzoNode *root, const char *text)
{
	const ArazzoNode *list = arazzo_node_member(root, "sourceDescriptions");
	const char *uri = loaded_uri(root, text);
	int			i;

	for (i = 0; uri == NULL && i < list->count; i++)
		uri = source_base(arazzo_node_member_text(list->u.items[i], "url"));
	return uri ? uri : NOWHERE;
}

/* The URI of a loaded document with the same text, or NULL. */
static const char *
loaded_uri(const ArazzoNode *root, const char *text)
{
	const ArazzoNode *workflows = arazzo_node_member(root, "workflows");
	const char *id = workflows->count > 0 ? arazzo_node_member_text(workflows->u.items[0], "workflowId") : NULL;
	ListCell   *cell;

	foreach(cell, id ? arazzo_store_arazzo_uris(id) : NIL)
	{
		char	   *source = arazzo_store_source(lfirst(cell));

		if (source && strcmp(source, text) == 0)
			return lfirst(cell);
	}
	return NULL;
}

/*
 * The URI from which a relative URL leads to a loaded document, when there is
 * exactly one document that it could be.
 */
static const char *
source_base(const char *url)
{
	const char *path = url;
	StringInfoData base;
	List	   *uris;
	int			up = 0;

	if (arazzo_uri_is_absolute(url) || url[0] == '/')
		return NULL;
	while (strncmp(path, "./", 2) == 0 || strncmp(path, "../", 3) == 0)
	{
		up += path[1] == '.';
		path = strchr(path, '/') + 1;
	}
	uris = *path ? arazzo_store_uris_ending(psprintf("/%s", path)) : NIL;
	if (list_length(uris) != 1)
		return NULL;
	initStringInfo(&base);
	appendBinaryStringInfo(&base, linitial(uris), strlen(linitial(uris)) - strlen(path));
	while (up-- > 0)
		appendStringInfoString(&base, "d/");
	appendStringInfoString(&base, "document");
	return base.data;
}

static void
set_pointers(List *findings, const ArazzoNode *root)
{
	PointerCursor cursor = {NULL, 0};
	ListCell   *cell;

	foreach(cell, findings)
	{
		ArazzoFinding *finding = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (finding->pointer == NULL)
			finding->pointer = pointer_at(root, finding->line, finding->column, &cursor);
	}
}

/* The JSON Pointer of the node at a position, or of the one around it. */
static char *
pointer_at(const ArazzoNode *node, int line, int column, PointerCursor *cursor)
{
	StringInfoData pointer;

	initStringInfo(&pointer);
	while ((node->type == NODE_ARRAY || node->type == NODE_OBJECT) &&
		   (node->line != line || node->column != column))
	{
		int			found = child_at(node, line, column, cursor);

		if (found < 0)
			break;
		arazzo_pointer_append(&pointer, node->type == NODE_ARRAY ? psprintf("%d", found) :
							  node->u.members[found].key);
		node = child(node, found);
	}
	return pointer.data;
}

/*
 * The last child that begins at or before a position; -1 when there is none.
 * Children stand in the order of the text, but for those that an alias
 * repeats, which stand before.  Findings come in that order too, so a long
 * list is searched on from where the last one was found.
 */
static int
child_at(const ArazzoNode *node, int line, int column, PointerCursor *cursor)
{
	int			found = -1;
	int			i = 0;

	if (cursor->node == node && !is_before(line, column, child(node, cursor->index)))
		i = cursor->index;
	for (; i < node->count && !is_before(line, column, child(node, i)); i++)
	{
		if (found < 0 || !is_before(child(node, i)->line, child(node, i)->column, child(node, found)))
			found = i;
	}
	if (node->count >= LONG_LIST && found >= 0)
	{
		cursor->node = node;
		cursor->index = found;
	}
	return found;
}

static const ArazzoNode *
child(const ArazzoNode *node, int index)
{
	return node->type == NODE_ARRAY ? node->u.items[index] : node->u.members[index].value;
}

/* What a workflow's own parameters do wrong is found at each of its steps. */
static List *
without_duplicates(List *findings)
{
	List	   *kept = NIL;
	ListCell   *cell;

	foreach(cell, findings)
	{
		ArazzoFinding *finding = lfirst(cell);
		ArazzoFinding *before = kept ? llast(kept) : NULL;

		if (before && before->line == finding->line && before->column == finding->column &&
			strcmp(before->message, finding->message) == 0)
			continue;
		kept = lappend(kept, finding);
	}
	return kept;
}

static void
put_rows(List *findings, ReturnSetInfo *result)
{
	ListCell   *cell;

	foreach(cell, findings)
	{
		ArazzoFinding *finding = lfirst(cell);
		Datum		values[CHECK_COLUMNS];
		bool		nulls[CHECK_COLUMNS] = {false};

		values[0] = CStringGetTextDatum(finding->error ? "error" : "warning");
		values[1] = CStringGetTextDatum(finding->code);
		values[2] = Int32GetDatum(finding->line);
		values[3] = Int32GetDatum(finding->column);
		values[4] = CStringGetTextDatum(finding->pointer ? finding->pointer : "");
		values[5] = CStringGetTextDatum(finding->message);
		nulls[6] = finding->hint == NULL;
		values[6] = finding->hint ? CStringGetTextDatum(finding->hint) : (Datum) 0;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

static ArazzoFinding *
single_finding(const char *code, char *message, char *hint, int line, int column)
{
	ArazzoFinding *finding = palloc0(sizeof(ArazzoFinding));

	finding->error = true;
	finding->code = code;
	finding->message = message;
	finding->hint = hint;
	finding->line = line;
	finding->column = column;
	return finding;
}
