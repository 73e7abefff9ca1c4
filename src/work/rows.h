/*-------------------------------------------------------------------------
 *
 * rows.h
 *	  The rows of queued runs, as workers take them and write them.
 *
 * A worker takes runs by writing its claim on them, a number that no worker
 * had before.  What it writes later is refused where the claim is no longer
 * its own: the run was taken away by an operator, or recovered from a worker
 * that was thought dead.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_ROWS_H
#define ARAZZO_WORK_ROWS_H

#include "nodes/pg_list.h"

#include "queue/run_store.h"
#include "support/errors.h"

/* A run found by so many workers dead in a row is run by itself, so that it
 * takes no others with it; after so many it is set aside. */
#define QUEUE_SUSPECT_CRASHES 2
#define QUEUE_MAX_CRASHES 5

/* The hold of a run that waits for a server begins so, and ends with its name. */
#define HOLD_SERVER "server "

/* A reason for which runs of a role are held. */
typedef struct QueueHold
{
	char	   *hold;
	Oid			owner;
} QueueHold;

/* What becomes of a run, all of it: a worker's write. */
typedef struct QueueChange
{
	int64		id;
	ItemPointerData place;		/* where its row was last; set when it is written */
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

/*
 * Takes up to so many runs, those that are due longest first; rows that
 * others hold are passed over.  A List of QueuedRun *, in order of their ids,
 * in the current context.
 */
extern List *arazzo_rows_claim(int64 claim, TimestampTz now, int limit);

/* Takes one that should run by itself, or NULL. */
extern QueuedRun *arazzo_rows_claim_suspect(int64 claim, TimestampTz now);

/* Takes one that is held for a reason, or NULL. */
extern QueuedRun *arazzo_rows_claim_held(int64 claim, const QueueHold *hold, TimestampTz now);

/* Writes changes of runs with this claim (QueueChange *), and sets written. */
extern void arazzo_rows_write(int64 claim, List *changes);

#endif							/* ARAZZO_WORK_ROWS_H */
