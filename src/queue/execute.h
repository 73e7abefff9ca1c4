/*-------------------------------------------------------------------------
 *
 * execute.h
 *	  Works on one queued run until it comes to rest.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_EXECUTE_H
#define ARAZZO_QUEUE_EXECUTE_H

#include "queue/run_store.h"

/*
 * Works on a run that this session has claimed until it waits, ends, is in
 * doubt or is taken away.  Called in a transaction, which commit ends, and
 * begins another; its argument says whether the commit must be on disk
 * before it returns.  No snapshot or lock is held while a call is under way.
 * What goes wrong with the run is written to it; throws when the session is
 * interrupted or the database refuses a write.
 */
extern void arazzo_queue_execute(QueuedRun *stored, void (*commit) (bool durable));

#endif							/* ARAZZO_QUEUE_EXECUTE_H */
