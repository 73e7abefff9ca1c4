/*-------------------------------------------------------------------------
 *
 * work_store.c
 *	  Queued runs as workers see them: every statement of theirs.
 *
 * What many runs need is one statement, with an array for each column.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "support/extension.h"
#include "work/work_store.h"

/* A column of many rows in the making. */
typedef struct Column
{
	Oid			type;
	int			count;
	Datum	   *values;
	bool	   *nulls;
} Column;

static int64 *copy_int64(int64 number);
static List *read_runs(Statement *statement);
static int	compare_ids(const ListCell *a, const ListCell *b);
static Column column_begin(Oid type, int capacity);
static void column_put(Column *column, Datum value, bool isnull);
static void column_put_text(Column *column, const char *text);
static void column_put_time(Column *column, TimestampTz moment);
static void column_put_jsonb(Column *column, Jsonb *value);
static void add_column(Statement *statement, const Column *column);
static void add_outcome(Statement *statement, List *changes);
static void mark_written(List *changes);

int64
arazzo_work_new_claim(void)
{
	Statement	statement;
	int64		claim;

	arazzo_statement_begin(&statement);
	arazzo_statement_add(&statement, REGCLASSOID,
						 ObjectIdGetDatum(arazzo_extension_relation("arazzo_claims")), false);
	(void) arazzo_statement_run(&statement, "SELECT nextval($1)");
	claim = arazzo_statement_int64(0, 1);
	arazzo_statement_end(&statement);
	return claim;
}

#define CLAIM_SET "UPDATE %1$s.arazzo_queue q SET status = 'running', due = NULL, hold = NULL, claim = $1," \
	" claimed_at = $2, started_at = coalesce(q.started_at, $2)"

List *
arazzo_work_claim(int64 claim, TimestampTz now, int limit)
{
	Statement	statement;
	List	   *runs;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, claim);
	arazzo_statement_add_time(&statement, now);
	arazzo_statement_add_int32(&statement, limit);
	arazzo_statement_add_int32(&statement, QUEUE_SUSPECT_CRASHES);
	(void) arazzo_statement_run(&statement, CLAIM_SET
								" FROM (SELECT c.id FROM %1$s.arazzo_queue c WHERE c.due <= $2 AND c.crashes < $4"
								" ORDER BY c.due, c.id LIMIT $3 FOR UPDATE SKIP LOCKED) d"
								" WHERE q.id = d.id RETURNING " QUEUE_RUN_COLUMNS);
	runs = read_runs(&statement);
	arazzo_statement_end(&statement);
	list_sort(runs, compare_ids);
	return runs;
}

QueuedRun *
arazzo_work_claim_suspect(int64 claim, TimestampTz now)
{
	Statement	statement;
	List	   *runs;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, claim);
	arazzo_statement_add_time(&statement, now);
	(void) arazzo_statement_run(&statement, CLAIM_SET
								" FROM (SELECT c.id FROM %1$s.arazzo_queue c WHERE c.due <= $2 AND c.crashes >= 2"
								" ORDER BY c.due, c.id LIMIT 1 FOR UPDATE SKIP LOCKED) d"
								" WHERE q.id = d.id RETURNING " QUEUE_RUN_COLUMNS);
	runs = read_runs(&statement);
	arazzo_statement_end(&statement);
	return runs == NIL ? NULL : linitial(runs);
}

bool
arazzo_work_has_suspects(TimestampTz now)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_time(&statement, now);
	return arazzo_statement_finish(&statement, "SELECT 1 FROM %1$s.arazzo_queue c WHERE c.due <= $1 AND c.crashes >= 2"
								   " AND NOT EXISTS (SELECT FROM %1$s.arazzo_queue r WHERE r.claim IS NOT NULL AND r.crashes >= 2)"
								   " LIMIT 1") > 0;
}

StaticAssertDecl(QUEUE_SUSPECT_CRASHES == 2, "the index and the statement name the number");

QueuedRun *
arazzo_work_claim_held(int64 claim, const QueueHold *hold, TimestampTz now)
{
	Statement	statement;
	List	   *runs;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, claim);
	arazzo_statement_add_time(&statement, now);
	arazzo_statement_add_text(&statement, hold->hold);
	arazzo_statement_add(&statement, OIDOID, ObjectIdGetDatum(hold->owner), false);
	(void) arazzo_statement_run(&statement, CLAIM_SET
								" FROM (SELECT c.id FROM %1$s.arazzo_queue c WHERE c.hold = $3 AND c.owner = $4"
								" ORDER BY c.hold, c.owner, c.id LIMIT 1 FOR UPDATE SKIP LOCKED) d"
								" WHERE q.id = d.id RETURNING " QUEUE_RUN_COLUMNS);
	runs = read_runs(&statement);
	arazzo_statement_end(&statement);
	return runs == NIL ? NULL : linitial(runs);
}

TimestampTz
arazzo_work_next_due(TimestampTz now)
{
	Statement	statement;
	TimestampTz due = DT_NOEND;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_time(&statement, now);
	if (arazzo_statement_run(&statement, "SELECT q.due FROM %1$s.arazzo_queue q WHERE q.due > $1"
							 " ORDER BY q.due, q.id LIMIT 1") > 0)
		due = arazzo_statement_time(0, 1);
	arazzo_statement_end(&statement);
	return due;
}

List *
arazzo_work_claims(void)
{
	Statement	statement;
	List	   *claims = NIL;
	uint64		row;

	arazzo_statement_begin(&statement);
	(void) arazzo_statement_run(&statement, "SELECT DISTINCT claim FROM %1$s.arazzo_queue WHERE claim IS NOT NULL");
	for (row = 0; row < SPI_processed; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(statement.caller);

		claims = lappend(claims, copy_int64(arazzo_statement_int64(row, 1)));
		MemoryContextSwitchTo(old);
	}
	arazzo_statement_end(&statement);
	return claims;
}

static int64 *
copy_int64(int64 number)
{
	int64	   *copy = palloc(sizeof(int64));

	*copy = number;
	return copy;
}

int64
arazzo_work_recover(int64 claim, TimestampTz now)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, claim);
	arazzo_statement_add_time(&statement, now);
	arazzo_statement_add_text(&statement, unpack_sql_state(ERRCODE_ARAZZO_IN_DOUBT));
	arazzo_statement_add_int32(&statement, QUEUE_MAX_CRASHES);
	return arazzo_statement_finish(&statement,
								   "UPDATE %1$s.arazzo_queue q SET claim = NULL, crashes = q.crashes + 1, status = n.status,"
								   " due = CASE n.status WHEN 'queued' THEN $2 END,"
								   " unanswered_since = coalesce(q.unanswered_since, q.claimed_at),"
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

void
arazzo_work_write(int64 claim, List *changes)
{
	int			count = list_length(changes);
	Column		id = column_begin(INT8OID, count);
	Column		status = column_begin(TEXTOID, count);
	Column		due = column_begin(TIMESTAMPTZOID, count);
	Column		hold = column_begin(TEXTOID, count);
	Column		state = column_begin(JSONBOID, count);
	Column		sending = column_begin(TEXTOID, count);
	Column		unanswered = column_begin(TIMESTAMPTZOID, count);
	Column		retries = column_begin(INT4OID, count);
	Column		crashes = column_begin(INT4OID, count);
	Column		judged = column_begin(BOOLOID, count);
	Statement	statement;
	ListCell   *cell;

	foreach(cell, changes)
	{
		const QueueChange *change = lfirst(cell);

		column_put(&id, Int64GetDatum(change->id), false);
		column_put_text(&status, change->status);
		column_put_time(&due, change->due);
		column_put_text(&hold, change->hold);
		column_put_jsonb(&state, change->state);
		column_put_text(&sending, change->sending);
		column_put_time(&unanswered, change->unanswered_since);
		column_put(&retries, Int32GetDatum(change->retries), false);
		column_put(&crashes, Int32GetDatum(change->crashes), false);
		column_put(&judged, BoolGetDatum(change->judged), false);
	}
	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, claim);
	add_column(&statement, &id);
	add_column(&statement, &status);
	add_column(&statement, &due);
	add_column(&statement, &hold);
	add_column(&statement, &state);
	add_column(&statement, &sending);
	add_column(&statement, &unanswered);
	add_column(&statement, &retries);
	add_column(&statement, &crashes);
	add_column(&statement, &judged);
	add_outcome(&statement, changes);
	(void) arazzo_statement_run(&statement,
								"UPDATE %1$s.arazzo_queue q SET status = c.status, due = c.due, hold = c.hold,"
								" claim = CASE c.status WHEN 'running' THEN q.claim END,"
								" state = CASE WHEN c.status <> 'succeeded' THEN coalesce(c.state, q.state) END,"
								" sending = c.sending, unanswered_since = c.unanswered, retries = c.retries,"
								" crashes = c.crashes,"
								" verdict = CASE WHEN NOT c.judged THEN q.verdict END,"
								" verdict_outputs = CASE WHEN NOT c.judged THEN q.verdict_outputs END,"
								" outputs = c.outputs, ended_by = c.ended_by, sqlstate = c.sqlstate,"
								" message = c.message, detail = c.detail, hint = c.hint,"
								" finished_at = CASE WHEN c.status IN ('succeeded', 'failed') THEN clock_timestamp() END"
								" FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
								" c (id, status, due, hold, state, sending, unanswered, retries, crashes, judged,"
								" outputs, ended_by, sqlstate, message, detail, hint)"
								" WHERE q.id = c.id AND q.claim = $1 RETURNING q.id");
	mark_written(changes);
	arazzo_statement_end(&statement);
}

/* The columns that say how a run ended. */
static void
add_outcome(Statement *statement, List *changes)
{
	int			count = list_length(changes);
	Column		outputs = column_begin(JSONBOID, count);
	Column		ended_by = column_begin(TEXTOID, count);
	Column		sqlstate = column_begin(TEXTOID, count);
	Column		message = column_begin(TEXTOID, count);
	Column		detail = column_begin(TEXTOID, count);
	Column		hint = column_begin(TEXTOID, count);
	ListCell   *cell;

	foreach(cell, changes)
	{
		const QueueChange *change = lfirst(cell);
		const ArazzoFailure *failure = change->failure;

		column_put_jsonb(&outputs, change->outputs);
		column_put_text(&ended_by, change->ended_by);
		column_put_text(&sqlstate, failure ? unpack_sql_state(failure->sqlstate) : NULL);
		column_put_text(&message, failure ? failure->message : NULL);
		column_put_text(&detail, failure ? failure->detail : NULL);
		column_put_text(&hint, failure ? failure->hint : NULL);
	}
	add_column(statement, &outputs);
	add_column(statement, &ended_by);
	add_column(statement, &sqlstate);
	add_column(statement, &message);
	add_column(statement, &detail);
	add_column(statement, &hint);
}

/* By the ids that came back; there are few changes at a time. */
static void
mark_written(List *changes)
{
	uint64		row;
	ListCell   *cell;

	foreach(cell, changes)
		((QueueChange *) lfirst(cell))->written = false;
	for (row = 0; row < SPI_processed; row++)
	{
		int64		id = arazzo_statement_int64(row, 1);

		foreach(cell, changes)
		{
			QueueChange *change = lfirst(cell);

			if (change->id == id)
			{
				change->written = true;
				break;
			}
		}
	}
}

void
arazzo_work_add_attempts(List *attempts)
{
	int			count = list_length(attempts);
	Column		run = column_begin(INT8OID, count);
	Column		owner = column_begin(OIDOID, count);
	Column		server = column_begin(TEXTOID, count);
	Column		workflow = column_begin(TEXTOID, count);
	Column		step = column_begin(TEXTOID, count);
	Column		number = column_begin(INT4OID, count);
	Column		method = column_begin(TEXTOID, count);
	Column		url = column_begin(TEXTOID, count);
	Column		key = column_begin(TEXTOID, count);
	Column		request_body = column_begin(TEXTOID, count);
	Column		status = column_begin(INT4OID, count);
	Column		response_body = column_begin(TEXTOID, count);
	Column		duration = column_begin(FLOAT8OID, count);
	Column		outcome = column_begin(TEXTOID, count);
	Column		action = column_begin(TEXTOID, count);
	Column		message = column_begin(TEXTOID, count);
	Column	   *const columns[] = {
		&run, &owner, &server, &workflow, &step, &number, &method, &url, &key, &request_body, &status, &response_body,
		&duration, &outcome, &action, &message
	};
	Statement	statement;
	ListCell   *cell;
	int			i;

	foreach(cell, attempts)
	{
		const QueueAttempt *attempt = lfirst(cell);

		column_put(&run, Int64GetDatum(attempt->run), false);
		column_put(&owner, ObjectIdGetDatum(attempt->owner), false);
		column_put_text(&server, attempt->server);
		column_put_text(&workflow, attempt->workflow);
		column_put_text(&step, attempt->step);
		column_put(&number, Int32GetDatum(attempt->attempt), false);
		column_put_text(&method, attempt->method);
		column_put_text(&url, attempt->url);
		column_put_text(&key, attempt->key);
		column_put_text(&request_body, attempt->request_body);
		column_put(&status, Int32GetDatum(attempt->status), attempt->status == 0);
		column_put_text(&response_body, attempt->response_body);
		column_put(&duration, Float8GetDatum(attempt->duration_us / 1000.0), attempt->duration_us == 0);
		column_put_text(&outcome, attempt->outcome);
		column_put_text(&action, attempt->action);
		column_put_text(&message, attempt->message);
	}
	arazzo_statement_begin(&statement);
	for (i = 0; i < lengthof(columns); i++)
		add_column(&statement, columns[i]);
	(void) arazzo_statement_finish(&statement,
								   "INSERT INTO %1$s.arazzo_queue_attempts (run, owner, server, workflow, step, attempt, method, url,"
								   " idempotency_key, request_body, status, response_body, duration_ms, outcome, action, message)"
								   " SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)");
}

int64
arazzo_work_unhold(const QueueHold *hold, TimestampTz now, int limit)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_text(&statement, hold->hold);
	arazzo_statement_add_time(&statement, now);
	arazzo_statement_add_int32(&statement, limit);
	arazzo_statement_add(&statement, OIDOID, ObjectIdGetDatum(hold->owner), false);
	return arazzo_statement_finish(&statement, "UPDATE %1$s.arazzo_queue q SET hold = NULL, due = $2"
								   " FROM (SELECT c.id FROM %1$s.arazzo_queue c WHERE c.hold = $1 AND c.owner = $4"
								   " ORDER BY c.hold, c.owner, c.id LIMIT $3 FOR UPDATE SKIP LOCKED) d WHERE q.id = d.id");
}

/* From one to the next, however many runs each of them holds. */
List *
arazzo_work_holds(void)
{
	Statement	statement;
	List	   *holds = NIL;
	uint64		row;

	arazzo_statement_begin(&statement);
	(void) arazzo_statement_run(&statement, "WITH RECURSIVE r (hold, owner) AS ("
								"(SELECT hold, owner FROM %1$s.arazzo_queue WHERE hold IS NOT NULL ORDER BY hold, owner, id LIMIT 1)"
								" UNION ALL SELECT n.* FROM r, LATERAL (SELECT q.hold, q.owner FROM %1$s.arazzo_queue q"
								" WHERE q.hold IS NOT NULL AND (q.hold, q.owner) > (r.hold, r.owner)"
								" ORDER BY q.hold, q.owner, q.id LIMIT 1) n)"
								" SELECT hold, owner::oid FROM r");
	for (row = 0; row < SPI_processed; row++)
	{
		MemoryContext old = MemoryContextSwitchTo(statement.caller);
		QueueHold  *hold = palloc(sizeof(QueueHold));

		hold->hold = arazzo_statement_text(row, 1);
		hold->owner = arazzo_statement_oid(row, 2);
		holds = lappend(holds, hold);
		MemoryContextSwitchTo(old);
	}
	arazzo_statement_end(&statement);
	return holds;
}

static List *
read_runs(Statement *statement)
{
	List	   *runs = NIL;
	uint64		row;

	for (row = 0; row < SPI_processed; row++)
	{
		QueuedRun  *run = arazzo_queue_read_run(statement, row);
		MemoryContext old = MemoryContextSwitchTo(statement->caller);

		runs = lappend(runs, run);
		MemoryContextSwitchTo(old);
	}
	return runs;
}

static int
compare_ids(const ListCell *a, const ListCell *b)
{
	int64		left = ((const QueuedRun *) lfirst(a))->id;
	int64		right = ((const QueuedRun *) lfirst(b))->id;

	return left < right ? -1 : left > right;
}

static Column
column_begin(Oid type, int capacity)
{
	Column		column;

	column.type = type;
	column.count = 0;
	column.values = palloc(sizeof(Datum) * capacity);
	column.nulls = palloc(sizeof(bool) * capacity);
	return column;
}

static void
column_put(Column *column, Datum value, bool isnull)
{
	column->values[column->count] = value;
	column->nulls[column->count] = isnull;
	column->count++;
}

static void
column_put_text(Column *column, const char *text)
{
	column_put(column, text ? CStringGetTextDatum(text) : (Datum) 0, text == NULL);
}

static void
column_put_time(Column *column, TimestampTz moment)
{
	column_put(column, TimestampTzGetDatum(moment), moment == 0);
}

static void
column_put_jsonb(Column *column, Jsonb *value)
{
	column_put(column, value ? JsonbPGetDatum(value) : (Datum) 0, value == NULL);
}

static void
add_column(Statement *statement, const Column *column)
{
	int			lower = 1;
	int			count = column->count;
	int16		length;
	bool		by_value;
	char		align;

	get_typlenbyvalalign(column->type, &length, &by_value, &align);
	arazzo_statement_add(statement, get_array_type(column->type),
						 PointerGetDatum(construct_md_array(column->values, column->nulls, 1, &count, &lower,
															column->type, length, by_value, align)), false);
}
