/*-------------------------------------------------------------------------
 *
 * engine_internal.h
 *	  What the files of the engine share.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_WORK_ENGINE_INTERNAL_H
#define ARAZZO_WORK_ENGINE_INTERNAL_H

#include "lib/ilist.h"

#include "drive/loop.h"
#include "run/machine.h"
#include "work/engine.h"
#include "work/gate.h"
#include "work/work_store.h"

/* A run that the engine has taken. */
typedef struct EngineRun
{
	QueueEngine *engine;
	QueuedRun  *stored;
	MemoryContext context;		/* holds all of it */
	const ArazzoPlan *plan;		/* pinned while the context lives */
	ArazzoRun  *run;			/* NULL: over */
	LoopRun    *entry;			/* NULL: not in the loop */
	const char *key;			/* that the call at hand carries, or NULL */
	GateServer *server;			/* that the call at hand goes to, or NULL */
	bool		probe;			/* may call a server that is broken */
	Jsonb	   *state;			/* before the call at hand; NULL: as stored */
	QueueChange change;			/* what is to be written next */
	bool		dirty;			/* is among the engine's changed */
	bool		held;			/* its call is to be sent after the next write */
	bool		lost;			/* is not this worker's any more */
	bool		order_locked;	/* no other session holds back the next one */
	dlist_node	node;			/* among the ready or the changed */
} EngineRun;

struct QueueEngine
{
	const QueueDriver *driver;
	MemoryContext context;
	MemoryContext turn_context; /* emptied after each turn */
	MemoryContext write_context;	/* emptied after each write */
	List	   *spare_contexts; /* of runs that are over, empty */
	LoopHooks	hooks;
	DriveLoop  *loop;
	QueueGate  *gate;
	int64		claim;
	Oid			table;			/* that the claim is for */
	int			limit;
	int			taken;
	int			ahead;			/* runs to take beyond what the loop may have */
	TimestampTz taken_at;		/* the last time */
	dlist_head	ready;			/* of EngineRun: not in the loop yet */
	int			ready_count;
	dlist_head	changed;		/* of EngineRun: to be written */
	int			changed_count;
	TimestampTz changed_since;
	bool		urgent;			/* the next write should not wait */
	bool		durable;		/* and must be on disk */
	bool		holding;		/* runs are held that the table does not say so of */
	bool		notified;		/* a message went out in this transaction */
	List	   *attempts;		/* of QueueAttempt *, in write_context */
	int			refusals;		/* of writes, in a row */
	int			look_refusals;	/* of what is no write, in a row */
	TimestampTz blocked_until;	/* no write before */
	int			commit_time;	/* ms, of the last that was on disk */
	TimestampTz begun;
	TimestampTz seen;			/* the time of the last turn */
	TimestampTz look_at;		/* for runs that are due */
	TimestampTz tend_at;		/* to what is held and lost */
	bool		alone;			/* a suspect is under way */
	bool		suspects;		/* there may be some */
	bool		draining;
};

/* in engine.c: how many runs may be under way, for which there are descriptors */
extern int	arazzo_engine_concurrency(void);

/* in engine_run.c: one run */
extern EngineRun *arazzo_engine_run_create(QueueEngine *engine, const QueuedRun *stored);
extern void arazzo_engine_run_open(EngineRun *run);
extern void arazzo_engine_run_free(EngineRun *run);
extern void arazzo_engine_run_changed(EngineRun *run, bool urgent);
extern void arazzo_engine_hooks(LoopHooks *hooks, QueueEngine *engine);

/* in engine_write.c: what is written down */
extern bool arazzo_engine_write(QueueEngine *engine);
extern bool arazzo_engine_must_write(const QueueEngine *engine, TimestampTz now);

/*
 * Does something in a subtransaction; false when the database refused it,
 * which is counted, and thrown when the driver's patience is at an end.
 */
extern bool arazzo_engine_try(QueueEngine *engine, void (*action) (QueueEngine *engine), int *refusals);

/* in engine_take.c: which runs are taken */
extern bool arazzo_engine_wants(const QueueEngine *engine, TimestampTz now);
extern int	arazzo_engine_room(const QueueEngine *engine, TimestampTz now);
extern void arazzo_engine_look_after(QueueEngine *engine, bool tends, bool takes);
extern void arazzo_engine_tend_soon(QueueEngine *engine, TimestampTz now);
extern bool arazzo_engine_lock_order(const QueuedRun *run);

#endif							/* ARAZZO_WORK_ENGINE_INTERNAL_H */
