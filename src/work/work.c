/*-------------------------------------------------------------------------
 *
 * work.c
 *	  arazzo_work: works the queue off from this session.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xlog.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "queue/levers.h"
#include "work/claims.h"
#include "work/engine.h"

PG_FUNCTION_INFO_V1(arazzo_work);

/* How long a turn of the engine may wait (ms): any time will do. */
#define TURN_TIMEOUT 60000

/* Seconds that a database may refuse what is to be written. */
#define PATIENCE 5

static void begin_nothing(void);
static int32 work(int64 claim, int32 limit);

static const QueueDriver procedure_driver = {begin_nothing, arazzo_queue_commit, PATIENCE, false};

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
	claim = arazzo_claims_begin();
	PG_TRY();
	{
		worked = work(claim, limit);
	}
	PG_FINALLY();
	{
		arazzo_claims_end(claim);
	}
	PG_END_TRY();
	SPI_finish();
	return arazzo_queue_result(fcinfo, Int32GetDatum(worked));
}

/* A procedure is always in a transaction. */
static void
begin_nothing(void)
{
}

static int32
work(int64 claim, int32 limit)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "arazzo_work", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	QueueEngine *engine = arazzo_engine_create(&procedure_driver, claim, limit);
	int32		worked;

	do
		arazzo_engine_turn(engine, TURN_TIMEOUT);
	while (!arazzo_engine_is_idle(engine));
	worked = arazzo_engine_taken(engine);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return worked;
}
