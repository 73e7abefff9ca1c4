/*-------------------------------------------------------------------------
 *
 * shared_memory.c
 *	  Memory that all processes of a server see.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/ipc.h"
#include "storage/shmem.h"
#include "utils/memutils.h"

#include "support/shared_memory.h"

static List *pieces = NIL;		/* of const SharedMemory * */

static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

static void request_all(void);
static void start_all(void);

void
arazzo_shared_memory_add(const SharedMemory *piece)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

	if (pieces == NIL)
	{
		previous_request_hook = shmem_request_hook;
		shmem_request_hook = request_all;
		previous_startup_hook = shmem_startup_hook;
		shmem_startup_hook = start_all;
	}
	pieces = lappend(pieces, unconstify(SharedMemory *, piece));
	MemoryContextSwitchTo(old);
}

static void
request_all(void)
{
	ListCell   *cell;

	if (previous_request_hook)
		previous_request_hook();
	foreach(cell, pieces)
	{
		const SharedMemory *piece = lfirst(cell);

		RequestAddinShmemSpace(piece->size);
		RequestNamedLWLockTranche(piece->name, 1);
	}
}

static void
start_all(void)
{
	ListCell   *cell;

	if (previous_startup_hook)
		previous_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	foreach(cell, pieces)
	{
		const SharedMemory *piece = lfirst(cell);
		bool		made;
		void	   *memory = ShmemInitStruct(piece->name, piece->size, &made);

		if (!made)
			memset(memory, 0, piece->size);
		piece->start(memory, &GetNamedLWLockTranche(piece->name)->lock, made);
	}
	LWLockRelease(AddinShmemInitLock);
}
