/*-------------------------------------------------------------------------
 *
 * run_store.h
 *	  The tables of queued runs: every statement on them.
 *
 * Statements run as the owner of the tables, so that roles need no privilege
 * on them.  A run that is being worked on carries the claim of its worker;
 * what a worker writes is refused once the claim is no longer its own.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_RUN_STORE_H
#define ARAZZO_QUEUE_RUN_STORE_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

#include "support/errors.h"

/* A run found by its worker dead so many times in a row is set aside. */
#define QUEUE_MAX_CRASHES 5

typedef struct QueuedRun
{
	int64		id;
	Oid			owner;
	char	   *status;			/* "queued", "running", ... */
	char	   *document;		/* URI */
	char	   *workflow;		/* id */
	char	   *version;		/* of the documents of its plan */
	Jsonb	   *inputs;
	char	   *nonce;			/* what its keys begin with */
	Jsonb	   *state;			/* NULL: not begun */
	int			retries;		/* of the call at hand, by the queue */
	char	   *verdict;		/* of arazzo_resolve, or NULL */
	Jsonb	   *verdict_outputs;
	int64		claim;			/* the worker's own */
} QueuedRun;

/* One attempt of a step, masked; NULL, or 0, where there is nothing. */
typedef struct QueueAttempt
{
	const char *workflow;
	const char *step;
	int			attempt;
	const char *method;
	const char *url;
	const char *key;
	const char *request_body;
	int			status;
	const char *response_body;
	int64		duration_us;
	const char *outcome;		/* "succeeded", "failed", "unknown" */
	const char *action;
	const char *message;
} QueueAttempt;

/* What a run may be submitted with. */
typedef struct QueueOptions
{
	const char *key;			/* the same key, the same run; or NULL */
	TimestampTz not_before;
	const char *order_by;		/* runs of an owner with the same value follow
								 * each other; or NULL */
	const char *notify;			/* channel that hears when it ends; or NULL */
	bool		split;			/* halve its array when the API refuses it */
} QueueOptions;

/* A run by its id, locked; NULL when there is none that the role may see. */
extern QueuedRun *arazzo_queue_lock(int64 id, Oid role);

/* A number that no worker had before. */
extern int64 arazzo_queue_new_claim(void);

/* Takes the run that is due longest, or NULL; rows that others hold are
 * passed over. */
extern QueuedRun *arazzo_queue_take(int64 claim, TimestampTz now);

/* Claims that runs carry, as a List of int64 *. */
extern List *arazzo_queue_claims(void);

/*
 * Releases the runs of a worker that is gone: one that was sending a call
 * that cannot be repeated is in doubt, the others go on.
 */
extern void arazzo_queue_recover(int64 claim, TimestampTz now);

/* The worker's writes; false when the run is no longer its own. */
extern bool arazzo_queue_checkpoint(const QueuedRun *run, Jsonb *state, const char *sending);
extern bool arazzo_queue_wait(const QueuedRun *run, Jsonb *state, TimestampTz due, int retries);
extern bool arazzo_queue_finish(const QueuedRun *run, const char *status, Jsonb *outputs,
								const char *ended_by, const ArazzoFailure *failure);

extern void arazzo_queue_note_attempt(int64 run, const QueueAttempt *attempt);

/* The operator's writes on a run that is locked. */
extern void arazzo_queue_requeue(int64 run, const char *version, const char *verdict, Jsonb *outputs);
extern void arazzo_queue_cancel(int64 run);

/* Deletes up to a number of runs that ended before a moment, and their
 * attempts; returns how many. */
extern int64 arazzo_queue_delete(TimestampTz before, int limit);

#endif							/* ARAZZO_QUEUE_RUN_STORE_H */
