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
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "queue/order_store.h"
#include "queue/run_store.h"
#include "queue/statement.h"

static void begin_for_server(Statement *statement, const char *server, Oid role, bool everything);
static QueuedRun *only_run(Statement *statement);
static char *text_of(Datum value, bool isnull);
static Jsonb *jsonb_of(Datum value, bool isnull);
static char *hexadecimal(const pg_uuid_t *number);
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
	(void) arazzo_statement_run(&statement, "SELECT " QUEUE_RUN_COLUMNS " FROM %1$s.arazzo_queue q"
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
	(void) arazzo_statement_finish(&statement, "UPDATE %1$s.arazzo_queue SET status = 'queued', due = clock_timestamp(), hold = NULL,"
							" version = $2, verdict = $3, verdict_outputs = $4, retries = 0, crashes = 0, sending = NULL,"
							" unanswered_since = CASE WHEN status <> 'in_doubt' THEN unanswered_since END,"
							" outputs = NULL, ended_by = NULL, sqlstate = NULL, message = NULL, detail = NULL, hint = NULL,"
							" finished_at = NULL WHERE id = $1");
	arazzo_order_hold_followers(run);
}

void
arazzo_queue_cancel(int64 run)
{
	Statement	statement;

	arazzo_statement_begin(&statement);
	arazzo_statement_add_int64(&statement, run);
	(void) arazzo_statement_finish(&statement, "UPDATE %1$s.arazzo_queue SET status = 'cancelled', due = NULL, hold = NULL, claim = NULL,"
							" finished_at = clock_timestamp() WHERE id = $1");
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

/* The only row of a result with those columns, in the caller's context. */
static QueuedRun *
only_run(Statement *statement)
{
	MemoryContext old;
	Datum		values[QUEUE_RUN_FIELDS];
	bool		nulls[QUEUE_RUN_FIELDS];
	QueuedRun  *run;
	int			i;

	if (SPI_processed == 0)
		return NULL;
	for (i = 0; i < QUEUE_RUN_FIELDS; i++)
		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &nulls[i]);
	old = MemoryContextSwitchTo(statement->caller);
	run = arazzo_queue_make_run(values, nulls);
	MemoryContextSwitchTo(old);
	return run;
}

QueuedRun *
arazzo_queue_make_run(const Datum *values, const bool *nulls)
{
	QueuedRun  *run = palloc0(sizeof(QueuedRun));

	run->id = DatumGetInt64(values[0]);
	run->owner = DatumGetObjectId(values[1]);
	run->status = text_of(values[2], nulls[2]);
	run->document = text_of(values[3], nulls[3]);
	run->workflow = text_of(values[4], nulls[4]);
	run->version = text_of(values[5], nulls[5]);
	run->inputs = jsonb_of(values[6], nulls[6]);
	run->nonce = hexadecimal(DatumGetUUIDP(values[7]));
	run->state = jsonb_of(values[8], nulls[8]);
	run->retries = DatumGetInt32(values[9]);
	run->verdict = text_of(values[10], nulls[10]);
	run->verdict_outputs = jsonb_of(values[11], nulls[11]);
	run->crashes = DatumGetInt32(values[12]);
	run->order_key = text_of(values[13], nulls[13]);
	run->notify = text_of(values[14], nulls[14]);
	run->split = DatumGetBool(values[15]);
	run->unanswered_since = nulls[16] ? 0 : DatumGetTimestampTz(values[16]);
	return run;
}

static char *
text_of(Datum value, bool isnull)
{
	return isnull ? NULL : TextDatumGetCString(value);
}

static Jsonb *
jsonb_of(Datum value, bool isnull)
{
	return isnull ? NULL : DatumGetJsonbPCopy(value);
}

static char *
hexadecimal(const pg_uuid_t *number)
{
	char	   *text = palloc(2 * UUID_LEN + 1);

	text[hex_encode((const char *) number->data, UUID_LEN, text)] = '\0';
	return text;
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
