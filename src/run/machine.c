/*-------------------------------------------------------------------------
 *
 * machine.c
 *	  The state machine of a run: what is next, and what an answer changes.
 *
 * A run is a stack of frames, one for each workflow that was entered and is
 * not through.  All transitions are in this file; what requests look like,
 * how answers are judged and what expressions see is in the files beside it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "run/internal.h"
#include "support/clock.h"
#include "support/settings.h"

/* How the inputs of a new run are checked. */
typedef JsonbValue *(*InputCheck) (const PlanWorkflow *workflow, JsonbValue *inputs, ArazzoFailure **failure);

static ArazzoRun *create_run(const ArazzoPlan *plan, const JsonbValue *inputs, InputCheck check,
							 ArazzoFailure **failure);
static void end_waiting(ArazzoRun *run);
static bool end_receiving(ArazzoRun *run);
static bool in_time(ArazzoRun *run);
static void describe_next(ArazzoRun *run);
static void advance(ArazzoRun *run);
static void enter_dependency(ArazzoRun *run);
static void begin_step(ArazzoRun *run);
static ArazzoFailure *begin_call(ArazzoRun *run, const PlanStep *step);
static void enter_workflow(ArazzoRun *run, const PlanWorkflow *workflow, List *values,
						   FrameReason reason, const PlanStep *step);
static void step_succeeded(ArazzoRun *run);
static void step_done(ArazzoRun *run);
static void step_failed(ArazzoRun *run, ArazzoFailure *failure, bool repeatable);
static void take_action(ArazzoRun *run, const PlanAction *action, ArazzoFailure *failure);
static void retry_step(ArazzoRun *run, const PlanAction *action);
static bool may_retry(RunFrame *frame, int action, const PlanAction *plan);
static void go_to_step(ArazzoRun *run, int step);
static void go_to_workflow(ArazzoRun *run, const PlanAction *action);
static void next_step(ArazzoRun *run);
static void leave_frame(ArazzoRun *run);
static void frame_failed(ArazzoRun *run, ArazzoFailure *failure);
static void fail_run(ArazzoRun *run, const ArazzoFailure *failure);
static void finish_run(ArazzoRun *run);
static ArazzoFailure *in_doubt(ArazzoRun *run, ArazzoFailure *failure, const PlanAction *action);

ArazzoRun *
arazzo_run_create(const ArazzoPlan *plan, const JsonbValue *inputs, ArazzoFailure **failure)
{
	return create_run(plan, inputs, arazzo_run_check_inputs, failure);
}

ArazzoRun *
arazzo_run_create_explained(const ArazzoPlan *plan, const JsonbValue *inputs, ArazzoFailure **failure)
{
	return create_run(plan, inputs, arazzo_run_check_given_inputs, failure);
}

static ArazzoRun *
create_run(const ArazzoPlan *plan, const JsonbValue *inputs, InputCheck check, ArazzoFailure **failure)
{
	MemoryContext caller = CurrentMemoryContext;
	ArazzoRun  *run = arazzo_run_allocate(plan);
	JsonbValue *checked;

	MemoryContextSwitchTo(run->context);
	checked = check(plan->workflow, arazzo_value_copy(inputs), failure);
	if (checked)
		run->frame = arazzo_run_frame(run, plan->workflow, checked, FRAME_ROOT);
	MemoryContextSwitchTo(caller);
	if (checked)
		return run;
	*failure = arazzo_failure_copy(*failure);
	arazzo_run_free(run);
	return NULL;
}

/* A run without a frame. */
ArazzoRun *
arazzo_run_allocate(const ArazzoPlan *plan)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arazzo run", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ArazzoRun  *run = palloc0(sizeof(ArazzoRun));

	run->plan = plan;
	run->context = context;
	run->step_context = AllocSetContextCreate(context, "arazzo step", ALLOCSET_DEFAULT_SIZES);
	run->state = STATE_READY;
	arazzo_run_environment_init(run);
	MemoryContextSwitchTo(old);
	return run;
}

void
arazzo_run_free(ArazzoRun *run)
{
	MemoryContextDelete(run->context);
}

/*
 * This and what takes an answer in work in the step's context: what is to
 * last longer is put where it belongs.
 */
const RunNext *
arazzo_run_next(ArazzoRun *run)
{
	MemoryContext caller = MemoryContextSwitchTo(run->step_context);

	end_waiting(run);
	while (run->state == STATE_READY)
	{
		CHECK_FOR_INTERRUPTS();
		if (in_time(run))
			advance(run);
	}
	describe_next(run);
	MemoryContextSwitchTo(caller);
	return &run->next;
}

/* A wait that is over, for a moment or for a message. */
static void
end_waiting(ArazzoRun *run)
{
	if (run->state == STATE_WAITING && arazzo_clock_now() >= arazzo_run_limited(run, run->until))
		run->state = STATE_READY;
	else
		(void) end_receiving(run);
}

/* A message that has not come in time; true when the step has failed by it,
 * and not the workflow around it. */
static bool
end_receiving(ArazzoRun *run)
{
	const PlanStep *step = &run->frame->workflow->steps[run->frame->step];
	bool		late;

	if (run->state != STATE_AWAITING || run->receive_until == 0 ||
		arazzo_clock_now() < arazzo_run_limited(run, run->receive_until))
		return false;
	run->state = STATE_READY;
	late = arazzo_clock_now() >= run->receive_until;
	if (late)
		step_failed(run, arazzo_run_place(run, step, arazzo_run_missed_message(step)), true);
	return late;
}

bool
arazzo_run_missed(ArazzoRun *run)
{
	MemoryContext caller = MemoryContextSwitchTo(run->step_context);
	bool		result = end_receiving(run);

	MemoryContextSwitchTo(caller);
	return result;
}

/* Leaves the workflow of a step whose time is over; false when it did. */
static bool
in_time(ArazzoRun *run)
{
	RunFrame   *late;
	ArazzoFailure *failure = arazzo_run_check_time(run, &late);

	if (failure == NULL)
		return true;
	while (run->frame != late)
	{
		RunFrame   *frame = run->frame;

		run->frame = frame->caller;
		run->depth--;
		arazzo_run_drop_frame(frame);
	}
	run->frame = late->caller;
	failure = arazzo_run_place(run, &run->frame->workflow->steps[run->frame->step], failure);
	run->frame = late;
	frame_failed(run, failure);
	return false;
}

static void
describe_next(ArazzoRun *run)
{
	run->next.workflow = run->frame->workflow;
	run->next.step = run->frame->step < run->frame->workflow->step_count ?
		&run->frame->workflow->steps[run->frame->step] : NULL;
	run->next.attempt = run->frame->attempt;
	run->next.call = run->frame->call;
	run->next.until = arazzo_run_limited(run, run->state == STATE_AWAITING ? run->receive_until : run->until);
	run->next.request = run->exchange.request;
	run->next.credential_given = run->exchange.credential_given;
	run->next.kind = run->state == STATE_WAITING ? RUN_WAIT : RUN_FINISHED;
	if (run->state != STATE_AWAITING)
		return;
	run->next.timeout = arazzo_run_timeout(run, run->next.step);
	run->next.kind = run->next.step->channel == NULL ? RUN_SEND :
		run->next.step->channel->receive ? RUN_RECEIVE :
		run->next.step->channel->protocol == PROTOCOL_NOTIFY ? RUN_NOTIFY : RUN_SEND;
}

/* Does what is to be done next, when there is nothing to wait for. */
static void
advance(ArazzoRun *run)
{
	RunFrame   *frame = run->frame;

	if (frame->dependency < list_length(frame->workflow->depends_on))
		enter_dependency(run);
	else if (frame->step < frame->workflow->step_count)
		begin_step(run);
	else
		leave_frame(run);
}

/* Workflow Object, dependsOn: with the inputs of the workflow that needs it. */
static void
enter_dependency(ArazzoRun *run)
{
	RunFrame   *frame = run->frame;
	const PlanWorkflow *workflow = list_nth(frame->workflow->depends_on, frame->dependency);
	ArazzoFailure *failure = NULL;
	JsonbValue *inputs;
	ListCell   *cell;

	foreach(cell, run->workflows)
	{
		if (((WorkflowRecord *) lfirst(cell))->workflow == workflow)
		{
			frame->dependency++;
			return;
		}
	}
	inputs = arazzo_run_check_inputs(workflow, frame->inputs, &failure);
	if (inputs == NULL || ++run->depth > arazzo_max_depth)
		frame_failed(run, failure ? failure :
					 arazzo_failure_make(ERRCODE_ARAZZO_LIMIT, "workflows are nested deeper than arazzo.max_depth (%d)", arazzo_max_depth));
	else
		run->frame = arazzo_run_frame(run, workflow, inputs, FRAME_DEPENDENCY);
}

/* A visit of a step, or another attempt of it. */
static void
begin_step(ArazzoRun *run)
{
	RunFrame   *frame = run->frame;
	const PlanStep *step = &frame->workflow->steps[frame->step];
	ArazzoFailure *failure;

	MemoryContextReset(run->step_context);
	memset(&run->exchange, 0, sizeof(run->exchange));
	memset(&run->judgement, 0, sizeof(run->judgement));
	if (frame->attempt++ == 0)
		frame->call = run->visits + 1;
	failure = frame->attempt == 1 ? arazzo_run_resume_call(run, step) : NULL;
	if (failure)
	{
		fail_run(run, arazzo_run_place(run, step, failure));
		return;
	}
	if (++run->visits > arazzo_max_steps)
	{
		failure = arazzo_failure_make(ERRCODE_ARAZZO_LIMIT, "run made more than %d step visits", arazzo_max_steps);
		arazzo_failure_hint(failure, "A goto or a retry may never end; otherwise raise arazzo.max_steps.");
		fail_run(run, arazzo_run_place(run, step, failure));
		return;
	}
	failure = arazzo_run_check_dependencies(run, step);
	if (failure == NULL && step->workflow)
	{
		enter_workflow(run, step->workflow, step->inputs, FRAME_STEP, step);
		return;
	}
	if (failure == NULL)
		failure = begin_call(run, step);
	if (failure)
		step_failed(run, arazzo_run_place(run, step, failure), true);
	else
		run->state = STATE_AWAITING;
}

/* What an operation, or a channel, is asked for. */
static ArazzoFailure *
begin_call(ArazzoRun *run, const PlanStep *step)
{
	ArazzoFailure *failure = step->channel ? arazzo_run_channel_failure(step) : NULL;

	if (failure == NULL)
		failure = arazzo_run_build_request(run, step);
	if (failure == NULL && step->channel == NULL)
		failure = arazzo_run_validate_request(run, step);
	if (failure == NULL && step->channel && step->channel->receive)
		failure = arazzo_run_expect_message(run, step);
	return failure;
}

/* Enters a workflow with the inputs that the values give; a retry action that
 * gives none (it cannot in 1.0) hands on those of the workflow at hand. */
static void
enter_workflow(ArazzoRun *run, const PlanWorkflow *workflow, List *values,
			   FrameReason reason, const PlanStep *step)
{
	ArazzoFailure *failure = NULL;
	JsonbValue *inputs = run->frame->inputs;

	if (reason == FRAME_STEP || values)
		inputs = arazzo_run_gather_inputs(run, values, &failure);
	if (inputs)
		inputs = arazzo_run_check_inputs(workflow, inputs, &failure);
	if (inputs && ++run->depth > arazzo_max_depth)
	{
		failure = arazzo_failure_make(ERRCODE_ARAZZO_LIMIT,
									  "workflows are nested deeper than arazzo.max_depth (%d)", arazzo_max_depth);
		fail_run(run, arazzo_run_place(run, step, failure));
	}
	else if (inputs)
	{
		run->frame = arazzo_run_frame(run, workflow, inputs, reason);
		if (reason == FRAME_STEP && step->timeout > 0)
			run->frame->deadline = arazzo_clock_now() + (int64) step->timeout * 1000;
	}
	else if (reason == FRAME_STEP)
		step_failed(run, arazzo_run_place(run, step, failure), true);
	else
		frame_failed(run, arazzo_run_place(run, step, failure));
}

bool
arazzo_run_received(ArazzoRun *run, const ArazzoResponse *response, bool repeatable)
{
	MemoryContext caller = MemoryContextSwitchTo(run->step_context);
	const PlanStep *step = &run->frame->workflow->steps[run->frame->step];
	ArazzoFailure *failure;

	Assert(run->state == STATE_AWAITING);
	run->exchange.response = response;
	if (step->channel && step->channel->receive && response->outcome == OUTCOME_RECEIVED &&
		!arazzo_run_message_fits(run, step))
	{
		run->exchange.response = NULL;
		run->exchange.body_read = false;
		MemoryContextSwitchTo(caller);
		return false;
	}
	run->state = STATE_READY;
	arazzo_run_note_answer(run, step, response, repeatable);
	failure = arazzo_run_judge(run, step);
	if (failure)
		step_failed(run, arazzo_run_place(run, step, failure),
					repeatable || (response->outcome != OUTCOME_UNKNOWN &&
								   failure->sqlstate != ERRCODE_ARAZZO_SCHEMA));
	else
		step_succeeded(run);
	run->exchange.response = NULL;	/* the driver's; gone after this */
	run->exchange.body = NULL;
	MemoryContextSwitchTo(caller);
	return true;
}

void
arazzo_run_refused(ArazzoRun *run, const ArazzoFailure *failure)
{
	MemoryContext caller = MemoryContextSwitchTo(run->step_context);
	const PlanStep *step = &run->frame->workflow->steps[run->frame->step];

	run->state = STATE_READY;
	step_failed(run, arazzo_run_place(run, step, arazzo_failure_copy(failure)), true);
	MemoryContextSwitchTo(caller);
}

void
arazzo_run_resolved(ArazzoRun *run, const JsonbValue *outputs)
{
	MemoryContext caller = MemoryContextSwitchTo(run->frame->context);
	const PlanStep *step = &run->frame->workflow->steps[run->frame->step];
	StepRecord *record = &run->frame->steps[run->frame->step];
	int			i;

	Assert(run->state == STATE_AWAITING);
	run->state = STATE_READY;
	for (i = 0; i < step->output_count; i++)
		record->outputs[i] = arazzo_value_copy(arazzo_value_member_cstring(outputs, step->outputs[i].name));
	MemoryContextSwitchTo(run->step_context);
	step_done(run);
	MemoryContextSwitchTo(caller);
}

/* Step Object, onSuccess: the first action whose criteria hold. */
static void
step_succeeded(ArazzoRun *run)
{
	RunFrame   *frame = run->frame;
	const PlanStep *step = &frame->workflow->steps[frame->step];

	arazzo_run_take_outputs(run, step);
	step_done(run);
}

/* The step's outputs are known: where to go from it. */
static void
step_done(ArazzoRun *run)
{
	RunFrame   *frame = run->frame;
	const PlanStep *step = &frame->workflow->steps[frame->step];
	int			index = 0;
	ListCell   *cell;

	run->judgement.success = true;
	run->receive_until = 0;
	frame->steps[frame->step].done = true;
	if (frame->detour_from >= 0)
	{
		frame->step = frame->detour_from;
		frame->attempt = frame->detour_attempt;
		frame->call = frame->detour_call;
		list_free(frame->retries);
		frame->retries = frame->detour_retries;
		frame->detour_from = -1;
		return;
	}
	foreach(cell, step->on_success)
	{
		const PlanAction *action = lfirst(cell);

		if (arazzo_run_criteria_hold(run, action->criteria, NULL) &&
			(action->type != ACTION_RETRY || may_retry(frame, index, action)))
		{
			take_action(run, action, NULL);
			return;
		}
		index++;
	}
	next_step(run);
}

/*
 * Step Object, onFailure: the first action whose criteria hold; a retry only
 * while its limit lasts.  A call that may have been received is repeated
 * only when that does no harm.
 */
static void
step_failed(ArazzoRun *run, ArazzoFailure *failure, bool repeatable)
{
	RunFrame   *frame = run->frame;
	const PlanStep *step = &frame->workflow->steps[frame->step];
	int			index = 0;
	ListCell   *cell;

	run->judgement.success = false;
	run->receive_until = 0;
	run->judgement.reason = failure->message;
	foreach(cell, frame->detour_from < 0 ? step->on_failure : NIL)
	{
		const PlanAction *action = lfirst(cell);

		if (arazzo_run_criteria_hold(run, action->criteria, NULL) &&
			(action->type != ACTION_RETRY || may_retry(frame, index, action)))
		{
			if (action->type == ACTION_RETRY && !repeatable)
				break;
			take_action(run, action, failure);
			return;
		}
		index++;
	}
	if (cell && frame->detour_from < 0)
		failure = in_doubt(run, failure, lfirst(cell));
	frame_failed(run, failure);
}

static ArazzoFailure *
in_doubt(ArazzoRun *run, ArazzoFailure *failure, const PlanAction *action)
{
	ArazzoFailure *doubt = arazzo_run_in_doubt();

	doubt->detail = psprintf("%s: %s", failure->message, failure->detail);
	arazzo_failure_hint(doubt, "Find out whether the API took the call in. Action \"%s\" could repeat it if the server option idempotency_key said where the API expects a key.",
						action->name);
	return doubt;
}

static void
take_action(ArazzoRun *run, const PlanAction *action, ArazzoFailure *failure)
{
	run->judgement.action = action->name;
	switch (action->type)
	{
		case ACTION_END:
			if (failure)
				run->ended_by = action->name;
			run->frame->step = run->frame->workflow->step_count;
			break;
		case ACTION_GOTO:
			if (action->workflow)
				go_to_workflow(run, action);
			else
				go_to_step(run, action->step);
			break;
		case ACTION_RETRY:
			retry_step(run, action);
			break;
	}
}

/* Counts an attempt of a retry action, by its place in the list; false when
 * its limit is reached.  Counters last for one visit of the step. */
static bool
may_retry(RunFrame *frame, int action, const PlanAction *plan)
{
	MemoryContext old = MemoryContextSwitchTo(frame->context);

	while (list_length(frame->retries) <= action)
		frame->retries = lappend_int(frame->retries, 0);
	MemoryContextSwitchTo(old);
	if (list_nth_int(frame->retries, action) >= plan->retry_limit)
		return false;
	lfirst_int(list_nth_cell(frame->retries, action))++;
	return true;
}

/*
 * Failure Action Object, retry: after the delay, the step again; a step or
 * a workflow that the action names goes before it.
 */
static void
retry_step(ArazzoRun *run, const PlanAction *action)
{
	RunFrame   *frame = run->frame;
	TimestampTz now = arazzo_clock_now();
	int64		delay = arazzo_run_retry_delay(run->exchange.response, action->retry_after, now);

	if (delay > 0)
	{
		run->until = now + delay;
		run->state = STATE_WAITING;
	}
	if (action->workflow)
	{
		const PlanStep *step = &frame->workflow->steps[frame->step];

		enter_workflow(run, action->workflow, action->parameters, FRAME_RETRY, step);
	}
	else if (action->step >= 0 && action->step != frame->step)
	{
		frame->detour_from = frame->step;
		frame->detour_attempt = frame->attempt;
		frame->detour_call = frame->call;
		frame->detour_retries = frame->retries;
		frame->step = action->step;
		frame->attempt = 0;
		frame->retries = NIL;
	}
}

static void
go_to_step(ArazzoRun *run, int step)
{
	run->frame->step = step;
	run->frame->attempt = 0;
	list_free(run->frame->retries);
	run->frame->retries = NIL;
}

/*
 * A one-way transfer: the workflow takes the place of the one at hand, with
 * the action's parameters as its inputs (1.1.0), else with the same inputs.
 */
static void
go_to_workflow(ArazzoRun *run, const PlanAction *action)
{
	RunFrame   *old = run->frame;
	const PlanStep *step = &old->workflow->steps[old->step];
	ArazzoFailure *failure = NULL;
	JsonbValue *inputs = old->inputs;

	if (action->parameters)
		inputs = arazzo_run_gather_inputs(run, action->parameters, &failure);
	if (inputs)
		inputs = arazzo_run_check_inputs(action->workflow, inputs, &failure);
	if (inputs == NULL)
	{
		frame_failed(run, arazzo_run_place(run, step, failure));
		return;
	}
	run->frame = arazzo_run_frame(run, action->workflow, inputs, old->reason);
	run->frame->caller = old->caller;
	run->frame->deadline = old->deadline;
	arazzo_run_drop_frame(old);
}

static void
next_step(ArazzoRun *run)
{
	go_to_step(run, run->frame->workflow->steps[run->frame->step].next);
}

bool
arazzo_run_is_through(const ArazzoRun *run)
{
	return run->state == STATE_READY && run->frame->caller == NULL &&
		run->frame->step == run->frame->workflow->step_count &&
		run->frame->dependency == list_length(run->frame->workflow->depends_on);
}

/* The workflow at hand is through. */
static void
leave_frame(ArazzoRun *run)
{
	RunFrame   *frame = run->frame;
	WorkflowRecord *record;

	if (frame->caller == NULL)
	{
		finish_run(run);
		return;
	}
	record = arazzo_run_record_frame(run, frame);
	run->frame = frame->caller;
	run->depth--;
	switch (frame->reason)
	{
		case FRAME_STEP:
			memset(&run->exchange, 0, sizeof(run->exchange));
			run->exchange.outputs = record->outputs;
			{
				const PlanStep *step = &run->frame->workflow->steps[run->frame->step];
				ArazzoFailure *failure = arazzo_run_judge(run, step);

				if (failure)
					step_failed(run, arazzo_run_place(run, step, failure), true);
				else
					step_succeeded(run);
			}
			break;
		case FRAME_DEPENDENCY:
			run->frame->dependency++;
			break;
		default:
			break;				/* the caller's step begins anew */
	}
}

/* The workflow at hand has failed: so does the step that called it. */
static void
frame_failed(ArazzoRun *run, ArazzoFailure *failure)
{
	RunFrame   *frame = run->frame;
	FrameReason reason = frame->reason;

	if (frame->caller == NULL || failure->sqlstate == ERRCODE_ARAZZO_IN_DOUBT)
	{
		fail_run(run, failure);
		return;
	}
	run->frame = frame->caller;
	run->depth--;
	arazzo_run_drop_frame(frame);
	memset(&run->exchange, 0, sizeof(run->exchange));
	if (reason == FRAME_STEP)
		step_failed(run, failure, true);
	else
		frame_failed(run, failure);
}

static void
fail_run(ArazzoRun *run, const ArazzoFailure *failure)
{
	MemoryContext old = MemoryContextSwitchTo(run->context);

	run->failure = arazzo_failure_copy(failure);
	run->state = STATE_FAILED;
	MemoryContextSwitchTo(old);
}

static void
finish_run(ArazzoRun *run)
{
	(void) arazzo_run_outputs(run);
	run->state = STATE_SUCCEEDED;
}

const RunJudgement *
arazzo_run_judgement(const ArazzoRun *run)
{
	return &run->judgement;
}

const ArazzoFailure *
arazzo_run_failure(const ArazzoRun *run)
{
	return run->failure;
}

const char *
arazzo_run_ended_by(const ArazzoRun *run)
{
	return run->ended_by;
}

List *
arazzo_run_secrets(const ArazzoRun *run)
{
	return run->secrets;
}

JsonbValue *
arazzo_run_outputs(ArazzoRun *run)
{
	MemoryContext caller = MemoryContextSwitchTo(run->context);

	if (run->outputs == NULL)
	{
		while (run->frame->caller)
			run->frame = run->frame->caller;
		run->outputs = arazzo_run_workflow_outputs(run, run->frame->workflow);
	}
	MemoryContextSwitchTo(caller);
	return run->outputs;
}

const ArazzoPlan *
arazzo_run_plan(const ArazzoRun *run)
{
	return run->plan;
}
