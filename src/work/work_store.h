/*-------------------------------------------------------------------------
 *
 * work_store.h
 *	  Queued runs as workers see them: every statement of theirs.
 *
 * A worker takes runs by writing its claim on them, a number that no worker
 * had before.  What it writes later is refused where the claim is no longer
 * its own: the run was taken away by an operator, or recovered from a worker
 * that was thought dead.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_WORK_STORE_H
#define ARAZZO_WORK_WORK_STORE_H

#include "nodes/pg_list.h"

#include "queue/run_store.h"
#include "support/errors.h"

/* A run found by so many workers dead in a row is run by itself, so that it
 * takes no others with it; after so many it is set aside. */
#define QUEUE_SUSPECT_CRASHES 2
#define QUEUE_MAX_CRASHES 5

/* The hold of a run that waits for a server begins so, and ends with its name. */
#define HOLD_SERVER "server "

/* What becomes of a run, all of it: a worker's write. */
typedef struct QueueChange
{
	int64		id;
	const char *status;			/* "running": still claimed */
	TimestampTz due;			/* 0: null, as are the other moments */
	const char *hold;			/* or NULL */
	Jsonb	   *state;			/* NULL: as it is; of a success none is kept */
	const char *sending;		/* step whose call cannot be repeated, or NULL */
	TimestampTz unanswered_since;
	int			retries;
	int			crashes;
	bool		judged;			/* the verdict of a person is applied */
	Jsonb	   *outputs;		/* or NULL */
	const char *ended_by;		/* or NULL */
	const ArazzoFailure *failure;	/* or NULL */
	bool		written;		/* the run was still the worker's own */
} QueueChange;

/* One attempt of a step, masked; NULL, or 0, where there is nothing. */
typedef struct QueueAttempt
{
	int64		run;
	Oid			owner;
	const char *server;
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

/* A number that no worker had before. */
extern int64 arazzo_work_new_claim(void);

/*
 * Takes up to so many runs, those that are due longest first; rows that
 * others hold are passed over.  A List of QueuedRun *, in order.
 */
extern List *arazzo_work_claim(int64 claim, TimestampTz now, int limit);

/* Is one due that should run by itself, while no other such runs? */
extern bool arazzo_work_has_suspects(TimestampTz now);

/* Takes one that should run by itself, or NULL. */
extern QueuedRun *arazzo_work_claim_suspect(int64 claim, TimestampTz now);

/* A reason for which runs of a role are held. */
typedef struct QueueHold
{
	char	   *hold;
	Oid			owner;
} QueueHold;

/* All of them, as a List of QueueHold *. */
extern List *arazzo_work_holds(void);

/* Takes one that is held for a reason, or NULL. */
extern QueuedRun *arazzo_work_claim_held(int64 claim, const QueueHold *hold, TimestampTz now);

/* The moment when the next run is due, DT_NOEND when there is none. */
extern TimestampTz arazzo_work_next_due(TimestampTz now);

/* Claims that runs carry, as a List of int64 *. */
extern List *arazzo_work_claims(void);

/*
 * Releases the runs of a worker that is gone: one that was sending a call
 * that cannot be repeated is in doubt, the others go on; their calls may
 * have been received from the moment on that they were claimed.  Returns how
 * many there were.
 */
extern int64 arazzo_work_recover(int64 claim, TimestampTz now);

/* Writes changes of runs with this claim (QueueChange *), and sets written. */
extern void arazzo_work_write(int64 claim, List *changes);

/* Adds attempts (QueueAttempt *) to the history. */
extern void arazzo_work_add_attempts(List *attempts);

/* Lets up to so many runs that are held for a reason be due; how many. */
extern int64 arazzo_work_unhold(const QueueHold *hold, TimestampTz now, int limit);

#endif							/* ARAZZO_WORK_WORK_STORE_H */
