/*-------------------------------------------------------------------------
 *
 * engine_write.c
 *	  What the engine writes down: the outcome of many runs at a time.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "commands/async.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "queue/order_store.h"
#include "queue/split.h"
#include "queue/split_store.h"
#include "support/clock.h"
#include "support/extension.h"
#include "support/try.h"
#include "work/attempt.h"
#include "work/engine_internal.h"

/* How long (ms) what was noted may wait for more: as many times as long as the
 * last commit took. */
#define WRITE_DELAY 10
#define WRITE_MAX_DELAY 100
#define WRITE_PATIENCE 4

/* How long (ms) after a write that was refused the next is tried. */
#define REFUSAL_DELAY 1000

static int	write_delay(const QueueEngine *engine);
static void bear(const QueueEngine *engine, ErrorData *error, int refusals);

/* What an engine tries to do. */
typedef struct Attempted
{
	QueueEngine *engine;
	void		(*action) (QueueEngine *engine);
} Attempted;

static void act(void *argument);
static bool has_table(const QueueEngine *engine);
static void write_all(QueueEngine *engine);
static void write_changes(QueueEngine *engine, List *changed);
static void lock_orders(List *changed);
static void tell_ends(List *changed);
static void tell_end(const EngineRun *run);
static bool is_over(const EngineRun *run);

/* Is there something to write, and no reason to wait for more of it? */
bool
arazzo_engine_must_write(const QueueEngine *engine, TimestampTz now)
{
	if (engine->refusals > 0 && now < engine->blocked_until)
		return false;
	if (engine->urgent || arazzo_gate_has_news(engine->gate))
		return true;
	if (engine->changed_count == 0)
		return false;
	return arazzo_loop_count(engine->loop) == 0 ||
		now >= TimestampTzPlusMilliseconds(engine->changed_since, write_delay(engine));
}

static int
write_delay(const QueueEngine *engine)
{
	return Min(Max(WRITE_PATIENCE * engine->commit_time, WRITE_DELAY), WRITE_MAX_DELAY);
}

/*
 * Writes all that is to be written, in the current transaction; false when the
 * database refused it, in which case it stays to be written.
 */
bool
arazzo_engine_write(QueueEngine *engine)
{
	bool		written = arazzo_engine_try(engine, write_all, &engine->refusals);

	if (written)
		engine->refusals = 0;
	else
		engine->blocked_until = TimestampTzPlusMilliseconds(arazzo_clock_now(), REFUSAL_DELAY);
	return written;
}

bool
arazzo_engine_try(QueueEngine *engine, void (*action) (QueueEngine *engine), int *refusals)
{
	Attempted	attempted = {engine, action};
	MemoryContext context = MemoryContextSwitchTo(engine->turn_context);
	ErrorData  *error = arazzo_try_error(act, &attempted);

	if (error)
		bear(engine, error, ++*refusals);
	MemoryContextSwitchTo(context);
	return error == NULL;
}

static void
act(void *argument)
{
	Attempted  *attempted = argument;
	QueueEngine *engine = attempted->engine;

	if (!OidIsValid(engine->table))
		engine->table = arazzo_extension_relation("arazzo_queue");
	else if (!has_table(engine))
		ereport(ERROR,
				errcode(ERRCODE_UNDEFINED_TABLE),
				errmsg("the queued runs that this process works on do not exist any more"));
	attempted->action(engine);
}

/* The extension may be dropped meanwhile; runs of the next have the same
 * numbers and are others. */
static bool
has_table(const QueueEngine *engine)
{
	return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(engine->table));
}

/* Throws an error that no second try helps against, or not after so many. */
static void
bear(const QueueEngine *engine, ErrorData *error, int refusals)
{
	const QueueDriver *driver = engine->driver;
	bool		passes = ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INSUFFICIENT_RESOURCES;

	if (error->sqlerrcode == ERRCODE_QUERY_CANCELED || error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN || engine->notified ||
		!has_table(engine) || (refusals > driver->patience && !(passes && driver->stays)))
		ReThrowError(error);
	ereport(LOG,
			errcode(error->sqlerrcode),
			errmsg("could not work on the table of queued runs: %s", error->message),
			errdetail("It is tried again."));
}

static void
write_all(QueueEngine *engine)
{
	List	   *changed = NIL;
	dlist_iter	iter;

	dlist_foreach(iter, &engine->changed)
	{
		EngineRun  *run = dlist_container(EngineRun, node, iter.cur);

		if (!run->lost)
			changed = lappend(changed, run);
	}
	/* the rows that operators want to lock come last */
	if (engine->attempts)
		arazzo_attempts_write(engine->attempts);
	if (arazzo_gate_has_news(engine->gate))
		arazzo_gate_write(engine->gate, arazzo_clock_now());
	if (changed)
		write_changes(engine, changed);
	tell_ends(changed);
}

static void
write_changes(QueueEngine *engine, List *changed)
{
	List	   *changes = NIL;
	ListCell   *cell;

	lock_orders(changed);
	foreach(cell, changed)
	{
		EngineRun  *run = lfirst(cell);

		if (strcmp(run->change.status, "running") == 0)
			run->change.state = run->state;
		changes = lappend(changes, &run->change);
	}
	arazzo_rows_write(engine->claim, changes);
}

/* Before the end of a run is written: see engine_take.c. */
static void
lock_orders(List *changed)
{
	ListCell   *cell;

	foreach(cell, changed)
	{
		EngineRun  *run = lfirst(cell);

		if (run->stored->order_key && is_over(run))
			run->order_locked = arazzo_engine_lock_order(run->stored);
	}
}

static bool
is_over(const EngineRun *run)
{
	return strcmp(run->change.status, "succeeded") == 0 || strcmp(run->change.status, "failed") == 0;
}

/* The next of the same order key may go on, and who asked is told. */
static void
tell_ends(List *changed)
{
	ListCell   *cell;

	foreach(cell, changed)
	{
		EngineRun  *run = lfirst(cell);

		if (run->change.written)
			tell_end(run);
	}
}

static void
tell_end(const EngineRun *run)
{
	const QueuedRun *stored = run->stored;
	const char *status = run->change.status;
	bool		rests = strcmp(status, "in_doubt") == 0 || is_over(run);

	if (stored->split && strcmp(status, "failed") == 0 && arazzo_queue_split(stored->id))
	{
		status = "cancelled";
		run->engine->look_at = 0;
	}
	else if (run->order_locked && is_over(run))
	{
		arazzo_order_let_next(stored->owner, stored->order_key, arazzo_clock_now());
		while (arazzo_split_end())
			;
	}
	if (rests && stored->notify)
		Async_Notify(stored->notify,
					 psprintf("{\"run\": " INT64_FORMAT ", \"status\": \"%s\"}", stored->id, status));
}
