/*-------------------------------------------------------------------------
 *
 * test_queue.c
 *	  What workers of the queue do between runs, as SQL functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"

#include "queue/retention.h"

PG_FUNCTION_INFO_V1(test_queue_retain);

/*
 * test_queue_retain() returns boolean
 */
Datum
test_queue_retain(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(arazzo_queue_retain());
}
