/*-------------------------------------------------------------------------
 *
 * machine.h
 *	  The state machine of a run.  It does no I/O.
 *
 * A driver asks what is next and does it: sends the request and hands in
 * what came back, waits until a moment, or is finished.
 *
 *		while ((next = arazzo_run_next(run))->kind != RUN_FINISHED)
 *			...
 *
 * A run lives in a memory context of its own below the one it was created
 * in.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_RUN_MACHINE_H
#define ARAZZO_RUN_MACHINE_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "support/message.h"
#include "workflow/plan.h"

typedef struct ArazzoRun ArazzoRun;

typedef enum RunNextKind
{
	RUN_SEND,					/* send the request, then arazzo_run_received */
	RUN_WAIT,					/* ask again at the moment "until" */
	RUN_FINISHED,
	RUN_NOTIFY,					/* publish request->body on the channel
								 * request->url, then arazzo_run_received with
								 * a response that has no status */
	RUN_RECEIVE					/* hand in messages of the channel
								 * request->url (arazzo_run_received, headers
								 * and body, no status) until one is taken, or
								 * arazzo_run_missed at "until" */
} RunNextKind;

typedef struct RunNext
{
	RunNextKind kind;
	const PlanWorkflow *workflow;	/* where the run is */
	const PlanStep *step;
	int			attempt;		/* 1 is the first of this visit of the step */
	int			call;			/* the same for every attempt of a visit, and
								 * different for every visit of the run */
	const ArazzoRequest *request;	/* RUN_SEND, RUN_NOTIFY, RUN_RECEIVE; until the
								 * next arazzo_run_next */
	int			timeout;		/* RUN_SEND: ms that it may take, 0: no limit
								 * but the connection's */
	bool		credential_given;	/* the inputs brought the credential */
	TimestampTz until;			/* RUN_WAIT, RUN_RECEIVE */
} RunNext;

/* How the last answer was judged, for traces and records. */
typedef struct RunJudgement
{
	bool		success;
	const char *action;			/* name of the action taken, or NULL */
	const char *reason;			/* why the step failed, or NULL */
	List	   *warnings;		/* of char * */
	List	   *violations;		/* of char *: what arazzo.validate = warn found */
} RunJudgement;

/*
 * A new run.  Defaults are filled into the inputs and they are validated;
 * NULL and *failure (22023 when they are no object, WF005) when they do not
 * fit.  The inputs are copied.
 */
extern ArazzoRun *arazzo_run_create(const ArazzoPlan *plan, const JsonbValue *inputs, ArazzoFailure **failure);

/*
 * The same for explaining: inputs that are required may be missing, and stand
 * as their expressions then.
 */
extern ArazzoRun *arazzo_run_create_explained(const ArazzoPlan *plan, const JsonbValue *inputs, ArazzoFailure **failure);

/* What is next.  The result belongs to the run and is valid until its next
 * call.  Does not throw for what documents and servers get wrong. */
extern const RunNext *arazzo_run_next(ArazzoRun *run);

/*
 * Hands in what came back for the request.  repeatable: the call is safe or
 * carries a key by which the API knows a repetition.  False when it is a
 * message that is not the one the step waits for: it goes on waiting.
 */
extern bool arazzo_run_received(ArazzoRun *run, const ArazzoResponse *response, bool repeatable);

/* No message has come: true when the time for it is over, and the step has
 * failed by that. */
extern bool arazzo_run_missed(ArazzoRun *run);

/* The step fails before anything was sent: no connection, no credential. */
extern void arazzo_run_refused(ArazzoRun *run, const ArazzoFailure *failure);

/*
 * The step is taken as done, with these outputs (an object) or none: what a
 * person says of a call whose answer was lost.
 */
extern void arazzo_run_resolved(ArazzoRun *run, const JsonbValue *outputs);

/*
 * The delay in microseconds before a call is repeated: as the Retry-After
 * header of the response (or NULL) says, else so many seconds.
 */
extern int64 arazzo_run_retry_delay(const ArazzoResponse *response, double retry_after, TimestampTz now);

extern const RunJudgement *arazzo_run_judgement(const ArazzoRun *run);

/* Once finished: why it failed, or NULL; its outputs, every declared name
 * present (an object; of a failed run what it has so far). */
extern const ArazzoFailure *arazzo_run_failure(const ArazzoRun *run);
extern JsonbValue *arazzo_run_outputs(ArazzoRun *run);

/* Is nothing left to do but to end it, which cannot fail? */
extern bool arazzo_run_is_through(const ArazzoRun *run);

/* The action that ended it, or NULL when it went through. */
extern const char *arazzo_run_ended_by(const ArazzoRun *run);

/* Credential values among the inputs (List of char *): to be masked. */
extern List *arazzo_run_secrets(const ArazzoRun *run);

/* The whole state as one jsonb value, and back.  Restoring gives NULL and
 * *failure when the state does not fit the plan. */
extern Jsonb *arazzo_run_save(const ArazzoRun *run);
extern ArazzoRun *arazzo_run_restore(const ArazzoPlan *plan, Jsonb *state, ArazzoFailure **failure);

extern void arazzo_run_free(ArazzoRun *run);

/* Why a run with these inputs would not begin, or NULL; whether a missing
 * credential is there is not looked at. */
extern ArazzoFailure *arazzo_run_check(const ArazzoPlan *plan, const JsonbValue *inputs);

/* The plan that a run follows. */
extern const ArazzoPlan *arazzo_run_plan(const ArazzoRun *run);

/*
 * The channel that a step will listen to, as far as the run knows it now; of
 * steps of other workflows, only what needs no value.  NULL when it does
 * not.  In the current memory context.
 */
extern char *arazzo_run_channel(ArazzoRun *run, const PlanStep *step);

/* Why messages of a step's channel cannot be carried at all, or NULL. */
extern ArazzoFailure *arazzo_run_channel_failure(const PlanStep *step);

/*
 * Explaining: the request of a step as far as it is known from the inputs
 * alone; what is not known yet stands as its expression.  NULL and *failure
 * when it cannot be built.
 */
extern const ArazzoRequest *arazzo_run_explain_step(ArazzoRun *run, const PlanStep *step,
													bool *credential_given, ArazzoFailure **failure);

/* Goes into the workflow that a step calls, with the inputs it would get as
 * far as they are known, and out again. */
extern bool arazzo_run_explain_enter(ArazzoRun *run, const PlanStep *step, ArazzoFailure **failure);
extern void arazzo_run_explain_leave(ArazzoRun *run);

#endif							/* ARAZZO_RUN_MACHINE_H */
