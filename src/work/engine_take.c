/*-------------------------------------------------------------------------
 *
 * engine_take.c
 *	  Which runs the engine takes, and which it lets go.
 *
 * Runs with the same order key follow each other.  Whoever takes one, holds
 * it back or lets it go has the lock of its key for the transaction, and
 * looks with a snapshot that is newer than the lock; a lock that another
 * session has is not waited for.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/timestamp.h"

#include "queue/order_store.h"
#include "queue/retention.h"
#include "queue/split_store.h"
#include "support/clock.h"
#include "work/claims.h"
#include "work/engine_internal.h"

/* How often (ms) the engine looks at what is held, while something is. */
#define TEND_INTERVAL 1000

/* How long (ms) it does without looking for what nobody told it of: runs of
 * prepared transactions, and those that workers left. */
#define LOOK_INTERVAL 5000

/* Runs are taken ahead for so long (ms), as far as those before were over
 * quickly; and at most so many for each that may be under way. */
#define AHEAD_TIME 50
#define AHEAD_LIMIT 32

/* How long (ms) it waits when the database has refused. */
#define REFUSAL_DELAY 1000

/* Tells the locks of order keys, and the one of suspects, from other advisory
 * locks. */
#define ORDER_LOCK 0x415B
#define SUSPECT_LOCK 0x415C

static int	wanted_runs(QueueEngine *engine, TimestampTz now);
static void take(QueueEngine *engine);
static void tend(QueueEngine *engine);
static void forget_ready(QueueEngine *engine, int count);
static void add_ready(QueueEngine *engine, const QueuedRun *stored, bool probe);
static List *keep_order(QueueEngine *engine, List *runs);
static bool has_key(List *runs, const QueuedRun *run);
static QueueChange *give_back(const QueuedRun *run, TimestampTz due, const char *hold);
static void take_suspect(QueueEngine *engine, TimestampTz now);
static void release_held(QueueEngine *engine, const QueueHold *hold, TimestampTz now);

/* Is there room for runs, and reason to think that some are due? */
bool
arazzo_engine_wants(const QueueEngine *engine, TimestampTz now)
{
	int			count = arazzo_loop_count(engine->loop);

	if (engine->draining || engine->alone || engine->ready_count > 0 ||
		engine->taken >= engine->limit || now < engine->look_at)
		return false;
	if (count == 0)
		return true;
	if (engine->suspects)
		return false;
	return engine->ahead > 0 || arazzo_engine_room(engine, now) - count >= Max(arazzo_engine_concurrency() / 2, 1);
}

/* How many runs the loop may have. */
int
arazzo_engine_room(const QueueEngine *engine, TimestampTz now)
{
	int			room = arazzo_engine_concurrency();

	/* runs of other servers, when one answers nothing */
	if (arazzo_gate_is_stalled(engine->gate, now))
		room += arazzo_engine_concurrency() / 2;
	return room;
}

/*
 * How many runs to take: as many as there is room for, and when those are
 * over quickly, others ahead of time, so that one commit serves many.
 */
static int
wanted_runs(QueueEngine *engine, TimestampTz now)
{
	if (now - engine->taken_at < AHEAD_TIME * 1000)
		engine->ahead = Min(engine->ahead * 2 + 8, AHEAD_LIMIT * arazzo_engine_concurrency());
	else
		engine->ahead /= 2;
	engine->taken_at = now;
	return Min(Max(arazzo_engine_room(engine, now) - arazzo_loop_count(engine->loop), 0) + engine->ahead,
			   engine->limit - engine->taken);
}

/*
 * Sees to runs of workers that are gone and to runs that are held, and takes
 * runs; in a transaction.  What the database refuses is tried again: calls
 * are in flight, whose answers must not be lost by it.
 */
void
arazzo_engine_look_after(QueueEngine *engine, bool tends, bool takes)
{
	int			count = engine->ready_count;
	bool		done = !tends || arazzo_engine_try(engine, tend, &engine->look_refusals);

	if (!done)
		forget_ready(engine, count);
	count = engine->ready_count;
	if (done && takes)
		done = arazzo_engine_try(engine, take, &engine->look_refusals);
	if (done)
	{
		engine->look_refusals = 0;
		return;
	}
	forget_ready(engine, count);
	engine->look_at = engine->tend_at = TimestampTzPlusMilliseconds(engine->seen, REFUSAL_DELAY);
}

/* Runs whose claim was rolled back. */
static void
forget_ready(QueueEngine *engine, int count)
{
	while (engine->ready_count > count)
	{
		EngineRun  *run = dlist_tail_element(EngineRun, node, &engine->ready);

		dlist_delete(&run->node);
		arazzo_engine_run_free(run);
		engine->ready_count--;
		engine->taken--;
	}
}

/* Takes as many as are wanted. */
static void
take(QueueEngine *engine)
{
	TimestampTz now = engine->seen;
	int			wanted;
	List	   *runs;
	ListCell   *cell;

	arazzo_gate_read(engine->gate);
	if (engine->suspects)
	{
		take_suspect(engine, now);
		return;
	}
	wanted = wanted_runs(engine, now);
	runs = arazzo_rows_claim(engine->claim, now, wanted);
	if (list_length(runs) < wanted)
		engine->look_at = Min(arazzo_work_next_due(now), TimestampTzPlusMilliseconds(now, LOOK_INTERVAL));
	runs = keep_order(engine, runs);
	foreach(cell, runs)
		add_ready(engine, lfirst(cell), false);
}

static void
add_ready(QueueEngine *engine, const QueuedRun *stored, bool probe)
{
	EngineRun  *run = arazzo_engine_run_create(engine, stored);

	run->probe = probe;
	dlist_push_tail(&engine->ready, &run->node);
	engine->ready_count++;
	engine->taken++;
}

/*
 * Gives back the runs whose turn it is not, and returns the others.  Of each
 * order key it keeps the first at most.
 */
static List *
keep_order(QueueEngine *engine, List *runs)
{
	List	   *kept = NIL;
	List	   *first = NIL;
	List	   *changes = NIL;
	ListCell   *cell;

	foreach(cell, runs)
	{
		QueuedRun  *run = lfirst(cell);

		if (run->order_key == NULL)
			kept = lappend(kept, run);
		else if (has_key(first, run))
			changes = lappend(changes, give_back(run, 0, HOLD_ORDER));
		else if (!arazzo_engine_lock_order(run))
			changes = lappend(changes, give_back(run, GetCurrentTimestamp(), NULL));
		else
			first = lappend(first, run);
	}
	if (changes)
		arazzo_rows_write(engine->claim, changes);
	changes = NIL;
	foreach(cell, first)
	{
		if (arazzo_order_is_behind(lfirst(cell)))
			changes = lappend(changes, give_back(lfirst(cell), 0, HOLD_ORDER));
		else
			kept = lappend(kept, lfirst(cell));
	}
	if (changes)
		arazzo_rows_write(engine->claim, changes);
	return kept;
}

static bool
has_key(List *runs, const QueuedRun *run)
{
	ListCell   *cell;

	foreach(cell, runs)
	{
		const QueuedRun *other = lfirst(cell);

		if (other->owner == run->owner && strcmp(other->order_key, run->order_key) == 0)
			return true;
	}
	return false;
}

/* A run as it was before it was taken, but for when it goes on. */
static QueueChange *
give_back(const QueuedRun *run, TimestampTz due, const char *hold)
{
	QueueChange *change = palloc0(sizeof(QueueChange));

	change->id = run->id;
	change->place = run->place;
	change->status = run->state ? "waiting" : "queued";
	change->due = due;
	change->hold = hold;
	change->unanswered_since = run->unanswered_since;
	change->retries = run->retries;
	change->crashes = run->crashes;
	return change;
}

/* For the transaction; false when another session has it. */
bool
arazzo_engine_lock_order(const QueuedRun *run)
{
	uint64		hash = hash_combine64(hash_bytes_extended((const unsigned char *) run->order_key, strlen(run->order_key), 0),
									  run->owner);
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (hash >> 32), (uint32) hash, ORDER_LOCK);
	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

/*
 * A run that was there when workers ended is run when nothing else is, and by
 * one worker at a time: so the run that ends workers is found, and no other
 * is taken for it.
 */
static void
take_suspect(QueueEngine *engine, TimestampTz now)
{
	QueuedRun  *run = NULL;
	LOCKTAG		tag;
	List	   *kept;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, 0, SUSPECT_LOCK);
	if (LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL && arazzo_work_has_suspects(now))
		run = arazzo_rows_claim_suspect(engine->claim, now);

	engine->suspects = run != NULL;
	if (run == NULL)
		return;
	kept = keep_order(engine, list_make1(run));
	if (kept == NIL)
		return;
	add_ready(engine, linitial(kept), false);
	engine->alone = true;
}

static void
tend(QueueEngine *engine)
{
	TimestampTz now = engine->seen;
	bool		order = false;
	List	   *holds;
	ListCell   *cell;

	engine->tend_at = TimestampTzPlusMilliseconds(now, LOOK_INTERVAL);
	if (engine->draining)
		return;
	if (arazzo_claims_recover(engine->claim, now) > 0)
		engine->look_at = 0;
	if (arazzo_work_has_suspects(now))
	{
		engine->suspects = true;
		engine->look_at = 0;
	}
	arazzo_gate_read(engine->gate);
	while (arazzo_split_end())
		;
	holds = arazzo_work_holds();
	if (holds)
		arazzo_engine_tend_soon(engine, now);
	foreach(cell, holds)
	{
		const QueueHold *hold = lfirst(cell);

		if (strncmp(hold->hold, HOLD_SERVER, strlen(HOLD_SERVER)) == 0)
			release_held(engine, hold, now);
		else
			order = true;
	}
	if (order && arazzo_order_let_all_next(now) > 0)
		engine->look_at = 0;
	if (arazzo_queue_retain())
		engine->tend_at = now;
}

/* Something is held that may be let go before long. */
void
arazzo_engine_tend_soon(QueueEngine *engine, TimestampTz now)
{
	engine->tend_at = Min(engine->tend_at, TimestampTzPlusMilliseconds(now, TEND_INTERVAL));
}

static void
release_held(QueueEngine *engine, const QueueHold *hold, TimestampTz now)
{
	const char *server = hold->hold + strlen(HOLD_SERVER);
	bool		probe;
	QueuedRun  *run;

	if (!arazzo_gate_may_release(engine->gate, server, hold->owner, now, &probe))
		return;
	if (probe)
	{
		run = engine->alone ? NULL : arazzo_rows_claim_held(engine->claim, hold, now);
		if (run)
			add_ready(engine, run, true);
	}
	else if (arazzo_work_unhold(hold, now, arazzo_gate_release_count(engine->gate, server)) > 0)
	{
		engine->look_at = 0;
		engine->tend_at = 0;
	}
}
