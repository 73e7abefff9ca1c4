/*-------------------------------------------------------------------------
 *
 * run_table.c
 *	  The table of queued runs, as it is written without statements.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "queue/run_table.h"

static const char *const columns[RUN_COLUMN_COUNT] = {
	[COLUMN_ID] = "id",
	[COLUMN_OWNER] = "owner",
	[COLUMN_DOCUMENT] = "document",
	[COLUMN_WORKFLOW] = "workflow",
	[COLUMN_VERSION] = "version",
	[COLUMN_INPUTS] = "inputs",
	[COLUMN_KEY] = "key",
	[COLUMN_NONCE] = "nonce",
	[COLUMN_ORDER_KEY] = "order_key",
	[COLUMN_NOTIFY] = "notify",
	[COLUMN_SPLIT] = "split",
	[COLUMN_STATUS] = "status",
	[COLUMN_DUE] = "due",
	[COLUMN_HOLD] = "hold",
	[COLUMN_CLAIM] = "claim",
	[COLUMN_CLAIMED_AT] = "claimed_at",
	[COLUMN_STATE] = "state",
	[COLUMN_SENDING] = "sending",
	[COLUMN_UNANSWERED_SINCE] = "unanswered_since",
	[COLUMN_RETRIES] = "retries",
	[COLUMN_CRASHES] = "crashes",
	[COLUMN_VERDICT] = "verdict",
	[COLUMN_VERDICT_OUTPUTS] = "verdict_outputs",
	[COLUMN_OUTPUTS] = "outputs",
	[COLUMN_ENDED_BY] = "ended_by",
	[COLUMN_SQLSTATE] = "sqlstate",
	[COLUMN_MESSAGE] = "message",
	[COLUMN_DETAIL] = "detail",
	[COLUMN_HINT] = "hint",
	[COLUMN_STARTED_AT] = "started_at",
	[COLUMN_FINISHED_AT] = "finished_at"
};

TableShape	arazzo_run_table = {"arazzo_queue", columns, RUN_COLUMN_COUNT, "arazzo_run_ids", NULL};

/* As QUEUE_RUN_COLUMNS. */
static const RunColumn fields[QUEUE_RUN_FIELDS] = {
	COLUMN_ID,
	COLUMN_OWNER,
	COLUMN_STATUS,
	COLUMN_DOCUMENT,
	COLUMN_WORKFLOW,
	COLUMN_VERSION,
	COLUMN_INPUTS,
	COLUMN_NONCE,
	COLUMN_STATE,
	COLUMN_RETRIES,
	COLUMN_VERDICT,
	COLUMN_VERDICT_OUTPUTS,
	COLUMN_CRASHES,
	COLUMN_ORDER_KEY,
	COLUMN_NOTIFY,
	COLUMN_SPLIT,
	COLUMN_UNANSWERED_SINCE
};

QueuedRun *
arazzo_run_table_read(const QueueTable *table, TupleTableSlot *row)
{
	Datum		values[QUEUE_RUN_FIELDS];
	bool		nulls[QUEUE_RUN_FIELDS];
	QueuedRun  *run;
	int			i;

	for (i = 0; i < QUEUE_RUN_FIELDS; i++)
		values[i] = slot_getattr(row, table->columns[fields[i]] + 1, &nulls[i]);
	run = arazzo_queue_make_run(values, nulls);
	run->place = row->tts_tid;
	return run;
}
