/*-------------------------------------------------------------------------
 *
 * levers.c
 *	  The operator's levers: retry, cancel, resolve, resume.
 *
 * A role may pull them for runs of roles whose privileges it has; other runs
 * do not exist for it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "foreign/foreign.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"

#include "queue/levers.h"
#include "queue/order_store.h"
#include "queue/run_store.h"
#include "queue/split.h"
#include "queue/wake.h"
#include "run/machine.h"
#include "support/clock.h"
#include "support/compat.h"
#include "support/value.h"

PG_FUNCTION_INFO_V1(arazzo_retry);
PG_FUNCTION_INFO_V1(arazzo_cancel);
PG_FUNCTION_INFO_V1(arazzo_resolve);
PG_FUNCTION_INFO_V1(arazzo_resume);

static QueuedRun *lock_run(int64 id);
static bool has_status(const QueuedRun *run, const char *status);
static void refuse_status(const QueuedRun *run, const char *verb, const char *wanted) pg_attribute_noreturn();
static void check_outputs(const QueuedRun *run, const char *verdict, Jsonb *outputs);
static void check_output_names(const PlanStep *step, const JsonbValue *outputs);

/*
 * arazzo_retry(run bigint, split boolean) returns void
 *
 * A run that failed goes on before the step that failed, with the documents
 * as they are now.  A verdict that was not applied yet still stands.  split:
 * two runs with half of its array each begin in its stead.
 */
Datum
arazzo_retry(PG_FUNCTION_ARGS)
{
	QueuedRun  *run = lock_run(PG_GETARG_INT64(0));
	bool		split = PG_GETARG_BOOL(1);
	const ArazzoPlan *plan;
	ArazzoFailure *failure = NULL;

	if (!has_status(run, "failed"))
		refuse_status(run, split ? "split" : "retry", "failed");
	plan = arazzo_plan_get(psprintf("%s#%s", run->document, run->workflow));
	if (split)
	{
		arazzo_queue_split_now(run->id, plan->version);
		arazzo_queue_wake_at_commit();
		PG_RETURN_VOID();
	}
	if (run->state && arazzo_run_restore(plan, run->state, &failure) == NULL)
		arazzo_failure_report(failure, ERROR);
	arazzo_queue_requeue(run->id, plan->version, run->verdict, run->verdict_outputs);
	arazzo_queue_wake_at_commit();
	PG_RETURN_VOID();
}

/*
 * arazzo_cancel(run bigint) returns void
 *
 * A call that is under way is not called back: what becomes of it is noted
 * with the attempts, and nothing is sent after it.
 */
Datum
arazzo_cancel(PG_FUNCTION_ARGS)
{
	QueuedRun  *run = lock_run(PG_GETARG_INT64(0));

	if (has_status(run, "succeeded") || has_status(run, "failed") || has_status(run, "cancelled"))
		refuse_status(run, "cancel", "queued, running, waiting or in doubt");
	arazzo_queue_cancel(run->id);
	if (run->order_key)
	{
		arazzo_order_let_next(run->owner, run->order_key, arazzo_clock_now());
		arazzo_queue_wake_at_commit();
	}
	PG_RETURN_VOID();
}

/*
 * arazzo_resolve(run bigint, verdict text, outputs jsonb) returns void
 *
 * For a run in doubt, once it is known what became of the call: send it
 * again, take it as done with these outputs of the step, or as failed.
 */
Datum
arazzo_resolve(PG_FUNCTION_ARGS)
{
	Jsonb	   *outputs = PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2);
	QueuedRun  *run;
	char	   *verdict;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("%s must not be null", PG_ARGISNULL(0) ? "run" : "verdict"));
	verdict = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (strcmp(verdict, "retry") != 0 && strcmp(verdict, "done") != 0 && strcmp(verdict, "failed") != 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("unrecognized verdict \"%s\"", verdict),
				errhint("Use \"retry\", \"done\" or \"failed\"."));
	run = lock_run(PG_GETARG_INT64(0));
	if (!has_status(run, "in_doubt"))
		refuse_status(run, "resolve", "in doubt");
	check_outputs(run, verdict, outputs);
	arazzo_queue_requeue(run->id, run->version, strcmp(verdict, "retry") == 0 ? NULL : verdict, outputs);
	arazzo_queue_wake_at_commit();
	PG_RETURN_VOID();
}

/*
 * arazzo_resume(server text) returns bigint
 *
 * What keeps queued runs from a server is over: for the runs of the caller's
 * roles, or, when the server is the caller's, for all.  A name whose server
 * is gone still has runs that waited for it.
 */
Datum
arazzo_resume(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ForeignServer *server = GetForeignServerByName(name, true);
	bool		owner = server ? has_privs_of_role(GetUserId(), server->owner) : superuser();
	int64		states;
	int64		runs;

	PreventCommandDuringRecovery("arazzo_resume()");
	if (server && !owner && arazzo_server_aclcheck(server->serverid, GetUserId(), ACL_USAGE) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_FOREIGN_SERVER, server->servername);
	states = arazzo_queue_forget_states(name, GetUserId(), owner);
	runs = arazzo_queue_release(name, GetUserId(), owner);
	if (server == NULL && states == 0 && runs == 0)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("server \"%s\" does not exist", name));
	if (runs > 0)
		arazzo_queue_wake_at_commit();
	PG_RETURN_INT64(runs);
}

bool
arazzo_queue_may_commit(FunctionCallInfo fcinfo)
{
	return fcinfo->context && IsA(fcinfo->context, CallContext) &&
		!castNode(CallContext, fcinfo->context)->atomic;
}

void
arazzo_queue_commit(bool durable)
{
	if (durable)
		ForceSyncCommit();
	SPI_commit();
	XactIsoLevel = XACT_READ_COMMITTED;
}

Datum
arazzo_queue_result(FunctionCallInfo fcinfo, Datum value)
{
	TupleDesc	descriptor;
	bool		isnull = false;

	if (get_call_result_type(fcinfo, NULL, &descriptor) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), &value, &isnull));
}

static QueuedRun *
lock_run(int64 id)
{
	QueuedRun  *run;

	PreventCommandDuringRecovery("changing a queued run");
	run = arazzo_queue_lock(id, GetUserId());
	if (run == NULL)
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_OBJECT),
				errmsg("run " INT64_FORMAT " does not exist", id));
	return run;
}

static bool
has_status(const QueuedRun *run, const char *status)
{
	return strcmp(run->status, status) == 0;
}

static void
refuse_status(const QueuedRun *run, const char *verb, const char *wanted)
{
	ereport(ERROR,
			errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			errmsg("cannot %s run " INT64_FORMAT ": it is %s", verb, run->id,
				   has_status(run, "in_doubt") ? "in doubt" : run->status),
			errdetail("Only a run that is %s can be.", wanted));
}

/* Outputs belong to the step that is taken as done, and only to it. */
static void
check_outputs(const QueuedRun *run, const char *verdict, Jsonb *outputs)
{
	ArazzoFailure *failure = NULL;
	const ArazzoPlan *plan;
	const RunNext *next;
	ArazzoRun  *restored;

	if (outputs == NULL)
		return;
	if (strcmp(verdict, "done") != 0 || !arazzo_value_is_object(arazzo_value_from_jsonb(outputs)))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("outputs must be an object, and go with the verdict \"done\""));
	plan = arazzo_plan_get(psprintf("%s#%s", run->document, run->workflow));
	restored = run->state ? arazzo_run_restore(plan, run->state, &failure) :
		arazzo_run_create(plan, arazzo_value_from_jsonb(run->inputs), &failure);
	if (restored == NULL)
		arazzo_failure_report(failure, ERROR);
	next = arazzo_run_next(restored);
	if (next->kind == RUN_SEND)
		check_output_names(next->step, arazzo_value_from_jsonb(outputs));
	arazzo_run_free(restored);
}

static void
check_output_names(const PlanStep *step, const JsonbValue *outputs)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	arazzo_value_walk(&walk, outputs);
	while (arazzo_value_next(&walk, &key, &value))
	{
		int			i;

		for (i = 0; i < step->output_count; i++)
		{
			if (strlen(step->outputs[i].name) == key.val.string.len &&
				memcmp(step->outputs[i].name, key.val.string.val, key.val.string.len) == 0)
				break;
		}
		if (i == step->output_count)
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("step \"%s\" has no output \"%.*s\"", step->step_id,
						   key.val.string.len, key.val.string.val));
	}
}
