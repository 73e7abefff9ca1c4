/*-------------------------------------------------------------------------
 *
 * limit.h
 *	  How many calls a server takes at a time, and how many a second.
 *
 * The server options max_concurrency and max_rate, for the calls of all
 * processes, or of this one: see limit_table.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_LIMIT_H
#define ARAZZO_DRIVE_LIMIT_H

#include "datatype/timestamp.h"
#include "lib/ilist.h"

#include "http/connection.h"

/* A server with limits, as one loop sees it, and the calls of the loop that
 * wait until it takes them. */
typedef struct ServerLimit
{
	slist_node	node;
	dlist_head	waiting;
	Oid			server;
	int			max_concurrency;	/* 0: no limit */
	double		max_rate;		/* calls a second, 0: no limit */
	int			in_flight;		/* calls of the loop */
	bool		waits;			/* was refused a place */
	TimestampTz looked;			/* when it asked for one the last time */
} ServerLimit;

/* Whether a connection's server has limits at all. */
extern bool arazzo_limit_applies(const ArazzoConnection *connection);

/*
 * A connection's server among those of a loop, with its limits as they are
 * now: the first is NULL when it is not there, the second adds it.  What the
 * loop has of its places is given back with its memory.
 */
extern ServerLimit *arazzo_limit_find(slist_head *limits, const ArazzoConnection *connection);
extern ServerLimit *arazzo_limit_get(slist_head *limits, MemoryContext context, const ArazzoConnection *connection);

/* A server's limits as its options are now. */
extern void arazzo_limit_set(ServerLimit *limit, const ArazzoConnection *connection);

/* Takes a place for one call, or returns false; give it back when the call
 * is over. */
extern bool arazzo_limit_take(ServerLimit *limit);
extern void arazzo_limit_give_back(ServerLimit *limit);

/*
 * When to ask for a place again that was refused: when time will have freed
 * one, or others may have given one back; DT_NOEND when only the end of a call
 * of this process can.
 */
extern TimestampTz arazzo_limit_moment(const ServerLimit *limit);

#endif							/* ARAZZO_DRIVE_LIMIT_H */
