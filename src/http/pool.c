/*-------------------------------------------------------------------------
 *
 * pool.c
 *	  Pools of connections.
 *
 * A pool is a share handle of the library: it holds open connections and TLS
 * sessions, so that no transfer of another pool can find them although one
 * multi handle drives them all.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "http/handle.h"

#define MAX_POOLS				16

static dlist_head pools = DLIST_STATIC_INIT(pools);
static int	pool_count = 0;
static uint64 use_counter = 0;

static void evict_pools(void);

HttpPool *
arazzo_pool_acquire(uint64 id)
{
	dlist_iter	iter;
	HttpPool   *pool;

	dlist_foreach(iter, &pools)
	{
		pool = dlist_container(HttpPool, node, iter.cur);
		if (pool->id == id)
		{
			pool->last_use = ++use_counter;
			pool->users++;
			return pool;
		}
	}

	evict_pools();
	pool = MemoryContextAllocZero(TopMemoryContext, sizeof(HttpPool));
	pool->id = id;
	pool->last_use = ++use_counter;
	pool->users = 1;
	pool->share = arazzo_share_create();
	if (pool->share == NULL)
	{
		pfree(pool);
		ereport(ERROR,
				errcode(ERRCODE_OUT_OF_MEMORY),
				errmsg("could not create a pool of HTTP connections"));
	}
	dlist_push_head(&pools, &pool->node);
	pool_count++;
	return pool;
}

void
arazzo_pool_release(HttpPool *pool)
{
	pool->users--;
}

/* Closes the connections of pools that were not used for longest. */
static void
evict_pools(void)
{
	while (pool_count >= MAX_POOLS)
	{
		HttpPool   *oldest = NULL;
		dlist_iter	iter;

		dlist_foreach(iter, &pools)
		{
			HttpPool   *pool = dlist_container(HttpPool, node, iter.cur);

			if (pool->users == 0 && (oldest == NULL || pool->last_use < oldest->last_use))
				oldest = pool;
		}
		if (oldest == NULL || !arazzo_share_free(oldest->share))
			return;
		dlist_delete(&oldest->node);
		pool_count--;
		pfree(oldest);
	}
}
