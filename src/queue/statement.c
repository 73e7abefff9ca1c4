/*-------------------------------------------------------------------------
 *
 * statement.c
 *	  Statements on the extension's own tables.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "queue/statement.h"
#include "support/extension.h"

/* Any of the tables tells their owner and their schema. */
#define TABLE_NAME "arazzo_queue"

/*
 * A plan that was made while a table was nearly empty must still be good when
 * it is large, so those that read it as a whole are not considered.
 */
static const char *const settings[][2] = {
	{"enable_seqscan", "off"},
	{"enable_bitmapscan", "off"},
	{"enable_hashjoin", "off"},
	{"enable_mergejoin", "off"},
	{"jit", "off"}
};

typedef struct KeptPlan
{
	const char *text;			/* key: its address */
	SPIPlanPtr	plan;
} KeptPlan;

static HTAB *kept_plans = NULL;
static Oid	table = InvalidOid;
static char schema_name[NAMEDATALEN];

static Oid	table_owner(void);
static void forget_plans(void);
static SPIPlanPtr kept_plan(const Statement *statement, const char *text);
static Datum column_value(uint64 row, int column, bool *isnull);

void
arazzo_statement_begin(Statement *statement)
{
	Oid			owner = table_owner();
	int			i;

	statement->caller = CurrentMemoryContext;
	statement->count = 0;
	arazzo_owner_begin(&statement->scope, owner);
	for (i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to the SPI manager");
	PushActiveSnapshot(GetTransactionSnapshot());
}

/*
 * The owner of the tables.  Plans are forgotten when the tables have moved to
 * another schema or are others.
 */
static Oid
table_owner(void)
{
	HeapTuple	tuple = OidIsValid(table) ? SearchSysCache1(RELOID, ObjectIdGetDatum(table)) : NULL;
	Form_pg_class form;
	char	   *schema;
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
	{
		forget_plans();
		table = arazzo_extension_relation(TABLE_NAME);
		tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(table));
		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for relation %u", table);
	}
	form = (Form_pg_class) GETSTRUCT(tuple);
	owner = form->relowner;
	schema = get_namespace_name(form->relnamespace);
	ReleaseSysCache(tuple);
	if (strcmp(schema, schema_name) != 0)
	{
		forget_plans();
		strlcpy(schema_name, schema, NAMEDATALEN);
	}
	pfree(schema);
	return owner;
}

static void
forget_plans(void)
{
	HASH_SEQ_STATUS status;
	KeptPlan   *kept;

	if (kept_plans == NULL)
		return;
	hash_seq_init(&status, kept_plans);
	while ((kept = hash_seq_search(&status)) != NULL)
	{
		if (kept->plan)
			SPI_freeplan(kept->plan);
		(void) hash_search(kept_plans, &kept->text, HASH_REMOVE, NULL);
	}
}

uint64
arazzo_statement_run(Statement *statement, const char *text)
{
	if (SPI_execute_plan(kept_plan(statement, text), statement->values, statement->nulls, false, 0) < 0)
		elog(ERROR, "could not execute a statement on the queue");
	return SPI_processed;
}

static SPIPlanPtr
kept_plan(const Statement *statement, const char *text)
{
	KeptPlan   *kept;
	bool		found;

	if (kept_plans == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(const char *);
		control.entrysize = sizeof(KeptPlan);
		control.hcxt = TopMemoryContext;
		kept_plans = hash_create("arazzo statements", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	kept = hash_search(kept_plans, &text, HASH_ENTER, &found);
	if (!found)
		kept->plan = NULL;
	if (kept->plan == NULL)
	{
		char	   *query = psprintf(text, quote_identifier(schema_name));
		SPIPlanPtr	plan = SPI_prepare_cursor(query, statement->count, (Oid *) statement->types,
											  CURSOR_OPT_GENERIC_PLAN);

		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "could not prepare a statement on the queue");
		kept->plan = plan;
	}
	return kept->plan;
}

void
arazzo_statement_end(Statement *statement)
{
	PopActiveSnapshot();
	SPI_finish();
	arazzo_owner_end(&statement->scope);
	MemoryContextSwitchTo(statement->caller);
}

uint64
arazzo_statement_finish(Statement *statement, const char *text)
{
	uint64		count = arazzo_statement_run(statement, text);

	arazzo_statement_end(statement);
	return count;
}

void
arazzo_statement_add(Statement *statement, Oid type, Datum value, bool isnull)
{
	Assert(statement->count < STATEMENT_MAX_PARAMETERS);
	statement->types[statement->count] = type;
	statement->values[statement->count] = value;
	statement->nulls[statement->count] = isnull ? 'n' : ' ';
	statement->count++;
}

void
arazzo_statement_add_text(Statement *statement, const char *text)
{
	arazzo_statement_add(statement, TEXTOID, text ? CStringGetTextDatum(text) : (Datum) 0, text == NULL);
}

void
arazzo_statement_add_jsonb(Statement *statement, Jsonb *value)
{
	arazzo_statement_add(statement, JSONBOID, value ? JsonbPGetDatum(value) : (Datum) 0, value == NULL);
}

void
arazzo_statement_add_int64(Statement *statement, int64 number)
{
	arazzo_statement_add(statement, INT8OID, Int64GetDatum(number), false);
}

void
arazzo_statement_add_int32(Statement *statement, int number)
{
	arazzo_statement_add(statement, INT4OID, Int32GetDatum(number), false);
}

void
arazzo_statement_add_time(Statement *statement, TimestampTz moment)
{
	arazzo_statement_add(statement, TIMESTAMPTZOID, TimestampTzGetDatum(moment), false);
}

char *
arazzo_statement_text(uint64 row, int column)
{
	return SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);
}

int64
arazzo_statement_int64(uint64 row, int column)
{
	bool		isnull;
	Datum		value = column_value(row, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

int32
arazzo_statement_int32(uint64 row, int column)
{
	bool		isnull;
	Datum		value = column_value(row, column, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

Oid
arazzo_statement_oid(uint64 row, int column)
{
	bool		isnull;
	Datum		value = column_value(row, column, &isnull);

	return isnull ? InvalidOid : DatumGetObjectId(value);
}

TimestampTz
arazzo_statement_time(uint64 row, int column)
{
	bool		isnull;
	Datum		value = column_value(row, column, &isnull);

	return isnull ? 0 : DatumGetTimestampTz(value);
}

bool
arazzo_statement_bool(uint64 row, int column)
{
	bool		isnull;
	Datum		value = column_value(row, column, &isnull);

	return !isnull && DatumGetBool(value);
}

static Datum
column_value(uint64 row, int column, bool *isnull)
{
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}
