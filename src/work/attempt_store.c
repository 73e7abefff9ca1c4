/*-------------------------------------------------------------------------
 *
 * attempt_store.c
 *	  The table of attempts.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"

#include "queue/table.h"
#include "work/attempt.h"

typedef enum AttemptColumn
{
	COLUMN_ID,
	COLUMN_RUN,
	COLUMN_OWNER,
	COLUMN_SERVER,
	COLUMN_WORKFLOW,
	COLUMN_STEP,
	COLUMN_ATTEMPT,
	COLUMN_METHOD,
	COLUMN_URL,
	COLUMN_IDEMPOTENCY_KEY,
	COLUMN_REQUEST_BODY,
	COLUMN_STATUS,
	COLUMN_RESPONSE_BODY,
	COLUMN_DURATION_MS,
	COLUMN_OUTCOME,
	COLUMN_ACTION,
	COLUMN_MESSAGE,
	ATTEMPT_COLUMN_COUNT
} AttemptColumn;

static const char *const columns[ATTEMPT_COLUMN_COUNT] = {
	[COLUMN_ID] = "id",
	[COLUMN_RUN] = "run",
	[COLUMN_OWNER] = "owner",
	[COLUMN_SERVER] = "server",
	[COLUMN_WORKFLOW] = "workflow",
	[COLUMN_STEP] = "step",
	[COLUMN_ATTEMPT] = "attempt",
	[COLUMN_METHOD] = "method",
	[COLUMN_URL] = "url",
	[COLUMN_IDEMPOTENCY_KEY] = "idempotency_key",
	[COLUMN_REQUEST_BODY] = "request_body",
	[COLUMN_STATUS] = "status",
	[COLUMN_RESPONSE_BODY] = "response_body",
	[COLUMN_DURATION_MS] = "duration_ms",
	[COLUMN_OUTCOME] = "outcome",
	[COLUMN_ACTION] = "action",
	[COLUMN_MESSAGE] = "message"
};

static TableShape shape = {"arazzo_queue_attempts", columns, ATTEMPT_COLUMN_COUNT, "arazzo_attempt_ids", NULL};

static void fill(QueueTable *table, const QueueAttempt *attempt);

void
arazzo_attempts_write(List *attempts)
{
	OwnerScope	scope;
	QueueTable *table = arazzo_table_open_as_owner(&shape, &scope);
	ListCell   *cell;

	foreach(cell, attempts)
	{
		CHECK_FOR_INTERRUPTS();
		fill(table, lfirst(cell));
		arazzo_table_insert(table);
		arazzo_table_end_row(table);
	}
	arazzo_table_close_as_owner(table, &scope);
}

static void
fill(QueueTable *table, const QueueAttempt *attempt)
{
	arazzo_table_begin_row(table);
	arazzo_table_set(table, COLUMN_ID, Int64GetDatum(arazzo_table_next_id(table)));
	arazzo_table_set(table, COLUMN_RUN, Int64GetDatum(attempt->run));
	arazzo_table_set(table, COLUMN_OWNER, ObjectIdGetDatum(attempt->owner));
	arazzo_table_set_text(table, COLUMN_SERVER, attempt->server);
	arazzo_table_set_text(table, COLUMN_WORKFLOW, attempt->workflow);
	arazzo_table_set_text(table, COLUMN_STEP, attempt->step);
	arazzo_table_set(table, COLUMN_ATTEMPT, Int32GetDatum(attempt->attempt));
	arazzo_table_set_text(table, COLUMN_METHOD, attempt->method);
	arazzo_table_set_text(table, COLUMN_URL, attempt->url);
	arazzo_table_set_text(table, COLUMN_IDEMPOTENCY_KEY, attempt->key);
	arazzo_table_set_text(table, COLUMN_REQUEST_BODY, attempt->request_body);
	if (attempt->status != 0)
		arazzo_table_set(table, COLUMN_STATUS, Int32GetDatum(attempt->status));
	arazzo_table_set_text(table, COLUMN_RESPONSE_BODY, attempt->response_body);
	if (attempt->duration_us != 0)
		arazzo_table_set(table, COLUMN_DURATION_MS, Float8GetDatum(attempt->duration_us / 1000.0));
	arazzo_table_set_text(table, COLUMN_OUTCOME, attempt->outcome);
	arazzo_table_set_text(table, COLUMN_ACTION, attempt->action);
	arazzo_table_set_text(table, COLUMN_MESSAGE, attempt->message);
	arazzo_table_set_defaults(table);
	arazzo_table_check_row(table);
}
