/*-------------------------------------------------------------------------
 *
 * limit_table.c
 *	  What counts towards the limits of servers, and who waits for a place.
 *
 * One lock is enough for all of it: it is held for a few dozen instructions,
 * and only calls to servers with limits take it.
 *
 * A process that ends gives back what it has.  One that is killed takes all
 * others with it, and the memory is made anew.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "drive/limit_table.h"
#include "support/clock.h"
#include "support/compat.h"
#include "support/shared_memory.h"

/* Processes that wait, for all servers together; who finds no room waits
 * without being woken. */
#define LINE_LENGTH 256

/* Who has waited for so long (ms) goes before those who come again. */
#define FAIR_TIME 50

/* Who has not looked for so long (ms) does not wait any more, or is busy. */
#define STALE_TIME (3 * LIMIT_LOOK_INTERVAL)

typedef struct Waiter
{
	int			place;			/* of the count, from 1; 0: free */
	uint32		process;		/* its number */
	bool		woken;
	TimestampTz since;
	TimestampTz looked;
} Waiter;

typedef struct LimitTable
{
	LimitCount	counts[LIMIT_TABLE_SERVERS];
	Waiter		line[LINE_LENGTH];
} LimitTable;

static LimitTable *table = NULL;
static LWLock *table_lock = NULL;

/* What this process has taken of each count. */
static int	taken[LIMIT_TABLE_SERVERS];

/* Counts of this process alone. */
static HTAB *own_counts = NULL;

static void start_memory(void *memory, LWLock *lock, bool made);
static int	place_of(const LimitCount *count);
static LimitCount *find_shared(Oid server);
static LimitCount *begin_shared(Oid server);
static LimitCount *own_count(Oid server);
static void leave_at_end(void);
static void leave(int code, Datum argument);
static void give_back_all(int i);
static void wake_first(const LimitCount *count);
static Waiter *find_own(const LimitCount *count);
static bool is_stale(const Waiter *waiter, TimestampTz now);
static void free_waiter(Waiter *waiter);

void
arazzo_limit_table_init(void)
{
	static const SharedMemory memory = {"amberflo_arazzo limits", sizeof(LimitTable), start_memory};

	if (process_shared_preload_libraries_in_progress)
		arazzo_shared_memory_add(&memory);
}

static void
start_memory(void *memory, LWLock *lock, bool made)
{
	table = memory;
	table_lock = lock;
}

LimitCount *
arazzo_limit_table_open(Oid server)
{
	LimitCount *count = NULL;

	if (table)
	{
		leave_at_end();
		LWLockAcquire(table_lock, LW_EXCLUSIVE);
		count = find_shared(server);
		if (count == NULL)
			count = begin_shared(server);
		if (count == NULL)
			LWLockRelease(table_lock);
	}
	return count ? count : own_count(server);
}

LimitCount *
arazzo_limit_table_open_taken(Oid server)
{
	LimitCount *count = NULL;

	if (table)
	{
		LWLockAcquire(table_lock, LW_EXCLUSIVE);
		count = find_shared(server);
		if (count == NULL || taken[place_of(count) - 1] == 0)
		{
			LWLockRelease(table_lock);
			count = NULL;
		}
	}
	return count ? count : own_count(server);
}

void
arazzo_limit_table_close(void)
{
	if (table && LWLockHeldByMe(table_lock))
		LWLockRelease(table_lock);
}

bool
arazzo_limit_table_is_shared(const LimitCount *count)
{
	return table && count >= table->counts && count < table->counts + LIMIT_TABLE_SERVERS;
}

/* What it is known by in all processes, of one that is shared. */
static int
place_of(const LimitCount *count)
{
	return (int) (count - table->counts) + 1;
}

static LimitCount *
find_shared(Oid server)
{
	int			i;

	for (i = 0; i < LIMIT_TABLE_SERVERS; i++)
	{
		LimitCount *count = &table->counts[i];

		if (count->server == server && count->database == MyDatabaseId)
			return count;
	}
	return NULL;
}

/* In place of one that says nothing any more; NULL when there is none. */
static LimitCount *
begin_shared(Oid server)
{
	TimestampTz now = arazzo_clock_now();
	int			i;

	for (i = 0; i < LIMIT_TABLE_SERVERS; i++)
	{
		LimitCount *count = &table->counts[i];

		if (count->in_flight > 0 || count->waiting > 0 || count->full_at > now)
			continue;
		memset(count, 0, sizeof(LimitCount));
		count->server = server;
		count->database = MyDatabaseId;
		return count;
	}
	return NULL;
}

static LimitCount *
own_count(Oid server)
{
	LimitCount *count;
	bool		found;

	if (own_counts == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(Oid);
		control.entrysize = sizeof(LimitCount);
		control.hcxt = TopMemoryContext;
		own_counts = hash_create("arazzo rates", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	count = hash_search(own_counts, &server, HASH_ENTER, &found);
	if (!found)
	{
		memset(count, 0, sizeof(LimitCount));
		count->server = server;
	}
	return count;
}

static void
leave_at_end(void)
{
	static bool registered = false;

	if (!registered)
		before_shmem_exit(leave, (Datum) 0);
	registered = true;
}

/* What is given back later, as memory goes, does not count any more. */
static void
leave(int code, Datum argument)
{
	int			i;

	LWLockAcquire(table_lock, LW_EXCLUSIVE);
	for (i = 0; i < LINE_LENGTH; i++)
	{
		if (table->line[i].place && table->line[i].process == arazzo_process_number(MyProc))
			free_waiter(&table->line[i]);
	}
	for (i = 0; i < LIMIT_TABLE_SERVERS; i++)
		give_back_all(i);
	LWLockRelease(table_lock);
	table = NULL;
}

static void
give_back_all(int i)
{
	while (taken[i] > 0)
		arazzo_limit_table_give_back(&table->counts[i]);
}

void
arazzo_limit_table_take(LimitCount *count)
{
	count->in_flight++;
	if (arazzo_limit_table_is_shared(count))
		taken[place_of(count) - 1]++;
}

void
arazzo_limit_table_give_back(LimitCount *count)
{
	if (count->in_flight == 0)
		return;
	count->in_flight--;
	if (!arazzo_limit_table_is_shared(count))
		return;
	taken[place_of(count) - 1]--;
	wake_first(count);
}

/* Of those who were not woken for another place. */
static void
wake_first(const LimitCount *count)
{
	Waiter	   *first = NULL;
	int			i;

	for (i = 0; i < LINE_LENGTH && count->waiting > 0; i++)
	{
		Waiter	   *waiter = &table->line[i];

		if (waiter->place == place_of(count) && !waiter->woken && (first == NULL || waiter->since < first->since))
			first = waiter;
	}
	if (first == NULL)
		return;
	first->woken = true;
	SetLatch(&ProcGlobal->allProcs[first->process].procLatch);
}

int
arazzo_limit_table_ahead(LimitCount *count, TimestampTz now)
{
	const Waiter *own = find_own(count);
	int			ahead = 0;
	int			i;

	for (i = 0; i < LINE_LENGTH && count->waiting > 0; i++)
	{
		Waiter	   *waiter = &table->line[i];

		if (waiter->place != place_of(count) || waiter == own)
			continue;
		if (is_stale(waiter, now))
			free_waiter(waiter);
		else if (now - waiter->since >= FAIR_TIME * 1000 && (own == NULL || waiter->since < own->since))
			ahead++;
	}
	return ahead;
}

/* A clock that was set back leaves moments behind that are not yet. */
static bool
is_stale(const Waiter *waiter, TimestampTz now)
{
	return now - waiter->looked > STALE_TIME * 1000 || waiter->looked - now > STALE_TIME * 1000;
}

void
arazzo_limit_table_wait(LimitCount *count, TimestampTz now)
{
	Waiter	   *own = find_own(count);
	int			i;

	for (i = 0; i < LINE_LENGTH && own == NULL && arazzo_limit_table_is_shared(count); i++)
	{
		if (table->line[i].place)
			continue;
		own = &table->line[i];
		own->place = place_of(count);
		own->process = arazzo_process_number(MyProc);
		own->since = now;
		count->waiting++;
	}
	if (own == NULL)
		return;
	own->since = Min(own->since, now);
	own->looked = now;
	own->woken = false;
}

void
arazzo_limit_table_leave(LimitCount *count)
{
	Waiter	   *own = find_own(count);

	if (own)
		free_waiter(own);
}

static Waiter *
find_own(const LimitCount *count)
{
	int			i;

	for (i = 0; i < LINE_LENGTH && count->waiting > 0; i++)
	{
		if (table->line[i].place == place_of(count) && table->line[i].process == arazzo_process_number(MyProc))
			return &table->line[i];
	}
	return NULL;
}

static void
free_waiter(Waiter *waiter)
{
	table->counts[waiter->place - 1].waiting--;
	waiter->place = 0;
}
