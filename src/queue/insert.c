/*-------------------------------------------------------------------------
 *
 * insert.c
 *	  The way of a run into the queue.
 *
 * A statement on a table may queue a run for each of its rows, so this does
 * what INSERT does without being one: what the executor prepares for a
 * statement is prepared once for a transaction.  The table and its indexes
 * are open only while a row is inserted, so that they are in nobody's way.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "queue/insert.h"
#include "queue/wake.h"
#include "support/compat.h"
#include "support/extension.h"

#define TABLE_NAME "arazzo_queue"
#define KEY_INDEX_NAME "arazzo_queue_key"
#define SEQUENCE_NAME "arazzo_run_ids"

/* Random numbers are asked for in batches. */
#define NONCE_BATCH 64

/* Columns that are given a value; the others get their defaults. */
typedef enum QueueColumn
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
	COLUMN_DUE
} QueueColumn;

#define COLUMN_COUNT (COLUMN_DUE + 1)

static const char *const column_names[COLUMN_COUNT] = {
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
	[COLUMN_DUE] = "due"
};

/* What is prepared for the insertions of a transaction. */
typedef struct Insertion
{
	MemoryContext context;
	bool		stale;			/* the table has changed */
	Oid			relation;
	Oid			sequence;
	EState	   *estate;
	ResultRelInfo *target;
	Oid		   *indexes;
	List	   *arbiters;		/* the index of the key */
	TupleTableSlot *slot;
	int			columns[COLUMN_COUNT];	/* index of the attribute */
	ExprState **defaults;		/* by attribute, NULL where there is none */
} Insertion;

static Insertion *current = NULL;
static uint64 changes = 0;		/* of any table */

static Insertion *prepare(void);
static void build(Insertion *self, Relation relation);
static void build_columns(Insertion *self, Relation relation);
static void remember_indexes(Insertion *self);
static void forget(void *argument);
static void mark_stale(Datum argument, Oid relation);
static void open_indexes(Insertion *self);
static void close_indexes(Insertion *self);
static void fill(Insertion *self, const QueuedRun *run, const QueueOptions *options, int64 id);
static void set(Insertion *self, QueueColumn column, Datum value);
static void set_text(Insertion *self, QueueColumn column, const char *text);
static void set_defaults(Insertion *self);
static Datum new_nonce(void);
static void insert(Insertion *self, Relation relation);
static int64 insert_keyed(Insertion *self, Relation relation, const QueuedRun *run, const QueueOptions *options);
static bool insert_speculatively(Insertion *self, Relation relation);
static int64 known_run(Insertion *self, Relation relation, ItemPointer place,
					   const QueuedRun *run, const QueueOptions *options);
static void check_visible(Relation relation, TupleTableSlot *slot);
static bool has_text(Insertion *self, TupleTableSlot *slot, QueueColumn column, const char *expected);
static bool is_same_run(Insertion *self, TupleTableSlot *slot, const QueuedRun *run);
static Datum column_value(Insertion *self, TupleTableSlot *slot, QueueColumn column);

int64
arazzo_queue_insert(const QueuedRun *run, const QueueOptions *options)
{
	Insertion  *self = prepare();
	Relation	relation = table_open(self->relation, RowExclusiveLock);
	int64		id = nextval_internal(self->sequence, false);
	int64		known = 0;

	self->target->ri_RelationDesc = relation;
	open_indexes(self);
	fill(self, run, options, id);
	if (relation->rd_att->constr)
		ExecConstraints(self->target, self->slot, self->estate);
	if (options->key)
		known = insert_keyed(self, relation, run, options);
	else
		insert(self, relation);
	ExecClearTuple(self->slot);
	ResetPerTupleExprContext(self->estate);
	close_indexes(self);
	table_close(relation, NoLock);
	if (known != 0)
		return known;
	arazzo_queue_wake_at_commit();
	return id;
}

/* The transaction's preparations; made anew when the table has changed. */
static Insertion *
prepare(void)
{
	static bool registered = false;
	MemoryContextCallback *callback;
	MemoryContext context;
	MemoryContext caller;
	Insertion  *self;
	Relation	relation;
	uint64		before;

	if (current && !current->stale)
		return current;
	if (current)
		MemoryContextDelete(current->context);
	if (!registered)
		CacheRegisterRelcacheCallback(mark_stale, (Datum) 0);
	registered = true;
	before = changes;

	context = AllocSetContextCreate(CurrentMemoryContext, "arazzo insertion", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	self = palloc0(sizeof(Insertion));
	self->context = context;
	self->relation = arazzo_extension_relation(TABLE_NAME);
	self->sequence = arazzo_extension_relation(SEQUENCE_NAME);
	callback = palloc0(sizeof(MemoryContextCallback));
	callback->func = forget;
	callback->arg = self;
	MemoryContextRegisterResetCallback(context, callback);
	relation = table_open(self->relation, RowExclusiveLock);
	build(self, relation);
	close_indexes(self);
	table_close(relation, NoLock);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, TopTransactionContext);
	self->stale = changes != before;
	current = self;
	return self;
}

/* In the current context, but what the executor keeps by itself. */
static void
build(Insertion *self, Relation relation)
{
	self->estate = CreateExecutorState();
	self->target = makeNode(ResultRelInfo);
	InitResultRelInfo(self->target, relation, 0, NULL, 0);
	ExecOpenIndices(self->target, true);
	remember_indexes(self);
	/* a copy is not counted as in use, as the relation's own would be */
	self->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(relation)),
										  table_slot_callbacks(relation));
	build_columns(self, relation);
}

static void
build_columns(Insertion *self, Relation relation)
{
	TupleDesc	descriptor = RelationGetDescr(relation);
	int			i;

	self->defaults = palloc0(sizeof(ExprState *) * descriptor->natts);
	for (i = 0; i < descriptor->natts; i++)
	{
		if (!TupleDescAttr(descriptor, i)->attisdropped)
		{
			Expr	   *expression = (Expr *) build_column_default(relation, i + 1);

			if (expression)
				self->defaults[i] = ExecInitExpr(expression_planner(expression), NULL);
		}
	}
	for (i = 0; i < COLUMN_COUNT; i++)
	{
		AttrNumber	attribute = get_attnum(self->relation, column_names[i]);

		if (attribute == InvalidAttrNumber)
			ereport(ERROR,
					errcode(ERRCODE_UNDEFINED_COLUMN),
					errmsg("column \"%s\" of relation \"%s\" does not exist", column_names[i], TABLE_NAME));
		self->columns[i] = attribute - 1;
		self->defaults[attribute - 1] = NULL;
	}
}

static void
remember_indexes(Insertion *self)
{
	ResultRelInfo *target = self->target;
	int			i;

	self->indexes = palloc(sizeof(Oid) * Max(target->ri_NumIndices, 1));
	for (i = 0; i < target->ri_NumIndices; i++)
	{
		Relation	index = target->ri_IndexRelationDescs[i];

		self->indexes[i] = RelationGetRelid(index);
		if (strcmp(RelationGetRelationName(index), KEY_INDEX_NAME) == 0)
			self->arbiters = list_make1_oid(self->indexes[i]);
	}
	if (self->arbiters == NIL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("index \"%s\" does not exist", KEY_INDEX_NAME));
}

/* The context goes with its transaction. */
static void
forget(void *argument)
{
	if (current == argument)
		current = NULL;
}

static void
mark_stale(Datum argument, Oid relation)
{
	changes++;
	if (current && (relation == current->relation || !OidIsValid(relation)))
		current->stale = true;
}

static void
open_indexes(Insertion *self)
{
	int			i;

	for (i = 0; i < self->target->ri_NumIndices; i++)
		self->target->ri_IndexRelationDescs[i] = index_open(self->indexes[i], RowExclusiveLock);
}

/* The locks stay, as the table's does. */
static void
close_indexes(Insertion *self)
{
	ResultRelInfo *target = self->target;
	int			i;

	for (i = 0; i < target->ri_NumIndices; i++)
	{
		arazzo_index_insert_cleanup(target->ri_IndexRelationDescs[i], target->ri_IndexRelationInfo[i]);
		index_close(target->ri_IndexRelationDescs[i], NoLock);
	}
}

static void
fill(Insertion *self, const QueuedRun *run, const QueueOptions *options, int64 id)
{
	TupleTableSlot *slot = self->slot;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
	set(self, COLUMN_ID, Int64GetDatum(id));
	set(self, COLUMN_OWNER, ObjectIdGetDatum(run->owner));
	set_text(self, COLUMN_DOCUMENT, run->document);
	set_text(self, COLUMN_WORKFLOW, run->workflow);
	set_text(self, COLUMN_VERSION, run->version);
	set(self, COLUMN_INPUTS, JsonbPGetDatum(run->inputs));
	set_text(self, COLUMN_KEY, options->key);
	set(self, COLUMN_NONCE, new_nonce());
	set_text(self, COLUMN_ORDER_KEY, options->order_by);
	set_text(self, COLUMN_NOTIFY, options->notify);
	set(self, COLUMN_SPLIT, BoolGetDatum(options->split));
	set(self, COLUMN_DUE, TimestampTzGetDatum(options->not_before));
	set_defaults(self);
	ExecStoreVirtualTuple(slot);
}

static void
set(Insertion *self, QueueColumn column, Datum value)
{
	int			i = self->columns[column];

	self->slot->tts_values[i] = value;
	self->slot->tts_isnull[i] = false;
}

static void
set_text(Insertion *self, QueueColumn column, const char *text)
{
	if (text)
		set(self, column, CStringGetTextDatum(text));
}

static void
set_defaults(Insertion *self)
{
	TupleTableSlot *slot = self->slot;
	ExprContext *context = GetPerTupleExprContext(self->estate);
	int			i;

	for (i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		if (self->defaults[i])
			slot->tts_values[i] = ExecEvalExprSwitchContext(self->defaults[i], context, &slot->tts_isnull[i]);
	}
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

static void
insert(Insertion *self, Relation relation)
{
	table_tuple_insert(relation, self->slot, GetCurrentCommandId(true), 0, NULL);
	(void) arazzo_insert_index_tuples(self->target, self->slot, self->estate, false, NULL, NIL);
}

/* 0, or the run that has the key already; it may be deleted at any moment. */
static int64
insert_keyed(Insertion *self, Relation relation, const QueuedRun *run, const QueueOptions *options)
{
	for (;;)
	{
		ItemPointerData place;

		CHECK_FOR_INTERRUPTS();
		if (arazzo_check_index_constraints(self->target, self->slot, self->estate, &place, self->arbiters))
		{
			if (insert_speculatively(self, relation))
				return 0;
		}
		else
		{
			int64		known = known_run(self, relation, &place, run, options);

			if (known != 0)
				return known;
		}
	}
}

/* False when another transaction was faster with the key. */
static bool
insert_speculatively(Insertion *self, Relation relation)
{
	uint32		token = SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
	bool		lost = false;

	table_tuple_insert_speculative(relation, self->slot, GetCurrentCommandId(true), 0, NULL, token);
	(void) arazzo_insert_index_tuples(self->target, self->slot, self->estate, true, &lost, self->arbiters);
	table_tuple_complete_speculative(relation, self->slot, token, !lost);
	SpeculativeInsertionLockRelease(GetCurrentTransactionId());
	return !lost;
}

/* The id of the run in that place; 0 when it has gone meanwhile. */
static int64
known_run(Insertion *self, Relation relation, ItemPointer place,
		  const QueuedRun *run, const QueueOptions *options)
{
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	int64		id = 0;

	if (table_tuple_fetch_row_version(relation, place, SnapshotAny, slot) &&
		DatumGetObjectId(column_value(self, slot, COLUMN_OWNER)) == run->owner &&
		has_text(self, slot, COLUMN_KEY, options->key))
	{
		check_visible(relation, slot);
		id = DatumGetInt64(column_value(self, slot, COLUMN_ID));
		if (!is_same_run(self, slot, run))
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
is_same_run(Insertion *self, TupleTableSlot *slot, const QueuedRun *run)
{
	Jsonb	   *inputs;

	if (!has_text(self, slot, COLUMN_DOCUMENT, run->document) ||
		!has_text(self, slot, COLUMN_WORKFLOW, run->workflow))
		return false;
	inputs = DatumGetJsonbP(column_value(self, slot, COLUMN_INPUTS));
	return VARSIZE(inputs) == VARSIZE(run->inputs) &&
		compareJsonbContainers(&inputs->root, &run->inputs->root) == 0;
}

static bool
has_text(Insertion *self, TupleTableSlot *slot, QueueColumn column, const char *expected)
{
	Datum		value = column_value(self, slot, column);

	return value != 0 && strcmp(TextDatumGetCString(value), expected) == 0;
}

/* 0 where it is null. */
static Datum
column_value(Insertion *self, TupleTableSlot *slot, QueueColumn column)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, self->columns[column] + 1, &isnull);

	return isnull ? (Datum) 0 : value;
}
