/*-------------------------------------------------------------------------
 *
 * shared.c
 *	  Which workers there are, in shared memory.
 *
 * A slot tells the process by its number among all, whose latch is there for
 * as long as the server is: a worker that has just ended is woken in vain.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"

#include "queue/wake.h"
#include "support/compat.h"
#include "work/shared.h"

typedef struct SharedWorker
{
	pg_atomic_uint32 database;	/* InvalidOid: the slot is free */
	pg_atomic_uint32 process;	/* its number */
	pg_atomic_uint32 wakes;		/* how often it was woken */
} SharedWorker;

typedef struct SharedWorkers
{
	SharedWorker workers[QUEUE_MAX_WORKERS];
} SharedWorkers;

static SharedWorkers *shared = NULL;
static SharedWorker *own = NULL;
static uint32 seen = 0;

static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static void request_memory(void);
static void start_memory(void);
static void wake_workers(void);
static void take_slot(SharedWorker *slot);
static void leave(int code, Datum argument);

void
arazzo_shared_init(void)
{
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_memory;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = start_memory;
}

static void
request_memory(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(sizeof(SharedWorkers));
}

static void
start_memory(void)
{
	bool		found;
	int			i;

	if (previous_startup_hook)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("amberflo_arazzo workers", sizeof(SharedWorkers), &found);
	for (i = 0; i < QUEUE_MAX_WORKERS && !found; i++)
	{
		pg_atomic_init_u32(&shared->workers[i].database, InvalidOid);
		pg_atomic_init_u32(&shared->workers[i].process, 0);
		pg_atomic_init_u32(&shared->workers[i].wakes, 0);
	}
	LWLockRelease(AddinShmemInitLock);
	arazzo_queue_wake = wake_workers;
}

/* Those of this database; called when a commit is final. */
static void
wake_workers(void)
{
	int			i;

	for (i = 0; i < QUEUE_MAX_WORKERS; i++)
	{
		SharedWorker *worker = &shared->workers[i];

		if (pg_atomic_read_u32(&worker->database) != MyDatabaseId)
			continue;
		pg_atomic_fetch_add_u32(&worker->wakes, 1);
		SetLatch(&ProcGlobal->allProcs[pg_atomic_read_u32(&worker->process)].procLatch);
	}
}

bool
arazzo_shared_join(void)
{
	int			i;

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (i = 0; i < QUEUE_MAX_WORKERS; i++)
	{
		if (pg_atomic_read_u32(&shared->workers[i].database) == InvalidOid)
			break;
	}
	if (i < QUEUE_MAX_WORKERS)
		take_slot(&shared->workers[i]);
	LWLockRelease(AddinShmemInitLock);
	return own != NULL;
}

/* The number first: whoever sees the database, sees it. */
static void
take_slot(SharedWorker *slot)
{
	own = slot;
	pg_atomic_write_u32(&own->process, arazzo_process_number(MyProc));
	pg_write_barrier();
	pg_atomic_write_u32(&own->database, MyDatabaseId);
	before_shmem_exit(leave, (Datum) 0);
}

static void
leave(int code, Datum argument)
{
	pg_atomic_write_u32(&own->database, InvalidOid);
}

bool
arazzo_shared_was_woken(void)
{
	uint32		wakes = pg_atomic_read_u32(&own->wakes);
	bool		woken = wakes != seen;

	seen = wakes;
	return woken;
}
