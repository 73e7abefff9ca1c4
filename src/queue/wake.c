/*-------------------------------------------------------------------------
 *
 * wake.c
 *	  Tells workers of runs that a transaction has queued.
 *
 * A savepoint that is rolled back leaves the mark: to wake a worker for
 * nothing costs little, and to find out would cost every transaction.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"

#include "queue/wake.h"

void		(*arazzo_queue_wake) (void) = NULL;

static bool queued = false;

static void at_transaction_end(XactEvent event, void *argument);

void
arazzo_queue_wake_at_commit(void)
{
	static bool registered = false;

	if (!registered)
		RegisterXactCallback(at_transaction_end, NULL);
	registered = true;
	queued = true;
}

static void
at_transaction_end(XactEvent event, void *argument)
{
	if (event == XACT_EVENT_COMMIT && queued && arazzo_queue_wake)
		arazzo_queue_wake();
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		queued = false;
}
