/*-------------------------------------------------------------------------
 *
 * limit.c
 *	  How many calls a server takes at a time, and how many a second.
 *
 * The rate is kept by a token bucket for each server, which lasts as long as
 * the process: a limit holds from one statement to the next.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "drive/limit.h"
#include "support/clock.h"

/*
 * What a bucket holds at most, in seconds of its rate: enough that waking up
 * a little late loses nothing, too little to be felt as a burst.
 */
#define BUCKET_SECONDS 0.05

typedef struct Bucket
{
	Oid			server;			/* key */
	double		tokens;
	TimestampTz filled;			/* up to that moment */
} Bucket;

static HTAB *buckets = NULL;

static Bucket *bucket_of(const ServerLimit *limit);
static Bucket *filled_bucket(const ServerLimit *limit);
static double capacity(const ServerLimit *limit);

bool
arazzo_limit_applies(const ArazzoConnection *connection)
{
	return connection->max_concurrency > 0 || connection->max_rate > 0;
}

void
arazzo_limit_set(ServerLimit *limit, const ArazzoConnection *connection)
{
	limit->server = connection->server;
	limit->max_concurrency = connection->max_concurrency;
	limit->max_rate = connection->max_rate;
}

bool
arazzo_limit_take(ServerLimit *limit)
{
	if (limit->max_concurrency > 0 && limit->in_flight >= limit->max_concurrency)
		return false;
	if (limit->max_rate > 0)
	{
		Bucket	   *bucket = filled_bucket(limit);

		if (bucket->tokens < 1)
			return false;
		bucket->tokens -= 1;
	}
	limit->in_flight++;
	return true;
}

void
arazzo_limit_give_back(ServerLimit *limit)
{
	Assert(limit->in_flight > 0);
	limit->in_flight--;
}

TimestampTz
arazzo_limit_moment(const ServerLimit *limit)
{
	Bucket	   *bucket;

	if (limit->max_rate <= 0 ||
		(limit->max_concurrency > 0 && limit->in_flight >= limit->max_concurrency))
		return DT_NOEND;
	bucket = bucket_of(limit);
	return bucket->filled + (TimestampTz) ceil((1 - bucket->tokens) / limit->max_rate * USECS_PER_SEC);
}

/* The bucket of a server, full when it is new. */
static Bucket *
bucket_of(const ServerLimit *limit)
{
	Bucket	   *bucket;
	bool		found;

	if (buckets == NULL)
	{
		HASHCTL		control = {0};

		control.keysize = sizeof(Oid);
		control.entrysize = sizeof(Bucket);
		control.hcxt = TopMemoryContext;
		buckets = hash_create("arazzo rates", 16, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	bucket = hash_search(buckets, &limit->server, HASH_ENTER, &found);
	if (!found)
	{
		bucket->tokens = capacity(limit);
		bucket->filled = arazzo_clock_now();
	}
	return bucket;
}

/*
 * The same, with what the time that passed has put into it.  A clock that
 * was set back begins a new count, and what is there stays.
 */
static Bucket *
filled_bucket(const ServerLimit *limit)
{
	Bucket	   *bucket = bucket_of(limit);
	TimestampTz now = arazzo_clock_now();
	double		seconds = Max(now - bucket->filled, 0) / (double) USECS_PER_SEC;

	bucket->tokens = Min(bucket->tokens + seconds * limit->max_rate, capacity(limit));
	bucket->filled = now;
	return bucket;
}

static double
capacity(const ServerLimit *limit)
{
	return Max(1, limit->max_rate * BUCKET_SECONDS);
}
