/*-------------------------------------------------------------------------
 *
 * table.c
 *	  Rows of the extension's own tables, written without a statement.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/utility.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "queue/table.h"
#include "support/compat.h"
#include "support/extension.h"

static List *prepared = NIL;	/* of QueueTable * */
static uint64 changes = 0;		/* of any table */

static QueueTable *prepare(TableShape *shape);
static QueueTable *build(TableShape *shape);
static void build_columns(QueueTable *self, Relation relation);
static ExprState *build_default(Relation relation, int attribute);
static void remember_indexes(QueueTable *self);
static void forget(QueueTable *self);
static void mark_stale(Datum argument, Oid relation);
static void open_indexes(QueueTable *self);
static void close_indexes(QueueTable *self);

/*
 * The lock may have to wait for a transaction that changes the table; what
 * comes after it waits for this transaction.
 */
QueueTable *
arazzo_table_open(TableShape *shape)
{
	QueueTable *self;
	Relation	relation;

	PreventCommandIfReadOnly("writing to the queue");
	for (;;)
	{
		self = prepare(shape);
		relation = table_open(self->oid, RowExclusiveLock);
		if (!self->stale)
			break;
		table_close(relation, NoLock);
	}
	self->relation = relation;
	self->target->ri_RelationDesc = relation;
	open_indexes(self);
	return self;
}

QueueTable *
arazzo_table_open_as_owner(TableShape *shape, OwnerScope *scope)
{
	QueueTable *self = arazzo_table_open(shape);

	arazzo_owner_begin(scope, self->relation->rd_rel->relowner);
	PushActiveSnapshot(GetTransactionSnapshot());
	return self;
}

/* What was written is seen from now on. */
void
arazzo_table_close_as_owner(QueueTable *self, const OwnerScope *scope)
{
	PopActiveSnapshot();
	arazzo_owner_end(scope);
	arazzo_table_close(self);
	CommandCounterIncrement();
}

/* The locks stay. */
void
arazzo_table_close(QueueTable *self)
{
	ExecClearTuple(self->slot);
	close_indexes(self);
	table_close(self->relation, NoLock);
	self->relation = NULL;
}

/* As it was prepared; made anew when the table has changed. */
static QueueTable *
prepare(TableShape *shape)
{
	static bool registered = false;
	MemoryContext context;
	MemoryContext caller;
	QueueTable *self;
	uint64		before;

	if (shape->table && !shape->table->stale)
		return shape->table;
	if (shape->table)
		forget(shape->table);
	if (!registered)
		CacheRegisterRelcacheCallback(mark_stale, (Datum) 0);
	registered = true;
	before = changes;

	context = AllocSetContextCreate(CurrentMemoryContext, "arazzo table", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	self = build(shape);
	self->context = context;
	self->stale = changes != before;
	MemoryContextSetParent(context, TopMemoryContext);
	MemoryContextSwitchTo(TopMemoryContext);
	prepared = lappend(prepared, self);
	MemoryContextSwitchTo(caller);
	shape->table = self;
	return self;
}

/* In the current context; what the executor makes by itself is kept there, too. */
static QueueTable *
build(TableShape *shape)
{
	QueueTable *self = palloc0(sizeof(QueueTable));
	Relation	relation;

	self->shape = shape;
	self->oid = arazzo_extension_relation(shape->name);
	self->sequence = arazzo_extension_relation(shape->sequence);
	relation = table_open(self->oid, RowExclusiveLock);
	self->estate = CreateExecutorState();
	self->target = makeNode(ResultRelInfo);
	InitResultRelInfo(self->target, relation, 0, NULL, 0);
	ExecOpenIndices(self->target, true);
	remember_indexes(self);
	/* a copy is not counted as in use, as the relation's own would be */
	self->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(relation)),
										  table_slot_callbacks(relation));
	build_columns(self, relation);
	self->index_context = AllocSetContextCreate(CurrentMemoryContext, "arazzo indexes", ALLOCSET_SMALL_SIZES);
	close_indexes(self);
	table_close(relation, NoLock);
	return self;
}

static void
build_columns(QueueTable *self, Relation relation)
{
	const TableShape *shape = self->shape;
	TupleDesc	descriptor = RelationGetDescr(relation);
	int			i;

	self->defaults = palloc0(sizeof(ExprState *) * descriptor->natts);
	for (i = 0; i < descriptor->natts; i++)
	{
		if (!TupleDescAttr(descriptor, i)->attisdropped)
			self->defaults[i] = build_default(relation, i + 1);
	}
	self->columns = palloc(sizeof(int) * shape->column_count);
	for (i = 0; i < shape->column_count; i++)
	{
		AttrNumber	attribute = get_attnum(self->oid, shape->columns[i]);

		if (attribute == InvalidAttrNumber)
			ereport(ERROR,
					errcode(ERRCODE_UNDEFINED_COLUMN),
					errmsg("column \"%s\" of relation \"%s\" does not exist", shape->columns[i], shape->name));
		self->columns[i] = attribute - 1;
	}
}

static ExprState *
build_default(Relation relation, int attribute)
{
	Expr	   *expression = (Expr *) build_column_default(relation, attribute);

	return expression ? ExecInitExpr(expression_planner(expression), NULL) : NULL;
}

static void
remember_indexes(QueueTable *self)
{
	ResultRelInfo *target = self->target;
	int			i;

	self->indexes = palloc(sizeof(Oid) * Max(target->ri_NumIndices, 1));
	for (i = 0; i < target->ri_NumIndices; i++)
	{
		Relation	index = target->ri_IndexRelationDescs[i];
		IndexInfo  *info = target->ri_IndexRelationInfo[i];

		self->indexes[i] = RelationGetRelid(index);
		/* what is unique of a row is not changed; entries of old versions go first */
		info->ii_CheckedUnchanged = true;
		info->ii_IndexUnchanged = index->rd_index->indisunique;
	}
}

static void
forget(QueueTable *self)
{
	self->shape->table = NULL;
	prepared = list_delete_ptr(prepared, self);
	MemoryContextDelete(self->context);
}

static void
mark_stale(Datum argument, Oid relation)
{
	ListCell   *cell;

	changes++;
	foreach(cell, prepared)
	{
		QueueTable *table = lfirst(cell);

		if (relation == table->oid || !OidIsValid(relation))
			table->stale = true;
	}
}

/* What access methods keep for later rows may point to what is open now. */
static void
open_indexes(QueueTable *self)
{
	ResultRelInfo *target = self->target;
	int			i;

	MemoryContextReset(self->index_context);
	for (i = 0; i < target->ri_NumIndices; i++)
	{
		target->ri_IndexRelationDescs[i] = index_open(self->indexes[i], RowExclusiveLock);
		target->ri_IndexRelationInfo[i]->ii_AmCache = NULL;
		target->ri_IndexRelationInfo[i]->ii_Context = self->index_context;
	}
}

static void
close_indexes(QueueTable *self)
{
	ResultRelInfo *target = self->target;
	int			i;

	for (i = 0; i < target->ri_NumIndices; i++)
	{
		arazzo_index_insert_cleanup(target->ri_IndexRelationDescs[i], target->ri_IndexRelationInfo[i]);
		index_close(target->ri_IndexRelationDescs[i], NoLock);
	}
}

Relation
arazzo_table_index(const QueueTable *self, const char *name)
{
	const ResultRelInfo *target = self->target;
	int			i;

	for (i = 0; i < target->ri_NumIndices; i++)
	{
		if (strcmp(RelationGetRelationName(target->ri_IndexRelationDescs[i]), name) == 0)
			return target->ri_IndexRelationDescs[i];
	}
	ereport(ERROR,
			errcode(ERRCODE_UNDEFINED_OBJECT),
			errmsg("index \"%s\" does not exist", name));
}

int64
arazzo_table_next_id(const QueueTable *self)
{
	return nextval_internal(self->sequence, false);
}

void
arazzo_table_begin_row(QueueTable *self)
{
	TupleTableSlot *slot = self->slot;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, sizeof(bool) * slot->tts_tupleDescriptor->natts);
}

void
arazzo_table_copy_row(QueueTable *self, TupleTableSlot *row)
{
	TupleTableSlot *slot = self->slot;
	int			count = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	slot_getallattrs(row);
	memcpy(slot->tts_values, row->tts_values, sizeof(Datum) * count);
	memcpy(slot->tts_isnull, row->tts_isnull, sizeof(bool) * count);
}

void
arazzo_table_set(QueueTable *self, int column, Datum value)
{
	int			i = self->columns[column];

	self->slot->tts_values[i] = value;
	self->slot->tts_isnull[i] = false;
}

void
arazzo_table_set_text(QueueTable *self, int column, const char *text)
{
	if (text)
		arazzo_table_set(self, column, CStringGetTextDatum(text));
	else
		arazzo_table_set_null(self, column);
}

void
arazzo_table_set_time(QueueTable *self, int column, TimestampTz moment)
{
	if (moment != 0)
		arazzo_table_set(self, column, TimestampTzGetDatum(moment));
	else
		arazzo_table_set_null(self, column);
}

void
arazzo_table_set_null(QueueTable *self, int column)
{
	self->slot->tts_isnull[self->columns[column]] = true;
}

void
arazzo_table_set_defaults(QueueTable *self)
{
	TupleTableSlot *slot = self->slot;
	ExprContext *context = GetPerTupleExprContext(self->estate);
	int			i;

	for (i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		if (slot->tts_isnull[i] && self->defaults[i])
			slot->tts_values[i] = ExecEvalExprSwitchContext(self->defaults[i], context, &slot->tts_isnull[i]);
	}
}

void
arazzo_table_check_row(QueueTable *self)
{
	ExecStoreVirtualTuple(self->slot);
	if (self->relation->rd_att->constr)
		ExecConstraints(self->target, self->slot, self->estate);
}

void
arazzo_table_insert(QueueTable *self)
{
	table_tuple_insert(self->relation, self->slot, GetCurrentCommandId(true), 0, NULL);
	(void) arazzo_insert_index_tuples(self->target, self->slot, self->estate, false, NULL, NIL);
}

TM_Result
arazzo_table_update(QueueTable *self, ItemPointer place)
{
	IndexUpdate indexes;
	TM_FailureData failure;
	LockTupleMode mode;
	TM_Result	result = table_tuple_update(self->relation, place, self->slot, GetCurrentCommandId(true),
											InvalidSnapshot, InvalidSnapshot, true, &failure, &mode, &indexes);

	if (result == TM_Ok)
		arazzo_update_index_tuples(self->target, self->slot, self->estate, indexes);
	return result;
}

void
arazzo_table_end_row(QueueTable *self)
{
	ExecClearTuple(self->slot);
	ResetPerTupleExprContext(self->estate);
}

Datum
arazzo_table_value(const QueueTable *self, TupleTableSlot *row, int column)
{
	bool		isnull;
	Datum		value = slot_getattr(row, self->columns[column] + 1, &isnull);

	return isnull ? (Datum) 0 : value;
}
