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
#include "storage/proc.h"

#include "queue/wake.h"
#include "support/compat.h"
#include "support/shared_memory.h"
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
static LWLock *shared_lock = NULL;
static SharedWorker *own = NULL;
static uint32 seen = 0;

static void start_memory(void *memory, LWLock *lock, bool made);
static void wake_workers(void);
static void take_slot(SharedWorker *slot);
static void leave(int code, Datum argument);

void
arazzo_shared_init(void)
{
	static const SharedMemory memory = {"amberflo_arazzo workers", sizeof(SharedWorkers), start_memory};

	arazzo_shared_memory_add(&memory);
}

static void
start_memory(void *memory, LWLock *lock, bool made)
{
	int			i;

	shared = memory;
	shared_lock = lock;
	for (i = 0; i < QUEUE_MAX_WORKERS && !made; i++)
	{
		pg_atomic_init_u32(&shared->workers[i].database, InvalidOid);
		pg_atomic_init_u32(&shared->workers[i].process, 0);
		pg_atomic_init_u32(&shared->workers[i].wakes, 0);
	}
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

	LWLockAcquire(shared_lock, LW_EXCLUSIVE);
	for (i = 0; i < QUEUE_MAX_WORKERS; i++)
	{
		if (pg_atomic_read_u32(&shared->workers[i].database) == InvalidOid)
			break;
	}
	if (i < QUEUE_MAX_WORKERS)
		take_slot(&shared->workers[i]);
	LWLockRelease(shared_lock);
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
