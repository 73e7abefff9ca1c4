/*-------------------------------------------------------------------------
 *
 * test_queue.c
 *	  What workers of the queue do between runs, as SQL functions.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "queue/retention.h"
#include "support/settings.h"

PG_FUNCTION_INFO_V1(test_queue_retain);

/*
 * test_queue_retain() returns boolean
 *
 * The setting is a variable of the extension, which need not be the one here.
 */
Datum
test_queue_retain(PG_FUNCTION_ARGS)
{
	arazzo_retention = pg_strtoint32(GetConfigOption("arazzo.retention", false, false));
	PG_RETURN_BOOL(arazzo_queue_retain());
}
