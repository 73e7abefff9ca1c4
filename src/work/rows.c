/*-------------------------------------------------------------------------
 *
 * rows.c
 *	  The rows of queued runs, as workers take them and write them.
 *
 * These do what statements such as UPDATE ... FROM (SELECT ... FOR UPDATE SKIP
 * LOCKED) would do at READ COMMITTED: a worker spends most of its time here.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/multixact.h"
#include "access/stratnum.h"
#include "access/xact.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "queue/run_table.h"
#include "support/compat.h"
#include "work/rows.h"

/* Columns of the indexes that runs are found by. */
#define DUE_DUE 1
#define HOLD_HOLD 1
#define HOLD_OWNER 2
#define PRIMARY_ID 1

/* Rows that are written. */
typedef struct RowWriter
{
	QueueTable *table;
	BlockNumber blocks;			/* of the table, which shrinks for nobody meanwhile */
	TupleTableSlot *row;		/* as it is */
	int64		claim;
} RowWriter;

static List *claim_due(const char *index, int limit, bool suspects, int64 claim, TimestampTz now);
static List *claim_along(const char *index, ScanKey keys, int count, int limit, bool suspects,
						 int64 claim, TimestampTz now);
static bool claim_row(QueueTable *table, TupleTableSlot *row, int64 claim, TimestampTz now);
static bool is_busy(TupleTableSlot *row);
static int	compare_ids(const ListCell *a, const ListCell *b);
static bool write_change(RowWriter *writer, QueueChange *change);
static bool find_row(const RowWriter *writer, const QueueChange *change);
static bool find_by_place(const RowWriter *writer, const QueueChange *change);
static bool find_by_id(const RowWriter *writer, int64 id);
static void set_change(QueueTable *table, const QueueChange *change);
static void set_outcome(QueueTable *table, const QueueChange *change);
static void set_jsonb(QueueTable *table, RunColumn column, Jsonb *value);
static bool is_status(const QueueChange *change, const char *status);

List *
arazzo_rows_claim(int64 claim, TimestampTz now, int limit)
{
	List	   *runs = claim_due("arazzo_queue_due", limit, false, claim, now);

	list_sort(runs, compare_ids);
	return runs;
}

QueuedRun *
arazzo_rows_claim_suspect(int64 claim, TimestampTz now)
{
	List	   *runs = claim_due("arazzo_queue_suspects", 1, true, claim, now);

	return runs == NIL ? NULL : linitial(runs);
}

/* Those that are due longest, along an index that begins with that. */
static List *
claim_due(const char *index, int limit, bool suspects, int64 claim, TimestampTz now)
{
	ScanKeyData key;

	ScanKeyInit(&key, DUE_DUE, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE, TimestampTzGetDatum(now));
	return claim_along(index, &key, 1, limit, suspects, claim, now);
}

QueuedRun *
arazzo_rows_claim_held(int64 claim, const QueueHold *hold, TimestampTz now)
{
	ScanKeyData keys[2];
	List	   *runs;

	ScanKeyInit(&keys[0], HOLD_HOLD, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(hold->hold));
	ScanKeyInit(&keys[1], HOLD_OWNER, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(hold->owner));
	runs = claim_along("arazzo_queue_hold", keys, lengthof(keys), 1, true, claim, now);
	return runs == NIL ? NULL : linitial(runs);
}

/* Takes runs in the order of an index; suspects only where they are asked for. */
static List *
claim_along(const char *index, ScanKey keys, int count, int limit, bool suspects, int64 claim, TimestampTz now)
{
	OwnerScope	scope;
	QueueTable *table = arazzo_table_open_as_owner(&arazzo_run_table, &scope);
	TupleTableSlot *row = table_slot_create(table->relation, NULL);
	List	   *runs = NIL;
	IndexScanDesc scan;

	scan = arazzo_index_beginscan(table->relation, arazzo_table_index(table, index), GetActiveSnapshot(), count);
	index_rescan(scan, keys, count, NULL, 0);
	while (list_length(runs) < limit && index_getnext_slot(scan, ForwardScanDirection, row))
	{
		CHECK_FOR_INTERRUPTS();
		if (!suspects && DatumGetInt32(arazzo_table_value(table, row, COLUMN_CRASHES)) >= QUEUE_SUSPECT_CRASHES)
			continue;
		if (claim_row(table, row, claim, now))
			runs = lappend(runs, arazzo_run_table_read(table, table->slot));
		arazzo_table_end_row(table);
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(row);
	arazzo_table_close_as_owner(table, &scope);
	return runs;
}

/* False when another has it: its row is locked, or was written meanwhile. */
static bool
claim_row(QueueTable *table, TupleTableSlot *row, int64 claim, TimestampTz now)
{
	if (is_busy(row))
		return false;
	arazzo_table_copy_row(table, row);
	arazzo_table_set(table, COLUMN_STATUS, CStringGetTextDatum("running"));
	arazzo_table_set_null(table, COLUMN_DUE);
	arazzo_table_set_null(table, COLUMN_HOLD);
	arazzo_table_set(table, COLUMN_CLAIM, Int64GetDatum(claim));
	arazzo_table_set_time(table, COLUMN_CLAIMED_AT, now);
	if (arazzo_table_value(table, row, COLUMN_STARTED_AT) == 0)
		arazzo_table_set_time(table, COLUMN_STARTED_AT, now);
	arazzo_table_check_row(table);
	return arazzo_table_update(table, &row->tts_tid) == TM_Ok;
}

/*
 * Does another transaction lock or change the row?  One that has begun to just
 * then is waited for, which is rare enough not to pay a lock of each row.
 */
static bool
is_busy(TupleTableSlot *row)
{
	HeapTupleHeader header = ExecFetchSlotHeapTuple(row, false, NULL)->t_data;
	TransactionId other = HeapTupleHeaderGetRawXmax(header);

	if (header->t_infomask & HEAP_XMAX_INVALID)
		return false;
	if (header->t_infomask & HEAP_XMAX_IS_MULTI)
		return MultiXactIdIsRunning(other, HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask));
	return !TransactionIdIsCurrentTransactionId(other) && TransactionIdIsInProgress(other);
}

static int
compare_ids(const ListCell *a, const ListCell *b)
{
	int64		left = ((const QueuedRun *) lfirst(a))->id;
	int64		right = ((const QueuedRun *) lfirst(b))->id;

	return left < right ? -1 : left > right;
}

void
arazzo_rows_write(int64 claim, List *changes)
{
	RowWriter	writer;
	OwnerScope	scope;
	ListCell   *cell;

	writer.table = arazzo_table_open_as_owner(&arazzo_run_table, &scope);
	writer.blocks = RelationGetNumberOfBlocks(writer.table->relation);
	writer.row = table_slot_create(writer.table->relation, NULL);
	writer.claim = claim;
	foreach(cell, changes)
	{
		QueueChange *change = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		change->written = write_change(&writer, change);
	}
	ExecDropSingleTupleTableSlot(writer.row);
	arazzo_table_close_as_owner(writer.table, &scope);
}

/* Looks at the row again, with a new snapshot, when another wrote it meanwhile. */
static bool
write_change(RowWriter *writer, QueueChange *change)
{
	QueueTable *table = writer->table;

	while (find_row(writer, change))
	{
		TM_Result	result;

		arazzo_table_copy_row(table, writer->row);
		set_change(table, change);
		arazzo_table_check_row(table);
		result = arazzo_table_update(table, &writer->row->tts_tid);
		change->place = table->slot->tts_tid;
		arazzo_table_end_row(table);
		if (result == TM_Ok)
			return true;
		if (result != TM_Updated && result != TM_Deleted)
			elog(ERROR, "unexpected result %d of writing run " INT64_FORMAT, result, change->id);
		PopActiveSnapshot();
		PushActiveSnapshot(GetTransactionSnapshot());
	}
	return false;
}

/* The run's row, if it has the claim. */
static bool
find_row(const RowWriter *writer, const QueueChange *change)
{
	return (find_by_place(writer, change) || find_by_id(writer, change->id)) &&
		DatumGetInt64(arazzo_table_value(writer->table, writer->row, COLUMN_CLAIM)) == writer->claim;
}

/* It is there unless somebody else has written it. */
static bool
find_by_place(const RowWriter *writer, const QueueChange *change)
{
	ItemPointerData place = change->place;

	return ItemPointerIsValid(&place) && ItemPointerGetBlockNumber(&place) < writer->blocks &&
		table_tuple_fetch_row_version(writer->table->relation, &place, GetActiveSnapshot(), writer->row) &&
		DatumGetInt64(arazzo_table_value(writer->table, writer->row, COLUMN_ID)) == change->id;
}

static bool
find_by_id(const RowWriter *writer, int64 id)
{
	const QueueTable *table = writer->table;
	ScanKeyData key;
	IndexScanDesc scan;
	bool		found;

	ScanKeyInit(&key, PRIMARY_ID, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(id));
	scan = arazzo_index_beginscan(table->relation, arazzo_table_index(table, "arazzo_queue_pkey"), GetActiveSnapshot(), 1);
	index_rescan(scan, &key, 1, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, writer->row);
	index_endscan(scan);
	return found;
}

static void
set_change(QueueTable *table, const QueueChange *change)
{
	arazzo_table_set_text(table, COLUMN_STATUS, change->status);
	arazzo_table_set_time(table, COLUMN_DUE, change->due);
	arazzo_table_set_text(table, COLUMN_HOLD, change->hold);
	if (!is_status(change, "running"))
		arazzo_table_set_null(table, COLUMN_CLAIM);
	if (change->state || is_status(change, "succeeded"))
		set_jsonb(table, COLUMN_STATE, is_status(change, "succeeded") ? NULL : change->state);
	arazzo_table_set_text(table, COLUMN_SENDING, change->sending);
	arazzo_table_set_time(table, COLUMN_UNANSWERED_SINCE, change->unanswered_since);
	arazzo_table_set(table, COLUMN_RETRIES, Int32GetDatum(change->retries));
	arazzo_table_set(table, COLUMN_CRASHES, Int32GetDatum(change->crashes));
	if (change->judged)
	{
		arazzo_table_set_null(table, COLUMN_VERDICT);
		arazzo_table_set_null(table, COLUMN_VERDICT_OUTPUTS);
	}
	set_outcome(table, change);
}

/* The columns that say how a run ended. */
static void
set_outcome(QueueTable *table, const QueueChange *change)
{
	const ArazzoFailure *failure = change->failure;
	bool		over = is_status(change, "succeeded") || is_status(change, "failed");

	set_jsonb(table, COLUMN_OUTPUTS, change->outputs);
	arazzo_table_set_text(table, COLUMN_ENDED_BY, change->ended_by);
	arazzo_table_set_text(table, COLUMN_SQLSTATE, failure ? unpack_sql_state(failure->sqlstate) : NULL);
	arazzo_table_set_text(table, COLUMN_MESSAGE, failure ? failure->message : NULL);
	arazzo_table_set_text(table, COLUMN_DETAIL, failure ? failure->detail : NULL);
	arazzo_table_set_text(table, COLUMN_HINT, failure ? failure->hint : NULL);
	arazzo_table_set_time(table, COLUMN_FINISHED_AT, over ? GetCurrentTimestamp() : 0);
}

static void
set_jsonb(QueueTable *table, RunColumn column, Jsonb *value)
{
	if (value)
		arazzo_table_set(table, column, JsonbPGetDatum(value));
	else
		arazzo_table_set_null(table, column);
}

static bool
is_status(const QueueChange *change, const char *status)
{
	return strcmp(change->status, status) == 0;
}
