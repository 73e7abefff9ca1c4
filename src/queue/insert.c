/*-------------------------------------------------------------------------
 *
 * insert.c
 *	  The way of a run into the queue.
 *
 * A statement on a table may queue a run for each of its rows, so this does
 * what INSERT ... ON CONFLICT does without being one.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "queue/insert.h"
#include "queue/run_table.h"
#include "queue/wake.h"
#include "support/compat.h"

/* Random numbers are asked for in batches. */
#define NONCE_BATCH 64

static void fill(QueueTable *table, const QueuedRun *run, const QueueOptions *options, int64 id);
static Datum new_nonce(void);
static int64 insert_keyed(QueueTable *table, const QueuedRun *run, const QueueOptions *options);
static bool insert_speculatively(QueueTable *table, List *arbiters);
static int64 known_run(QueueTable *table, ItemPointer place, const QueuedRun *run, const QueueOptions *options);
static void check_visible(Relation relation, TupleTableSlot *slot);
static bool has_text(QueueTable *table, TupleTableSlot *slot, RunColumn column, const char *expected);
static bool is_same_run(QueueTable *table, TupleTableSlot *slot, const QueuedRun *run);

int64
arazzo_queue_insert(const QueuedRun *run, const QueueOptions *options)
{
	QueueTable *table = arazzo_table_open(&arazzo_run_table);
	int64		id = arazzo_table_next_id(table);
	int64		known = 0;

	fill(table, run, options, id);
	if (options->key)
		known = insert_keyed(table, run, options);
	else
		arazzo_table_insert(table);
	arazzo_table_end_row(table);
	arazzo_table_close(table);
	if (known != 0)
		return known;
	arazzo_queue_wake_at_commit();
	return id;
}

static void
fill(QueueTable *table, const QueuedRun *run, const QueueOptions *options, int64 id)
{
	arazzo_table_begin_row(table);
	arazzo_table_set(table, COLUMN_ID, Int64GetDatum(id));
	arazzo_table_set(table, COLUMN_OWNER, ObjectIdGetDatum(run->owner));
	arazzo_table_set_text(table, COLUMN_DOCUMENT, run->document);
	arazzo_table_set_text(table, COLUMN_WORKFLOW, run->workflow);
	arazzo_table_set_text(table, COLUMN_VERSION, run->version);
	arazzo_table_set(table, COLUMN_INPUTS, JsonbPGetDatum(run->inputs));
	arazzo_table_set_text(table, COLUMN_KEY, options->key);
	arazzo_table_set(table, COLUMN_NONCE, new_nonce());
	arazzo_table_set_text(table, COLUMN_ORDER_KEY, options->order_by);
	arazzo_table_set_text(table, COLUMN_NOTIFY, options->notify);
	arazzo_table_set(table, COLUMN_SPLIT, BoolGetDatum(options->split));
	arazzo_table_set(table, COLUMN_DUE, TimestampTzGetDatum(options->not_before));
	arazzo_table_set_defaults(table);
	arazzo_table_check_row(table);
}

/* A random UUID (RFC 9562, 5.4); points to what lasts until the next ones. */
static Datum
new_nonce(void)
{
	static pg_uuid_t batch[NONCE_BATCH];
	static int	left = 0;
	pg_uuid_t  *nonce;

	if (left == 0)
	{
		if (!pg_strong_random(batch, sizeof(batch)))
			ereport(ERROR,
					errcode(ERRCODE_INTERNAL_ERROR),
					errmsg("could not generate random values"));
		left = NONCE_BATCH;
	}
	nonce = &batch[--left];
	nonce->data[6] = (nonce->data[6] & 0x0f) | 0x40;
	nonce->data[8] = (nonce->data[8] & 0x3f) | 0x80;
	return UUIDPGetDatum(nonce);
}

/* 0, or the run that has the key already; it may be deleted at any moment. */
static int64
insert_keyed(QueueTable *table, const QueuedRun *run, const QueueOptions *options)
{
	List	   *arbiters = list_make1_oid(RelationGetRelid(arazzo_table_index(table, "arazzo_queue_key")));

	for (;;)
	{
		ItemPointerData place;

		CHECK_FOR_INTERRUPTS();
		if (arazzo_check_index_constraints(table->target, table->slot, table->estate, &place, arbiters))
		{
			if (insert_speculatively(table, arbiters))
				return 0;
		}
		else
		{
			int64		known = known_run(table, &place, run, options);

			if (known != 0)
				return known;
		}
	}
}

/* False when another transaction was faster with the key. */
static bool
insert_speculatively(QueueTable *table, List *arbiters)
{
	uint32		token = SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
	bool		lost = false;

	table_tuple_insert_speculative(table->relation, table->slot, GetCurrentCommandId(true), 0, NULL, token);
	(void) arazzo_insert_index_tuples(table->target, table->slot, table->estate, true, &lost, arbiters);
	table_tuple_complete_speculative(table->relation, table->slot, token, !lost);
	SpeculativeInsertionLockRelease(GetCurrentTransactionId());
	return !lost;
}

/* The id of the run in that place; 0 when it has gone meanwhile. */
static int64
known_run(QueueTable *table, ItemPointer place, const QueuedRun *run, const QueueOptions *options)
{
	Relation	relation = table->relation;
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	int64		id = 0;

	if (table_tuple_fetch_row_version(relation, place, SnapshotAny, slot) &&
		DatumGetObjectId(arazzo_table_value(table, slot, COLUMN_OWNER)) == run->owner &&
		has_text(table, slot, COLUMN_KEY, options->key))
	{
		check_visible(relation, slot);
		id = DatumGetInt64(arazzo_table_value(table, slot, COLUMN_ID));
		if (!is_same_run(table, slot, run))
			ereport(ERROR,
					errcode(ERRCODE_UNIQUE_VIOLATION),
					errmsg("key \"%s\" belongs to run " INT64_FORMAT ", which has another workflow or other inputs",
						   options->key, id),
					errhint("A key stands for one run: use another key for another run."));
	}
	ExecDropSingleTupleTableSlot(slot);
	return id;
}

/* A transaction with one snapshot must not act on what is later than that. */
static void
check_visible(Relation relation, TupleTableSlot *slot)
{
	bool		isnull;

	if (!IsolationUsesXactSnapshot() ||
		table_tuple_satisfies_snapshot(relation, slot, GetTransactionSnapshot()) ||
		TransactionIdIsCurrentTransactionId(DatumGetTransactionId(slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull))))
		return;
	ereport(ERROR,
			errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			errmsg("could not serialize access due to concurrent update"));
}

static bool
is_same_run(QueueTable *table, TupleTableSlot *slot, const QueuedRun *run)
{
	Jsonb	   *inputs;

	if (!has_text(table, slot, COLUMN_DOCUMENT, run->document) ||
		!has_text(table, slot, COLUMN_WORKFLOW, run->workflow))
		return false;
	inputs = DatumGetJsonbP(arazzo_table_value(table, slot, COLUMN_INPUTS));
	return VARSIZE(inputs) == VARSIZE(run->inputs) &&
		compareJsonbContainers(&inputs->root, &run->inputs->root) == 0;
}

static bool
has_text(QueueTable *table, TupleTableSlot *slot, RunColumn column, const char *expected)
{
	Datum		value = arazzo_table_value(table, slot, column);

	return value != 0 && strcmp(TextDatumGetCString(value), expected) == 0;
}
