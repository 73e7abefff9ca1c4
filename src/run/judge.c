/*-------------------------------------------------------------------------
 *
 * judge.c
 *	  Success and failure: what an answer means for its step.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"

#include "run/internal.h"

/* How much of a server's own message is shown. */
#define SERVER_MESSAGE_BYTES 1024

static ArazzoFailure *transport_failure(const ArazzoResponse *response);
static ArazzoFailure *status_failure(ArazzoRun *run, const PlanStep *step, const char *criterion);
static char *server_message(ArazzoRun *run);
static JsonbValue *message_member(const JsonbValue *body);
static JsonbValue *evaluate_output(ArazzoRun *run, const PlanValue *output);

/*
 * Step Object, successCriteria: all must hold; without any, a 2xx status is
 * success.  A step that called a workflow succeeded when that did, one that
 * sent or received a message when that was done.  With arazzo.validate =
 * error, the answer must also fit its description.
 */
ArazzoFailure *
arazzo_run_judge(ArazzoRun *run, const PlanStep *step)
{
	const ArazzoResponse *response = run->exchange.response;
	const char *failed = NULL;

	if (response && response->outcome != OUTCOME_RECEIVED)
		return transport_failure(response);
	if (step->criteria == NIL)
	{
		if (step->channel && response && response->status == 0)
			return NULL;
		if (response == NULL || (response->status >= 200 && response->status < 300))
			return arazzo_run_validate_response(run, step);
		return status_failure(run, step, NULL);
	}
	if (arazzo_run_criteria_hold(run, step->criteria, &failed))
		return arazzo_run_validate_response(run, step);
	return status_failure(run, step, failed);
}

/* All criteria hold (none: yes); *failed names the first that does not. */
bool
arazzo_run_criteria_hold(ArazzoRun *run, List *criteria, const char **failed)
{
	MemoryContext old = MemoryContextSwitchTo(run->step_context);
	bool		hold = true;
	ListCell   *cell;

	foreach(cell, criteria)
	{
		char	   *warning = NULL;

		hold = arazzo_criterion_holds(lfirst(cell), &run->environment, &warning);
		if (warning)
			arazzo_run_warn(run, warning);
		if (!hold)
		{
			if (failed)
				*failed = arazzo_criterion_text(lfirst(cell));
			break;
		}
	}
	MemoryContextSwitchTo(old);
	return hold;
}

static ArazzoFailure *
transport_failure(const ArazzoResponse *response)
{
	ArazzoFailure *failure = arazzo_failure_make(response->sqlstate, "%s", response->message);

	if (response->detail)
		failure->detail = pstrdup(response->detail);
	if (response->outcome == OUTCOME_UNKNOWN && response->hint == NULL)
		arazzo_failure_hint(failure, "The server may have received the call.");
	else if (response->hint)
		failure->hint = pstrdup(response->hint);
	return failure;
}

static ArazzoFailure *
status_failure(ArazzoRun *run, const PlanStep *step, const char *criterion)
{
	const ArazzoResponse *response = run->exchange.response;
	ArazzoFailure *failure;
	StringInfoData detail;
	char	   *message;

	failure = response && response->status > 0 ?
		arazzo_failure_make(ERRCODE_ARAZZO_STEP_FAILED, "step \"%s\" failed with status %d",
							step->step_id, response->status) :
		arazzo_failure_make(ERRCODE_ARAZZO_STEP_FAILED, "step \"%s\" failed", step->step_id);
	initStringInfo(&detail);
	if (criterion)
		appendStringInfo(&detail, "Criterion \"%s\" does not hold.", criterion);
	message = response ? server_message(run) : NULL;
	if (message)
		appendStringInfo(&detail, "%sThe server says: %s", detail.len > 0 ? " " : "", message);
	if (detail.len > 0)
		failure->detail = detail.data;
	if (response && (response->status == 401 || response->status == 403))
		arazzo_failure_hint(failure, "The credential may be wrong, or lack a right. It comes from the user mapping, unless an input gives it.");
	return failure;
}

/* What the server has to say, in one of the members where APIs put it, else
 * the body itself; cut. */
static char *
server_message(ArazzoRun *run)
{
	ArazzoExpression body = {.text = "$response.body",.root = ROOT_RESPONSE_BODY,.slot = -1};
	MemoryContext old = MemoryContextSwitchTo(run->step_context);
	JsonbValue *value = run->environment.lookup(run, &body);
	JsonbValue *member = message_member(value);
	char	   *text = NULL;

	if (value)
		text = arazzo_value_to_text(member ? member : value);
	MemoryContextSwitchTo(old);
	if (text == NULL || text[0] == '\0')
		return NULL;
	if (strlen(text) > SERVER_MESSAGE_BYTES)
		return psprintf("%.*s...", pg_mbcliplen(text, strlen(text), SERVER_MESSAGE_BYTES), text);
	return pstrdup(text);
}

static JsonbValue *
message_member(const JsonbValue *body)
{
	static const char *const names[] = {"errorMessage", "message", "error", "detail", "title"};
	size_t		i;

	for (i = 0; i < lengthof(names); i++)
	{
		JsonbValue *member = arazzo_value_member_cstring(body, names[i]);

		if (member && member->type == jbvString)
			return member;
		if (arazzo_value_is_object(member))
			return message_member(member);
	}
	return NULL;
}

/* Step Object, outputs: kept beyond the step, until it is done another time. */
void
arazzo_run_take_outputs(ArazzoRun *run, const PlanStep *step)
{
	RunFrame   *frame = run->frame;
	StepRecord *record = &frame->steps[step->index];
	MemoryContext before = record->context;
	MemoryContext old;
	int			i;

	if (record->done)
		record->context = AllocSetContextCreate(frame->context, "arazzo outputs", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(record->context ? record->context : frame->context);
	for (i = 0; i < step->output_count; i++)
		record->outputs[i] = evaluate_output(run, &step->outputs[i]);
	record->workflow_outputs = arazzo_value_copy(run->exchange.outputs);
	MemoryContextSwitchTo(old);
	if (before)
		MemoryContextDelete(before);
}

/* An output without a value is absent; the call was made all the same. */
static JsonbValue *
evaluate_output(ArazzoRun *run, const PlanValue *output)
{
	MemoryContext old = MemoryContextSwitchTo(run->step_context);
	ArazzoFailure *failure = NULL;
	JsonbValue *value = NULL;

	if (output->value)
		value = arazzo_template_evaluate(output->value, &run->environment, &failure);
	MemoryContextSwitchTo(old);
	if (value == NULL)
		arazzo_run_warn(run, psprintf("output \"%s\" has no value", output->name));
	return arazzo_value_copy(value);
}

/* Workflow Object, outputs: every declared name, null without a value. */
JsonbValue *
arazzo_run_workflow_outputs(ArazzoRun *run, const PlanWorkflow *workflow)
{
	JsonbParseState *state = NULL;
	int			i;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < workflow->output_count; i++)
	{
		JsonbValue *value = evaluate_output(run, &workflow->outputs[i]);

		pushJsonbValue(&state, WJB_KEY, arazzo_value_cstring(workflow->outputs[i].name));
		pushJsonbValue(&state, WJB_VALUE, value ? value : arazzo_value_null());
	}
	return arazzo_value_from_jsonb(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/* Adds a warning to what is known of the step at hand. */
void
arazzo_run_warn(ArazzoRun *run, const char *warning)
{
	MemoryContext old = MemoryContextSwitchTo(run->step_context);

	run->judgement.warnings = lappend(run->judgement.warnings, pstrdup(warning));
	MemoryContextSwitchTo(old);
}

/*
 * Says where a failure happened.  The message stays what failed; the detail
 * begins with the place.
 */
ArazzoFailure *
arazzo_run_place(ArazzoRun *run, const PlanStep *step, ArazzoFailure *failure)
{
	const PlanWorkflow *workflow = run->frame->workflow;
	StringInfoData detail;

	initStringInfo(&detail);
	appendStringInfo(&detail, "Document \"%s\", workflow \"%s\", step \"%s\", attempt %d",
					 workflow->document_uri, workflow->workflow_id, step->step_id, run->frame->attempt);
	if (step->operation)
		appendStringInfo(&detail, ", %s %s%s", step->operation->method,
						 step->operation->server_url, step->operation->path);
	if (run->exchange.response && run->exchange.response->status > 0)
		appendStringInfo(&detail, ", status %d", run->exchange.response->status);
	appendStringInfoChar(&detail, '.');
	if (failure->detail)
		appendStringInfo(&detail, " %s", failure->detail);
	failure->detail = detail.data;
	return failure;
}
