/*-------------------------------------------------------------------------
 *
 * execute.c
 *	  Works on one queued run until it comes to rest.
 *
 * Before a call is sent that is neither safe nor keyed, the run's row says
 * so, and that is on disk; when the answer is in, what it changed is
 * committed before anything else is done.  Other calls are repeated after a
 * crash, with the same bytes and the same key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/pg_prng.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "drive/drive.h"
#include "drive/message.h"
#include "http/mask.h"
#include "queue/attempt.h"
#include "queue/execute.h"
#include "support/clock.h"
#include "support/settings.h"
#include "support/strings.h"

/* First delay of the queue's own retries; it doubles with each. */
#define FIRST_RETRY_DELAY 1.0

typedef struct Execution
{
	QueuedRun  *stored;
	void		(*commit) (bool durable);
	MemoryContext context;
	MemoryContext call_context; /* emptied after each call */
	const ArazzoPlan *plan;		/* pinned */
	ArazzoRun  *run;
	List	   *secrets;		/* of char *: of all calls so far */
	const char *key;			/* that the call at hand carries, or NULL */
} Execution;

static void execute(Execution *execution);
static ArazzoFailure *open_run(Execution *execution);
static ArazzoFailure *make_run(Execution *execution);
static void unpin_plan(void *argument);
static void apply_verdict(Execution *execution);
static bool do_next(Execution *execution);
static bool make_call(Execution *execution, const RunNext *next);
static bool pass_message(Execution *execution, const RunNext *next);
static bool without_call(Execution *execution, const RunNext *next);
static bool refuse_call(Execution *execution, const RunNext *next, const ArazzoFailure *failure);
static const ArazzoResponse *send(DriveCall *call);
static bool take_answer(Execution *execution, const RunNext *next, const DriveCall *call,
						const ArazzoResponse *response, Jsonb *before);
static bool may_resend(const Execution *execution, const DriveCall *call, const ArazzoResponse *response);
static bool is_passing_status(int status);
static TimestampTz resend_time(const ArazzoResponse *response, int retries);
static bool progress(Execution *execution);
static void leave_in_doubt(Execution *execution, const RunNext *next, const ArazzoResponse *response);
static void finish(Execution *execution);
static void add_secrets(Execution *execution, const DriveCall *call);
static void set_key(Execution *execution, const RunNext *next, DriveCall *call);

void
arazzo_queue_execute(QueuedRun *stored, void (*commit) (bool durable))
{
	Execution	execution = {.stored = stored,.commit = commit};
	MemoryContext old;

	execution.context = AllocSetContextCreate(CurrentMemoryContext, "arazzo queued run", ALLOCSET_DEFAULT_SIZES);
	execution.call_context = AllocSetContextCreate(execution.context, "arazzo call", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(execution.context);
	execute(&execution);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(execution.context);
}

static void
execute(Execution *execution)
{
	ArazzoFailure *failure = open_run(execution);

	if (failure)
	{
		(void) arazzo_queue_finish(execution->stored, "failed", NULL, NULL, failure);
		execution->commit(false);
		return;
	}
	if (execution->stored->verdict)
		apply_verdict(execution);
	while (do_next(execution))
		;
}

/*
 * Plans the workflow and restores the run.  Errors that belong to the run
 * become its failure; others are thrown on.
 */
static ArazzoFailure *
open_run(Execution *execution)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ArazzoFailure *volatile failure = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		failure = make_run(execution);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		/* what says nothing about the run: it is tried again */
		if (arazzo_error_passes(error->sqlerrcode) || error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
			ReThrowError(error);
		failure = arazzo_failure_from_error(error);
	}
	PG_END_TRY();
	return failure;
}

/* The run as it was left, or a new one; in the current context. */
static ArazzoFailure *
make_run(Execution *execution)
{
	const QueuedRun *stored = execution->stored;
	ArazzoFailure *failure = NULL;
	MemoryContextCallback *callback;

	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(stored->owner)))
		return arazzo_failure_make(ERRCODE_UNDEFINED_OBJECT, "role that submitted the run does not exist any more");
	execution->plan = arazzo_plan_get(psprintf("%s#%s", stored->document, stored->workflow));
	if (strcmp(execution->plan->version, stored->version) != 0)
	{
		failure = arazzo_failure_make(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
									  "documents of workflow \"%s\" have changed since the run was submitted",
									  stored->workflow);
		return arazzo_failure_hint(failure, "Load them again as they were, or use arazzo_retry to run it with the documents as they are now.");
	}
	callback = palloc(sizeof(MemoryContextCallback));
	callback->func = unpin_plan;
	callback->arg = unconstify(ArazzoPlan *, execution->plan);
	MemoryContextRegisterResetCallback(execution->context, callback);
	arazzo_plan_pin(execution->plan);
	execution->run = stored->state ?
		arazzo_run_restore(execution->plan, stored->state, &failure) :
		arazzo_run_create(execution->plan, arazzo_value_from_jsonb(stored->inputs), &failure);
	return failure;
}

static void
unpin_plan(void *argument)
{
	arazzo_plan_unpin(argument);
}

/* What a person found out about the call that was in doubt; the run's state
 * is the one before that call. */
static void
apply_verdict(Execution *execution)
{
	const QueuedRun *stored = execution->stored;

	if (arazzo_run_next(execution->run)->kind != RUN_SEND)
		return;
	if (strcmp(stored->verdict, "done") == 0)
		arazzo_run_resolved(execution->run, stored->verdict_outputs ?
							arazzo_value_from_jsonb(stored->verdict_outputs) : NULL);
	else if (strcmp(stored->verdict, "failed") == 0)
		arazzo_run_refused(execution->run,
						   arazzo_failure_make(ERRCODE_ARAZZO_STEP_FAILED, "call was in doubt and resolved as failed"));
	/* of a run that has failed by it, the state is still the one before */
	if (arazzo_run_failure(execution->run))
		(void) arazzo_queue_checkpoint(stored, stored->state, NULL);
	else
		(void) progress(execution);
}

/* False when the run has come to rest. */
static bool
do_next(Execution *execution)
{
	const RunNext *next = arazzo_run_next(execution->run);

	switch (next->kind)
	{
		case RUN_SEND:
			return make_call(execution, next);
		case RUN_NOTIFY:
		case RUN_RECEIVE:
			return pass_message(execution, next);
		case RUN_WAIT:
			(void) arazzo_queue_wait(execution->stored, arazzo_run_save(execution->run), next->until, 0);
			execution->commit(true);
			return false;
		case RUN_FINISHED:
			finish(execution);
			return false;
	}
	return false;
}

static bool
make_call(Execution *execution, const RunNext *next)
{
	MemoryContext old = MemoryContextSwitchTo(execution->call_context);
	Jsonb	   *before = arazzo_run_save(execution->run);
	const QueuedRun *stored = execution->stored;
	ArazzoFailure *failure;
	DriveCall	call;
	bool		goes_on;

	failure = arazzo_call_prepare(&call, next, stored->owner);
	if (failure)
		goes_on = refuse_call(execution, next, failure);
	else
	{
		add_secrets(execution, &call);
		set_key(execution, next, &call);
		goes_on = call.repeatable || arazzo_queue_checkpoint(stored, before, next->step->step_id);
		execution->commit(!call.repeatable);
		if (goes_on)
			goes_on = take_answer(execution, next, &call, send(&call), before);
	}
	if (call.transfer)
		arazzo_http_free(call.transfer);
	MemoryContextSwitchTo(old);
	MemoryContextReset(execution->call_context);
	return goes_on;
}

/* A message goes out with the commit that says it did. */
static bool
pass_message(Execution *execution, const RunNext *next)
{
	MemoryContext old = MemoryContextSwitchTo(execution->call_context);
	bool		goes_on;

	arazzo_message_perform(execution->run, next);
	goes_on = without_call(execution, next);
	MemoryContextSwitchTo(old);
	MemoryContextReset(execution->call_context);
	return goes_on;
}

/* Nothing was sent: no connection, no credential. */
static bool
refuse_call(Execution *execution, const RunNext *next, const ArazzoFailure *failure)
{
	arazzo_run_refused(execution->run, failure);
	return without_call(execution, next);
}

/* Writes down a step that took no call. */
static bool
without_call(Execution *execution, const RunNext *next)
{
	arazzo_queue_add_attempt(execution->stored, next, NULL, NULL, NULL,
							 arazzo_run_judgement(execution->run), execution->secrets);
	if (arazzo_run_failure(execution->run))
		return true;
	return progress(execution);
}

/* No snapshot is held meanwhile, so that vacuum is not held up. */
static const ArazzoResponse *
send(DriveCall *call)
{
	const ArazzoResponse *response;

	InvalidateCatalogSnapshot();
	arazzo_call_start(call);
	while ((response = arazzo_http_response(call->transfer)) == NULL)
		arazzo_http_poll(1000);
	return response;
}

/*
 * Writes down what the answer changed, and commits it.  A failure that the
 * workflow does nothing about may be one that goes away by itself.
 */
static bool
take_answer(Execution *execution, const RunNext *next, const DriveCall *call,
			const ArazzoResponse *response, Jsonb *before)
{
	QueuedRun  *stored = execution->stored;
	const RunJudgement *judgement;

	if (response->outcome == OUTCOME_UNKNOWN && !call->repeatable)
	{
		arazzo_queue_add_attempt(stored, next, call, execution->key, response, NULL, execution->secrets);
		leave_in_doubt(execution, next, response);
		return false;
	}
	arazzo_run_received(execution->run, response, call->repeatable);
	judgement = arazzo_run_judgement(execution->run);
	arazzo_queue_add_attempt(stored, next, call, execution->key, response, judgement, execution->secrets);
	if (!judgement->success && judgement->action == NULL && may_resend(execution, call, response))
	{
		(void) arazzo_queue_wait(stored, before, resend_time(response, stored->retries), stored->retries + 1);
		execution->commit(true);
		return false;
	}
	stored->retries = 0;
	if (arazzo_run_failure(execution->run))
	{
		/* goes on before this call if it is retried */
		bool		own = arazzo_queue_checkpoint(stored, before, NULL);

		execution->commit(true);
		return own;
	}
	return progress(execution);
}

/* May the same call be sent once more, and would that help? */
static bool
may_resend(const Execution *execution, const DriveCall *call, const ArazzoResponse *response)
{
	if (execution->stored->retries >= call->connection->retry_limit)
		return false;
	if (response->outcome == OUTCOME_NOT_SENT)
		return response->transient;
	if (!call->repeatable)
		return false;
	return response->outcome == OUTCOME_UNKNOWN ? response->transient : is_passing_status(response->status);
}

/* RFC 9110, 15.5.9, 15.6; RFC 8470, 5.2; RFC 6585, 4. */
static bool
is_passing_status(int status)
{
	return status == 408 || status == 425 || status == 429 ||
		status == 500 || status == 502 || status == 503 || status == 504;
}

/*
 * Exponential with full jitter, and not before the server says.  One that says
 * "at once" every time must not use up all attempts in no time.
 */
static TimestampTz
resend_time(const ArazzoResponse *response, int retries)
{
	TimestampTz now = arazzo_clock_now();
	double		longest = FIRST_RETRY_DELAY * (1 << Min(retries, 20));
	double		delay = Min(longest, arazzo_max_retry_after) * pg_prng_double(&pg_global_prng_state);

	return now + Max(arazzo_run_retry_delay(response, delay, now), (int64) (delay * USECS_PER_SEC));
}

/* Commits how far the run has come; false when it is no longer ours. */
static bool
progress(Execution *execution)
{
	bool		own = arazzo_queue_checkpoint(execution->stored, arazzo_run_save(execution->run), NULL);

	execution->commit(true);
	return own;
}

static void
leave_in_doubt(Execution *execution, const RunNext *next, const ArazzoResponse *response)
{
	ArazzoFailure *failure = arazzo_failure_make(ERRCODE_ARAZZO_IN_DOUBT,
												 "the answer to step \"%s\" was lost: the call may have been received",
												 next->step->step_id);

	arazzo_failure_detail(failure, "%s", arazzo_mask_text(response->message, execution->secrets));
	arazzo_failure_hint(failure, "Find out whether the API took the call in, then use arazzo_resolve.");
	(void) arazzo_queue_finish(execution->stored, "in_doubt", NULL, NULL, failure);
	execution->commit(true);
}

static void
finish(Execution *execution)
{
	ArazzoRun  *run = execution->run;
	ArazzoFailure *failure = arazzo_run_failure(run) ? arazzo_drive_failure(run, execution->secrets) : NULL;
	const char *status = failure == NULL ? "succeeded" :
		failure->sqlstate == ERRCODE_ARAZZO_IN_DOUBT ? "in_doubt" : "failed";

	(void) arazzo_queue_finish(execution->stored, status, arazzo_value_to_jsonb(arazzo_run_outputs(run)),
							   arazzo_run_ended_by(run), failure);
	execution->commit(true);
}

static void
add_secrets(Execution *execution, const DriveCall *call)
{
	MemoryContext old = MemoryContextSwitchTo(execution->context);
	ListCell   *cell;

	foreach(cell, arazzo_call_secrets(call))
		execution->secrets = arazzo_strings_add(execution->secrets, lfirst(cell));
	MemoryContextSwitchTo(old);
}

/*
 * Gives a call that takes one its key: the same for every attempt of it, also
 * after a crash, and no other's.  A key that the workflow itself sets stays.
 */
static void
set_key(Execution *execution, const RunNext *next, DriveCall *call)
{
	const char *body = call->request.body;
	int			headers = call->request.header_count;
	char	   *key;

	execution->key = NULL;
	if (!call->takes_key)
		return;
	key = psprintf("%s-%d", execution->stored->nonce, next->call);
	arazzo_call_set_key(call, key);
	if (call->request.body != body || call->request.header_count != headers)
		execution->key = key;
}
