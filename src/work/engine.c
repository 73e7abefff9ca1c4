/*-------------------------------------------------------------------------
 *
 * engine.c
 *	  Works on many queued runs at once.
 *
 * A turn waits outside of a transaction, and does everything else in one:
 * answers are taken in, runs go on, what became of them is written, and new
 * ones are taken.  Calls that had to be on disk before they are sent go out
 * after its commit.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "support/clock.h"
#include "support/settings.h"
#include "work/engine_internal.h"

/* What is noted is written after so long (ms) at the latest, so that no turn
 * waits longer while there is something. */
#define WRITE_TURN 5

/* A wait (ms) that is interrupted often enough to see the latch while calls
 * are in flight. */
#define FLIGHT_TURN 50

/*
 * For so long (ms) an engine has its claims on disk before it goes on: a run
 * that ends its worker at once would leave no trace, and end the next.  After
 * that the WAL writer will have seen to them.
 */
#define CAREFUL_TIME 1000

static void notice_clock(QueueEngine *engine, TimestampTz now);
static int	turn_time(const QueueEngine *engine, int timeout);
static TimestampTz next_moment(const QueueEngine *engine);
static bool has_work(const QueueEngine *engine, TimestampTz now);
static void go_on(QueueEngine *engine, TimestampTz now);
static void open_ready(QueueEngine *engine, TimestampTz now);
static void write_and_take(QueueEngine *engine, TimestampTz now);
static void commit(QueueEngine *engine, bool durable);
static void commit_lazily(void);
static void after_write(QueueEngine *engine);
static void settle(QueueEngine *engine, EngineRun *run);
static void lose(EngineRun *run);
static void send_held(EngineRun *run);

QueueEngine *
arazzo_engine_create(const QueueDriver *driver, int64 claim, int limit)
{
	QueueEngine *engine = palloc0(sizeof(QueueEngine));

	engine->driver = driver;
	engine->context = CurrentMemoryContext;
	engine->turn_context = AllocSetContextCreate(CurrentMemoryContext, "arazzo queue turn", ALLOCSET_DEFAULT_SIZES);
	engine->write_context = AllocSetContextCreate(CurrentMemoryContext, "arazzo queue write", ALLOCSET_DEFAULT_SIZES);
	arazzo_engine_hooks(&engine->hooks, engine);
	engine->loop = arazzo_loop_create(&engine->hooks);
	engine->gate = arazzo_gate_create(arazzo_engine_concurrency());
	engine->claim = claim;
	engine->limit = limit;
	engine->suspects = true;
	engine->begun = arazzo_clock_now();
	dlist_init(&engine->ready);
	dlist_init(&engine->changed);
	return engine;
}

void
arazzo_engine_turn(QueueEngine *engine, int timeout)
{
	MemoryContext old = MemoryContextSwitchTo(engine->turn_context);
	TimestampTz now;

	arazzo_loop_wait(engine->loop, turn_time(engine, timeout));
	now = arazzo_clock_now();
	notice_clock(engine, now);
	if (has_work(engine, now))
	{
		engine->driver->begin();
		MemoryContextSwitchTo(engine->turn_context);
		go_on(engine, now);
		write_and_take(engine, now);
		MemoryContextSwitchTo(engine->turn_context);
	}
	MemoryContextSwitchTo(old);
	MemoryContextReset(engine->turn_context);
}

/* A clock that was set back has nothing wait for the time that it was. */
static void
notice_clock(QueueEngine *engine, TimestampTz now)
{
	if (now < engine->seen)
	{
		engine->look_at = 0;
		engine->tend_at = 0;
		engine->blocked_until = Min(engine->blocked_until, now);
		engine->changed_since = Min(engine->changed_since, now);
	}
	engine->seen = now;
}

/*
 * The server lets a process have a third of its descriptors as sockets; of
 * those, as many may be kept alive for one API while others are called, and
 * half as many more be in flight when one does not answer.
 */
int
arazzo_engine_concurrency(void)
{
	return Min(arazzo_concurrency, Max(max_safe_fds / 9, 1));
}

/* How long to wait: not at all when there is something to do. */
static int
turn_time(const QueueEngine *engine, int timeout)
{
	TimestampTz now = arazzo_clock_now();
	TimestampTz moment = next_moment(engine);

	if (engine->urgent || (engine->ready_count > 0 && arazzo_loop_count(engine->loop) < arazzo_engine_concurrency()))
		return engine->refusals > 0 ? WRITE_TURN : 0;
	if (engine->changed_count > 0)
		timeout = Min(timeout, WRITE_TURN);
	if (arazzo_loop_count(engine->loop) > 0)
		timeout = Min(timeout, FLIGHT_TURN);
	return Min(timeout, Max(TimestampDifferenceMilliseconds(now, moment), 0));
}

/* When there will be something to do unless something happens before. */
static TimestampTz
next_moment(const QueueEngine *engine)
{
	if (engine->draining)
		return DT_NOEND;
	if (arazzo_engine_wants(engine, engine->look_at))
		return Min(engine->look_at, engine->tend_at);
	return engine->tend_at;
}

/* Is there reason for a transaction? */
static bool
has_work(const QueueEngine *engine, TimestampTz now)
{
	return arazzo_loop_has_work(engine->loop) || engine->ready_count > 0 ||
		engine->changed_count > 0 || engine->attempts != NIL || engine->urgent ||
		(now >= engine->tend_at && !engine->draining) || arazzo_engine_wants(engine, now);
}

/*
 * Takes in answers, and has others on their way in their stead: a commit waits
 * for the disk, and the servers need not wait with it.
 */
static void
go_on(QueueEngine *engine, TimestampTz now)
{
	open_ready(engine, now);
	arazzo_loop_work(engine->loop);
	if (engine->ready_count == 0 || arazzo_loop_count(engine->loop) >= arazzo_engine_room(engine, now))
		return;
	open_ready(engine, now);
	arazzo_loop_work(engine->loop);
	arazzo_loop_wait(engine->loop, 0);
}

/* Puts runs that were taken into the loop, as many as it may have. */
static void
open_ready(QueueEngine *engine, TimestampTz now)
{
	int			room = arazzo_engine_room(engine, now);

	while (engine->ready_count > 0 && arazzo_loop_count(engine->loop) < room)
	{
		EngineRun  *run = dlist_container(EngineRun, node, dlist_pop_head_node(&engine->ready));

		CHECK_FOR_INTERRUPTS();
		engine->ready_count--;
		arazzo_engine_run_open(run);
	}
}

static void
write_and_take(QueueEngine *engine, TimestampTz now)
{
	bool		tends = now >= engine->tend_at;
	bool		takes = arazzo_engine_wants(engine, now);
	/* what is held must be in the table before somebody looks what may go on */
	bool		writes = arazzo_engine_must_write(engine, now) ||
		(tends && engine->holding && engine->refusals == 0);
	bool		written = writes && arazzo_engine_write(engine);
	bool		careful = (tends || takes) && now - engine->begun < CAREFUL_TIME * 1000;

	if (written || !writes)
		arazzo_engine_look_after(engine, tends && engine->refusals == 0, takes && engine->refusals == 0);
	if (!written && !careful)
		commit_lazily();
	commit(engine, (written && engine->durable) || careful);
	engine->notified = false;
	if (written)
		after_write(engine);
}

static void
commit(QueueEngine *engine, bool durable)
{
	TimestampTz begun = arazzo_clock_now();

	engine->driver->commit(durable);
	if (durable)
		engine->commit_time = TimestampDifferenceMilliseconds(begun, arazzo_clock_now());
}

/* That runs were taken may be lost in a crash, as long as nothing was sent
 * for them that a repetition could not be told from. */
static void
commit_lazily(void)
{
	(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_LOCAL, true, 0, false);
}

/* What was written is on disk. */
static void
after_write(QueueEngine *engine)
{
	engine->urgent = false;
	engine->durable = false;
	engine->holding = false;
	engine->attempts = NIL;
	MemoryContextReset(engine->write_context);
	arazzo_gate_written(engine->gate);
	engine->changed_count = 0;
	while (!dlist_is_empty(&engine->changed))
	{
		EngineRun  *run = dlist_container(EngineRun, node, dlist_pop_head_node(&engine->changed));

		run->dirty = false;
		if (run->change.written)
			settle(engine, run);
		else
			lose(run);
	}
}

/* The run's row says what is the matter with it. */
static void
settle(QueueEngine *engine, EngineRun *run)
{
	run->change.judged = false;
	if (run->held)
		send_held(run);
	else if (strcmp(run->change.status, "running") != 0)
	{
		if (run->stored->order_key)
			engine->look_at = 0;
		if (run->change.hold && arazzo_loop_count(engine->loop) == 0)
			engine->tend_at = 0;
		if (run->change.due != 0)
			engine->look_at = Min(engine->look_at, run->change.due);
		arazzo_engine_run_free(run);
	}
	if (engine->alone && arazzo_loop_count(engine->loop) == 0 && engine->ready_count == 0)
		engine->alone = false;
}

/* It was taken away: what is in flight is noted when it is over. */
static void
lose(EngineRun *run)
{
	bool		held = run->held;

	run->lost = true;
	run->held = false;
	if (held)
		arazzo_loop_remove(run->entry);
	else if (run->entry == NULL)
		arazzo_engine_run_free(run);
}

static void
send_held(EngineRun *run)
{
	run->held = false;
	arazzo_loop_release(run->entry);
}

int
arazzo_engine_taken(const QueueEngine *engine)
{
	return engine->taken;
}

bool
arazzo_engine_is_empty(const QueueEngine *engine)
{
	return arazzo_loop_count(engine->loop) == 0 && engine->ready_count == 0 &&
		engine->changed_count == 0 && !arazzo_gate_has_news(engine->gate);
}

bool
arazzo_engine_is_idle(const QueueEngine *engine)
{
	TimestampTz now = arazzo_clock_now();

	return arazzo_engine_is_empty(engine) && engine->tend_at > now &&
		(engine->taken >= engine->limit || engine->look_at > now);
}

void
arazzo_engine_look(QueueEngine *engine)
{
	engine->look_at = 0;
}

void
arazzo_engine_drain(QueueEngine *engine)
{
	TimestampTz now = arazzo_clock_now();

	engine->draining = true;
	engine->ready_count = 0;
	while (!dlist_is_empty(&engine->ready))
	{
		EngineRun  *run = dlist_container(EngineRun, node, dlist_pop_head_node(&engine->ready));

		run->change.status = run->stored->state ? "waiting" : "queued";
		run->change.due = now;
		arazzo_engine_run_changed(run, true);
	}
	arazzo_loop_ask_sleepers(engine->loop);
}
