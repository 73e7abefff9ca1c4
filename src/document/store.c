/*-------------------------------------------------------------------------
 *
 * store.c
 *	  The table arazzo_documents: every statement on it.
 *
 * Caches are kept right by PostgreSQL's own invalidation: whatever changes
 * the table (also COPY, also a superuser by hand) fires a statement trigger
 * that queues a relcache invalidation of the table.  It reaches the other
 * backends if and when the transaction commits, and this one at once, and
 * again if it rolls back.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "document/store.h"
#include "support/extension.h"
#include "support/strings.h"

#define TABLE_NAME "arazzo_documents"

/* A statement's state: whose rights and which context to go back to. */
typedef struct Statement
{
	Oid			user;
	int			security_context;
	MemoryContext caller;
	bool		snapshot;
} Statement;

static uint64 generation = 1;

/* The table the callback watches; invalid until it was first looked up. */
static Oid	watched_table = InvalidOid;

static void table_changed(Datum argument, Oid relation);
static void statement_begin(Statement *statement, bool reads);
static void statement_end(Statement *statement);
static char *statement_text(const char *format);
static char *column_text(int row, const char *name, MemoryContext context);
static List *first_column(MemoryContext context);
static void refuse_shipped(const char *uri) pg_attribute_noreturn();

PG_FUNCTION_INFO_V1(arazzo_documents_changed);

void
arazzo_store_init(void)
{
	CacheRegisterRelcacheCallback(table_changed, (Datum) 0);
}

uint64
arazzo_store_generation(void)
{
	/* locks are taken too rarely to learn of what others have committed */
	AcceptInvalidationMessages();

	/*
	 * Until the table was looked up once there is nothing cached that could
	 * be out of date.
	 */
	if (!OidIsValid(watched_table))
		watched_table = arazzo_extension_relation(TABLE_NAME);
	return generation;
}

/* Relcache callback: the table, or everything (InvalidOid), has changed. */
static void
table_changed(Datum argument, Oid relation)
{
	if (relation != InvalidOid && relation != watched_table)
		return;
	generation++;
	watched_table = InvalidOid;
}

/*
 * arazzo_documents_changed() returns trigger
 *
 * Statement trigger of the table: makes every backend drop what it cached.
 */
Datum
arazzo_documents_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("function \"%s\" was not called by trigger manager",
					   "arazzo_documents_changed"));
	CacheInvalidateRelcache(trigger->tg_relation);
	return PointerGetDatum(NULL);
}

StoredDocument *
arazzo_store_get(const char *uri)
{
	Statement	statement;
	StoredDocument *document = NULL;
	Oid			types[1] = {TEXTOID};
	Datum		values[1];

	values[0] = CStringGetTextDatum(uri);
	statement_begin(&statement, true);
	(void) SPI_execute_with_args(statement_text("SELECT uri, kind, version, title, self, content,"
												" CASE WHEN kind OPERATOR(pg_catalog.=) 'arazzo' THEN source END AS source"
												" FROM %s"
												" WHERE uri OPERATOR(pg_catalog.=) $1 OR self OPERATOR(pg_catalog.=) $1"
												" ORDER BY uri OPERATOR(pg_catalog.=) $1 DESC, uri LIMIT 1"),
								 1, types, values, NULL, true, 1);
	if (SPI_processed == 1)
	{
		MemoryContext caller = statement.caller;
		bool		isnull;
		Datum		content = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
											SPI_fnumber(SPI_tuptable->tupdesc, "content"), &isnull);
		MemoryContext old = MemoryContextSwitchTo(caller);

		document = palloc0(sizeof(StoredDocument));
		document->content = DatumGetJsonbPCopy(content);
		MemoryContextSwitchTo(old);
		document->uri = column_text(0, "uri", caller);
		document->kind = column_text(0, "kind", caller);
		document->version = column_text(0, "version", caller);
		document->title = column_text(0, "title", caller);
		document->self = column_text(0, "self", caller);
		document->source = column_text(0, "source", caller);
	}
	statement_end(&statement);
	return document;
}

void
arazzo_store_put(const StoredDocument *document)
{
	Statement	statement;
	Oid			types[10] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
	TEXTARRAYOID, BOOLOID, TEXTOID, JSONBOID, NAMEOID};
	Datum		values[10];
	char		nulls[11] = "          ";
	NameData	role;

	namestrcpy(&role, GetUserNameFromId(GetUserId(), false));
	values[0] = CStringGetTextDatum(document->uri);
	values[1] = CStringGetTextDatum(document->kind);
	values[2] = CStringGetTextDatum(document->version);
	values[3] = document->title ? CStringGetTextDatum(document->title) : (Datum) 0;
	values[4] = document->self ? CStringGetTextDatum(document->self) : (Datum) 0;
	values[5] = arazzo_strings_array(document->workflow_ids);
	values[6] = BoolGetDatum(creating_extension);
	values[7] = CStringGetTextDatum(document->source);
	values[8] = JsonbPGetDatum(document->content);
	values[9] = NameGetDatum(&role);
	if (document->title == NULL)
		nulls[3] = 'n';
	if (document->self == NULL)
		nulls[4] = 'n';

	statement_begin(&statement, false);
	(void) SPI_execute_with_args(statement_text("INSERT INTO %s AS d"
												" (uri, kind, version, title, self, workflow_ids, shipped, source, content, loaded_by)"
												" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
												" ON CONFLICT (uri) DO UPDATE SET kind = EXCLUDED.kind, version = EXCLUDED.version,"
												" title = EXCLUDED.title, self = EXCLUDED.self, workflow_ids = EXCLUDED.workflow_ids,"
												" shipped = EXCLUDED.shipped, source = EXCLUDED.source, content = EXCLUDED.content,"
												" loaded_by = EXCLUDED.loaded_by, loaded_at = EXCLUDED.loaded_at"
												" WHERE NOT d.shipped OR EXCLUDED.shipped"),
								 10, types, values, nulls, false, 0);
	if (SPI_processed == 0)
		refuse_shipped(document->uri);
	statement_end(&statement);
}

bool
arazzo_store_delete(const char *uri)
{
	Statement	statement;
	Oid			types[2] = {TEXTOID, BOOLOID};
	Datum		values[2];
	bool		deleted;

	values[0] = CStringGetTextDatum(uri);
	values[1] = BoolGetDatum(creating_extension);
	statement_begin(&statement, false);
	(void) SPI_execute_with_args(statement_text("DELETE FROM %s WHERE uri OPERATOR(pg_catalog.=) $1"
												" AND (NOT shipped OR $2)"),
								 2, types, values, NULL, false, 0);
	deleted = SPI_processed > 0;
	if (!deleted)
	{
		(void) SPI_execute_with_args(statement_text("SELECT uri FROM %s WHERE uri OPERATOR(pg_catalog.=) $1"),
									 1, types, values, NULL, false, 1);
		if (SPI_processed > 0)
			refuse_shipped(uri);
	}
	statement_end(&statement);
	return deleted;
}

/* Replacing a document that ships would not survive dump and restore. */
static void
refuse_shipped(const char *uri)
{
	ereport(ERROR,
			errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			errmsg("document \"%s\" belongs to the extension", uri),
			errhint("Load your own version under another URI and run its workflows as '<uri>#<workflow id>'."));
}

List *
arazzo_store_arazzo_uris(const char *workflow_id)
{
	Statement	statement;
	List	   *uris;
	Oid			types[1] = {TEXTOID};
	Datum		values[1];
	char		nulls[2] = " ";

	if (workflow_id)
		values[0] = CStringGetTextDatum(workflow_id);
	else
		nulls[0] = 'n';
	statement_begin(&statement, true);
	(void) SPI_execute_with_args(statement_text("SELECT uri FROM %s WHERE kind OPERATOR(pg_catalog.=) 'arazzo'"
												" AND ($1 IS NULL OR workflow_ids OPERATOR(pg_catalog.@>) ARRAY[$1])"
												" ORDER BY uri"),
								 1, types, values, nulls, true, 0);
	uris = first_column(statement.caller);
	statement_end(&statement);
	return uris;
}

List *
arazzo_store_uris_ending(const char *end)
{
	Statement	statement;
	List	   *uris;
	Oid			types[1] = {TEXTOID};
	Datum		values[1];

	values[0] = CStringGetTextDatum(end);
	statement_begin(&statement, true);
	(void) SPI_execute_with_args(statement_text("SELECT uri FROM %s"
												" WHERE pg_catalog.right(uri, pg_catalog.length($1)) OPERATOR(pg_catalog.=) $1"
												" ORDER BY uri"),
								 1, types, values, NULL, true, 0);
	uris = first_column(statement.caller);
	statement_end(&statement);
	return uris;
}

List *
arazzo_store_workflow_ids(void)
{
	Statement	statement;
	List	   *ids;

	statement_begin(&statement, true);
	(void) SPI_execute_with_args(statement_text("SELECT DISTINCT pg_catalog.unnest(workflow_ids) FROM %s ORDER BY 1"),
								 0, NULL, NULL, NULL, true, 0);
	ids = first_column(statement.caller);
	statement_end(&statement);
	return ids;
}

char *
arazzo_store_source(const char *uri)
{
	Statement	statement;
	List	   *sources;
	Oid			types[1] = {TEXTOID};
	Datum		values[1];

	values[0] = CStringGetTextDatum(uri);
	statement_begin(&statement, true);
	(void) SPI_execute_with_args(statement_text("SELECT source FROM %s WHERE uri OPERATOR(pg_catalog.=) $1"),
								 1, types, values, NULL, true, 1);
	sources = first_column(statement.caller);
	statement_end(&statement);
	return sources ? linitial(sources) : NULL;
}

/*
 * Connects to SPI as the owner of the table.  An error on the way out of a
 * statement needs no care: the (sub)transaction's abort restores the role.
 */
static void
statement_begin(Statement *statement, bool reads)
{
	Oid			table = arazzo_extension_relation(TABLE_NAME);
	Relation	relation = table_open(table, AccessShareLock);
	Oid			owner = relation->rd_rel->relowner;

	table_close(relation, NoLock);
	watched_table = table;
	statement->caller = CurrentMemoryContext;
	statement->snapshot = reads;
	GetUserIdAndSecContext(&statement->user, &statement->security_context);
	SetUserIdAndSecContext(owner, statement->security_context |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to the SPI manager");
	if (reads)
		PushActiveSnapshot(GetLatestSnapshot());
}

static void
statement_end(Statement *statement)
{
	if (statement->snapshot)
		PopActiveSnapshot();
	SPI_finish();
	SetUserIdAndSecContext(statement->user, statement->security_context);
	MemoryContextSwitchTo(statement->caller);
}

/* The statement with the qualified name of the table in place of %s. */
static char *
statement_text(const char *format)
{
	StringInfoData text;
	char	   *table = quote_qualified_identifier(get_namespace_name(arazzo_extension_schema()),
												   TABLE_NAME);
	const char *place = strstr(format, "%s");

	initStringInfo(&text);
	appendBinaryStringInfo(&text, format, place - format);
	appendStringInfoString(&text, table);
	appendStringInfoString(&text, place + 2);
	return text.data;
}

static char *
column_text(int row, const char *name, MemoryContext context)
{
	char	   *text = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc,
									SPI_fnumber(SPI_tuptable->tupdesc, name));

	return text ? MemoryContextStrdup(context, text) : NULL;
}

/* The first column of all rows as a List of char *, in the given context. */
static List *
first_column(MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	List	   *column = NIL;
	uint64		row;

	for (row = 0; row < SPI_processed; row++)
	{
		char	   *text = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, 1);

		column = lappend(column, MemoryContextStrdup(context, text));
	}
	MemoryContextSwitchTo(old);
	return column;
}
