/*-------------------------------------------------------------------------
 *
 * work_store.h
 *	  Queued runs as workers see them: every statement of theirs.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_WORK_STORE_H
#define ARAZZO_WORK_WORK_STORE_H

#include "nodes/pg_list.h"

#include "work/rows.h"

/* A number that no worker had before. */
extern int64 arazzo_work_new_claim(void);

/* Is one due that should run by itself, while no other such runs? */
extern bool arazzo_work_has_suspects(TimestampTz now);

/* All reasons for which runs are held, as a List of QueueHold *. */
extern List *arazzo_work_holds(void);

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

/* Lets up to so many runs that are held for a reason be due; how many. */
extern int64 arazzo_work_unhold(const QueueHold *hold, TimestampTz now, int limit);

#endif							/* ARAZZO_WORK_WORK_STORE_H */
