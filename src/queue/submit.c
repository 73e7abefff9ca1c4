/*-------------------------------------------------------------------------
 *
 * submit.c
 *	  arazzo_submit: queues a run in this transaction.
 *
 * All that can be known to be wrong is said here, to the statement that
 * asked for the run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "queue/admit.h"
#include "queue/insert.h"

PG_FUNCTION_INFO_V1(arazzo_submit);

static char *text_argument(FunctionCallInfo fcinfo, int number);

/*
 * arazzo_submit(workflow text, inputs jsonb, key text, not_before timestamptz,
 *				 order_by text, notify text, split boolean) returns bigint
 */
Datum
arazzo_submit(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {
		"workflow", "inputs", NULL, "not_before", NULL, NULL, "split"
	};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	QueuedRun	run = {0};
	QueueOptions options = {0};
	const ArazzoPlan *plan;
	int64		id;
	int			i;

	for (i = 0; i < lengthof(names); i++)
	{
		if (names[i] && PG_ARGISNULL(i))
			ereport(ERROR,
					errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("%s must not be null", names[i]));
	}
	PreventCommandDuringRecovery("arazzo_submit()");
	PreventCommandIfReadOnly("arazzo_submit()");
	context = AllocSetContextCreate(caller, "arazzo_submit", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	plan = arazzo_plan_get(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	run.owner = GetUserId();
	run.document = pstrdup(plan->workflow->document_uri);
	run.workflow = pstrdup(plan->workflow->workflow_id);
	run.version = pstrdup(plan->version);
	run.inputs = PG_GETARG_JSONB_P(1);
	arazzo_queue_admit(plan, run.inputs, run.owner);
	options.key = text_argument(fcinfo, 2);
	options.not_before = PG_GETARG_TIMESTAMPTZ(3);
	options.order_by = text_argument(fcinfo, 4);
	options.notify = text_argument(fcinfo, 5);
	options.split = PG_GETARG_BOOL(6);
	id = arazzo_queue_insert(&run, &options);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_INT64(id);
}

/* NULL where it is null. */
static char *
text_argument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(number));
}
