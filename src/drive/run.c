/*-------------------------------------------------------------------------
 *
 * run.c
 *	  arazzo_run: one run, now.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "drive/drive.h"

typedef ArazzoRun *(*RunCreate) (const ArazzoPlan *plan, const JsonbValue *inputs, ArazzoFailure **failure);

static ArazzoRun *create_run(FunctionCallInfo fcinfo, RunCreate create);
static void report(const ArazzoRun *run, List *secrets);

PG_FUNCTION_INFO_V1(arazzo_run);

/*
 * arazzo_run(workflow text, inputs jsonb) returns jsonb
 *
 * Runs a workflow to its end and returns its outputs; throws what made it
 * fail.
 */
Datum
arazzo_run(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	ArazzoRun  *run;
	Jsonb	   *outputs;
	Jsonb	   *result;

	context = AllocSetContextCreate(caller, "arazzo_run", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	run = arazzo_drive_create(fcinfo);
	report(run, arazzo_drive(run, NULL));
	outputs = arazzo_value_to_jsonb(arazzo_run_outputs(run));
	MemoryContextSwitchTo(caller);
	result = palloc(VARSIZE(outputs));
	memcpy(result, outputs, VARSIZE(outputs));
	MemoryContextDelete(context);
	PG_RETURN_JSONB_P(result);
}

ArazzoRun *
arazzo_drive_create(FunctionCallInfo fcinfo)
{
	return create_run(fcinfo, arazzo_run_create);
}

ArazzoRun *
arazzo_drive_create_explained(FunctionCallInfo fcinfo)
{
	return create_run(fcinfo, arazzo_run_create_explained);
}

static ArazzoRun *
create_run(FunctionCallInfo fcinfo, RunCreate create)
{
	ArazzoFailure *failure = NULL;
	const ArazzoPlan *plan;
	ArazzoRun  *run;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("%s must not be null", PG_ARGISNULL(0) ? "workflow" : "inputs"));
	plan = arazzo_plan_get(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	run = create(plan, arazzo_value_from_jsonb(PG_GETARG_JSONB_P(1)), &failure);
	if (run == NULL)
		arazzo_failure_report(failure, ERROR);
	return run;
}

/* Throws the failure of a run, if it has failed. */
static void
report(const ArazzoRun *run, List *secrets)
{
	if (arazzo_run_failure(run))
		arazzo_failure_report(arazzo_drive_failure(run, secrets), ERROR);
}
