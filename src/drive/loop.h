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

	/* After each attempt of a step, before its memory goes; call is NULL when
	 * it was refused or was a message.  May be NULL. */
	void		(*attempt) (void *owner, void *tag, const RunNext *next, const DriveCall *call,
							const ArazzoResponse *response, const RunJudgement *judgement);

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
 * finished.  Tag is what the hooks get.  Key is what the idempotency keys of
 * its calls begin with, and must stay as long; NULL takes a random one.
 */
extern void arazzo_loop_add(DriveLoop *loop, ArazzoRun *run, Oid role, const char *key, void *tag);

/* Runs that are not finished. */
extern int	arazzo_loop_count(const DriveLoop *loop);

/*
 * Does what can be done; then, when nothing can, waits until something can,
 * at most for the time given (ms), or until the latch is set while no call
 * is in flight and nothing is listened to.  Interruptible.
 */
extern void arazzo_loop_turn(DriveLoop *loop, int timeout);

#endif							/* ARAZZO_DRIVE_LOOP_H */
