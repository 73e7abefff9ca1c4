/*-------------------------------------------------------------------------
 *
 * state.c
 *	  The state of a run as one jsonb value, and back.
 *
 * Steps and workflows are named by their ids, so that a state fits a plan
 * that was compiled anew from the same documents.  A request that was handed
 * out is not part of it: a run that is restored builds it again, with the
 * same bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "run/internal.h"

#define STATE_VERSION 1

static const char *const state_names[] = {
	[STATE_READY] = "ready",
	[STATE_AWAITING] = "awaiting",
	[STATE_WAITING] = "waiting",
	[STATE_SUCCEEDED] = "succeeded",
	[STATE_FAILED] = "failed"
};

static const char *const reason_names[] = {
	[FRAME_ROOT] = "root",
	[FRAME_STEP] = "step",
	[FRAME_RETRY] = "retry",
	[FRAME_DEPENDENCY] = "dependency"
};

static void push_frame(JsonbParseState **state, const RunFrame *frame);
static void push_steps(JsonbParseState **state, const RunFrame *frame);
static void push_record(JsonbParseState **state, const PlanStep *step, const StepRecord *record);
static void push_workflow(JsonbParseState **state, const WorkflowRecord *record);
static void push_unanswered(JsonbParseState **state, const UnansweredCall *call);
static void push_done(JsonbParseState **state, const WorkflowRecord *record);
static void push_failure(JsonbParseState **state, const ArazzoFailure *failure);
static void push_counts(JsonbParseState **state, const char *key, List *counts);
static void push_key(JsonbParseState **state, const char *key);
static void push_text(JsonbParseState **state, const char *key, const char *text);
static void push_number(JsonbParseState **state, const char *key, int64 number);
static void push_value(JsonbParseState **state, const char *key, const JsonbValue *value);

static bool restore_run(ArazzoRun *run, const JsonbValue *state);
static bool restore_frame(ArazzoRun *run, const JsonbValue *object);
static bool restore_steps(RunFrame *frame, const JsonbValue *object);
static void restore_record(StepRecord *record, const PlanStep *step, const JsonbValue *object);
static bool restore_workflows(ArazzoRun *run, const JsonbValue *array);
static bool restore_unanswered(ArazzoRun *run, const JsonbValue *array);
static bool restore_done(WorkflowRecord *record, const JsonbValue *array);
static ArazzoFailure *restore_failure(const JsonbValue *object);
static const PlanWorkflow *find_workflow(const ArazzoPlan *plan, const JsonbValue *object);
static int	find_step(const PlanWorkflow *workflow, const char *step_id);
static int	find_name(const char *const *names, int count, const char *name);
static int64 number_member(const JsonbValue *object, const char *key);
static List *counts_member(const JsonbValue *object, const char *key);

Jsonb *
arazzo_run_save(const ArazzoRun *run)
{
	JsonbParseState *state = NULL;
	List	   *frames = NIL;
	RunFrame   *frame;
	ListCell   *cell;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_number(&state, "version", STATE_VERSION);
	push_text(&state, "state", state_names[run->state]);
	push_number(&state, "visits", run->visits);
	push_number(&state, "until", run->until);
	if (run->receive_until != 0)
		push_number(&state, "receiveUntil", run->receive_until);
	push_key(&state, "frames");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (frame = run->frame; frame; frame = frame->caller)
		frames = lcons(frame, frames);
	foreach(cell, frames)
		push_frame(&state, lfirst(cell));
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	push_key(&state, "workflows");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, run->workflows)
		push_workflow(&state, lfirst(cell));
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	push_key(&state, "unanswered");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, run->unanswered)
		push_unanswered(&state, lfirst(cell));
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	if (run->ended_by)
		push_text(&state, "endedBy", run->ended_by);
	if (run->outputs)
		push_value(&state, "outputs", run->outputs);
	if (run->failure)
		push_failure(&state, run->failure);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static void
push_frame(JsonbParseState **state, const RunFrame *frame)
{
	const PlanWorkflow *workflow = frame->workflow;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_text(state, "document", workflow->document_uri);
	push_text(state, "workflow", workflow->workflow_id);
	push_text(state, "reason", reason_names[frame->reason]);
	push_value(state, "inputs", frame->inputs);
	push_number(state, "dependency", frame->dependency);
	if (frame->deadline != 0)
		push_number(state, "deadline", frame->deadline);
	if (frame->step < workflow->step_count)
		push_text(state, "step", workflow->steps[frame->step].step_id);
	push_number(state, "attempt", frame->attempt);
	push_number(state, "call", frame->call);
	push_counts(state, "retries", frame->retries);
	if (frame->detour_from >= 0)
	{
		push_text(state, "detourFrom", workflow->steps[frame->detour_from].step_id);
		push_number(state, "detourAttempt", frame->detour_attempt);
		push_number(state, "detourCall", frame->detour_call);
		push_counts(state, "detourRetries", frame->detour_retries);
	}
	push_steps(state, frame);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_steps(JsonbParseState **state, const RunFrame *frame)
{
	int			i;

	push_key(state, "steps");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < frame->workflow->step_count; i++)
	{
		if (frame->steps[i].done)
			push_record(state, &frame->workflow->steps[i], &frame->steps[i]);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* An output that is absent is left out; one that is null is null. */
static void
push_record(JsonbParseState **state, const PlanStep *step, const StepRecord *record)
{
	int			i;

	push_key(state, step->step_id);
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_key(state, "outputs");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (i = 0; i < step->output_count; i++)
	{
		if (record->outputs[i])
			push_value(state, step->outputs[i].name, record->outputs[i]);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
	if (record->workflow_outputs)
		push_value(state, "workflowOutputs", record->workflow_outputs);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_workflow(JsonbParseState **state, const WorkflowRecord *record)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_text(state, "document", record->workflow->document_uri);
	push_text(state, "workflow", record->workflow->workflow_id);
	push_value(state, "inputs", record->inputs);
	push_value(state, "outputs", record->outputs);
	if (record->workflow->awaited)
		push_done(state, record);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* The steps that are complete, where those of other workflows ask for them. */
static void
push_done(JsonbParseState **state, const WorkflowRecord *record)
{
	int			i;

	push_key(state, "done");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (i = 0; i < record->workflow->step_count; i++)
	{
		if (record->steps[i].done)
			pushJsonbValue(state, WJB_ELEM, arazzo_value_cstring(record->workflow->steps[i].step_id));
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
push_unanswered(JsonbParseState **state, const UnansweredCall *call)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_text(state, "document", call->workflow->document_uri);
	push_text(state, "workflow", call->workflow->workflow_id);
	push_text(state, "step", call->step->step_id);
	push_value(state, "inputs", call->inputs);
	push_number(state, "call", call->call);
	push_number(state, "repeatable", call->repeatable);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_failure(JsonbParseState **state, const ArazzoFailure *failure)
{
	push_key(state, "failure");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_text(state, "sqlstate", unpack_sql_state(failure->sqlstate));
	push_text(state, "message", failure->message);
	if (failure->detail)
		push_text(state, "detail", failure->detail);
	if (failure->hint)
		push_text(state, "hint", failure->hint);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
push_counts(JsonbParseState **state, const char *key, List *counts)
{
	ListCell   *cell;

	push_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	foreach(cell, counts)
		pushJsonbValue(state, WJB_ELEM, arazzo_value_int64(lfirst_int(cell)));
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

static void
push_key(JsonbParseState **state, const char *key)
{
	pushJsonbValue(state, WJB_KEY, arazzo_value_cstring(key));
}

static void
push_text(JsonbParseState **state, const char *key, const char *text)
{
	push_key(state, key);
	pushJsonbValue(state, WJB_VALUE, arazzo_value_cstring(text));
}

static void
push_number(JsonbParseState **state, const char *key, int64 number)
{
	push_key(state, key);
	pushJsonbValue(state, WJB_VALUE, arazzo_value_int64(number));
}

static void
push_value(JsonbParseState **state, const char *key, const JsonbValue *value)
{
	push_key(state, key);
	pushJsonbValue(state, WJB_VALUE, unconstify(JsonbValue *, value));
}

ArazzoRun *
arazzo_run_restore(const ArazzoPlan *plan, Jsonb *state, ArazzoFailure **failure)
{
	ArazzoRun  *run = arazzo_run_allocate(plan);
	MemoryContext caller = MemoryContextSwitchTo(run->context);
	JsonbValue *value = arazzo_value_copy(arazzo_value_from_jsonb(state));
	bool		restored = restore_run(run, value);

	MemoryContextSwitchTo(caller);
	if (restored)
		return run;
	arazzo_run_free(run);
	*failure = arazzo_failure_make(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
								   "saved state does not fit workflow \"%s\"", plan->workflow->workflow_id);
	return NULL;
}

static bool
restore_run(ArazzoRun *run, const JsonbValue *state)
{
	const JsonbValue *frames = arazzo_value_member_cstring(state, "frames");
	int			known = find_name(state_names, lengthof(state_names), arazzo_value_member_text(state, "state"));
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	frame;

	if (number_member(state, "version") != STATE_VERSION || known < 0 ||
		arazzo_value_count(frames) == 0 ||
		!restore_workflows(run, arazzo_value_member_cstring(state, "workflows")) ||
		!restore_unanswered(run, arazzo_value_member_cstring(state, "unanswered")))
		return false;
	arazzo_value_walk(&walk, frames);
	while (arazzo_value_next(&walk, &key, &frame))
	{
		if (!restore_frame(run, &frame))
			return false;
	}
	run->state = known;
	run->depth = arazzo_value_count(frames) - 1;
	run->visits = number_member(state, "visits");
	run->until = number_member(state, "until");
	run->receive_until = number_member(state, "receiveUntil");
	run->ended_by = arazzo_value_member_text(state, "endedBy");
	run->outputs = arazzo_value_member_cstring(state, "outputs");
	run->failure = restore_failure(arazzo_value_member_cstring(state, "failure"));
	if (run->state == STATE_AWAITING)
	{
		/* the same attempt, begun again */
		run->state = STATE_READY;
		run->frame->attempt--;
		run->visits--;
	}
	return true;
}

static bool
restore_frame(ArazzoRun *run, const JsonbValue *object)
{
	const PlanWorkflow *workflow = find_workflow(run->plan, object);
	int			reason = find_name(reason_names, lengthof(reason_names), arazzo_value_member_text(object, "reason"));
	char	   *step = arazzo_value_member_text(object, "step");
	char	   *detour = arazzo_value_member_text(object, "detourFrom");
	JsonbValue *inputs = arazzo_value_member_cstring(object, "inputs");
	RunFrame   *frame;

	if (workflow == NULL || reason < 0 || !arazzo_value_is_object(inputs))
		return false;
	frame = arazzo_run_frame(run, workflow, inputs, reason);
	frame->deadline = number_member(object, "deadline");
	frame->dependency = number_member(object, "dependency");
	frame->step = step ? find_step(workflow, step) : workflow->step_count;
	frame->attempt = number_member(object, "attempt");
	frame->call = number_member(object, "call");
	frame->retries = counts_member(object, "retries");
	if (detour)
	{
		frame->detour_from = find_step(workflow, detour);
		frame->detour_attempt = number_member(object, "detourAttempt");
		frame->detour_call = number_member(object, "detourCall");
		frame->detour_retries = counts_member(object, "detourRetries");
	}
	if (frame->step < 0 || (detour && frame->detour_from < 0) ||
		!restore_steps(frame, arazzo_value_member_cstring(object, "steps")))
		return false;
	run->frame = frame;
	return true;
}

static bool
restore_steps(RunFrame *frame, const JsonbValue *object)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	value;

	arazzo_value_walk(&walk, object);
	while (arazzo_value_next(&walk, &key, &value))
	{
		int			step = find_step(frame->workflow, pnstrdup(key.val.string.val, key.val.string.len));

		if (step < 0)
			return false;
		restore_record(&frame->steps[step], &frame->workflow->steps[step], &value);
	}
	return true;
}

static void
restore_record(StepRecord *record, const PlanStep *step, const JsonbValue *object)
{
	JsonbValue *outputs = arazzo_value_member_cstring(object, "outputs");
	int			i;

	record->done = true;
	for (i = 0; i < step->output_count; i++)
		record->outputs[i] = arazzo_value_member_cstring(outputs, step->outputs[i].name);
	record->workflow_outputs = arazzo_value_member_cstring(object, "workflowOutputs");
}

static bool
restore_workflows(ArazzoRun *run, const JsonbValue *array)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	arazzo_value_walk(&walk, array);
	while (arazzo_value_next(&walk, &key, &item))
	{
		WorkflowRecord *record = palloc0(sizeof(WorkflowRecord));

		record->workflow = find_workflow(run->plan, &item);
		record->inputs = arazzo_value_member_cstring(&item, "inputs");
		record->outputs = arazzo_value_member_cstring(&item, "outputs");
		if (record->workflow == NULL || !restore_done(record, arazzo_value_member_cstring(&item, "done")))
			return false;
		run->workflows = lappend(run->workflows, record);
	}
	return true;
}

static bool
restore_unanswered(ArazzoRun *run, const JsonbValue *array)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	arazzo_value_walk(&walk, array);
	while (arazzo_value_next(&walk, &key, &item))
	{
		UnansweredCall *call = palloc(sizeof(UnansweredCall));
		char	   *step_id = arazzo_value_member_text(&item, "step");
		int			step;

		call->workflow = find_workflow(run->plan, &item);
		step = call->workflow && step_id ? find_step(call->workflow, step_id) : -1;
		if (step < 0)
			return false;
		call->step = &call->workflow->steps[step];
		call->inputs = arazzo_value_member_cstring(&item, "inputs");
		call->call = number_member(&item, "call");
		call->repeatable = number_member(&item, "repeatable") != 0;
		run->unanswered = lappend(run->unanswered, call);
	}
	return true;
}

static bool
restore_done(WorkflowRecord *record, const JsonbValue *array)
{
	ArazzoValueWalk walk;
	JsonbValue	key;
	JsonbValue	item;

	record->steps = palloc0(sizeof(StepRecord) * record->workflow->step_count);
	arazzo_value_walk(&walk, array);
	while (arazzo_value_next(&walk, &key, &item))
	{
		int			step = find_step(record->workflow, arazzo_value_to_text(&item));

		if (step < 0)
			return false;
		record->steps[step].done = true;
	}
	return true;
}

static ArazzoFailure *
restore_failure(const JsonbValue *object)
{
	char	   *sqlstate = arazzo_value_member_text(object, "sqlstate");
	ArazzoFailure *failure;

	if (sqlstate == NULL || strlen(sqlstate) != 5)
		return NULL;
	failure = palloc0(sizeof(ArazzoFailure));
	failure->sqlstate = MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2], sqlstate[3], sqlstate[4]);
	failure->message = arazzo_value_member_text(object, "message");
	failure->detail = arazzo_value_member_text(object, "detail");
	failure->hint = arazzo_value_member_text(object, "hint");
	return failure->message ? failure : NULL;
}

static const PlanWorkflow *
find_workflow(const ArazzoPlan *plan, const JsonbValue *object)
{
	char	   *document = arazzo_value_member_text(object, "document");
	char	   *workflow_id = arazzo_value_member_text(object, "workflow");
	ListCell   *cell;

	foreach(cell, document && workflow_id ? plan->workflows : NIL)
	{
		const PlanWorkflow *workflow = lfirst(cell);

		if (strcmp(workflow->workflow_id, workflow_id) == 0 &&
			strcmp(workflow->document_uri, document) == 0)
			return workflow;
	}
	return NULL;
}

static int
find_step(const PlanWorkflow *workflow, const char *step_id)
{
	return arazzo_plan_step(workflow, step_id, strlen(step_id));
}

static int
find_name(const char *const *names, int count, const char *name)
{
	int			i;

	for (i = 0; name && i < count; i++)
	{
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return -1;
}

/* A member that is an integer, 0 when it is not there. */
static int64
number_member(const JsonbValue *object, const char *key)
{
	JsonbValue *member = arazzo_value_member_cstring(object, key);

	if (member == NULL || member->type != jbvNumeric)
		return 0;
	return DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(member->val.numeric)));
}

static List *
counts_member(const JsonbValue *object, const char *key)
{
	JsonbValue *array = arazzo_value_member_cstring(object, key);
	List	   *counts = NIL;
	ArazzoValueWalk walk;
	JsonbValue	ignored;
	JsonbValue	item;

	arazzo_value_walk(&walk, array);
	while (arazzo_value_next(&walk, &ignored, &item))
	{
		int64		count = item.type == jbvNumeric ?
			DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(item.val.numeric))) : 0;

		counts = lappend_int(counts, (int) count);
	}
	return counts;
}
