/*-------------------------------------------------------------------------
 *
 * load.c
 *	  Documents in and out: arazzo_load, arazzo_load_file, arazzo_unload.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "catalog/pg_authid.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "document/library.h"
#include "document/reader.h"
#include "document/store.h"
#include "document/uri.h"
#include "support/settings.h"
#include "workflow/check.h"
#include "workflow/load.h"
#include "workflow/plan.h"

PG_FUNCTION_INFO_V1(arazzo_load);
PG_FUNCTION_INFO_V1(arazzo_load_file);
PG_FUNCTION_INFO_V1(arazzo_unload);

static char *load_and_warn(const char *uri, const char *text, size_t length);
static void require_utf8(void);
static char *normalize_uri(const char *uri);
static bool has_blank(const char *uri);
static bool is_known_version(const JsonbValue *version);
static void check_openapi(const char *uri, const JsonbValue *content);
static void describe(StoredDocument *document, const ArazzoNode *tree, const JsonbValue *content);
static void warn_unplannable(const char *uri, ArazzoLibrary *library, List *workflow_ids);
static const char *kind_name(ArazzoDocumentKind kind);

/*
 * arazzo_load(uri text, document text) returns text
 *
 * Keeps a document under a URI, in place of what was there; returns the
 * normalized URI.
 */
Datum
arazzo_load(PG_FUNCTION_ARGS)
{
	char	   *uri = text_to_cstring(PG_GETARG_TEXT_PP(0));
	text	   *document = PG_GETARG_TEXT_PP(1);

	PreventCommandIfReadOnly("arazzo_load()");
	PG_RETURN_TEXT_P(cstring_to_text(load_and_warn(uri, VARDATA_ANY(document),
												   VARSIZE_ANY_EXHDR(document))));
}

/*
 * arazzo_load_file(path text) returns text
 *
 * The same, from a file of the server, under its file: URI.
 */
Datum
arazzo_load_file(PG_FUNCTION_ARGS)
{
	char	   *path = text_to_cstring(PG_GETARG_TEXT_PP(0));
	size_t		length;
	char	   *text;

	PreventCommandIfReadOnly("arazzo_load_file()");
	arazzo_load_require_files();
	canonicalize_path(path);
	if (!is_absolute_path(path))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("path \"%s\" is not absolute", path));
	text = arazzo_load_read_file(path, &length);
	PG_RETURN_TEXT_P(cstring_to_text(load_and_warn(arazzo_load_file_uri(path), text, length)));
}

void
arazzo_load_require_files(void)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				errmsg("permission denied to read files of the server"),
				errhint("It takes the privileges of role \"%s\".", "pg_read_server_files"));
}

char *
arazzo_load_file_uri(const char *path)
{
	StringInfoData uri;

	initStringInfo(&uri);
	appendStringInfoString(&uri, "file://");
	arazzo_uri_encode(&uri, path, strlen(path), "/:@!$&'()*+,;=");
	return uri.data;
}

/*
 * arazzo_unload(uri text) returns void
 */
Datum
arazzo_unload(PG_FUNCTION_ARGS)
{
	char	   *uri = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PreventCommandIfReadOnly("arazzo_unload()");
	if (!arazzo_store_delete(normalize_uri(uri)))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("document \"%s\" is not loaded", uri));
	PG_RETURN_VOID();
}

/* Loads a document and warns of workflows that cannot be run yet. */
static char *
load_and_warn(const char *uri, const char *text, size_t length)
{
	LoadedDocument loaded = arazzo_load_text(uri, text, length);

	if (!creating_extension)
		warn_unplannable(loaded.uri, arazzo_library_create(), loaded.workflow_ids);
	return loaded.uri;
}

LoadedDocument
arazzo_load_text(const char *uri, const char *text, size_t length)
{
	LoadedDocument loaded;
	StoredDocument document = {0};
	ArazzoFailure *failure = NULL;
	ArazzoNode *tree;
	JsonbValue *content;

	require_utf8();
	document.uri = normalize_uri(uri);
	tree = arazzo_reader_read(text, length, &failure);
	if (tree == NULL)
	{
		failure->message = psprintf("document \"%s\" cannot be read: %s", document.uri, failure->message);
		arazzo_failure_report(failure, ERROR);
	}
	if (tree->type != NODE_OBJECT)
		ereport(ERROR,
				errcode(ERRCODE_ARAZZO_DOCUMENT),
				errmsg("document \"%s\" must be an object, not %s", document.uri, arazzo_node_type_name(tree)));
	document.content = arazzo_node_to_jsonb(tree);
	content = arazzo_value_from_jsonb(document.content);
	document.source = pnstrdup(text, length);
	describe(&document, tree, content);
	arazzo_store_put(&document);
	loaded.uri = document.uri;
	loaded.workflow_ids = document.workflow_ids;
	loaded.tree = tree;
	return loaded;
}

/*
 * Documents, responses and requests are UTF-8 and reach the database as they
 * are, so its encoding must be UTF-8 too.  This is where it is settled: the
 * extension loads documents when it is created, and does nothing without.
 */
static void
require_utf8(void)
{
	if (GetDatabaseEncoding() != PG_UTF8)
		ereport(ERROR,
				errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("Arazzo workflows need a database with encoding \"%s\"", "UTF8"),
				errdetail("The encoding of database \"%s\" is \"%s\".",
						  get_database_name(MyDatabaseId), GetDatabaseEncodingName()),
				errhint("Create the extension in a database that was created with ENCODING 'UTF8'."));
}

/* An absolute URI without a fragment, or an absolute path made one. */
static char *
normalize_uri(const char *uri)
{
	char	   *fragment = NULL;
	char	   *absolute;

	if (uri[0] == '/')
		uri = psprintf("file://%s", uri);
	absolute = arazzo_uri_defragment(arazzo_uri_resolve(uri, uri), &fragment);
	if (!arazzo_uri_is_absolute(absolute) || fragment != NULL || has_blank(absolute))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("\"%s\" is not an absolute URI without a fragment", uri),
				errhint("The URI is what sources of other documents are resolved against, for example 'https://example.com/arazzo/billing.yaml'."));
	return absolute;
}

/* RFC 3986, 2: neither space nor control character; others are let pass, as
 * in RFC 3987. */
static bool
has_blank(const char *uri)
{
	const unsigned char *p;

	for (p = (const unsigned char *) uri; *p != '\0'; p++)
	{
		if (*p <= ' ' || *p == 0x7f)
			return true;
	}
	return false;
}

/* Kind, version, title and ids; refuses a document of a broken structure. */
static void
describe(StoredDocument *document, const ArazzoNode *tree, const JsonbValue *content)
{
	const char *version;
	ArazzoDocumentKind kind = arazzo_document_kind(content, &version);
	const char *self = arazzo_node_member_text(tree, "$self");
	const ArazzoNode *workflows = arazzo_node_member(tree, "workflows");
	int			i;

	document->kind = pstrdup(kind_name(kind));
	document->version = pstrdup(version);
	document->title = arazzo_value_member_text(arazzo_value_member_cstring(content, "info"), "title");
	if (self)
		document->self = arazzo_uri_defragment(arazzo_uri_resolve(document->uri, self), NULL);
	if (kind == DOCUMENT_OPENAPI)
		check_openapi(document->uri, content);
	if (kind == DOCUMENT_ARAZZO)
	{
		ArazzoFailure *failure = arazzo_check_failure(document->uri, arazzo_check_structure(tree));

		if (failure)
			arazzo_failure_report(failure, ERROR);
		for (i = 0; i < workflows->count; i++)
			document->workflow_ids = lappend(document->workflow_ids,
											 unconstify(char *, arazzo_node_member_text(workflows->u.items[i], "workflowId")));
	}
}

static const char *
kind_name(ArazzoDocumentKind kind)
{
	switch (kind)
	{
		case DOCUMENT_ARAZZO:
			return "arazzo";
		case DOCUMENT_OPENAPI:
			return "openapi";
		case DOCUMENT_ASYNCAPI:
			return "asyncapi";
		default:
			return "other";
	}
}

/* Those whose operations can be resolved: 2.0 and 3.x. */
static bool
is_known_version(const JsonbValue *version)
{
	int			length = version->val.string.len;

	return length > 1 && version->val.string.val[1] == '.' &&
		(version->val.string.val[0] == '2' || version->val.string.val[0] == '3');
}

/* OpenAPI 3.1, OpenAPI Object; 2.0, Swagger Object: what look-ups rely on. */
static void
check_openapi(const char *uri, const JsonbValue *content)
{
	static const char *const objects[] = {"info", "paths", "components", "webhooks"};
	JsonbValue *version = arazzo_value_member_cstring(content, "openapi");
	size_t		i;

	if (version == NULL)
		version = arazzo_value_member_cstring(content, "swagger");
	if (version->type != jbvString)
		ereport(ERROR,
				errcode(ERRCODE_ARAZZO_DOCUMENT),
				errmsg("document \"%s\" is not a valid OpenAPI document: its version must be a string, not %s",
					   uri, arazzo_value_type(version)),
				errhint("Write the version in quotes."));
	if (!is_known_version(version))
		ereport(ERROR,
				errcode(ERRCODE_ARAZZO_DOCUMENT),
				errmsg("document \"%s\" is not a valid OpenAPI document: version \"%.*s\" is not supported",
					   uri, Min(version->val.string.len, 20), version->val.string.val),
				errhint("Versions 2.0 and 3.x are."));
	for (i = 0; i < lengthof(objects); i++)
	{
		JsonbValue *member = arazzo_value_member_cstring(content, objects[i]);

		if (member && !arazzo_value_is_object(member))
			ereport(ERROR,
					errcode(ERRCODE_ARAZZO_DOCUMENT),
					errmsg("document \"%s\" is not a valid OpenAPI document: \"%s\" must be an object, not %s",
						   uri, objects[i], arazzo_value_type(member)));
	}
}

/* What keeps workflows of a document from being run, as warnings. */
static void
warn_unplannable(const char *uri, ArazzoLibrary *library, List *workflow_ids)
{
	ListCell   *cell;

	foreach(cell, workflow_ids)
	{
		ArazzoFailure *failure = arazzo_load_problem(library, uri, lfirst(cell));

		if (failure == NULL)
			continue;
		failure->message = psprintf("workflow \"%s\" cannot be run yet: %s",
									(char *) lfirst(cell), failure->message);
		arazzo_failure_report(failure, WARNING);
	}
}

ArazzoFailure *
arazzo_load_problem(ArazzoLibrary *library, const char *uri, const char *workflow_id)
{
	ArazzoFailure *failure = NULL;
	ArazzoPlan *plan = arazzo_plan_compile(library, uri, workflow_id, &failure);

	CHECK_FOR_INTERRUPTS();
	if (plan)
		MemoryContextDelete(plan->context);
	return plan ? NULL : failure;
}

char *
arazzo_load_read_file(const char *path, size_t *length)
{
	FILE	   *file = AllocateFile(path, PG_BINARY_R);
	int64		limit = (int64) arazzo_max_document_kb * 1024;
	struct stat status;
	char	   *text;

	if (file == NULL || fstat(fileno(file), &status) != 0)
		ereport(ERROR,
				errcode_for_file_access(),
				errmsg("could not open file \"%s\" for reading: %m", path));
	if (!S_ISREG(status.st_mode))
		ereport(ERROR,
				errcode(ERRCODE_WRONG_OBJECT_TYPE),
				errmsg("\"%s\" is not a regular file", path));
	if (status.st_size > limit)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("file \"%s\" is larger than %d kB", path, arazzo_max_document_kb),
				errhint("Raise arazzo.max_document_size."));
	text = palloc(status.st_size + 1);
	*length = fread(text, 1, status.st_size, file);
	if (ferror(file))
		ereport(ERROR,
				errcode_for_file_access(),
				errmsg("could not read file \"%s\": %m", path));
	text[*length] = '\0';
	FreeFile(file);
	return text;
}
