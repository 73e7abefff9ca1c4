/*-------------------------------------------------------------------------
 *
 * engine_run.c
 *	  One run in the engine: what is done, and noted, as it goes on.
 *
 * Before a call is sent that is neither safe nor keyed, the run's row says
 * so, and that is on disk; the answer's outcome is written before anything
 * else of that kind is sent.  Other calls are repeated after a crash, with the
 * same bytes and the same key.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "drive/drive.h"
#include "drive/message.h"
#include "http/mask.h"
#include "http/mask_value.h"
#include "support/clock.h"
#include "support/try.h"
#include "work/attempt.h"
#include "work/engine_internal.h"
#include "work/resend.h"

/* How long (ms) a run is put off that cannot be made ready now. */
#define LATER 5000

/* A wait that is not longer (ms) is waited for here, not in the table. */
#define SHORT_WAIT 200

/* So many contexts of runs that are over are kept for others. */
#define MAX_SPARE_CONTEXTS 1024

/* A run that is being opened. */
typedef struct Opening
{
	EngineRun  *run;
	ArazzoFailure *failure;		/* why it cannot be, or NULL */
} Opening;

static MemoryContext run_context(QueueEngine *engine);
static bool make_run(EngineRun *run, ArazzoFailure **failure);
static void put_off(EngineRun *run);
static void open_run(void *argument);
static ArazzoFailure *restore_run(EngineRun *run);
static void unpin_plan(void *argument);
static void apply_verdict(EngineRun *run);
static void end_run(EngineRun *run, const char *status, const ArazzoFailure *failure);
static void end_in_doubt(EngineRun *run, const RunNext *next, const char *why, const char *detail);
static void wait_until(EngineRun *run, TimestampTz due, int retries);
static void hold_for(EngineRun *run, const char *server_name);
static void save_state(EngineRun *run);
static List *run_secrets(const EngineRun *run);
static void add_attempt(EngineRun *run, const RunNext *next, const DriveCall *call,
						const ArazzoResponse *response, const RunJudgement *judgement);

static const ArazzoConnection *connect(void *owner, const char *url, Oid role, ArazzoFailure **failure);
static void pass_message(void *owner, ArazzoRun *run, const RunNext *next);
static LoopVerdict admit(void *owner, void *tag, const RunNext *next, const DriveCall *call);
static LoopVerdict send(void *owner, void *tag, const RunNext *next, const DriveCall *call);
static LoopVerdict answered(void *owner, void *tag, const RunNext *next, const DriveCall *call,
							const ArazzoResponse *response);
static void note_attempt(void *owner, void *tag, const RunNext *next, const DriveCall *call,
						 const ArazzoResponse *response, const RunJudgement *judgement);
static LoopVerdict judged(void *owner, void *tag, const RunNext *next, const DriveCall *call,
						  const ArazzoResponse *response);
static LoopVerdict resend(EngineRun *run, const DriveCall *call, const ArazzoResponse *response);
static LoopVerdict wait(void *owner, void *tag, TimestampTz until);
static void await(void *owner, void *tag);
static void left(void *owner, void *tag);
static void finished(void *owner, void *tag, ArazzoRun *finished_run, List *secrets);

void
arazzo_engine_hooks(LoopHooks *hooks, QueueEngine *engine)
{
	hooks->owner = engine;
	hooks->connect = connect;
	hooks->message = pass_message;
	hooks->admit = admit;
	hooks->send = send;
	hooks->answered = answered;
	hooks->attempt = note_attempt;
	hooks->judged = judged;
	hooks->wait = wait;
	hooks->await = await;
	hooks->left = left;
	hooks->finished = finished;
}

/* Runs come and go by the hundred, faster than contexts are made. */
static MemoryContext
run_context(QueueEngine *engine)
{
	MemoryContext context;

	if (engine->spare_contexts == NIL)
		return AllocSetContextCreate(engine->context, "arazzo queued run", ALLOCSET_DEFAULT_SIZES);
	context = llast(engine->spare_contexts);
	engine->spare_contexts = list_delete_last(engine->spare_contexts);
	return context;
}

/* A run that was taken; its row is copied. */
EngineRun *
arazzo_engine_run_create(QueueEngine *engine, const QueuedRun *stored)
{
	MemoryContext context = run_context(engine);
	MemoryContext old = MemoryContextSwitchTo(context);
	EngineRun  *run = palloc0(sizeof(EngineRun));

	run->engine = engine;
	run->context = context;
	run->stored = arazzo_queue_copy_run(stored);
	run->change.id = stored->id;
	run->change.place = stored->place;
	run->change.retries = stored->retries;
	run->change.crashes = stored->crashes;
	run->change.unanswered_since = stored->unanswered_since;
	MemoryContextSwitchTo(old);
	return run;
}

void
arazzo_engine_run_free(EngineRun *run)
{
	QueueEngine *engine = run->engine;
	MemoryContext context = run->context;
	MemoryContext old;

	if (list_length(engine->spare_contexts) >= MAX_SPARE_CONTEXTS)
	{
		MemoryContextDelete(context);
		return;
	}
	MemoryContextReset(context);
	old = MemoryContextSwitchTo(engine->context);
	engine->spare_contexts = lappend(engine->spare_contexts, context);
	MemoryContextSwitchTo(old);
}

/* What is to become of the run is new, and is to be written. */
void
arazzo_engine_run_changed(EngineRun *run, bool urgent)
{
	QueueEngine *engine = run->engine;

	engine->urgent |= urgent;
	if (run->dirty)
		return;
	if (engine->changed_count++ == 0)
		engine->changed_since = arazzo_clock_now();
	run->dirty = true;
	dlist_push_tail(&engine->changed, &run->node);
}

/* Plans the workflow, restores the run and lets it go on; in a transaction. */
void
arazzo_engine_run_open(EngineRun *run)
{
	QueueEngine *engine = run->engine;
	MemoryContext old = MemoryContextSwitchTo(run->context);
	ArazzoFailure *failure = NULL;

	if (!make_run(run, &failure))
		put_off(run);
	else if (failure)
		end_run(run, "failed", failure);
	else
	{
		if (run->stored->verdict)
			apply_verdict(run);
		run->change.status = "running";
		run->entry = arazzo_loop_add(engine->loop, run->run, run->stored->owner, run->stored->nonce, run);
	}
	MemoryContextSwitchTo(old);
}

/* Errors that belong to the run become its failure; false when it is to be
 * tried later, as after a lock that was waited for too long. */
static bool
make_run(EngineRun *run, ArazzoFailure **failure)
{
	Opening		opening = {run, NULL};
	ErrorData  *error = arazzo_try_error(open_run, &opening);

	*failure = opening.failure;
	if (error == NULL)
		return true;
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_OPERATOR_INTERVENTION)
		ReThrowError(error);
	*failure = arazzo_failure_from_error(error);
	if (!arazzo_error_passes(error->sqlerrcode) && error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		return true;
	/* it says nothing about the run */
	ereport(LOG,
			errcode(error->sqlerrcode),
			errmsg("could not begin run " INT64_FORMAT ": %s", run->stored->id, error->message),
			errdetail("It is tried again."));
	return false;
}

/* What may throw of it. */
static void
open_run(void *argument)
{
	Opening    *opening = argument;

	opening->failure = restore_run(opening->run);
}

/* As it was before it was taken. */
static void
put_off(EngineRun *run)
{
	run->change.status = run->stored->state ? "waiting" : "queued";
	run->change.due = TimestampTzPlusMilliseconds(arazzo_clock_now(), LATER);
	arazzo_engine_run_changed(run, false);
}

/* The run as it was left, or a new one; in the current context. */
static ArazzoFailure *
restore_run(EngineRun *run)
{
	const QueuedRun *stored = run->stored;
	ArazzoFailure *failure = NULL;
	MemoryContextCallback *callback;

	if (!SearchSysCacheExists1(AUTHOID, ObjectIdGetDatum(stored->owner)))
		return arazzo_failure_make(ERRCODE_UNDEFINED_OBJECT, "role that submitted the run does not exist any more");
	run->plan = arazzo_plan_get(psprintf("%s#%s", stored->document, stored->workflow));
	if (strcmp(run->plan->version, stored->version) != 0)
	{
		failure = arazzo_failure_make(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
									  "documents of workflow \"%s\" have changed since the run was submitted",
									  stored->workflow);
		return arazzo_failure_hint(failure, "Load them again as they were, or use arazzo_retry to run it with the documents as they are now.");
	}
	callback = palloc(sizeof(MemoryContextCallback));
	callback->func = unpin_plan;
	callback->arg = unconstify(ArazzoPlan *, run->plan);
	MemoryContextRegisterResetCallback(run->context, callback);
	arazzo_plan_pin(run->plan);
	run->run = stored->state ?
		arazzo_run_restore(run->plan, stored->state, &failure) :
		arazzo_run_create(run->plan, arazzo_value_from_jsonb(stored->inputs), &failure);
	return failure;
}

static void
unpin_plan(void *argument)
{
	arazzo_plan_unpin(argument);
}

/*
 * What a person found out about the call that was in doubt; the run's state
 * is the one before that call, and stays it when the run has failed by it.
 */
static void
apply_verdict(EngineRun *run)
{
	const QueuedRun *stored = run->stored;

	run->change.judged = true;
	if (arazzo_run_next(run->run)->kind != RUN_SEND)
		return;
	if (strcmp(stored->verdict, "done") == 0)
		arazzo_run_resolved(run->run, stored->verdict_outputs ?
							arazzo_value_from_jsonb(stored->verdict_outputs) : NULL);
	else if (strcmp(stored->verdict, "failed") == 0)
		arazzo_run_refused(run->run,
						   arazzo_failure_make(ERRCODE_ARAZZO_STEP_FAILED, "call was in doubt and resolved as failed"));
	if (arazzo_run_failure(run->run) == NULL)
		save_state(run);
	run->change.retries = 0;
	run->change.unanswered_since = 0;
	arazzo_engine_run_changed(run, true);
}

/* The run is over, or in doubt. */
static void
end_run(EngineRun *run, const char *status, const ArazzoFailure *failure)
{
	run->change.status = status;
	run->change.state = run->state;
	run->change.failure = failure;
	if (strcmp(status, "in_doubt") != 0)
		run->change.sending = NULL;
	run->engine->durable = true;
	arazzo_engine_run_changed(run, run->stored->order_key != NULL);
}

static void
end_in_doubt(EngineRun *run, const RunNext *next, const char *why, const char *detail)
{
	MemoryContext old = MemoryContextSwitchTo(run->context);
	ArazzoFailure *failure = arazzo_failure_make(ERRCODE_ARAZZO_IN_DOUBT, "%s", why);

	if (detail)
		arazzo_failure_detail(failure, "%s", arazzo_mask_text(detail, run_secrets(run)));
	arazzo_failure_hint(failure, "Find out whether the API took the call in, then use arazzo_resolve.");
	run->change.sending = pstrdup(next->step->step_id);
	end_run(run, "in_doubt", failure);
	MemoryContextSwitchTo(old);
}

/* The call at hand is sent again, or the run goes on, at that moment. */
static void
wait_until(EngineRun *run, TimestampTz due, int retries)
{
	run->change.status = "waiting";
	run->change.state = run->state;
	run->change.due = due;
	run->change.sending = NULL;
	run->change.retries = retries;
	run->change.crashes = 0;
	arazzo_engine_run_changed(run, false);
}

static void
hold_for(EngineRun *run, const char *server_name)
{
	run->change.status = run->state || run->stored->state ? "waiting" : "queued";
	run->change.state = run->state;
	run->change.hold = MemoryContextStrdup(run->context, psprintf(HOLD_SERVER "%s", server_name));
	run->change.sending = NULL;
	run->engine->holding = true;
	arazzo_engine_run_changed(run, false);
	arazzo_engine_tend_soon(run->engine, arazzo_clock_now());
}

/* The run has come so far. */
static void
save_state(EngineRun *run)
{
	MemoryContext old = MemoryContextSwitchTo(run->context);

	if (run->state)
		pfree(run->state);
	run->state = arazzo_run_save(run->run);
	MemoryContextSwitchTo(old);
}

static List *
run_secrets(const EngineRun *run)
{
	return run->entry ? arazzo_loop_secrets(run->entry) : NIL;
}

static void
add_attempt(EngineRun *run, const RunNext *next, const DriveCall *call,
			const ArazzoResponse *response, const RunJudgement *judgement)
{
	QueueEngine *engine = run->engine;
	MemoryContext old = MemoryContextSwitchTo(engine->write_context);
	QueueAttempt *attempt = arazzo_queue_attempt(run->stored, next, call, run->key, response, judgement,
												 run_secrets(run));

	engine->attempts = lappend(engine->attempts, attempt);
	MemoryContextSwitchTo(old);
}

/* It stays valid as long as the call does, in whatever transaction. */
static const ArazzoConnection *
connect(void *owner, const char *url, Oid role, ArazzoFailure **failure)
{
	const ArazzoConnection *connection = arazzo_connection_find(url, role, failure);

	if (connection)
		arazzo_connection_keep(connection);
	return connection;
}

/* A message goes out with the commit that says it did. */
static void
pass_message(void *owner, ArazzoRun *run, const RunNext *next)
{
	QueueEngine *engine = owner;

	engine->notified = true;
	engine->urgent = true;
	engine->durable = true;
	arazzo_message_perform(run, next);
}

/* May the call be made now? */
static LoopVerdict
admit(void *owner, void *tag, const RunNext *next, const DriveCall *call)
{
	QueueEngine *engine = owner;
	EngineRun  *run = tag;
	GateServer *server = arazzo_gate_server(engine->gate, call->connection);
	bool		crowded = arazzo_loop_is_crowded(engine->loop, call->connection);
	TimestampTz now = arazzo_clock_now();

	run->key = call->key;
	if (run->lost)
		return LOOP_LEAVE;
	if (engine->draining)
	{
		wait_until(run, now, run->change.retries);
		return LOOP_LEAVE;
	}
	if (!arazzo_gate_is_open(engine->gate, server, call->connection, run->probe, crowded, now))
	{
		/* what is taken ahead would be put back */
		if (crowded)
			engine->ahead = 0;
		hold_for(run, server->name);
		return LOOP_LEAVE;
	}
	if (arazzo_resend_is_too_late(call, run->change.unanswered_since, now))
	{
		end_in_doubt(run, next, psprintf("step \"%s\" cannot be repeated any more: its API has forgotten the key of the call that was not answered",
										 next->step->step_id), NULL);
		return LOOP_LEAVE;
	}
	arazzo_gate_enter(server, now);
	run->server = server;
	return LOOP_GO;
}

/* A call that cannot be repeated is sent once that is on disk. */
static LoopVerdict
send(void *owner, void *tag, const RunNext *next, const DriveCall *call)
{
	QueueEngine *engine = owner;
	EngineRun  *run = tag;

	if (run->lost)
		return LOOP_LEAVE;
	if (call->repeatable)
		return LOOP_GO;
	run->change.sending = next->step->step_id;
	run->held = true;
	engine->durable = true;
	arazzo_engine_run_changed(run, true);
	return LOOP_HOLD;
}

static LoopVerdict
answered(void *owner, void *tag, const RunNext *next, const DriveCall *call,
		 const ArazzoResponse *response)
{
	QueueEngine *engine = owner;
	EngineRun  *run = tag;
	bool		unknown = response->outcome == OUTCOME_UNKNOWN;
	TimestampTz now = arazzo_clock_now();

	arazzo_gate_leave_with(engine->gate, run->server, response->outcome == OUTCOME_RECEIVED,
						   response->transient, response->message, now);
	if (arazzo_gate_has_room(engine->gate, run->server))
		engine->tend_at = 0;
	run->server = NULL;
	if (run->lost || (unknown && !call->repeatable))
	{
		add_attempt(run, next, call, response, NULL);
		if (!run->lost)
			end_in_doubt(run, next, psprintf("the answer to step \"%s\" was lost: the call may have been received",
											 next->step->step_id), response->message);
		return LOOP_LEAVE;
	}
	if (!call->repeatable)
	{
		run->change.sending = NULL;
		engine->durable = true;
		arazzo_engine_run_changed(run, true);
	}
	if (unknown && run->change.unanswered_since == 0)
		run->change.unanswered_since = now - response->duration_us;
	if (run->change.unanswered_since != 0 && arazzo_resend_is_known(call, response))
	{
		/* the API took in an earlier attempt, and says so */
		arazzo_run_resolved(run->run, NULL);
		return LOOP_TOLD;
	}
	return LOOP_GO;
}

static void
note_attempt(void *owner, void *tag, const RunNext *next, const DriveCall *call,
			 const ArazzoResponse *response, const RunJudgement *judgement)
{
	add_attempt(tag, next, call, response, judgement);
}

/*
 * A failure that the workflow does nothing about may be one that goes away by
 * itself, or with another credential.
 */
static LoopVerdict
judged(void *owner, void *tag, const RunNext *next, const DriveCall *call,
	   const ArazzoResponse *response)
{
	EngineRun  *run = tag;
	const RunJudgement *judgement = arazzo_run_judgement(run->run);
	LoopVerdict verdict = LOOP_GO;

	if (call && !judgement->success && judgement->action == NULL)
		verdict = resend(run, call, response);
	if (verdict == LOOP_GO)
	{
		run->change.retries = 0;
		run->change.crashes = 0;
		if (response == NULL || response->outcome != OUTCOME_UNKNOWN)
			run->change.unanswered_since = 0;
		if (arazzo_run_failure(run->run) == NULL && !arazzo_run_is_through(run->run))
		{
			save_state(run);
			arazzo_engine_run_changed(run, call == NULL);
		}
	}
	run->key = NULL;
	return verdict;
}

/* Puts the run aside when its call should be sent once more. */
static LoopVerdict
resend(EngineRun *run, const DriveCall *call, const ArazzoResponse *response)
{
	QueueEngine *engine = run->engine;
	const ArazzoConnection *connection = call->connection;
	const char *refusal = NULL;

	if (call->unauthorized)
		refusal = response->message;
	else if (response->outcome == OUTCOME_RECEIVED && (response->status == 401 || response->status == 403))
		refusal = psprintf("the API answered %d to the credential of the role", response->status);
	if (refusal)
	{
		GateServer *server = arazzo_gate_server(engine->gate, connection);

		arazzo_gate_pause(engine->gate, server, run->stored->owner, refusal);
		hold_for(run, server->name);
		return LOOP_LEAVE;
	}
	if (!arazzo_resend_helps(call, response, run->change.retries))
		return LOOP_GO;
	wait_until(run, arazzo_resend_time(response, run->change.retries, connection->retry_limit),
			   run->change.retries + 1);
	return LOOP_LEAVE;
}

static LoopVerdict
wait(void *owner, void *tag, TimestampTz until)
{
	EngineRun  *run = tag;

	if (!run->lost && !run->engine->draining &&
		until <= TimestampTzPlusMilliseconds(arazzo_clock_now(), SHORT_WAIT))
		return LOOP_GO;
	/* a call that waits for a place begins again from before it */
	if (run->server == NULL)
		save_state(run);
	wait_until(run, until, run->change.retries);
	return LOOP_LEAVE;
}

/*
 * The time that a message may take is on disk before: another worker, after a
 * crash, waits for what is left of it.
 */
static void
await(void *owner, void *tag)
{
	EngineRun  *run = tag;

	save_state(run);
	arazzo_engine_run_changed(run, true);
}

/* What becomes of it is noted already, unless it is another's. */
static void
left(void *owner, void *tag)
{
	EngineRun  *run = tag;

	run->entry = NULL;
	if (run->server)
		run->server->in_flight--;
	run->server = NULL;
	if (run->lost && !run->dirty)
		arazzo_engine_run_free(run);
}

static void
finished(void *owner, void *tag, ArazzoRun *finished_run, List *secrets)
{
	EngineRun  *run = tag;
	MemoryContext old = MemoryContextSwitchTo(run->context);
	ArazzoFailure *failure = NULL;
	const char *status = "succeeded";

	run->entry = NULL;
	if (arazzo_run_failure(finished_run))
	{
		failure = arazzo_drive_failure(finished_run, secrets);
		status = failure->sqlstate == ERRCODE_ARAZZO_IN_DOUBT ? "in_doubt" : "failed";
	}
	/* what goes on needs values as they are, what is kept does not */
	run->change.outputs = arazzo_mask_jsonb(arazzo_value_to_jsonb(arazzo_run_outputs(finished_run)),
											list_concat_copy(arazzo_run_secrets(finished_run), secrets));
	run->change.ended_by = arazzo_run_ended_by(finished_run);
	arazzo_run_free(finished_run);
	run->run = NULL;
	if (!run->lost)
		end_run(run, status, failure);
	else if (!run->dirty)
		arazzo_engine_run_free(run);
	MemoryContextSwitchTo(old);
}
