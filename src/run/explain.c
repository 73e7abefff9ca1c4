/*-------------------------------------------------------------------------
 *
 * explain.c
 *	  Requests of steps that are not run.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "run/internal.h"

const ArazzoRequest *
arazzo_run_explain_step(ArazzoRun *run, const PlanStep *step,
						bool *credential_given, ArazzoFailure **failure)
{
	MemoryContext caller = MemoryContextSwitchTo(run->context);

	MemoryContextReset(run->step_context);
	memset(&run->exchange, 0, sizeof(run->exchange));
	run->environment.symbolic = true;
	*failure = arazzo_run_build_request(run, step);
	run->environment.symbolic = false;
	*credential_given = run->exchange.credential_given;
	MemoryContextSwitchTo(caller);
	return *failure ? NULL : run->exchange.request;
}

bool
arazzo_run_explain_enter(ArazzoRun *run, const PlanStep *step, ArazzoFailure **failure)
{
	MemoryContext caller = MemoryContextSwitchTo(run->step_context);
	JsonbValue *inputs;

	run->environment.symbolic = true;
	inputs = arazzo_run_gather_inputs(run, step->inputs, failure);
	if (inputs)
		run->frame = arazzo_run_frame(run, step->workflow, inputs, FRAME_STEP);
	run->environment.symbolic = false;
	MemoryContextSwitchTo(caller);
	if (inputs == NULL)
		*failure = arazzo_failure_copy(*failure);
	return inputs != NULL;
}

void
arazzo_run_explain_leave(ArazzoRun *run)
{
	RunFrame   *frame = run->frame;

	run->frame = frame->caller;
	arazzo_run_drop_frame(frame);
}
