/*-------------------------------------------------------------------------
 *
 * engine.h
 *	  Works on many queued runs at once.
 *
 * One event loop drives the runs; what becomes of them is written for many
 * with one commit.  No transaction is needed while it waits for the network.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_ENGINE_H
#define ARAZZO_WORK_ENGINE_H

#include "datatype/timestamp.h"

typedef struct QueueEngine QueueEngine;

/* How whoever has an engine begins and ends its transactions. */
typedef struct QueueDriver
{
	void		(*begin) (void);

	/* durable: on disk when it returns, even with synchronous_commit = off;
	 * else as that setting says. */
	void		(*commit) (bool durable);

	/* How often what the database refuses is tried again, a second apart,
	 * before its error is thrown. */
	int			patience;

	/* A full disk, and whatever else has run out, is waited for without end. */
	bool		stays;
} QueueDriver;

/*
 * An engine for a claim, in the current memory context.  It takes no run
 * before arazzo_engine_turn, and no more than limit in all.
 */
extern QueueEngine *arazzo_engine_create(const QueueDriver *driver, int64 claim, int limit);

/*
 * Waits up to so long (ms) for answers, moments and the latch, outside of a
 * transaction, and does all that can be done then: takes in answers, takes
 * runs that are due, writes down what changed, sends.  Throws when the
 * session is interrupted, and when the database keeps refusing a write; what
 * was not written then is found by the next worker as after a crash.
 */
extern void arazzo_engine_turn(QueueEngine *engine, int timeout);

/* Runs taken so far. */
extern int	arazzo_engine_taken(const QueueEngine *engine);

/* Nothing is under way, nothing is left to write, and nothing is due. */
extern bool arazzo_engine_is_idle(const QueueEngine *engine);

/* Nothing is under way, and nothing is left to write. */
extern bool arazzo_engine_is_empty(const QueueEngine *engine);

/* Something may have become due: look at the next turn. */
extern void arazzo_engine_look(QueueEngine *engine);

/* From now on no further run is taken, and no call is begun. */
extern void arazzo_engine_drain(QueueEngine *engine);

#endif							/* ARAZZO_WORK_ENGINE_H */
