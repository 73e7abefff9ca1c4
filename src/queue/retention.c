/*-------------------------------------------------------------------------
 *
 * retention.c
 *	  How long queued runs are kept: arazzo_prune and arazzo.retention.
 *
 * In batches that pass over what others hold, so that deleting never blocks
 * the queue.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "queue/levers.h"
#include "queue/retention.h"
#include "queue/run_store.h"
#include "support/clock.h"
#include "support/settings.h"

PG_FUNCTION_INFO_V1(arazzo_prune);

/* Runs that one transaction deletes. */
#define BATCH 1000

/*
 * arazzo_prune(older_than interval, INOUT pruned bigint)
 *
 * Where it may, it commits after each batch.
 */
Datum
arazzo_prune(PG_FUNCTION_ARGS)
{
	bool		commits = arazzo_queue_may_commit(fcinfo);
	TimestampTz from = DT_NOBEGIN;
	TimestampTz before;
	int64		pruned = 0;
	int64		batch;

	PreventCommandDuringRecovery("arazzo_prune()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				errmsg("%s must not be null", "older_than"));
	before = DatumGetTimestampTz(DirectFunctionCall2(timestamptz_mi_interval,
													 TimestampTzGetDatum(GetCurrentTimestamp()),
													 PG_GETARG_DATUM(0)));
	if (SPI_connect_ext(commits ? SPI_OPT_NONATOMIC : 0) != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to the SPI manager");
	do
	{
		CHECK_FOR_INTERRUPTS();
		batch = arazzo_queue_delete(&from, before, BATCH);
		pruned += batch;
		if (commits)
			arazzo_queue_commit(false);
	} while (batch == BATCH);
	SPI_finish();
	return arazzo_queue_result(fcinfo, Int64GetDatum(pruned));
}

bool
arazzo_queue_retain(void)
{
	static TimestampTz from = DT_NOBEGIN;
	bool		more = false;

	if (arazzo_retention >= 0)
		more = arazzo_queue_delete(&from, arazzo_clock_now() - arazzo_retention * USECS_PER_MINUTE, BATCH) == BATCH;
	if (!more)
		from = DT_NOBEGIN;
	return more;
}
