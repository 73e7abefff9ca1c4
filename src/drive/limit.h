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

#include "http/connection.h"

/* A server with limits, as one loop sees it. */
typedef struct ServerLimit
{
	Oid			server;
	int			max_concurrency;	/* 0: no limit */
	double		max_rate;		/* calls a second, 0: no limit */
	int			in_flight;		/* calls of the loop */
	bool		waits;			/* was refused a place */
	TimestampTz looked;			/* when it asked for one the last time */
} ServerLimit;

/* Whether a connection's server has limits at all. */
extern bool arazzo_limit_applies(const ArazzoConnection *connection);

/* What the loop has of a server's places is given back with its memory. */
extern void arazzo_limit_begin(ServerLimit *limit, MemoryContext context);

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
