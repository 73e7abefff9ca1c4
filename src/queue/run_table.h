/*-------------------------------------------------------------------------
 *
 * run_table.h
 *	  The table of queued runs, as it is written without statements.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_RUN_TABLE_H
#define ARAZZO_QUEUE_RUN_TABLE_H

#include "queue/run_store.h"
#include "queue/table.h"

typedef enum RunColumn
{
	COLUMN_ID,
	COLUMN_OWNER,
	COLUMN_DOCUMENT,
	COLUMN_WORKFLOW,
	COLUMN_VERSION,
	COLUMN_INPUTS,
	COLUMN_KEY,
	COLUMN_NONCE,
	COLUMN_ORDER_KEY,
	COLUMN_NOTIFY,
	COLUMN_SPLIT,
	COLUMN_STATUS,
	COLUMN_DUE,
	COLUMN_HOLD,
	COLUMN_CLAIM,
	COLUMN_CLAIMED_AT,
	COLUMN_STATE,
	COLUMN_SENDING,
	COLUMN_UNANSWERED_SINCE,
	COLUMN_RETRIES,
	COLUMN_CRASHES,
	COLUMN_VERDICT,
	COLUMN_VERDICT_OUTPUTS,
	COLUMN_OUTPUTS,
	COLUMN_ENDED_BY,
	COLUMN_SQLSTATE,
	COLUMN_MESSAGE,
	COLUMN_DETAIL,
	COLUMN_HINT,
	COLUMN_STARTED_AT,
	COLUMN_FINISHED_AT,
	RUN_COLUMN_COUNT
} RunColumn;

/* The table arazzo_queue; its columns are RunColumns. */
extern TableShape arazzo_run_table;

/* A row of it, in the current context. */
extern QueuedRun *arazzo_run_table_read(const QueueTable *table, TupleTableSlot *row);

#endif							/* ARAZZO_QUEUE_RUN_TABLE_H */
