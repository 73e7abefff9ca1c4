/*-------------------------------------------------------------------------
 *
 * loop.h
 *	  Runs in flight, driven together.
 *
 * The loop asks each run what is next and does it: sends its request when
 * the server's limits let it, or waits, for as many runs at a time as were
 * added.  It does no SQL and looks nothing up: connections come from a hook,
 * results go to one.  So it needs a transaction only where its hooks do, and
 * runs may be added between any two turns, and from within a hook.
 *
 *		arazzo_loop_add(loop, ...);
 *		while (arazzo_loop_count(loop) > 0)
 *			arazzo_loop_turn(loop, timeout);
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_LOOP_H
#define ARAZZO_DRIVE_LOOP_H

#include "drive/call.h"

typedef struct DriveLoop DriveLoop;

/* A run in a loop. */
typedef struct LoopRun LoopRun;

/* What a hook says is to become of a run. */
typedef enum LoopVerdict
{
	LOOP_GO,					/* goes on */
	LOOP_HOLD,					/* stands still until arazzo_loop_release */
	LOOP_TOLD,					/* goes on; the hook has told the run */
	LOOP_LEAVE					/* is taken out of the loop as it is */
} LoopVerdict;

/* All but owner and finished may be NULL. */
typedef struct LoopHooks
{
	void	   *owner;			/* first argument of each */

	/*
	 * The connection for a URL as arazzo_connection_find gives it; NULL takes
	 * that function.  It must stay until the call is over: what is made in
	 * the current memory context does.  Asked for databases to listen to, too.
	 */
	const ArazzoConnection *(*connect) (void *owner, const char *url, Oid role, ArazzoFailure **failure);

	/* Does what is next when it is a message to send, not a request; NULL
	 * takes arazzo_message_perform, which needs a transaction. */
	void		(*message) (void *owner, ArazzoRun *run, const RunNext *next);

	/* A call is ready, key included; may it be sent, as soon as its server's
	 * limits let it?  LOOP_GO or LOOP_LEAVE. */
	LoopVerdict (*admit) (void *owner, void *tag, const RunNext *next, const DriveCall *call);

	/* The same call, about to be sent: LOOP_GO, LOOP_HOLD or LOOP_LEAVE. */
	LoopVerdict (*send) (void *owner, void *tag, const RunNext *next, const DriveCall *call);

	/* An answer that the run has not been told of yet: LOOP_GO, LOOP_TOLD or
	 * LOOP_LEAVE. */
	LoopVerdict (*answered) (void *owner, void *tag, const RunNext *next, const DriveCall *call,
							 const ArazzoResponse *response);

	/* After each attempt of a step, before its memory goes; call is NULL when
	 * it was refused or was a message. */
	void		(*attempt) (void *owner, void *tag, const RunNext *next, const DriveCall *call,
							const ArazzoResponse *response, const RunJudgement *judgement);

	/* After that: does the run go on in the loop?  LOOP_GO or LOOP_LEAVE. */
	LoopVerdict (*judged) (void *owner, void *tag, const RunNext *next, const DriveCall *call,
						   const ArazzoResponse *response);

	/* The run waits until a moment: in the loop (LOOP_GO), or LOOP_LEAVE. */
	LoopVerdict (*wait) (void *owner, void *tag, TimestampTz until);

	/* The run waits for a message, in the loop. */
	void		(*await) (void *owner, void *tag);

	/* A run that a hook had leave is no longer the loop's: the memory it was
	 * added in may go. */
	void		(*left) (void *owner, void *tag);

	/*
	 * A run is finished and no longer the loop's: the memory it was added in
	 * may go.  Secrets (List of char *) are those that its calls carried, for
	 * masking, in that memory.
	 */
	void		(*finished) (void *owner, void *tag, ArazzoRun *run, List *secrets);
} LoopHooks;

/*
 * A loop without runs, in the current memory context.  Hooks must stay.
 * Deleting the context, or those that runs were added in together with the
 * loop, ends all calls.
 */
extern DriveLoop *arazzo_loop_create(const LoopHooks *hooks);

/*
 * Adds a run, which does its first step in the next turn.  The loop's state
 * of it is in the current memory context, which must stay until the run is
 * finished or has left.  Tag is what the hooks get.  Key is what the
 * idempotency keys of its calls begin with, and must stay as long; NULL takes
 * a random one.
 */
extern LoopRun *arazzo_loop_add(DriveLoop *loop, ArazzoRun *run, Oid role, const char *key, void *tag);

/* Sends the call of a run that was held, or takes such a run out of the loop. */
extern void arazzo_loop_release(LoopRun *entry);
extern void arazzo_loop_remove(LoopRun *entry);

/* Asks of each run that waits for a moment, a message or a place at a server
 * whether it leaves, by the hook wait. */
extern void arazzo_loop_ask_sleepers(DriveLoop *loop);

/* Do calls to a connection's server wait for a place, as its limits have it? */
extern bool arazzo_loop_is_crowded(DriveLoop *loop, const ArazzoConnection *connection);

/* Secrets (List of char *) that the run's calls have carried so far. */
extern List *arazzo_loop_secrets(const LoopRun *entry);

/* Runs that are not finished. */
extern int	arazzo_loop_count(const DriveLoop *loop);

/*
 * Does what can be done; then, when nothing can, waits until something can,
 * at most for the time given (ms), or until the latch is set while no call
 * is in flight and nothing is listened to.  Interruptible.
 */
extern void arazzo_loop_turn(DriveLoop *loop, int timeout);

/*
 * The same in two, for those who keep no transaction open while they wait:
 * waiting calls no hook and sees no catalog, working does all else.
 */
extern void arazzo_loop_wait(DriveLoop *loop, int timeout);
extern void arazzo_loop_work(DriveLoop *loop);

/* Might arazzo_loop_work do something now? */
extern bool arazzo_loop_has_work(DriveLoop *loop);

#endif							/* ARAZZO_DRIVE_LOOP_H */
