/*-------------------------------------------------------------------------
 *
 * claims.c
 *	  Workers, and how it is known that one is gone.
 *
 * A worker is a number that no worker had before, its claim, and a session
 * level lock on it.  The lock goes when the session ends, however it does,
 * or stops working: runs with a claim that nobody holds are recovered.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"

#include "work/claims.h"
#include "work/work_store.h"

/* Tells the workers' locks from the advisory locks of users. */
#define WORKER_LOCK 0x415A

static void set_lock_tag(LOCKTAG *tag, int64 claim);

int64
arazzo_claims_begin(void)
{
	int64		claim = arazzo_work_new_claim();
	LOCKTAG		tag;

	set_lock_tag(&tag, claim);
	(void) LockAcquire(&tag, ExclusiveLock, true, false);
	return claim;
}

void
arazzo_claims_end(int64 claim)
{
	LOCKTAG		tag;

	set_lock_tag(&tag, claim);
	(void) LockRelease(&tag, ExclusiveLock, true);
}

int64
arazzo_claims_recover(int64 claim, TimestampTz now)
{
	int64		recovered = 0;
	ListCell   *cell;

	foreach(cell, arazzo_work_claims())
	{
		int64		other = *(int64 *) lfirst(cell);
		LOCKTAG		tag;

		set_lock_tag(&tag, other);
		if (other != claim && LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL)
			recovered += arazzo_work_recover(other, now);
	}
	return recovered;
}

static void
set_lock_tag(LOCKTAG *tag, int64 claim)
{
	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (claim >> 32), (uint32) claim, WORKER_LOCK);
}
