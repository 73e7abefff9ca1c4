/*-------------------------------------------------------------------------
 *
 * clock.h
 *	  The clock that runs see, replaceable in tests.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_SUPPORT_CLOCK_H
#define ARAZZO_SUPPORT_CLOCK_H

#include "datatype/timestamp.h"

typedef struct ArazzoClock
{
	TimestampTz (*now) (void);

	/*
	 * Returns at the given moment, or sooner when the latch is set; a caller
	 * loops.  Honours interrupts (57014).
	 */
	void		(*wait_until) (TimestampTz moment);
} ArazzoClock;

extern TimestampTz arazzo_clock_now(void);

/* Waits, honouring interrupts, until the moment has come. */
extern void arazzo_clock_wait_until(TimestampTz moment);

/* The same, but may return sooner: when the latch is set, after a while. */
extern void arazzo_clock_wait_once(TimestampTz moment);

/* Puts another clock in place; NULL restores the real one. */
extern void arazzo_clock_replace(const ArazzoClock *clock);

#endif							/* ARAZZO_SUPPORT_CLOCK_H */
