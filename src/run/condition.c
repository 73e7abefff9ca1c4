/*-------------------------------------------------------------------------
 *
 * condition.c
 *	  What a step has to wait for, or must not wait for any longer: steps it
 *	  depends on, the message it expects, time limits.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "document/uri.h"
#include "run/internal.h"
#include "support/clock.h"
#include "support/settings.h"

static int	receive_timeout(const PlanStep *step);
static bool is_completed(const ArazzoRun *run, const PlanDependency *dependency);
static JsonbValue *message_correlation(ArazzoRun *run, const PlanChannel *channel);

/*
 * Step Object, dependsOn: steps that must be completed, that is, must have
 * succeeded in this run.  The order of steps sees to it, unless an action
 * led elsewhere or the step belongs to a workflow that was not run.
 */
ArazzoFailure *
arazzo_run_check_dependencies(ArazzoRun *run, const PlanStep *step)
{
	ArazzoFailure *failure;
	ListCell   *cell;

	foreach(cell, step->depends_on)
	{
		const PlanDependency *dependency = lfirst(cell);

		if (is_completed(run, dependency))
			continue;
		failure = arazzo_failure_make(ERRCODE_ARAZZO_STEP_FAILED,
									  "step \"%s\" depends on step \"%s\", which has not been completed",
									  step->step_id, dependency->text);
		return arazzo_failure_hint(failure, "A dependency does not start what it names; the workflow has to get there.");
	}
	return NULL;
}

static bool
is_completed(const ArazzoRun *run, const PlanDependency *dependency)
{
	const RunFrame *frame;
	ListCell   *cell;

	if (dependency->workflow == NULL)
		return run->frame->steps[dependency->step].done;
	for (frame = run->frame; frame; frame = frame->caller)
	{
		if (frame->workflow == dependency->workflow && frame->steps[dependency->step].done)
			return true;
	}
	foreach(cell, run->workflows)
	{
		const WorkflowRecord *record = lfirst(cell);

		if (record->workflow == dependency->workflow && record->steps[dependency->step].done)
			return true;
	}
	return false;
}

ArazzoFailure *
arazzo_run_channel_failure(const PlanStep *step)
{
	ArazzoFailure *failure;

	if (step->channel->protocol != PROTOCOL_OTHER)
		return NULL;
	failure = step->channel->protocol_name[0] == '\0' ?
		arazzo_failure_make(ERRCODE_FEATURE_NOT_SUPPORTED, "channel \"%s\" is on no server",
							step->operation->path) :
		arazzo_failure_make(ERRCODE_FEATURE_NOT_SUPPORTED, "messages over protocol \"%s\" are not supported",
							step->channel->protocol_name);
	return arazzo_failure_hint(failure, "Protocols are postgres, http and https.");
}

/*
 * The message a step is to receive: what must be in it, and until when.  A
 * step that was begun before keeps its limit.
 */
ArazzoFailure *
arazzo_run_expect_message(ArazzoRun *run, const PlanStep *step)
{
	MemoryContext old = MemoryContextSwitchTo(run->step_context);
	ArazzoFailure *failure = NULL;

	if (step->channel->correlation)
		run->exchange.correlation = arazzo_template_evaluate(step->channel->correlation, &run->environment, &failure);
	if (step->channel->correlation && run->exchange.correlation == NULL && failure == NULL)
		failure = arazzo_failure_make(ERRCODE_ARAZZO_EXPRESSION, "the step's correlation id has no value");
	MemoryContextSwitchTo(old);
	if (failure)
		return arazzo_failure_copy(failure);
	if (run->receive_until == 0)
		run->receive_until = TimestampTzPlusMilliseconds(arazzo_clock_now(), receive_timeout(step));
	return NULL;
}

/* Step Object, timeout; without one the setting for requests counts. */
static int
receive_timeout(const PlanStep *step)
{
	return step->timeout > 0 ? step->timeout : arazzo_timeout;
}

ArazzoFailure *
arazzo_run_missed_message(const PlanStep *step)
{
	ArazzoFailure *failure = arazzo_failure_make(ERRCODE_ARAZZO_STEP_FAILED,
												 "step \"%s\" received no message in %d ms",
												 step->step_id, receive_timeout(step));

	return arazzo_failure_hint(failure, "What a run sends by NOTIFY goes out when its transaction commits: a queued run can wait for the answer to it, arazzo_run cannot.");
}

/* Is the message at hand one for the step (Arazzo 1.1.0, Defining Success
 * for Asynchronous Steps)?  Correlation ids are compared as text.  What is
 * read of a message that is none for it does not stay: many may come. */
bool
arazzo_run_message_fits(ArazzoRun *run, const PlanStep *step)
{
	MemoryContext step_context = run->step_context;
	MemoryContext old;
	JsonbValue *carried;
	bool		fits;

	if (step->channel->correlation == NULL)
		return true;
	run->step_context = AllocSetContextCreate(step_context, "arazzo message", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(run->step_context);
	carried = message_correlation(run, step->channel);
	fits = carried != NULL &&
		strcmp(arazzo_value_to_text(carried), arazzo_value_to_text(run->exchange.correlation)) == 0;
	MemoryContextSwitchTo(old);
	if (!fits)
		MemoryContextDelete(run->step_context);
	run->step_context = step_context;
	return fits;
}

static JsonbValue *
message_correlation(ArazzoRun *run, const PlanChannel *channel)
{
	ArazzoExpression location = {.text = "$message",.slot = -1};
	JsonbValue *payload;

	if (channel->correlation_header)
	{
		location.root = ROOT_MESSAGE_HEADER;
		location.name = channel->correlation_header;
		return run->environment.lookup(run, &location);
	}
	location.root = ROOT_MESSAGE_PAYLOAD;
	payload = run->environment.lookup(run, &location);
	return payload ? arazzo_pointer_value(payload, channel->correlation_tokens, channel->correlation_count) : NULL;
}

/*
 * Step Object, timeout, of a step that calls a workflow: the innermost frame
 * is left with a failure once the time of one around it is over.  NULL while
 * there is time; *late is the frame whose time is over.
 */
ArazzoFailure *
arazzo_run_check_time(ArazzoRun *run, RunFrame **late)
{
	TimestampTz now = 0;
	RunFrame   *frame;

	*late = NULL;
	for (frame = run->frame; frame; frame = frame->caller)
	{
		if (frame->deadline == 0)
			continue;
		if (now == 0)
			now = arazzo_clock_now();
		if (now >= frame->deadline)
			*late = frame;		/* the outermost counts */
	}
	if (*late == NULL)
		return NULL;
	return arazzo_run_timed_out(&(*late)->caller->workflow->steps[(*late)->caller->step]);
}

ArazzoFailure *
arazzo_run_timed_out(const PlanStep *step)
{
	return arazzo_failure_make(ERRCODE_ARAZZO_STEP_FAILED, "step \"%s\" was not complete after %d ms",
							   step->step_id, step->timeout);
}

/* A moment, or the end of the time that a frame has if that is sooner. */
TimestampTz
arazzo_run_limited(const ArazzoRun *run, TimestampTz moment)
{
	const RunFrame *frame;

	for (frame = run->frame; frame; frame = frame->caller)
	{
		if (frame->deadline != 0 && frame->deadline < moment)
			moment = frame->deadline;
	}
	return moment;
}

/* Milliseconds that the call of a step may take, 0 without a limit. */
int
arazzo_run_timeout(const ArazzoRun *run, const PlanStep *step)
{
	TimestampTz end = arazzo_run_limited(run, DT_NOEND);
	int64		left;

	if (end == DT_NOEND)
		return step->timeout;
	left = Max((end - arazzo_clock_now()) / 1000, 1);
	if (step->timeout > 0)
		left = Min(left, step->timeout);
	return (int) Min(left, PG_INT32_MAX);
}
