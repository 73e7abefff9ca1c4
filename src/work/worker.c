/*-------------------------------------------------------------------------
 *
 * worker.c
 *	  A background worker of one database.
 *
 * It holds no transaction while it waits, for the network or for work, and
 * looks at interrupts at least ten times a second then, so that it is in the
 * way of nobody.  When it is asked to end, it takes nothing new and waits a
 * little for the answers to what it has sent, so that a restart of the server
 * leaves no run in doubt that need not be.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "commands/extension.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/backend_status.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

#include "work/claims.h"
#include "work/engine.h"
#include "work/shared.h"
#include "work/worker.h"

/* How long (ms) a turn may wait. */
#define TURN_TIMEOUT 5000

/* How long (ms) answers are waited for when the worker is to end. */
#define DRAIN_TIME 3000

/* How often (ms) it looks for the extension while it is not there. */
#define EXTENSION_INTERVAL 10000

/* Seconds that a database may refuse what is to be written, before the worker
 * ends and another begins. */
#define PATIENCE 60

PGDLLEXPORT void arazzo_worker_main(Datum argument) pg_attribute_noreturn();

static void set_up(void);
static void handle_cancel(SIGNAL_ARGS);
static void set_setting(const char *name, const char *value);
static void begin(void);
static void commit(bool durable);
static void wait_for_extension(void);
static bool has_extension(void);
static int64 begin_claim(void);
static void work(QueueEngine *engine);
static void end_turn(void);
static void drain(QueueEngine *engine);
static void reload(void);

static const QueueDriver worker_driver = {begin, commit, PATIENCE, true};

void
arazzo_worker_main(Datum argument)
{
	MemoryContext context;
	QueueEngine *engine;

	set_up();
	wait_for_extension();
	context = AllocSetContextCreate(TopMemoryContext, "arazzo worker", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(context);
	engine = arazzo_engine_create(&worker_driver, begin_claim(), PG_INT32_MAX);
	work(engine);
	drain(engine);
	proc_exit(0);
}

static void
set_up(void)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	pqsignal(SIGINT, handle_cancel);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, NULL, 0);
	if (!arazzo_shared_join())
		ereport(FATAL,
				errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				errmsg("too many workers for queued runs"));

	/* whatever database and role have set for sessions of people */
	set_setting("search_path", "pg_catalog, pg_temp");
	set_setting("statement_timeout", "0");
	set_setting("lock_timeout", "10s");
	set_setting("idle_in_transaction_session_timeout", "0");
	set_setting("default_transaction_isolation", "read committed");
	set_setting("default_transaction_read_only", "off");
	set_setting("application_name", "arazzo worker");
	pgstat_report_appname("arazzo worker");
}

/* A lock that was waited for too long comes as a cancel, too: it ends the
 * statement.  One from elsewhere ends the worker. */
static void
handle_cancel(SIGNAL_ARGS)
{
	if (get_timeout_indicator(LOCK_TIMEOUT, false))
		StatementCancelHandler(postgres_signal_arg);
	else
		SignalHandlerForShutdownRequest(postgres_signal_arg);
}

static void
set_setting(const char *name, const char *value)
{
	SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE);
}

/* Transactions in which the current memory context outlives them. */
static void
begin(void)
{
	MemoryContext context = CurrentMemoryContext;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	MemoryContextSwitchTo(context);
	pgstat_report_activity(STATE_RUNNING, "working on queued runs");
}

static void
commit(bool durable)
{
	MemoryContext context = CurrentMemoryContext;

	if (durable)
		ForceSyncCommit();
	CommitTransactionCommand();
	MemoryContextSwitchTo(context);
	pgstat_report_stat(false);
}

/* A database may get the extension later. */
static void
wait_for_extension(void)
{
	while (!has_extension())
	{
		pgstat_report_activity(STATE_IDLE, NULL);
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, EXTENSION_INTERVAL, PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ShutdownRequestPending)
			proc_exit(0);
		reload();
	}
}

static bool
has_extension(void)
{
	bool		there;

	begin();
	there = OidIsValid(get_extension_oid(WORKER_LIBRARY, true));
	commit(false);
	return there;
}

static int64
begin_claim(void)
{
	int64		claim;

	begin();
	claim = arazzo_claims_begin();
	commit(false);
	return claim;
}

static void
work(QueueEngine *engine)
{
	while (!ShutdownRequestPending)
	{
		if (arazzo_shared_was_woken())
			arazzo_engine_look(engine);
		arazzo_engine_turn(engine, TURN_TIMEOUT);
		end_turn();
		reload();
	}
}

/* What the views of the statistics say of this process. */
static void
end_turn(void)
{
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
}

static void
drain(QueueEngine *engine)
{
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), DRAIN_TIME);

	arazzo_engine_drain(engine);
	while (!arazzo_engine_is_empty(engine) && GetCurrentTimestamp() < end)
		arazzo_engine_turn(engine, 100);
}

static void
reload(void)
{
	if (!ConfigReloadPending)
		return;
	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);
}
