/*-------------------------------------------------------------------------
 *
 * shared.h
 *	  Which workers there are, in shared memory.
 *
 * Only when the library is preloaded by the server; without, nobody waits to
 * be woken.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_SHARED_H
#define ARAZZO_WORK_SHARED_H

/* Workers of all databases together. */
#define QUEUE_MAX_WORKERS 64

/* Asks for the memory; when the library is preloaded. */
extern void arazzo_shared_init(void);

/* This process is a worker of its database from now on, until it ends; false
 * when there are too many. */
extern bool arazzo_shared_join(void);

/* Has this worker been woken since it asked for the last time? */
extern bool arazzo_shared_was_woken(void);

#endif							/* ARAZZO_WORK_SHARED_H */
