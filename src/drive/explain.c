/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  arazzo_explain: what a run would send.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "drive/drive.h"
#include "drive/message.h"
#include "drive/receive.h"
#include "http/mask.h"
#include "support/settings.h"
#include "support/strings.h"

PG_FUNCTION_INFO_V1(arazzo_explain);

typedef struct Explain
{
	ReturnSetInfo *result;
	ArazzoRun  *run;
	int			depth;
	List	   *open;			/* of PlanWorkflow: being explained */
} Explain;

static void explain_workflow(Explain *explain, const PlanWorkflow *workflow);
static void explain_step(Explain *explain, const PlanWorkflow *workflow, const PlanStep *step, int number);
static void explain_request(Explain *explain, const PlanWorkflow *workflow, const PlanStep *step);
static bool is_message(const PlanStep *step);
static ArazzoFailure *explain_message(Explain *explain, const PlanStep *step, const RunNext *next);
static char *shown(Explain *explain, const char *text);
static void explain_sent(Explain *explain, const ArazzoRequest *request, const DriveCall *call);
static void explain_judgement(Explain *explain, const PlanWorkflow *workflow, const PlanStep *step);
static void explain_actions(Explain *explain, const PlanWorkflow *workflow, List *actions, const char *when);
static void append_target(StringInfo line, const PlanWorkflow *workflow, const PlanAction *action);
static void append_criteria(StringInfo line, List *criteria);
static void explain_outputs(Explain *explain, int indent, const char *verb, const PlanValue *outputs, int count);
static void put(Explain *explain, int indent, const char *format,...) pg_attribute_printf(3, 4);

/*
 * arazzo_explain(workflow text, inputs jsonb) returns setof text
 *
 * Every step in the order of the document with the request it would send;
 * what only an answer can tell stands as its expression.  Nothing is sent.
 */
Datum
arazzo_explain(PG_FUNCTION_ARGS)
{
	Explain		explain = {.result = (ReturnSetInfo *) fcinfo->resultinfo};
	const ArazzoPlan *plan;
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	explain.run = arazzo_drive_create_explained(fcinfo);
	plan = arazzo_run_plan(explain.run);
	explain_workflow(&explain, plan->workflow);
	foreach(cell, plan->accepted)
		put(&explain, 0, "note: %s", (char *) lfirst(cell));
	arazzo_run_free(explain.run);
	return (Datum) 0;
}

static void
explain_workflow(Explain *explain, const PlanWorkflow *workflow)
{
	ListCell   *cell;
	int			number = 0;
	int			i;

	check_stack_depth();
	explain->open = lappend(explain->open, unconstify(PlanWorkflow *, workflow));
	put(explain, 0, "workflow \"%s\" of %s", workflow->workflow_id, workflow->document_uri);
	foreach(cell, workflow->depends_on)
		put(explain, 1, "after workflow \"%s\"", ((PlanWorkflow *) lfirst(cell))->workflow_id);
	for (i = workflow->first_step; i < workflow->step_count; i = workflow->steps[i].next)
		explain_step(explain, workflow, &workflow->steps[i], ++number);
	explain_outputs(explain, 1, "returns", workflow->outputs, workflow->output_count);
	explain->open = list_delete_last(explain->open);
}

static void
explain_step(Explain *explain, const PlanWorkflow *workflow, const PlanStep *step, int number)
{
	ListCell   *cell;

	CHECK_FOR_INTERRUPTS();
	put(explain, 1, "%d. %s", number, step->step_id);
	foreach(cell, step->depends_on)
		put(explain, 2, "after step \"%s\"", ((PlanDependency *) lfirst(cell))->text);
	if (step->operation)
		explain_request(explain, workflow, step);
	else
	{
		ArazzoFailure *failure = NULL;

		put(explain, 2, "runs workflow \"%s\"", step->workflow->workflow_id);
		if (list_member_ptr(explain->open, step->workflow))
			put(explain, 2, "(shown above)");
		else if (explain->depth >= 3)
			put(explain, 2, "(not shown: nested too deep)");
		else if (arazzo_run_explain_enter(explain->run, step, &failure))
		{
			explain->depth++;
			explain_workflow(explain, step->workflow);
			explain->depth--;
			arazzo_run_explain_leave(explain->run);
		}
		else
			put(explain, 2, "cannot be run: %s", shown(explain, failure->message));
	}
	explain_judgement(explain, workflow, step);
	explain_outputs(explain, 2, "outputs", step->outputs, step->output_count);
}

static void
explain_request(Explain *explain, const PlanWorkflow *workflow, const PlanStep *step)
{
	ArazzoFailure *failure = NULL;
	RunNext		next = {.kind = RUN_SEND,.workflow = workflow,.step = step};
	DriveCall	call;

	next.request = arazzo_run_explain_step(explain->run, step, &next.credential_given, &failure);
	if (next.request == NULL)
	{
		put(explain, 2, "%s %s%s", step->operation->method, step->operation->server_url, step->operation->path);
		put(explain, 2, "cannot be sent: %s", shown(explain, failure->message));
		return;
	}
	if (is_message(step))
	{
		memset(&call, 0, sizeof(call));
		failure = explain_message(explain, step, &next);
	}
	else
		failure = arazzo_call_prepare(&call, &next, GetUserId());
	explain_sent(explain, call.connection ? &call.request : next.request, &call);
	if (failure)
	{
		put(explain, 2, "cannot be %s: %s", is_message(step) && step->channel->receive ? "received" : "sent",
			shown(explain, failure->message));
		if (failure->hint)
			put(explain, 2, "hint: %s", shown(explain, failure->hint));
	}
}

/* A message of a channel that is no HTTP request. */
static bool
is_message(const PlanStep *step)
{
	return step->channel && (step->channel->receive || step->channel->protocol != PROTOCOL_HTTP);
}

/* Where messages come from; why they cannot be sent or received. */
static ArazzoFailure *
explain_message(Explain *explain, const PlanStep *step, const RunNext *next)
{
	ArazzoFailure *failure = arazzo_message_check(step, next);
	const ArazzoConnection *connection;

	if (failure || !arazzo_message_listens(step))
		return failure;
	connection = arazzo_receiver_connection(step, GetUserId(), &failure);
	if (connection)
		put(explain, 2, "at %s", shown(explain, arazzo_connection_rewrite(connection, step->channel->server)));
	return failure;
}

static char *
shown(Explain *explain, const char *text)
{
	return arazzo_mask_text(text, arazzo_run_secrets(explain->run));
}

static void
explain_sent(Explain *explain, const ArazzoRequest *request, const DriveCall *call)
{
	List	   *secrets = arazzo_run_secrets(explain->run);
	int			i;

	if (call->connection)
		secrets = list_concat_copy(secrets, arazzo_call_secrets(call));
	put(explain, 2, "%s %s", request->method,
		arazzo_mask_text(request->shown_url ? request->shown_url : request->url, secrets));
	for (i = 0; i < request->header_count; i++)
		put(explain, 2, "%s: %s", request->headers[i].name,
			request->headers[i].secret || arazzo_mask_is_secret_header(request->headers[i].name) ?
			ARAZZO_MASK : arazzo_mask_text(request->headers[i].value, secrets));
	if (request->body)
		put(explain, 2, "%s", arazzo_mask_text(arazzo_drive_body(request->body, request->body_length), secrets));
	if (call->source)
		put(explain, 2, "with a token from %s", call->source->url);
	if (call->takes_key)
		put(explain, 2, "with an idempotency key in the %s",
			call->connection->key_place == KEY_HEADER ? "headers" : "body");
}

/* When the step counts as a success, and what happens then or else. */
static void
explain_judgement(Explain *explain, const PlanWorkflow *workflow, const PlanStep *step)
{
	StringInfoData line;

	initStringInfo(&line);
	if (step->criteria)
		append_criteria(&line, step->criteria);
	else
		appendStringInfoString(&line, step->operation == NULL ? "the workflow succeeds" :
							   !is_message(step) ? "the status is 2xx" :
							   step->channel->receive ? "a message comes" : "the message is sent");
	put(explain, 2, "succeeds if %s", line.data);
	explain_actions(explain, workflow, step->on_success, "on success");
	explain_actions(explain, workflow, step->on_failure, "on failure");
}

static void
explain_actions(Explain *explain, const PlanWorkflow *workflow, List *actions, const char *when)
{
	ListCell   *cell;

	foreach(cell, actions)
	{
		const PlanAction *action = lfirst(cell);
		StringInfoData line;

		initStringInfo(&line);
		appendStringInfo(&line, "%s, \"%s\": ", when, action->name);
		append_target(&line, workflow, action);
		if (action->criteria)
		{
			appendStringInfoString(&line, ", if ");
			append_criteria(&line, action->criteria);
		}
		put(explain, 2, "%s", line.data);
	}
}

static void
append_target(StringInfo line, const PlanWorkflow *workflow, const PlanAction *action)
{
	static const char *const verbs[] = {
		[ACTION_END] = "end",[ACTION_GOTO] = "go to",[ACTION_RETRY] = "retry"
	};

	appendStringInfoString(line, verbs[action->type]);
	if (action->type == ACTION_RETRY)
		appendStringInfo(line, " up to %d times, after %g s", action->retry_limit, action->retry_after);
	if (action->type == ACTION_RETRY && (action->workflow || action->step >= 0))
		appendStringInfoString(line, " and");
	if (action->workflow)
		appendStringInfo(line, " workflow \"%s\"", action->workflow->workflow_id);
	else if (action->step >= 0)
		appendStringInfo(line, " step \"%s\"", workflow->steps[action->step].step_id);
}

static void
append_criteria(StringInfo line, List *criteria)
{
	ListCell   *cell;

	foreach(cell, criteria)
		appendStringInfo(line, "%s%s", foreach_current_index(cell) > 0 ? " and " : "",
						 arazzo_criterion_text(lfirst(cell)));
}

static void
explain_outputs(Explain *explain, int indent, const char *verb, const PlanValue *outputs, int count)
{
	StringInfoData line;
	int			i;

	if (count == 0)
		return;
	initStringInfo(&line);
	for (i = 0; i < count; i++)
		appendStringInfo(&line, "%s%s", i > 0 ? ", " : "", outputs[i].name);
	put(explain, indent, "%s %s", verb, line.data);
}

/* One line of the result. */
static void
put(Explain *explain, int indent, const char *format,...)
{
	StringInfoData line;
	va_list		arguments;
	Datum		value;
	bool		isnull = false;

	initStringInfo(&line);
	appendStringInfoSpaces(&line, 4 * explain->depth + (indent == 2 ? 5 : 2 * indent));
	va_start(arguments, format);
	arazzo_append_format(&line, format, arguments);
	va_end(arguments);
	value = CStringGetTextDatum(line.data);
	tuplestore_putvalues(explain->result->setResult, explain->result->setDesc, &value, &isnull);
}
