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
static void begin_for_server(Statement *statement, const char *server, Oid role, bool everything);
static void hold_followers(Statement *statement);
static void let_follow(Statement *statement);
static QueuedRun *read_run(Statement *statement, int64 claim);
static char *text_column(int column);
static Jsonb *jsonb_column(int column);
static int64 int64_column(int row, int column);
static int32 int32_column(int column);
static bool bool_column(int column);

int64
arazzo_queue_insert(const QueuedRun *run, const QueueOptions *options)
{
	Statement	statement;
	int64		id = 0;

	statement_begin(&statement);
	add(&statement, OIDOID, ObjectIdGetDatum(run->owner), false);
	add_text(&statement, run->document);
	add_text(&statement, run->workflow);
	add_text(&statement, run->version);
	add_jsonb(&statement, run->inputs);
	add_text(&statement, options->key);
	add_time(&statement, options->not_before);
	add_text(&statement, options->order_by);
	add_text(&statement, options->notify);
	add(&statement, BOOLOID, BoolGetDatum(options->split), false);
	if (statement_run(&statement, "INSERT INTO %1$s.arazzo_queue (owner, document, workflow, version, inputs, key, due,"
					  " order_key, notify, split) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
					  " ON CONFLICT (owner, key) WHERE key IS NOT NULL DO NOTHING RETURNING id") > 0)
		id = int64_column(0, 1);
	statement_end(&statement);
	return id;
}

QueuedRun *
arazzo_queue_find_key(Oid owner, const char *key)
{
	Statement	statement;
	QueuedRun  *run;

	statement_begin(&statement);
	add(&statement, OIDOID, ObjectIdGetDatum(owner), false);
	add_text(&statement, key);
	(void) statement_run(&statement, "SELECT " RUN_COLUMNS " FROM %1$s.arazzo_queue q"
						 " WHERE q.owner = $1 AND q.key = $2 FOR KEY SHARE");
	run = read_run(&statement, 0);
	statement_end(&statement);
	return run;
}

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
	add_text(&statement, attempt->server);
	add(&statement, OIDOID, ObjectIdGetDatum(attempt->owner), false);
	(void) statement_finish(&statement, "INSERT INTO %1$s.arazzo_queue_attempts (run, workflow, step, attempt, method, url,"
							" idempotency_key, request_body, status, response_body, duration_ms, outcome, action, message, server, owner)"
							" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)");
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
	(void) statement_run(&statement, "UPDATE %1$s.arazzo_queue SET status = 'queued', due = clock_timestamp(),"
						 " version = $2, verdict = $3, verdict_outputs = $4, retries = 0, crashes = 0, sending = NULL,"
						 " outputs = NULL, ended_by = NULL, sqlstate = NULL, message = NULL, detail = NULL, hint = NULL,"
						 " finished_at = NULL WHERE id = $1");
	hold_followers(&statement);
	statement_end(&statement);
}

void
arazzo_queue_cancel(int64 run)
{
	Statement	statement;

	statement_begin(&statement);
	add_int64(&statement, run);
	(void) statement_run(&statement, "UPDATE %1$s.arazzo_queue SET status = 'cancelled', due = NULL, hold = NULL, claim = NULL,"
						 " finished_at = clock_timestamp() WHERE id = $1");
	let_follow(&statement);
	statement_end(&statement);
}

int64
arazzo_queue_delete(TimestampTz *from, TimestampTz before, int limit)
{
	Statement	statement;
	int64		deleted;
	bool		isnull;
	Datum		last;

	statement_begin(&statement);
	add_time(&statement, *from);
	add_time(&statement, before);
	add_int32(&statement, limit);
	(void) statement_run(&statement, "WITH old AS MATERIALIZED (SELECT q.id FROM %1$s.arazzo_queue q"
						 " WHERE q.finished_at >= $1 AND q.finished_at < $2"
						 " AND NOT EXISTS (SELECT FROM %1$s.arazzo_queue half WHERE half.parent = q.id)"
						 " ORDER BY q.finished_at LIMIT $3 FOR UPDATE SKIP LOCKED),"
						 " attempts AS (DELETE FROM %1$s.arazzo_queue_attempts a USING old WHERE a.run = old.id),"
						 " runs AS (DELETE FROM %1$s.arazzo_queue q USING old WHERE q.id = old.id RETURNING q.finished_at)"
						 " SELECT count(*), max(finished_at) FROM runs");
	deleted = int64_column(0, 1);
	last = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	if (!isnull)
		*from = DatumGetTimestampTz(last);
	statement_end(&statement);
	return deleted;
}

int64
arazzo_queue_forget_states(const char *server, Oid role, bool everything)
{
	Statement	statement;

	begin_for_server(&statement, server, role, everything);
	return statement_finish(&statement, "DELETE FROM %1$s.arazzo_server_states s WHERE s.server = $1"
							" AND ($3 OR (s.state = 'paused' AND pg_has_role($2, s.owner, 'USAGE')))");
}

int64
arazzo_queue_release(const char *server, Oid role, bool everything)
{
	Statement	statement;

	begin_for_server(&statement, server, role, everything);
	return statement_finish(&statement, "UPDATE %1$s.arazzo_queue q SET hold = NULL, due = clock_timestamp()"
							" WHERE q.hold = 'server ' || $1 AND ($3 OR pg_has_role($2, q.owner, 'USAGE'))");
}

static void
begin_for_server(Statement *statement, const char *server, Oid role, bool everything)
{
	statement_begin(statement);
	add_text(statement, server);
	add(statement, OIDOID, ObjectIdGetDatum(role), false);
	add(statement, BOOLOID, BoolGetDatum(everything), false);
}

/*
 * A call of another step may have changed something unless its method is
 * safe (RFC 9110, 9.2.1), whatever became of it; so may one of the step that
 * failed when it was answered well before, or not at all.
 */
SplitFacts *
arazzo_queue_split_facts(int64 run)
{
	SplitFacts *facts = palloc0(sizeof(SplitFacts));
	Statement	statement;
	MemoryContext old;

	statement_begin(&statement);
	add_int64(&statement, run);
	add_text(&statement, unpack_sql_state(ERRCODE_ARAZZO_STEP_FAILED));
	(void) statement_run(&statement, "SELECT q.status = 'failed' AND coalesce(q.sqlstate, '') = $2, q.split, coalesce(last.status, 0),"
						 " EXISTS (SELECT FROM %1$s.arazzo_queue_attempts a WHERE a.run = q.id AND CASE"
						 " WHEN a.method IS NULL THEN a.outcome = 'succeeded'"
						 " WHEN a.method = ANY ('{GET,HEAD,OPTIONS,TRACE,QUERY}') THEN false"
						 " ELSE (a.workflow, a.step) <> (last.workflow, last.step)"
						 " OR a.outcome = 'unknown' OR a.status BETWEEN 200 AND 399 END),"
						 " arrays.number, arrays.name, coalesce(arrays.elements, 0)"
						 " FROM %1$s.arazzo_queue q"
						 " LEFT JOIN LATERAL (SELECT a.workflow, a.step, a.status FROM %1$s.arazzo_queue_attempts a"
						 " WHERE a.run = q.id ORDER BY a.id DESC LIMIT 1) last ON true"
						 " CROSS JOIN LATERAL (SELECT count(*) AS number, min(i.key) AS name,"
						 " min(jsonb_array_length(i.value)) AS elements FROM jsonb_each(q.inputs) i"
						 " WHERE jsonb_typeof(i.value) = 'array') arrays"
						 " WHERE q.id = $1");
	old = MemoryContextSwitchTo(statement.caller);
	facts->failed = bool_column(1);
	facts->wanted = bool_column(2);
	facts->status = int32_column(3);
	facts->acted = bool_column(4);
	facts->arrays = int64_column(0, 5);
	facts->array = text_column(6);
	facts->elements = int32_column(7);
	MemoryContextSwitchTo(old);
	statement_end(&statement);
	return facts;
}

/*
 * The halves of an ordered run have an order of their own, and the run itself
 * is not over before they are: so they follow each other in its place.
 */
void
arazzo_queue_halve(int64 run, const char *version, const char *array, int half)
{
	Statement	statement;

	statement_begin(&statement);
	add_int64(&statement, run);
	add_text(&statement, version);
	add_text(&statement, array);
	add_int32(&statement, half);
	(void) statement_run(&statement,
						 "WITH half AS (INSERT INTO %1$s.arazzo_queue"
						 " (owner, document, workflow, version, inputs, order_key, notify, split, parent, due, hold)"
						 " SELECT q.owner, q.document, q.workflow, coalesce($2, q.version), jsonb_set(q.inputs, ARRAY[$3], h.elements),"
						 " q.order_key || ' split ' || q.id, q.notify, true, q.id,"
						 " CASE WHEN q.order_key IS NULL OR NOT h.second THEN clock_timestamp() END,"
						 " CASE WHEN q.order_key IS NOT NULL AND h.second THEN 'order' END"
						 " FROM %1$s.arazzo_queue q CROSS JOIN LATERAL"
						 " (SELECT e.ordinality > $4 AS second, jsonb_agg(e.value ORDER BY e.ordinality) AS elements"
						 " FROM jsonb_array_elements(q.inputs -> $3) WITH ORDINALITY e GROUP BY 1) h"
						 " WHERE q.id = $1 ORDER BY h.second RETURNING id)"
						 " UPDATE %1$s.arazzo_queue q SET status = 'cancelled', state = NULL, outputs = NULL,"
						 " sqlstate = NULL, hint = NULL, message = (SELECT format("
						 "'replaced by runs %%s and %%s, each with half of \"%%s\"', min(id), max(id), $3) FROM half),"
						 " finished_at = CASE WHEN q.order_key IS NULL THEN clock_timestamp() END WHERE q.id = $1");
	hold_followers(&statement);
	statement_end(&statement);
}

/* The runs that follow the run of the first parameter in its order: they were
 * let go when it failed. */
static void
hold_followers(Statement *statement)
{
	statement->count = 1;
	(void) statement_run(statement, "UPDATE %1$s.arazzo_queue q SET hold = 'order', due = NULL WHERE q.id IN"
						 " (SELECT f.id FROM %1$s.arazzo_queue r JOIN %1$s.arazzo_queue f"
						 " ON f.owner = r.owner AND f.order_key = r.order_key AND f.id > r.id"
						 " WHERE r.id = $1 AND f.finished_at IS NULL AND f.due IS NOT NULL FOR UPDATE OF f SKIP LOCKED)");
}

/* The next run in the order of the run of the first parameter, which is over. */
static void
let_follow(Statement *statement)
{
	statement->count = 1;
	(void) statement_run(statement, "UPDATE %1$s.arazzo_queue q SET hold = NULL, due = clock_timestamp()"
						 " WHERE q.hold = 'order' AND q.id = (SELECT n.id FROM %1$s.arazzo_queue r"
						 " JOIN %1$s.arazzo_queue n ON n.owner = r.owner AND n.order_key = r.order_key"
						 " WHERE r.id = $1 AND n.finished_at IS NULL ORDER BY n.id LIMIT 1)");
}

bool
arazzo_queue_end_split(void)
{
	Statement	statement;
	int64		ended = 0;

	statement_begin(&statement);
	if (statement_run(&statement, "UPDATE %1$s.arazzo_queue q SET finished_at = clock_timestamp() WHERE q.id ="
					  " (SELECT p.id FROM %1$s.arazzo_queue p WHERE p.finished_at IS NULL AND p.status = 'cancelled'"
					  " AND NOT EXISTS (SELECT FROM %1$s.arazzo_queue half WHERE half.parent = p.id AND half.finished_at IS NULL)"
					  " LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING q.id") > 0)
	{
		ended = int64_column(0, 1);
		add_int64(&statement, ended);
		let_follow(&statement);
	}
	statement_end(&statement);
	return ended != 0;
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

/* Columns of the first row that are not null. */
static int32
int32_column(int column)
{
	bool		isnull;

	return DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull));
}

static bool
bool_column(int column)
{
	bool		isnull;

	return DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &isnull));
}
