/*-------------------------------------------------------------------------
 *
 * retention.h
 *	  How long queued runs are kept.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_RETENTION_H
#define ARAZZO_QUEUE_RETENTION_H

/*
 * Deletes, in the current transaction, a batch of the runs that ended longer
 * ago than arazzo.retention; true when there may be more.  Waits for nobody.
 */
extern bool arazzo_queue_retain(void);

#endif							/* ARAZZO_QUEUE_RETENTION_H */
