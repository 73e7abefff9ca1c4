/*-------------------------------------------------------------------------
 *
 * limit.c
 *	  How many calls a server takes at a time, and how many a second.
 *
 * The rate is kept by a token bucket for each server, which outlasts the
 * statement.  A process that is refused waits in a line; so a place that is
 * given back goes to whoever has waited longest, not always to the process
 * that had it.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <math.h>

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "drive/limit.h"
#include "drive/limit_table.h"
#include "support/clock.h"

/*
 * What a bucket holds at most, in seconds of its rate: enough that waking up
 * a little late loses nothing, too little to be felt as a burst.
 */
#define BUCKET_SECONDS 0.05

static void begin_count(LimitCount *count, const ServerLimit *limit, TimestampTz now);
static TimestampTz free_at(const LimitCount *count, const ServerLimit *limit, int ahead, TimestampTz now);
static double capacity(const ServerLimit *limit);
static void end_with(ServerLimit *limit, MemoryContext context);
static void end(void *argument);

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

ServerLimit *
arazzo_limit_find(slist_head *limits, const ArazzoConnection *connection)
{
	slist_iter	iter;

	slist_foreach(iter, limits)
	{
		ServerLimit *limit = slist_container(ServerLimit, node, iter.cur);

		if (limit->server == connection->server)
			return limit;
	}
	return NULL;
}

ServerLimit *
arazzo_limit_get(slist_head *limits, MemoryContext context, const ArazzoConnection *connection)
{
	ServerLimit *limit = arazzo_limit_find(limits, connection);

	if (limit == NULL)
	{
		limit = MemoryContextAllocZero(context, sizeof(ServerLimit));
		dlist_init(&limit->waiting);
		slist_push_head(limits, &limit->node);
		end_with(limit, context);
	}
	arazzo_limit_set(limit, connection);
	return limit;
}

static void
end_with(ServerLimit *limit, MemoryContext context)
{
	MemoryContextCallback *callback = MemoryContextAllocZero(context, sizeof(MemoryContextCallback));

	callback->func = end;
	callback->arg = limit;
	MemoryContextRegisterResetCallback(context, callback);
}

/* Whatever the loop had of it. */
static void
end(void *argument)
{
	ServerLimit *limit = argument;

	while (limit->in_flight > 0)
		arazzo_limit_give_back(limit);
	if (limit->waits)
	{
		arazzo_limit_table_leave(arazzo_limit_table_open(limit->server));
		arazzo_limit_table_close();
	}
}

bool
arazzo_limit_take(ServerLimit *limit)
{
	LimitCount *count = arazzo_limit_table_open(limit->server);
	TimestampTz now = arazzo_clock_now();
	bool		taken;

	begin_count(count, limit, now);
	taken = free_at(count, limit, arazzo_limit_table_ahead(count, now), now) <= now;
	if (taken)
	{
		count->tokens -= limit->max_rate > 0 ? 1 : 0;
		arazzo_limit_table_take(count);
		arazzo_limit_table_leave(count);
		limit->in_flight++;
	}
	else
		arazzo_limit_table_wait(count, now);
	if (limit->max_rate > 0)
		count->full_at = now + (TimestampTz) ((capacity(limit) - count->tokens) / limit->max_rate * USECS_PER_SEC);
	limit->waits = !taken;
	limit->looked = now;
	arazzo_limit_table_close();
	return taken;
}

void
arazzo_limit_give_back(ServerLimit *limit)
{
	Assert(limit->in_flight > 0);
	limit->in_flight--;
	arazzo_limit_table_give_back(arazzo_limit_table_open_taken(limit->server));
	arazzo_limit_table_close();
}

TimestampTz
arazzo_limit_moment(const ServerLimit *limit)
{
	LimitCount *count = arazzo_limit_table_open(limit->server);
	TimestampTz now = arazzo_clock_now();
	TimestampTz moment = free_at(count, limit, arazzo_limit_table_ahead(count, now), now);

	if (arazzo_limit_table_is_shared(count))
		moment = Min(moment, TimestampTzPlusMilliseconds(Min(limit->looked, now), LIMIT_LOOK_INTERVAL));
	arazzo_limit_table_close();
	return moment;
}

/*
 * With what the time that passed has put into it.  A clock that was set back
 * begins a new count, and what is there stays.
 */
static void
begin_count(LimitCount *count, const ServerLimit *limit, TimestampTz now)
{
	double		seconds = Max(now - count->filled, 0) / (double) USECS_PER_SEC;

	if (count->filled == 0)
		count->tokens = capacity(limit);
	else
		count->tokens = Min(count->tokens + seconds * limit->max_rate, capacity(limit));
	count->filled = now;
}

/* When there is a place beyond those for others that come before; DT_NOEND
 * when only the end of a call can free one. */
static TimestampTz
free_at(const LimitCount *count, const ServerLimit *limit, int ahead, TimestampTz now)
{
	if (limit->max_concurrency > 0 && count->in_flight + ahead >= limit->max_concurrency)
		return DT_NOEND;
	if (limit->max_rate <= 0 || count->tokens >= 1 + ahead)
		return now;
	return count->filled + (TimestampTz) ceil((1 + ahead - count->tokens) / limit->max_rate * USECS_PER_SEC);
}

static double
capacity(const ServerLimit *limit)
{
	return Max(1, limit->max_rate * BUCKET_SECONDS);
}
