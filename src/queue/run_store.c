/*-------------------------------------------------------------------------
 *
 * run_store.c
 *	  Queued runs as those who submit and operate them see them.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "queue/run_store.h"

#define RUN_COLUMNS QUEUE_RUN_COLUMNS

static QueuedRun *only_run(Statement *statement);
static void begin_for_server(Statement *statement, const char *server, Oid role, bool everything);
static void hold_followers(Statement *statement);
static void let_follow(Statement *statement);
static char *copy_text(const char *text);
static Jsonb *copy_jsonb(const Jsonb *value);

QueuedRun *
arazzo_queue_lock(int64 id, Oid role)
{
	Statement	statement;
	QueuedRun  *run;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, id);
	arazzo_statement_add(&statement, OIDOID, ObjectIdGetDatum(role), false);
	(void) arazzo_statement_run(&statement, "SELECT " RUN_COLUMNS " FROM %1$s.arazzo_queue q"
						 " WHERE q.id = $1 AND pg_has_role($2, q.owner, 'USAGE') FOR UPDATE");
	run = only_run(&statement);
	arazzo_statement_end(&statement);
	return run;
}

void
arazzo_queue_requeue(int64 run, const char *version, const char *verdict, Jsonb *outputs)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, run);
	arazzo_statement_add_text(&statement, version);
	arazzo_statement_add_text(&statement, verdict);
	arazzo_statement_add_jsonb(&statement, outputs);
	(void) arazzo_statement_run(&statement, "UPDATE %1$s.arazzo_queue SET status = 'queued', due = clock_timestamp(), hold = NULL,"
						 " version = $2, verdict = $3, verdict_outputs = $4, retries = 0, crashes = 0, sending = NULL,"
						 " unanswered_since = CASE WHEN status <> 'in_doubt' THEN unanswered_since END,"
						 " outputs = NULL, ended_by = NULL, sqlstate = NULL, message = NULL, detail = NULL, hint = NULL,"
						 " finished_at = NULL WHERE id = $1");
	hold_followers(&statement);
	arazzo_statement_end(&statement);
}

void
arazzo_queue_cancel(int64 run)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, run);
	(void) arazzo_statement_run(&statement, "UPDATE %1$s.arazzo_queue SET status = 'cancelled', due = NULL, hold = NULL, claim = NULL,"
						 " finished_at = clock_timestamp() WHERE id = $1");
	let_follow(&statement);
	arazzo_statement_end(&statement);
}

int64
arazzo_queue_delete(TimestampTz *from, TimestampTz before, int limit)
{
	Statement	statement;
	int64		deleted;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_time(&statement, *from);
	arazzo_statement_add_time(&statement, before);
	arazzo_statement_add_int32(&statement, limit);
	(void) arazzo_statement_run(&statement, "WITH old AS MATERIALIZED (SELECT q.id FROM %1$s.arazzo_queue q"
						 " WHERE q.finished_at >= $1 AND q.finished_at < $2"
						 " AND NOT EXISTS (SELECT FROM %1$s.arazzo_queue half WHERE half.parent = q.id)"
						 " ORDER BY q.finished_at LIMIT $3 FOR UPDATE SKIP LOCKED),"
						 " attempts AS (DELETE FROM %1$s.arazzo_queue_attempts a USING old WHERE a.run = old.id),"
						 " runs AS (DELETE FROM %1$s.arazzo_queue q USING old WHERE q.id = old.id RETURNING q.finished_at)"
						 " SELECT count(*), max(finished_at) FROM runs");
	deleted = arazzo_statement_int64(0, 1);
	if (deleted > 0)
		*from = arazzo_statement_time(0, 2);
	arazzo_statement_end(&statement);
	return deleted;
}

int64
arazzo_queue_forget_states(const char *server, Oid role, bool everything)
{
	Statement	statement;

	begin_for_server(&statement, server, role, everything);
	return arazzo_statement_finish(&statement, "DELETE FROM %1$s.arazzo_server_states s WHERE s.server = $1"
							" AND ($3 OR (s.state = 'paused' AND pg_has_role($2, s.owner, 'USAGE')))");
}

int64
arazzo_queue_release(const char *server, Oid role, bool everything)
{
	Statement	statement;

	begin_for_server(&statement, server, role, everything);
	return arazzo_statement_finish(&statement, "UPDATE %1$s.arazzo_queue q SET hold = NULL, due = clock_timestamp()"
							" WHERE q.hold = 'server ' || $1 AND ($3 OR pg_has_role($2, q.owner, 'USAGE'))");
}

static void
begin_for_server(Statement *statement, const char *server, Oid role, bool everything)
{
	arazzo_statement_begin(statement);
	arazzo_statement_add_text(statement, server);
	arazzo_statement_add(statement, OIDOID, ObjectIdGetDatum(role), false);
	arazzo_statement_add(statement, BOOLOID, BoolGetDatum(everything), false);
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

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, run);
	arazzo_statement_add_text(&statement, unpack_sql_state(ERRCODE_ARAZZO_STEP_FAILED));
	(void) arazzo_statement_run(&statement, "SELECT q.status = 'failed' AND coalesce(q.sqlstate, '') = $2, q.split, coalesce(last.status, 0),"
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
	facts->failed = arazzo_statement_bool(0, 1);
	facts->wanted = arazzo_statement_bool(0, 2);
	facts->status = arazzo_statement_int32(0, 3);
	facts->acted = arazzo_statement_bool(0, 4);
	facts->arrays = arazzo_statement_int64(0, 5);
	facts->array = arazzo_statement_text(0, 6);
	facts->elements = arazzo_statement_int32(0, 7);
	MemoryContextSwitchTo(old);
	arazzo_statement_end(&statement);
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

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, run);
	arazzo_statement_add_text(&statement, version);
	arazzo_statement_add_text(&statement, array);
	arazzo_statement_add_int32(&statement, half);
	(void) arazzo_statement_run(&statement,
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
	arazzo_statement_end(&statement);
}

/* The runs that follow the run of the first parameter in its order: they were
 * let go when it failed. */
static void
hold_followers(Statement *statement)
{
	statement->count = 1;
	(void) arazzo_statement_run(statement, "UPDATE %1$s.arazzo_queue q SET hold = 'order', due = NULL WHERE q.id IN"
						 " (SELECT f.id FROM %1$s.arazzo_queue r JOIN %1$s.arazzo_queue f"
						 " ON f.owner = r.owner AND f.order_key = r.order_key AND f.id > r.id"
						 " WHERE r.id = $1 AND f.finished_at IS NULL AND f.due IS NOT NULL FOR UPDATE OF f SKIP LOCKED)");
}

/* The next run in the order of the run of the first parameter, which is over. */
static void
let_follow(Statement *statement)
{
	statement->count = 1;
	(void) arazzo_statement_run(statement, "UPDATE %1$s.arazzo_queue q SET hold = NULL, due = clock_timestamp()"
						 " WHERE q.hold = 'order' AND q.id = (SELECT n.id FROM %1$s.arazzo_queue r"
						 " JOIN %1$s.arazzo_queue n ON n.owner = r.owner AND n.order_key = r.order_key"
						 " WHERE r.id = $1 AND n.finished_at IS NULL ORDER BY n.id LIMIT 1)");
}

bool
arazzo_queue_end_split(void)
{
	Statement	statement;
	int64		ended = 0;

	arazzo_statement_begin(&statement);
	if (arazzo_statement_run(&statement, "UPDATE %1$s.arazzo_queue q SET finished_at = clock_timestamp() WHERE q.id ="
					  " (SELECT p.id FROM %1$s.arazzo_queue p WHERE p.finished_at IS NULL AND p.status = 'cancelled'"
					  " AND NOT EXISTS (SELECT FROM %1$s.arazzo_queue half WHERE half.parent = p.id AND half.finished_at IS NULL)"
					  " LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING q.id") > 0)
	{
		ended = arazzo_statement_int64(0, 1);
		arazzo_statement_add_int64(&statement, ended);
		let_follow(&statement);
	}
	arazzo_statement_end(&statement);
	return ended != 0;
}

/* The only row of a result with RUN_COLUMNS, in the caller's context. */
static QueuedRun *
only_run(Statement *statement)
{
	return SPI_processed == 0 ? NULL : arazzo_queue_read_run(statement, 0);
}

QueuedRun *
arazzo_queue_read_run(Statement *statement, uint64 row)
{
	MemoryContext old = MemoryContextSwitchTo(statement->caller);
	QueuedRun  *run = palloc0(sizeof(QueuedRun));

	run->id = arazzo_statement_int64(row, 1);
	run->owner = arazzo_statement_oid(row, 2);
	run->status = arazzo_statement_text(row, 3);
	run->document = arazzo_statement_text(row, 4);
	run->workflow = arazzo_statement_text(row, 5);
	run->version = arazzo_statement_text(row, 6);
	run->inputs = arazzo_statement_jsonb(row, 7);
	run->nonce = arazzo_statement_text(row, 8);
	run->state = arazzo_statement_jsonb(row, 9);
	run->retries = arazzo_statement_int32(row, 10);
	run->verdict = arazzo_statement_text(row, 11);
	run->verdict_outputs = arazzo_statement_jsonb(row, 12);
	run->crashes = arazzo_statement_int32(row, 13);
	run->order_key = arazzo_statement_text(row, 14);
	run->notify = arazzo_statement_text(row, 15);
	run->split = arazzo_statement_bool(row, 16);
	run->unanswered_since = arazzo_statement_time(row, 17);
	run->parent = arazzo_statement_int64(row, 18);
	MemoryContextSwitchTo(old);
	return run;
}

QueuedRun *
arazzo_queue_copy_run(const QueuedRun *run)
{
	QueuedRun  *copy = palloc(sizeof(QueuedRun));

	*copy = *run;
	copy->status = copy_text(run->status);
	copy->document = copy_text(run->document);
	copy->workflow = copy_text(run->workflow);
	copy->version = copy_text(run->version);
	copy->inputs = copy_jsonb(run->inputs);
	copy->nonce = copy_text(run->nonce);
	copy->state = copy_jsonb(run->state);
	copy->verdict = copy_text(run->verdict);
	copy->verdict_outputs = copy_jsonb(run->verdict_outputs);
	copy->order_key = copy_text(run->order_key);
	copy->notify = copy_text(run->notify);
	return copy;
}

static char *
copy_text(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

static Jsonb *
copy_jsonb(const Jsonb *value)
{
	Jsonb	   *copy;

	if (value == NULL)
		return NULL;
	copy = palloc(VARSIZE(value));
	memcpy(copy, value, VARSIZE(value));
	return copy;
}
