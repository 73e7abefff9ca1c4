/*-------------------------------------------------------------------------
 *
 * doubt.c
 *	  Calls whose answer was lost: they may have been received.
 *
 * Such a call is remembered by its step and the inputs it was made with, for
 * as long as the run lasts, since a retry is not the only way to it: a goto
 * may lead back, and a step may call its workflow again.  When it is about
 * to be made another time, it either carries the key that it had, or the run
 * stops in doubt.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "run/internal.h"

static UnansweredCall *find_call(const ArazzoRun *run, const PlanStep *step);

void
arazzo_run_note_answer(ArazzoRun *run, const PlanStep *step,
					   const ArazzoResponse *response, bool repeatable)
{
	UnansweredCall *call = find_call(run, step);

	if (response->outcome == OUTCOME_RECEIVED && call)
		run->unanswered = list_delete_ptr(run->unanswered, call);
	if (response->outcome != OUTCOME_UNKNOWN)
		return;
	if (call == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(run->context);

		call = palloc0(sizeof(UnansweredCall));
		call->workflow = run->frame->workflow;
		call->step = step;
		call->inputs = arazzo_value_copy(run->frame->inputs);
		run->unanswered = lappend(run->unanswered, call);
		MemoryContextSwitchTo(old);
	}
	call->call = run->frame->call;
	call->repeatable = repeatable;
}

ArazzoFailure *
arazzo_run_resume_call(ArazzoRun *run, const PlanStep *step)
{
	const UnansweredCall *call = find_call(run, step);

	if (call == NULL)
		return NULL;
	if (!call->repeatable)
		return arazzo_failure_hint(arazzo_run_in_doubt(),
								   "Find out whether the API took the call in. The step could be done again if the server option idempotency_key said where the API expects a key.");
	run->frame->call = call->call;
	return NULL;
}

ArazzoFailure *
arazzo_run_in_doubt(void)
{
	return arazzo_failure_make(ERRCODE_ARAZZO_IN_DOUBT,
							   "run is in doubt: the call may have been received and cannot be repeated");
}

static UnansweredCall *
find_call(const ArazzoRun *run, const PlanStep *step)
{
	ListCell   *cell;

	foreach(cell, run->unanswered)
	{
		UnansweredCall *call = lfirst(cell);

		if (call->step == step && arazzo_value_equal(call->inputs, run->frame->inputs))
			return call;
	}
	return NULL;
}
