/*-------------------------------------------------------------------------
 *
 * failing.h
 *	  A C library whose calls fail when they are told to.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_FAILING_H
#define ARAZZO_FAILING_H

#include <stdbool.h>
#include <stddef.h>

typedef enum FailingKind
{
	FAILING_NOTHING,
	FAILING_MALLOC,				/* allocations, whoever makes them */
	FAILING_PALLOC,				/* those of the extension, of the server */
	FAILING_RESOURCE,			/* what makes a descriptor, or a thread */
	FAILING_CALL				/* what waits, connects, sends and receives */
} FailingKind;

/*
 * From now on calls of a kind are counted, and those from a number on fail, so
 * many of them.  What the server has sent or received last, which is the
 * client's, is spared.
 */
extern void failing_start(FailingKind kind, long number, long length);

/* The end of it; how many there were. */
extern long failing_stop(void);

/* Stops counting for a while; what to resume with. */
extern FailingKind failing_pause(void);
extern void failing_resume(FailingKind kind);

/* Counts a call of a kind: must it fail? */
extern bool failing_due(FailingKind kind);

/* Bytes that malloc() has given out. */
extern size_t failing_in_use(void);

#endif							/* ARAZZO_FAILING_H */
