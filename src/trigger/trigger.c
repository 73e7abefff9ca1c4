/*-------------------------------------------------------------------------
 *
 * trigger.c
 *	  arazzo_trigger: rows that queue runs.
 *
 * The run belongs to the owner of the table, whoever changed it: what an
 * application may do with rows decides what is sent, and it needs no right on
 * servers, credentials or functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "queue/admit.h"
#include "queue/insert.h"
#include "trigger/trigger.h"

PG_FUNCTION_INFO_V1(arazzo_trigger);

typedef struct PlanEntry
{
	Oid			trigger;
	TriggerPlan *plan;
} PlanEntry;

static HTAB *plans = NULL;
static uint64 changes = 0;		/* of any table */

static void fire(TriggerData *data);
static void fire_row(TriggerData *data, TriggerPlan *plan);
static void fire_statement(TriggerData *data, TriggerPlan *plan);
static void queue_parts(TriggerChange *change);
static void queue_run(TriggerChange *change);
static TimestampTz not_before(TriggerChange *change);
static TimestampTz after_delay(const Interval *delay);
static const char *operation(TriggerEvent event);
static TriggerPlan *acquire(TriggerData *data);
static PlanEntry *entry_of(Oid trigger);
static void create_cache(void);
static void keep(TriggerPlan *plan);
static void drop_stale_plans(void);
static void retire(TriggerPlan *plan);
static void release(void *argument);
static void relation_changed(Datum argument, Oid relation);
static void schema_changed(Datum argument, int cache_id, uint32 hash_value);

/* arazzo_trigger('workflow', '{template}' [, '{options}']) returns trigger */
Datum
arazzo_trigger(PG_FUNCTION_ARGS)
{
	ErrorContextCallback context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				errmsg("arazzo_trigger can be called as a trigger only"));
	PreventCommandIfReadOnly("arazzo_trigger()");
	context.callback = arazzo_trigger_error_context;
	context.arg = fcinfo->context;
	context.previous = error_context_stack;
	error_context_stack = &context;
	fire((TriggerData *) fcinfo->context);
	error_context_stack = context.previous;
	PG_RETURN_POINTER(NULL);
}

static void
fire(TriggerData *data)
{
	TriggerPlan *plan = acquire(data);

	if (plan->for_each_row)
		fire_row(data, plan);
	else
		fire_statement(data, plan);
}

static void
fire_row(TriggerData *data, TriggerPlan *plan)
{
	TriggerChange change = {.plan = plan,.operation = operation(data->tg_event)};

	change.row = TRIGGER_FIRED_BY_UPDATE(data->tg_event) ? data->tg_newslot : data->tg_trigslot;
	if (!TRIGGER_FIRED_BY_INSERT(data->tg_event))
		change.old = data->tg_trigslot;
	queue_run(&change);
}

static void
fire_statement(TriggerData *data, TriggerPlan *plan)
{
	TriggerChange change = {.plan = plan,.operation = operation(data->tg_event)};

	if (!plan->has_rows)
	{
		queue_run(&change);
		return;
	}
	change.rows = data->tg_newtable ? data->tg_newtable : data->tg_oldtable;
	change.slot = MakeSingleTupleTableSlot(RelationGetDescr(data->tg_relation), &TTSOpsMinimalTuple);
	change.row_context = AllocSetContextCreate(CurrentMemoryContext, "arazzo row", ALLOCSET_DEFAULT_SIZES);
	tuplestore_select_read_pointer(change.rows, tuplestore_alloc_read_pointer(change.rows, EXEC_FLAG_REWIND));
	queue_parts(&change);
	ExecDropSingleTupleTableSlot(change.slot);
}

/* A run for all rows, or one for each max_rows of them. */
static void
queue_parts(TriggerChange *change)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arazzo rows", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	int64		total = tuplestore_tuple_count(change->rows);
	int64		limit = change->plan->max_rows > 0 ? change->plan->max_rows : total;

	for (change->first = 0; change->first < total; change->first += limit)
	{
		change->count = Min(limit, total - change->first);
		queue_run(change);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(old);
}

/* The workflow's plan is asked for again, since to write the inputs may have
 * run anything. */
static void
queue_run(TriggerChange *change)
{
	TriggerPlan *plan = change->plan;
	QueuedRun	run = {.owner = plan->owner};
	QueueOptions options = {.split = plan->split};
	const ArazzoPlan *workflow;

	run.inputs = arazzo_trigger_inputs(change);
	options.key = arazzo_trigger_text(change, plan->key);
	options.order_by = arazzo_trigger_text(change, plan->order_by);
	options.notify = arazzo_trigger_text(change, plan->notify);
	options.not_before = not_before(change);
	workflow = arazzo_plan_get(plan->workflow);
	arazzo_queue_admit(workflow, run.inputs, plan->owner);
	run.document = unconstify(char *, workflow->workflow->document_uri);
	run.workflow = unconstify(char *, workflow->workflow->workflow_id);
	run.version = unconstify(char *, workflow->version);
	(void) arazzo_queue_insert(&run, &options);
}

/* The transaction's time, unless an option says otherwise. */
static TimestampTz
not_before(TriggerChange *change)
{
	const TriggerPlan *plan = change->plan;
	TupleTableSlot *slot;
	Datum		value;
	bool		isnull = true;

	if (plan->delay)
		return after_delay(plan->delay);
	if (plan->not_before == NULL)
		return GetCurrentTransactionStartTimestamp();
	slot = plan->not_before->kind == SOURCE_OLD ? change->old : change->row;
	value = slot ? slot_getattr(slot, plan->not_before->column, &isnull) : (Datum) 0;
	if (isnull)
		return GetCurrentTransactionStartTimestamp();
	if (plan->not_before->type == INTERVALOID)
		return after_delay(DatumGetIntervalP(value));
	if (plan->not_before->type == DATEOID)
		return date2timestamp_opt_overflow(DatumGetDateADT(value), NULL);
	return DatumGetTimestampTz(value);
}

static TimestampTz
after_delay(const Interval *delay)
{
	return DatumGetTimestampTz(DirectFunctionCall2(timestamptz_pl_interval,
												   TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()),
												   IntervalPGetDatum(delay)));
}

static const char *
operation(TriggerEvent event)
{
	if (TRIGGER_FIRED_BY_INSERT(event))
		return "INSERT";
	if (TRIGGER_FIRED_BY_UPDATE(event))
		return "UPDATE";
	return TRIGGER_FIRED_BY_DELETE(event) ? "DELETE" : "TRUNCATE";
}

/* The plan of a trigger, kept until the current memory context is reset. */
static TriggerPlan *
acquire(TriggerData *data)
{
	const Trigger *trigger = data->tg_trigger;
	const ArazzoPlan *workflow = trigger->tgnargs > 0 ? arazzo_plan_get(trigger->tgargs[0]) : NULL;
	PlanEntry  *entry = entry_of(trigger->tgoid);
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));
	TriggerPlan *plan = entry ? entry->plan : NULL;
	uint64		before = changes;

	if (plan == NULL || plan->stale || plan->plan_serial != workflow->serial)
	{
		plan = arazzo_trigger_compile(data->tg_relation, trigger, workflow);
		plan->stale = changes != before;
		keep(plan);
	}
	callback->func = release;
	callback->arg = plan;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	plan->users++;
	return plan;
}

static PlanEntry *
entry_of(Oid trigger)
{
	if (plans == NULL)
		create_cache();
	return hash_search(plans, &trigger, HASH_FIND, NULL);
}

static void
create_cache(void)
{
	HASHCTL		control = {0};

	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, (Datum) 0);
	control.keysize = sizeof(Oid);
	control.entrysize = sizeof(PlanEntry);
	control.hcxt = CacheMemoryContext;
	plans = hash_create("arazzo triggers", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
keep(TriggerPlan *plan)
{
	bool		found;
	PlanEntry  *entry;

	drop_stale_plans();
	entry = hash_search(plans, &plan->trigger, HASH_ENTER, &found);
	if (found)
		retire(entry->plan);
	MemoryContextSetParent(plan->context, CacheMemoryContext);
	entry->plan = plan;
}

/* Those of tables that are gone would stay for ever. */
static void
drop_stale_plans(void)
{
	HASH_SEQ_STATUS scan;
	PlanEntry  *entry;

	hash_seq_init(&scan, plans);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		if (!entry->plan->stale)
			continue;
		retire(entry->plan);
		(void) hash_search(plans, &entry->trigger, HASH_REMOVE, NULL);
	}
}

static void
retire(TriggerPlan *plan)
{
	plan->retired = true;
	if (plan->users == 0)
		MemoryContextDelete(plan->context);
}

static void
release(void *argument)
{
	TriggerPlan *plan = argument;

	if (--plan->users == 0 && plan->retired)
		MemoryContextDelete(plan->context);
}

static void
relation_changed(Datum argument, Oid relation)
{
	HASH_SEQ_STATUS scan;
	PlanEntry  *entry;

	changes++;
	hash_seq_init(&scan, plans);
	while ((entry = hash_seq_search(&scan)) != NULL)
	{
		TriggerPlan *plan = entry->plan;

		if (!OidIsValid(relation) || relation == plan->relation ||
			relation == plan->home || relation == plan->key_relation)
			plan->stale = true;
	}
}

/* Names of schemas are in what is sent. */
static void
schema_changed(Datum argument, int cache_id, uint32 hash_value)
{
	relation_changed(argument, InvalidOid);
}
