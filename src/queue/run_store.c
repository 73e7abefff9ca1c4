/*-------------------------------------------------------------------------
 *
 * run_store.c
 *	  The tables of queued runs: every statement on them.
 *
 * Each statement sees pg_catalog only and names the tables with their
 * schema, which stands as %1$s in its text.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "queue/run_store.h"
#include "support/extension.h"

#define TABLE_NAME "arazzo_queue"
#define MAX_PARAMETERS 16

#define RUN_COLUMNS "q.id, q.owner::oid, q.status, q.document, q.workflow, q.version, q.inputs," \
	" replace(q.nonce::text, '-', ''), q.state, q.retries, q.verdict, q.verdict_outputs"

/* A statement in the making, and what to go back to after it. */
typedef struct Statement
{
	Oid			user;
	int			security_context;
	int			guc_level;
	MemoryContext caller;
	int			count;
	Oid			types[MAX_PARAMETERS];
	Datum		values[MAX_PARAMETERS];
	char		nulls[MAX_PARAMETERS + 1];
} Statement;

static void statement_begin(Statement *statement);
static uint64 statement_run(Statement *statement, const char *format);
static void statement_end(Statement *statement);
static uint64 statement_finish(Statement *statement, const char *format);
static void add(Statement *statement, Oid type, Datum value, bool isnull);
static void add_text(Statement *statement, const char *text);
static void add_jsonb(Statement *statement, Jsonb *value);
static void add_int64(Statement *statement, int64 number);
static void add_int32(Statement *statement, int number);
static void add_time(Statement *statement, TimestampTz moment);
static QueuedRun *read_run(Statement *statement, int64 claim);
static char *text_column(int column);
static Jsonb *jsonb_column(int column);
static int64 int64_column(int row, int column);

QueuedRun *
arazzo_queue_lock(int64 id, Oid role)
{
	Statement	statement;
	QueuedRun  *run;

	statement_begin(&statement);
	add_int64(&statement, id);
	add(&statement, OIDOID, ObjectIdGetDatum(role), false);
	(void) statement_run(&statement, "SELECT " RUN_COLUMNS " FROM %1$s.arazzo_queue q"
						 " WHERE q.id = $1 AND pg_has_role($2, q.owner, 'USAGE') FOR UPDATE");
	run = read_run(&statement, 0);
	statement_end(&statement);
	return run;
}

int64
arazzo_queue_new_claim(void)
{
	Statement	statement;
	int64		claim;

	statement_begin(&statement);
	add(&statement, REGCLASSOID, ObjectIdGetDatum(arazzo_extension_relation("arazzo_claims")), false);
	(void) statement_run(&statement, "SELECT nextval($1)");
	claim = int64_column(0, 1);
	statement_end(&statement);
	return claim;
}

QueuedRun *
arazzo_queue_take(int64 claim, TimestampTz now)
{
	Statement	statement;
	QueuedRun  *run;

	statement_begin(&statement);
	add_int64(&statement, claim);
	add_time(&statement, now);
	(void) statement_run(&statement, "UPDATE %1$s.arazzo_queue q SET status = 'running', due = NULL, claim = $1,"
						 " started_at = coalesce(q.started_at, $2)"
						 " WHERE q.id = (SELECT c.id FROM %1$s.arazzo_queue c WHERE c.due <= $2"
						 " ORDER BY c.due, c.id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING " RUN_COLUMNS);
	run = read_run(&statement, claim);
	statement_end(&statement);
	return run;
}

List *
arazzo_queue_claims(void)
{
	Statement	statement;
	List	   *claims = NIL;
	uint64		row;

	statement_begin(&statement);
	(void) statement_run(&statement, "SELECT DISTINCT claim FROM %1$s.arazzo_queue WHERE claim IS NOT NULL");
	for (row = 0; row < SPI_processed; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(statement.caller);
		int64	   *claim = palloc(sizeof(int64));

		*claim = int64_column(row, 1);
		claims = lappend(claims, claim);
		MemoryContextSwitchTo(old);
	}
	statement_end(&statement);
	return claims;
}

void
arazzo_queue_recover(int64 claim, TimestampTz now)
{
	Statement	statement;

	statement_begin(&statement);
	add_int64(&statement, claim);
	add_time(&statement, now);
	add_text(&statement, unpack_sql_state(ERRCODE_ARAZZO_IN_DOUBT));
	add_int32(&statement, QUEUE_MAX_CRASHES);
	(void) statement_finish(&statement,
							"UPDATE %1$s.arazzo_queue q SET claim = NULL, crashes = q.crashes + 1, status = n.status,"
							" due = CASE n.status WHEN 'queued' THEN $2 END,"
							" finished_at = CASE n.status WHEN 'failed' THEN $2 END,"
							" sqlstate = CASE n.status WHEN 'in_doubt' THEN $3 WHEN 'failed' THEN '55000' END,"
							" message = CASE n.status"
							" WHEN 'in_doubt' THEN format('step \"%%s\" was being sent when its worker ended: the call may have been received', q.sending)"
							" WHEN 'failed' THEN format('the worker ended %%s times in a row while it was busy with this run', $4) END,"
							" hint = CASE n.status"
							" WHEN 'in_doubt' THEN 'Find out whether the API took the call in, then use arazzo_resolve.'"
							" WHEN 'failed' THEN 'Use arazzo_retry to go on with it.' END"
							" FROM (SELECT c.id, CASE WHEN c.sending IS NOT NULL THEN 'in_doubt'"
							" WHEN c.crashes + 1 >= $4 THEN 'failed' ELSE 'queued' END AS status"
							" FROM %1$s.arazzo_queue c WHERE c.claim = $1) n"
							" WHERE q.id = n.id AND q.claim = $1");
}

bool
arazzo_queue_checkpoint(const QueuedRun *run, Jsonb *state, const char *sending)
{
	Statement	statement;

	statement_begin(&statement);
	add_int64(&statement, run->id);
	add_int64(&statement, run->claim);
	add_jsonb(&statement, state);
	add_text(&statement, sending);
	add_int32(&statement, run->retries);
	return statement_finish(&statement, "UPDATE %1$s.arazzo_queue SET state = $3, sending = $4, retries = $5,"
							" crashes = CASE WHEN $4 IS NULL THEN 0 ELSE crashes END,"
							" verdict = NULL, verdict_outputs = NULL WHERE id = $1 AND claim = $2") > 0;
}

bool
arazzo_queue_wait(const QueuedRun *run, Jsonb *state, TimestampTz due, int retries)
{
	Statement	statement;

	statement_begin(&statement);
	add_int64(&statement, run->id);
	add_int64(&statement, run->claim);
	add_jsonb(&statement, state);
	add_time(&statement, due);
	add_int32(&statement, retries);
	return statement_finish(&statement, "UPDATE %1$s.arazzo_queue SET status = 'waiting', state = $3, due = $4, retries = $5,"
							" claim = NULL, sending = NULL, crashes = 0, verdict = NULL, verdict_outputs = NULL"
							" WHERE id = $1 AND claim = $2") > 0;
}

/* The state of the last checkpoint stays: a run that failed goes on there.
 * So does what it was sending, when that is in doubt. */
bool
arazzo_queue_finish(const QueuedRun *run, const char *status, Jsonb *outputs,
					const char *ended_by, const ArazzoFailure *failure)
{
	Statement	statement;

	statement_begin(&statement);
	add_int64(&statement, run->id);
	add_int64(&statement, run->claim);
	add_text(&statement, status);
	add_jsonb(&statement, outputs);
	add_text(&statement, ended_by);
	add_text(&statement, failure ? unpack_sql_state(failure->sqlstate) : NULL);
	add_text(&statement, failure ? failure->message : NULL);
	add_text(&statement, failure ? failure->detail : NULL);
	add_text(&statement, failure ? failure->hint : NULL);
	return statement_finish(&statement, "UPDATE %1$s.arazzo_queue SET status = $3, outputs = $4, ended_by = $5,"
							" sqlstate = $6, message = $7, detail = $8, hint = $9, claim = NULL,"
							" sending = CASE $3 WHEN 'in_doubt' THEN sending END,"
							" finished_at = CASE WHEN $3 <> 'in_doubt' THEN clock_timestamp() END"
							" WHERE id = $1 AND claim = $2") > 0;
}

void
arazzo_queue_note_attempt(int64 run, const QueueAttempt *attempt)
{
	Statement	statement;

	statement_begin(&statement);
	add_int64(&statement, run);
	add_text(&statement, attempt->workflow);
	add_text(&statement, attempt->step);
	add_int32(&statement, attempt->attempt);
	add_text(&statement, attempt->method);
	add_text(&statement, attempt->url);
	add_text(&statement, attempt->key);
	add_text(&statement, attempt->request_body);
	add(&statement, INT4OID, Int32GetDatum(attempt->status), attempt->status == 0);
	add_text(&statement, attempt->response_body);
	add(&statement, FLOAT8OID, Float8GetDatum(attempt->duration_us / 1000.0), attempt->duration_us == 0);
	add_text(&statement, attempt->outcome);
	add_text(&statement, attempt->action);
	add_text(&statement, attempt->message);
	(void) statement_finish(&statement, "INSERT INTO %1$s.arazzo_queue_attempts (run, workflow, step, attempt, method, url,"
							" idempotency_key, request_body, status, response_body, duration_ms, outcome, action, message)"
							" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)");
}

void
arazzo_queue_requeue(int64 run, const char *version, const char *verdict, Jsonb *outputs)
{
	Statement	statement;

	statement_begin(&statement);
	add_int64(&statement, run);
	add_text(&statement, version);
	add_text(&statement, verdict);
	add_jsonb(&statement, outputs);
	(void) statement_finish(&statement, "UPDATE %1$s.arazzo_queue SET status = 'queued', due = clock_timestamp(),"
							" version = $2, verdict = $3, verdict_outputs = $4, retries = 0, crashes = 0, sending = NULL,"
							" outputs = NULL, ended_by = NULL, sqlstate = NULL, message = NULL, detail = NULL, hint = NULL,"
							" finished_at = NULL WHERE id = $1");
}

void
arazzo_queue_cancel(int64 run)
{
	Statement	statement;

	statement_begin(&statement);
	add_int64(&statement, run);
	(void) statement_finish(&statement, "UPDATE %1$s.arazzo_queue SET status = 'cancelled', due = NULL, claim = NULL,"
							" finished_at = clock_timestamp() WHERE id = $1");
}

int64
arazzo_queue_delete(TimestampTz before, int limit)
{
	Statement	statement;
	int64		deleted;

	statement_begin(&statement);
	add_time(&statement, before);
	add_int32(&statement, limit);
	(void) statement_run(&statement, "WITH old AS MATERIALIZED (SELECT id FROM %1$s.arazzo_queue WHERE finished_at < $1"
						 " ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED),"
						 " attempts AS (DELETE FROM %1$s.arazzo_queue_attempts a USING old WHERE a.run = old.id),"
						 " runs AS (DELETE FROM %1$s.arazzo_queue q USING old WHERE q.id = old.id RETURNING q.id)"
						 " SELECT count(*) FROM runs");
	deleted = int64_column(0, 1);
	statement_end(&statement);
	return deleted;
}

/*
 * Connects to SPI as the owner of the tables.  An error on the way out needs
 * no care: the abort restores role and settings.
 */
static void
statement_begin(Statement *statement)
{
	Relation	relation = table_open(arazzo_extension_relation(TABLE_NAME), AccessShareLock);
	Oid			owner = relation->rd_rel->relowner;

	table_close(relation, NoLock);
	statement->caller = CurrentMemoryContext;
	statement->count = 0;
	GetUserIdAndSecContext(&statement->user, &statement->security_context);
	SetUserIdAndSecContext(owner, statement->security_context |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	statement->guc_level = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to the SPI manager");
	PushActiveSnapshot(GetTransactionSnapshot());
}

/* The number of rows; %1$s stands for the schema, %% for a percent sign. */
static uint64
statement_run(Statement *statement, const char *format)
{
	char	   *schema = get_namespace_name(arazzo_extension_schema());
	char	   *text = psprintf(format, quote_identifier(schema));

	if (SPI_execute_with_args(text, statement->count, statement->types, statement->values,
							  statement->nulls, false, 0) < 0)
		elog(ERROR, "could not execute a statement on the queue");
	return SPI_processed;
}

static void
statement_end(Statement *statement)
{
	PopActiveSnapshot();
	SPI_finish();
	AtEOXact_GUC(false, statement->guc_level);
	SetUserIdAndSecContext(statement->user, statement->security_context);
	MemoryContextSwitchTo(statement->caller);
}

/* Runs a statement that gives no rows back. */
static uint64
statement_finish(Statement *statement, const char *format)
{
	uint64		count = statement_run(statement, format);

	statement_end(statement);
	return count;
}

static void
add(Statement *statement, Oid type, Datum value, bool isnull)
{
	Assert(statement->count < MAX_PARAMETERS);
	statement->types[statement->count] = type;
	statement->values[statement->count] = value;
	statement->nulls[statement->count] = isnull ? 'n' : ' ';
	statement->count++;
}

static void
add_text(Statement *statement, const char *text)
{
	add(statement, TEXTOID, text ? CStringGetTextDatum(text) : (Datum) 0, text == NULL);
}

static void
add_jsonb(Statement *statement, Jsonb *value)
{
	add(statement, JSONBOID, value ? JsonbPGetDatum(value) : (Datum) 0, value == NULL);
}

static void
add_int64(Statement *statement, int64 number)
{
	add(statement, INT8OID, Int64GetDatum(number), false);
}

static void
add_int32(Statement *statement, int number)
{
	add(statement, INT4OID, Int32GetDatum(number), false);
}

static void
add_time(Statement *statement, TimestampTz moment)
{
	add(statement, TIMESTAMPTZOID, TimestampTzGetDatum(moment), false);
}

/* The only row of a result with RUN_COLUMNS, in the caller's context. */
static QueuedRun *
read_run(Statement *statement, int64 claim)
{
	MemoryContext old;
	QueuedRun  *run;
	bool		isnull;

	if (SPI_processed == 0)
		return NULL;
	old = MemoryContextSwitchTo(statement->caller);
	run = palloc0(sizeof(QueuedRun));
	run->id = int64_column(0, 1);
	run->owner = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	run->status = text_column(3);
	run->document = text_column(4);
	run->workflow = text_column(5);
	run->version = text_column(6);
	run->inputs = jsonb_column(7);
	run->nonce = text_column(8);
	run->state = jsonb_column(9);
	run->retries = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 10, &isnull));
	run->verdict = text_column(11);
	run->verdict_outputs = jsonb_column(12);
	run->claim = claim;
	MemoryContextSwitchTo(old);
	return run;
}

/* A column of the first row in the current context, NULL where it is null. */
static char *
text_column(int column)
{
	return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
}

static Jsonb *
jsonb_column(int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull);

	return isnull ? NULL : DatumGetJsonbPCopy(value);
}

static int64
int64_column(int row, int column)
{
	bool		isnull;

	return DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, &isnull));
}
