/*-------------------------------------------------------------------------
 *
 * launcher.c
 *	  Starts the workers of all databases, and starts them again.
 *
 * It is connected to no database.  A standby starts it when it is promoted.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <signal.h>

#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/procsignal.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"
#include "utils/wait_event.h"

#include "work/prepared.h"
#include "work/shared.h"
#include "work/worker.h"

/* How long (ms) before a worker that has ended is started again: at first,
 * and when it ends again and again; one that lasted so long has not. */
#define FIRST_DELAY 1000
#define LONGEST_DELAY 60000
#define LASTING_TIME 30000

char	   *arazzo_worker_databases = NULL;
int			arazzo_worker_count = 1;

/* A worker that should be, is or was. */
typedef struct LaunchedWorker
{
	char		database[NAMEDATALEN];
	int			number;			/* among those of its database, from 1 */
	bool		wanted;
	BackgroundWorkerHandle *handle; /* NULL: it does not run */
	TimestampTz started;
	TimestampTz start_at;		/* not before */
	int			delay;			/* ms */
} LaunchedWorker;

PGDLLEXPORT void arazzo_launcher_main(Datum argument) pg_attribute_noreturn();

static List *workers = NIL;		/* of LaunchedWorker * */

static void define_settings(void);
static bool check_databases(char **value, void **extra, GucSource source);
static void register_launcher(void);
static void read_wishes(void);
static void want_workers(const char *database);
static LaunchedWorker *find_worker(const char *database, int number);
static void tend_workers(void);
static void tend_worker(LaunchedWorker *worker, TimestampTz now);
static void note_end(LaunchedWorker *worker, TimestampTz now);
static void start_worker(LaunchedWorker *worker, TimestampTz now);
static long next_wait(void);

void
arazzo_worker_init(void)
{
	define_settings();
	if (!process_shared_preload_libraries_in_progress)
		return;
	arazzo_shared_init();
	arazzo_prepared_init();
	register_launcher();
}

static void
define_settings(void)
{
	DefineCustomStringVariable("arazzo.databases",
							   "Sets the databases whose queued runs background workers work off.",
							   "Names separated by commas. It takes effect when the library is among shared_preload_libraries.",
							   &arazzo_worker_databases, "", PGC_SIGHUP, GUC_LIST_INPUT,
							   check_databases, NULL, NULL);
	DefineCustomIntVariable("arazzo.workers",
							"Sets how many background workers each of those databases has.",
							NULL,
							&arazzo_worker_count, 1, 1, 32, PGC_SIGHUP, 0, NULL, NULL, NULL);
}

static bool
check_databases(char **value, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*value);
	List	   *names = NIL;

	if (SplitIdentifierString(copy, ',', &names))
		return true;
	GUC_check_errdetail("List syntax is invalid.");
	return false;
}

static void
register_launcher(void)
{
	BackgroundWorker worker = {0};

	strlcpy(worker.bgw_name, "arazzo launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_type, "arazzo launcher", BGW_MAXLEN);
	strlcpy(worker.bgw_library_name, WORKER_LIBRARY, sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, LAUNCHER_FUNCTION, BGW_MAXLEN);
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = 1;
	RegisterBackgroundWorker(&worker);
}

void
arazzo_launcher_main(Datum argument)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	/* ignored without a database, and tells that a worker has ended */
	pqsignal(SIGUSR1, procsignal_sigusr1_handler);
	BackgroundWorkerUnblockSignals();
	read_wishes();
	while (!ShutdownRequestPending)
	{
		tend_workers();
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, next_wait(), PG_WAIT_EXTENSION);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			read_wishes();
		}
	}
	proc_exit(0);
}

/* Which workers the settings ask for. */
static void
read_wishes(void)
{
	char	   *copy = pstrdup(arazzo_worker_databases);
	List	   *names = NIL;
	ListCell   *cell;

	foreach(cell, workers)
		((LaunchedWorker *) lfirst(cell))->wanted = false;
	if (SplitIdentifierString(copy, ',', &names))
	{
		foreach(cell, names)
			want_workers(lfirst(cell));
	}
	list_free(names);
	pfree(copy);
}

static void
want_workers(const char *database)
{
	int			number;

	for (number = 1; number <= arazzo_worker_count; number++)
	{
		LaunchedWorker *worker = find_worker(database, number);

		if (worker == NULL)
		{
			MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

			worker = palloc0(sizeof(LaunchedWorker));
			strlcpy(worker->database, database, NAMEDATALEN);
			worker->number = number;
			workers = lappend(workers, worker);
			MemoryContextSwitchTo(old);
		}
		if (!worker->wanted)
			worker->start_at = 0;
		worker->wanted = true;
	}
}

static LaunchedWorker *
find_worker(const char *database, int number)
{
	ListCell   *cell;

	foreach(cell, workers)
	{
		LaunchedWorker *worker = lfirst(cell);

		if (worker->number == number && strcmp(worker->database, database) == 0)
			return worker;
	}
	return NULL;
}

static void
tend_workers(void)
{
	TimestampTz now = GetCurrentTimestamp();
	ListCell   *cell;

	foreach(cell, workers)
		tend_worker(lfirst(cell), now);
}

static void
tend_worker(LaunchedWorker *worker, TimestampTz now)
{
	pid_t		pid;

	if (worker->handle && GetBackgroundWorkerPid(worker->handle, &pid) == BGWH_STOPPED)
		note_end(worker, now);
	if (worker->handle && !worker->wanted)
		TerminateBackgroundWorker(worker->handle);
	if (worker->handle == NULL && worker->wanted && worker->start_at <= now)
		start_worker(worker, now);
}

static void
note_end(LaunchedWorker *worker, TimestampTz now)
{
	bool		lasted = now - worker->started >= (TimestampTz) LASTING_TIME * 1000;

	pfree(worker->handle);
	worker->handle = NULL;
	worker->delay = lasted || worker->delay == 0 ? FIRST_DELAY : Min(worker->delay * 2, LONGEST_DELAY);
	worker->start_at = TimestampTzPlusMilliseconds(now, worker->delay);
}

static void
start_worker(LaunchedWorker *worker, TimestampTz now)
{
	BackgroundWorker entry = {0};
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	snprintf(entry.bgw_name, BGW_MAXLEN, "arazzo worker %d of database %s", worker->number, worker->database);
	strlcpy(entry.bgw_type, "arazzo worker", BGW_MAXLEN);
	strlcpy(entry.bgw_library_name, WORKER_LIBRARY, sizeof(entry.bgw_library_name));
	strlcpy(entry.bgw_function_name, WORKER_FUNCTION, BGW_MAXLEN);
	strlcpy(entry.bgw_extra, worker->database, BGW_EXTRALEN);
	entry.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	entry.bgw_start_time = BgWorkerStart_RecoveryFinished;
	entry.bgw_restart_time = BGW_NEVER_RESTART;
	entry.bgw_notify_pid = MyProcPid;
	worker->started = now;
	if (!RegisterDynamicBackgroundWorker(&entry, &worker->handle))
	{
		worker->handle = NULL;
		worker->start_at = TimestampTzPlusMilliseconds(now, LONGEST_DELAY);
		ereport(WARNING,
				errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				errmsg("could not start a worker for the queued runs of database \"%s\"", worker->database),
				errhint("You might need to increase max_worker_processes."));
	}
	MemoryContextSwitchTo(old);
}

/* Until the next worker is to be started (ms). */
static long
next_wait(void)
{
	TimestampTz now = GetCurrentTimestamp();
	long		wait = LONGEST_DELAY;
	ListCell   *cell;

	foreach(cell, workers)
	{
		const LaunchedWorker *worker = lfirst(cell);

		if (worker->wanted && worker->handle == NULL)
			wait = Min(wait, Max(TimestampDifferenceMilliseconds(now, worker->start_at), 1));
	}
	return wait;
}
