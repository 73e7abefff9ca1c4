/*-------------------------------------------------------------------------
 *
 * alarm.c
 *	  A limit of time for what does not end by itself.
 *
 * The alarm is a cancel that comes from the process itself: what looks for
 * interrupts, such as the server's regular expressions, ends by it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/timeout.h"

#include "support/alarm.h"

static TimeoutId alarm_timeout;
static bool registered = false;
static volatile sig_atomic_t rang = false;

static void ring(void);
static bool end_alarm(void);

bool
arazzo_alarm_call(void (*work) (void *argument), void *argument, int limit)
{
	MemoryContext context = CurrentMemoryContext;

	if (!registered)
		alarm_timeout = RegisterTimeout(USER_TIMEOUT, ring);
	registered = true;
	rang = false;
	enable_timeout_after(alarm_timeout, limit);
	PG_TRY();
	{
		work(argument);
	}
	PG_CATCH();
	{
		if (!end_alarm() || geterrcode() != ERRCODE_QUERY_CANCELED)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
		rang = true;
	}
	PG_END_TRY();
	return !end_alarm();
}

/* A signal handler. */
static void
ring(void)
{
	rang = true;
	InterruptPending = true;
	QueryCancelPending = true;
	SetLatch(MyLatch);
}

/* Did it ring?  A cancel that it meant is none any more, unless the
 * statement's own time is over as well. */
static bool
end_alarm(void)
{
	disable_timeout(alarm_timeout, false);
	if (rang && !get_timeout_indicator(STATEMENT_TIMEOUT, false))
		QueryCancelPending = false;
	return rang;
}
