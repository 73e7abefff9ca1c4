/*-------------------------------------------------------------------------
 *
 * run_many.c
 *	  arazzo_run_many: many runs at once, now.
 *
 * Each run lives in a memory context of its own, which goes as soon as the
 * run is finished.  Rows come in any order; a sort, which spills to disk,
 * puts them in the inputs' one, so that memory depends on how many runs go
 * on at a time and not on how many there are.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "catalog/pg_operator.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplesort.h"

#include "drive/drive.h"
#include "drive/loop.h"

PG_FUNCTION_INFO_V1(arazzo_run_many);

/* How long a turn of the loop may wait (ms): any time will do. */
#define TURN_TIMEOUT 60000

/* Columns of the result, in order. */
enum
{
	MANY_ORDINAL,
	MANY_OUTPUTS,
	MANY_ERROR,
	MANY_COLUMNS
};

typedef struct Many
{
	const ArazzoPlan *plan;
	ArrayIterator inputs;
	int			started;
	DriveLoop  *loop;
	Oid			role;
	Tuplesortstate *sort;
	TupleTableSlot *slot;		/* for rows on their way into the sort */
} Many;

/* One run, in its context. */
typedef struct ManyRun
{
	MemoryContext context;
	int			ordinal;
} ManyRun;

static void check_arguments(FunctionCallInfo fcinfo);
static void begin_sort(Many *many, TupleDesc descriptor);
static void run_all(Many *many, int concurrency);
static bool start_next(Many *many);
static ArazzoRun *create_run(const ArazzoPlan *plan, Datum inputs, bool is_null, ArazzoFailure **failure);
static void run_finished(void *owner, void *tag, ArazzoRun *run, List *secrets);
static void put_row(Many *many, int ordinal, Jsonb *outputs, const ArazzoFailure *failure);
static Jsonb *describe_failure(const ArazzoFailure *failure);
static void add_text(JsonbParseState **state, const char *name, const char *value);
static void return_rows(Many *many, ReturnSetInfo *result);

/*
 * arazzo_run_many(workflow text, inputs jsonb[], concurrency integer)
 * returns setof record
 *
 * One row for each element of inputs, in their order: outputs, or the error
 * that arazzo_run would have thrown.
 */
Datum
arazzo_run_many(PG_FUNCTION_ARGS)
{
	Many		many = {.role = GetUserId()};
	LoopHooks	hooks = {.owner = &many,.finished = run_finished};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;

	check_arguments(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	context = AllocSetContextCreate(caller, "arazzo_run_many", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	many.plan = arazzo_plan_get(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	many.inputs = array_create_iterator(PG_GETARG_ARRAYTYPE_P(1), 0, NULL);
	many.loop = arazzo_loop_create(&hooks);
	begin_sort(&many, ((ReturnSetInfo *) fcinfo->resultinfo)->setDesc);
	run_all(&many, PG_GETARG_INT32(2));
	return_rows(&many, (ReturnSetInfo *) fcinfo->resultinfo);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}

static void
check_arguments(FunctionCallInfo fcinfo)
{
	static const char *const names[] = {"workflow", "inputs", "concurrency"};
	int			concurrency;
	int			i;

	for (i = 0; i < lengthof(names); i++)
	{
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("%s must not be null", names[i]));
	}
	concurrency = PG_GETARG_INT32(2);
	if (concurrency < 1 || concurrency > HTTP_MAX_CONNECTIONS)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("concurrency must be between 1 and %d", HTTP_MAX_CONNECTIONS));
}

/* By ordinal, ascending. */
static void
begin_sort(Many *many, TupleDesc descriptor)
{
	AttrNumber	column = MANY_ORDINAL + 1;
	Oid			operator = Int4LessOperator;
	Oid			collation = InvalidOid;
	bool		nulls_first = false;

	many->sort = tuplesort_begin_heap(descriptor, 1, &column, &operator, &collation, &nulls_first,
									  work_mem, NULL, TUPLESORT_NONE);
	many->slot = MakeSingleTupleTableSlot(descriptor, &TTSOpsVirtual);
}

/* As many at a time as wanted, until none is left. */
static void
run_all(Many *many, int concurrency)
{
	bool		more = true;

	for (;;)
	{
		while (more && arazzo_loop_count(many->loop) < concurrency)
			more = start_next(many);
		if (arazzo_loop_count(many->loop) == 0)
			return;
		arazzo_loop_turn(many->loop, TURN_TIMEOUT);
	}
}

/* Starts the run of the next element; false when there is none. */
static bool
start_next(Many *many)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	ArazzoFailure *failure = NULL;
	ArazzoRun  *run;
	ManyRun    *entry;
	Datum		inputs;
	bool		is_null;

	CHECK_FOR_INTERRUPTS();
	if (!array_iterate(many->inputs, &inputs, &is_null))
		return false;
	context = AllocSetContextCreate(caller, "arazzo_run", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	entry = palloc(sizeof(ManyRun));
	entry->context = context;
	entry->ordinal = ++many->started;
	run = create_run(many->plan, inputs, is_null, &failure);
	if (run)
		arazzo_loop_add(many->loop, run, many->role, NULL, entry);
	else
		put_row(many, entry->ordinal, NULL, failure);
	MemoryContextSwitchTo(caller);
	if (run == NULL)
		MemoryContextDelete(context);
	return true;
}

static ArazzoRun *
create_run(const ArazzoPlan *plan, Datum inputs, bool is_null, ArazzoFailure **failure)
{
	if (is_null)
	{
		*failure = arazzo_failure_make(ERRCODE_NULL_VALUE_NOT_ALLOWED, "inputs must not be null");
		return NULL;
	}
	return arazzo_run_create(plan, arazzo_value_from_jsonb(DatumGetJsonbP(inputs)), failure);
}

static void
run_finished(void *owner, void *tag, ArazzoRun *run, List *secrets)
{
	ManyRun    *entry = tag;
	MemoryContext caller = MemoryContextSwitchTo(entry->context);

	if (arazzo_run_failure(run))
		put_row(owner, entry->ordinal, NULL, arazzo_drive_failure(run, secrets));
	else
		put_row(owner, entry->ordinal, arazzo_value_to_jsonb(arazzo_run_outputs(run)), NULL);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(entry->context);
}

/* The row of a run: its outputs, or why it failed. */
static void
put_row(Many *many, int ordinal, Jsonb *outputs, const ArazzoFailure *failure)
{
	TupleTableSlot *slot = ExecClearTuple(many->slot);

	slot->tts_values[MANY_ORDINAL] = Int32GetDatum(ordinal);
	slot->tts_isnull[MANY_ORDINAL] = false;
	slot->tts_values[MANY_OUTPUTS] = PointerGetDatum(outputs);
	slot->tts_isnull[MANY_OUTPUTS] = outputs == NULL;
	slot->tts_isnull[MANY_ERROR] = failure == NULL;
	if (failure)
		slot->tts_values[MANY_ERROR] = JsonbPGetDatum(describe_failure(failure));
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(many->sort, slot);
	ExecClearTuple(slot);
}

static Jsonb *
describe_failure(const ArazzoFailure *failure)
{
	JsonbParseState *state = NULL;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	add_text(&state, "sqlstate", unpack_sql_state(failure->sqlstate));
	add_text(&state, "message", failure->message);
	add_text(&state, "detail", failure->detail);
	add_text(&state, "hint", failure->hint);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static void
add_text(JsonbParseState **state, const char *name, const char *value)
{
	pushJsonbValue(state, WJB_KEY, arazzo_value_cstring(name));
	pushJsonbValue(state, WJB_VALUE, value ? arazzo_value_cstring(value) : arazzo_value_null());
}

static void
return_rows(Many *many, ReturnSetInfo *result)
{
	TupleTableSlot *slot = MakeSingleTupleTableSlot(result->setDesc, &TTSOpsMinimalTuple);

	tuplesort_performsort(many->sort);
	while (tuplesort_gettupleslot(many->sort, true, false, slot, NULL))
	{
		CHECK_FOR_INTERRUPTS();
		tuplestore_puttupleslot(result->setResult, slot);
	}
	ExecDropSingleTupleTableSlot(slot);
	ExecDropSingleTupleTableSlot(many->slot);
	tuplesort_end(many->sort);
}
