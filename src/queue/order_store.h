/*-------------------------------------------------------------------------
 *
 * order_store.h
 *	  The statements that keep runs with the same order key in order.
 *
 * Runs of an owner with the same order key follow each other in the order
 * they were submitted in.  Those that wait for another are held.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_QUEUE_ORDER_STORE_H
#define ARAZZO_QUEUE_ORDER_STORE_H

#include "queue/run_store.h"

/* The hold of a run that waits for the one before it. */
#define HOLD_ORDER "order"

/*
 * Is another run of the same owner and order key to be over first?  One that
 * was submitted before and is not over, or one that has begun.
 */
extern bool arazzo_order_is_behind(const QueuedRun *run);

/* The first run of an order key that is not over becomes due if it is held. */
extern void arazzo_order_let_next(Oid owner, const char *order_key, TimestampTz now);

/* The same for all order keys; how many runs. */
extern int64 arazzo_order_let_all_next(TimestampTz now);

/* The runs that follow one in its order and were let go wait for it again. */
extern void arazzo_order_hold_followers(int64 run);

#endif							/* ARAZZO_QUEUE_ORDER_STORE_H */
