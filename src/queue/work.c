/*-------------------------------------------------------------------------
 *
 * work.c
 *	  arazzo_work: works the queue off from this session.
 *
 * A worker is a number that no worker had before, its claim, and a session
 * level lock on it.  The lock goes when the session ends, however it does,
 * or stops working: runs with a claim that nobody holds are recovered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lock.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "queue/execute.h"
#include "queue/levers.h"
#include "queue/run_store.h"
#include "support/clock.h"

PG_FUNCTION_INFO_V1(arazzo_work);

/* Tells the workers' locks from the advisory locks of users. */
#define WORKER_LOCK 0x415A

static int32 work(int64 claim, int32 limit);
static void set_lock_tag(LOCKTAG *tag, int64 claim);
static void recover_lost(int64 claim);

/*
 * arazzo_work("limit" int, INOUT worked int)
 *
 * A procedure, since it commits between its phases.
 */
Datum
arazzo_work(PG_FUNCTION_ARGS)
{
	int32		limit = PG_ARGISNULL(0) ? PG_INT32_MAX : PG_GETARG_INT32(0);
	volatile int32 worked = 0;
	int64		claim;
	LOCKTAG		tag;

	PreventCommandDuringRecovery("arazzo_work()");
	if (!arazzo_queue_may_commit(fcinfo))
		ereport(ERROR,
				errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				errmsg("arazzo_work cannot run inside a transaction block or a function"),
				errhint("It commits as it goes: use CALL as a statement of its own."));
	if (limit < 0)
		ereport(ERROR,
				errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("limit must not be negative"));
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "could not connect to the SPI manager");
	arazzo_queue_commit(false);
	claim = arazzo_queue_new_claim();
	set_lock_tag(&tag, claim);
	(void) LockAcquire(&tag, ExclusiveLock, true, false);
	PG_TRY();
	{
		worked = work(claim, limit);
	}
	PG_FINALLY();
	{
		(void) LockRelease(&tag, ExclusiveLock, true);
	}
	PG_END_TRY();
	SPI_finish();
	return arazzo_queue_result(fcinfo, Int32GetDatum(worked));
}

static int32
work(int64 claim, int32 limit)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arazzo_work", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	int32		worked;

	recover_lost(claim);
	for (worked = 0; worked < limit; worked++)
	{
		QueuedRun  *run;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(context);
		while (arazzo_queue_end_split())
			;
		run = arazzo_queue_take(claim, arazzo_clock_now());
		arazzo_queue_commit(false);
		if (run == NULL)
			break;
		arazzo_queue_execute(run, arazzo_queue_commit);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return worked;
}

static void
set_lock_tag(LOCKTAG *tag, int64 claim)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (claim >> 32), (uint32) claim, WORKER_LOCK);
}

/* The runs of workers that are gone. */
static void
recover_lost(int64 claim)
{
	ListCell   *cell;

	foreach(cell, arazzo_queue_claims())
	{
		int64		other = *(int64 *) lfirst(cell);
		LOCKTAG		tag;

		set_lock_tag(&tag, other);
		if (other != claim && LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL)
			arazzo_queue_recover(other, arazzo_clock_now());
	}
	arazzo_queue_commit(true);
}
