/*-------------------------------------------------------------------------
 *
 * limit.h
 *	  How many calls a server takes at a time, and how many a second.
 *
 * The server options max_concurrency and max_rate, for the calls of this
 * process.
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
} ServerLimit;

/* Whether a connection's server has limits at all. */
extern bool arazzo_limit_applies(const ArazzoConnection *connection);

/* A server's limits as its options are now. */
extern void arazzo_limit_set(ServerLimit *limit, const ArazzoConnection *connection);

/* Takes a place for one call, or returns false; give it back when the call
 * is over. */
extern bool arazzo_limit_take(ServerLimit *limit);
extern void arazzo_limit_give_back(ServerLimit *limit);

/*
 * When a place may become free by the passing of time; DT_NOEND when only
 * the end of a call can free one.
 */
extern TimestampTz arazzo_limit_moment(const ServerLimit *limit);

#endif							/* ARAZZO_DRIVE_LIMIT_H */
