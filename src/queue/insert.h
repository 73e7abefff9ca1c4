/*-------------------------------------------------------------------------
 *
 * insert.h
 *	  The way of a run into the queue.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_INSERT_H
#define ARAZZO_QUEUE_INSERT_H

#include "queue/run_store.h"

/*
 * Inserts a run (owner, document, workflow, version and inputs of it are
 * looked at), as an INSERT of this transaction would, but that nobody needs a
 * privilege on the table and that no triggers on it are fired.  Returns its
 * id, or that of the run that its owner has with the same key.  Throws 23505
 * when that one has another workflow or other inputs, 40001 when this
 * transaction cannot see it.
 */
extern int64 arazzo_queue_insert(const QueuedRun *run, const QueueOptions *options);

#endif							/* ARAZZO_QUEUE_INSERT_H */
