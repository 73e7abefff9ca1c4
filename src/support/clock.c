/*-------------------------------------------------------------------------
 *
 * clock.c
 *	  The clock that runs see, replaceable in tests.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "support/clock.h"

static void real_wait_until(TimestampTz moment);

static const ArazzoClock real_clock = {GetCurrentTimestamp, real_wait_until};
static const ArazzoClock *current_clock = &real_clock;

TimestampTz
arazzo_clock_now(void)
{
	return current_clock->now();
}

void
arazzo_clock_wait_until(TimestampTz moment)
{
	while (current_clock->now() < moment)
		current_clock->wait_until(moment);
}

void
arazzo_clock_wait_once(TimestampTz moment)
{
	current_clock->wait_until(moment);
}

void
arazzo_clock_replace(const ArazzoClock *clock)
{
	current_clock = clock ? clock : &real_clock;
}

/* Sleeps on the latch, so that a cancel or a shutdown is seen at once. */
static void
real_wait_until(TimestampTz moment)
{
	long		milliseconds = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), moment);

	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 Min(Max(milliseconds, 1), 60 * 1000L), PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}
