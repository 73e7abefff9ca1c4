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

#include "http/connection.h"
#include "queue/run_store.h"
#include "run/machine.h"
#include "support/settings.h"
#include "support/value.h"

PG_FUNCTION_INFO_V1(arazzo_submit);

static int64 submit(const QueuedRun *run, const char *key, TimestampTz not_before);
static void check_inputs(const ArazzoPlan *plan, Jsonb *inputs);
static void refuse_credentials(const ArazzoPlan *plan, const JsonbValue *inputs);
static void check_connections(const ArazzoPlan *plan, Oid role);
static void check_connection(const PlanStep *step, Oid role);
static bool same_run(const QueuedRun *a, const QueuedRun *b);

/*
 * arazzo_submit(workflow text, inputs jsonb, key text, not_before timestamptz)
 * returns bigint
 */
Datum
arazzo_submit(PG_FUNCTION_ARGS)
{
	static const char *const names[] = {"workflow", "inputs", "key", "not_before"};
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	QueuedRun	run = {0};
	const ArazzoPlan *plan;
	int64		id;
	int			i;

	for (i = 0; i < 4; i++)
	{
		if (i != 2 && PG_ARGISNULL(i))
			ereport(ERROR,
					errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					errmsg("%s must not be null", names[i]));
	}
	PreventCommandDuringRecovery("arazzo_submit()");
	context = AllocSetContextCreate(caller, "arazzo_submit", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	plan = arazzo_plan_get(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	run.owner = GetUserId();
	run.document = pstrdup(plan->workflow->document_uri);
	run.workflow = pstrdup(plan->workflow->workflow_id);
	run.version = pstrdup(plan->version);
	run.inputs = PG_GETARG_JSONB_P(1);
	check_inputs(plan, run.inputs);
	check_connections(plan, run.owner);
	id = submit(&run, PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2)), PG_GETARG_TIMESTAMPTZ(3));
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_INT64(id);
}

/* The run of the key if there is one; it may be deleted at any moment. */
static int64
submit(const QueuedRun *run, const char *key, TimestampTz not_before)
{
	for (;;)
	{
		int64		id = arazzo_queue_insert(run, key, not_before);
		QueuedRun  *known;

		if (id != 0)
			return id;
		CHECK_FOR_INTERRUPTS();
		known = arazzo_queue_find_key(run->owner, key);
		if (known == NULL)
			continue;
		if (!same_run(known, run))
			ereport(ERROR,
					errcode(ERRCODE_UNIQUE_VIOLATION),
					errmsg("key \"%s\" belongs to run " INT64_FORMAT ", which has another workflow or other inputs",
						   key, known->id),
					errhint("A key stands for one run: use another key for another run."));
		return known->id;
	}
}

static bool
same_run(const QueuedRun *a, const QueuedRun *b)
{
	return strcmp(a->document, b->document) == 0 &&
		strcmp(a->workflow, b->workflow) == 0 &&
		VARSIZE(a->inputs) == VARSIZE(b->inputs) &&
		compareJsonbContainers(&a->inputs->root, &b->inputs->root) == 0;
}

static void
check_inputs(const ArazzoPlan *plan, Jsonb *inputs)
{
	ArazzoFailure *failure = NULL;
	ArazzoRun  *run;

	if (VARSIZE(inputs) > (Size) arazzo_max_document_kb * 1024)
		ereport(ERROR,
				errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("inputs of workflow \"%s\" are too large for a queued run", plan->workflow->workflow_id),
				errdetail("They have %u bytes, and the limit is %d kB.", (unsigned) VARSIZE(inputs), arazzo_max_document_kb),
				errhint("The setting arazzo.max_document_size sets the limit."));
	refuse_credentials(plan, arazzo_value_from_jsonb(inputs));
	run = arazzo_run_create(plan, arazzo_value_from_jsonb(inputs), &failure);
	if (run == NULL)
		arazzo_failure_report(failure, ERROR);
	arazzo_run_free(run);
}

/* A table is no place for a secret. */
static void
refuse_credentials(const ArazzoPlan *plan, const JsonbValue *inputs)
{
	ListCell   *cell;

	foreach(cell, arazzo_value_is_object(inputs) ? plan->workflow->credential_inputs : NIL)
	{
		const char *name = lfirst(cell);

		if (arazzo_value_member_cstring(inputs, name) != NULL)
			ereport(ERROR,
					errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("input \"%s\" of workflow \"%s\" is a credential, which a queued run cannot hold",
						   name, plan->workflow->workflow_id),
					errhint("Leave it out, and use CREATE USER MAPPING to keep the credential with the server."));
	}
}

static void
check_connections(const ArazzoPlan *plan, Oid role)
{
	ListCell   *cell;

	foreach(cell, plan->workflows)
	{
		const PlanWorkflow *workflow = lfirst(cell);
		int			i;

		for (i = 0; i < workflow->step_count; i++)
		{
			if (workflow->steps[i].operation)
				check_connection(&workflow->steps[i], role);
		}
	}
}

/* By the path's beginning, as far as no parameter stands in it. */
static void
check_connection(const PlanStep *step, Oid role)
{
	const OpenapiOperation *operation = step->operation;
	char	   *url = psprintf("%s%.*s", operation->server_url, (int) strcspn(operation->path, "{"), operation->path);
	ArazzoFailure *failure = NULL;

	if (arazzo_connection_find(url, role, &failure) != NULL)
		return;
	arazzo_failure_detail(failure, "Step \"%s\" calls it.", step->step_id);
	arazzo_failure_report(failure, ERROR);
}
