/*-------------------------------------------------------------------------
 *
 * wake.h
 *	  Tells workers of runs that a transaction has queued.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_WAKE_H
#define ARAZZO_QUEUE_WAKE_H

/*
 * What is called after each commit of a transaction that queued runs, or
 * NULL.  The commit is final then: it must not throw.
 */
extern void (*arazzo_queue_wake) (void);

/*
 * This transaction has queued a run.  When it commits, workers are woken; a
 * transaction that is prepared is no longer this session's, and forgotten.
 */
extern void arazzo_queue_wake_at_commit(void);

#endif							/* ARAZZO_QUEUE_WAKE_H */
