/*-------------------------------------------------------------------------
 *
 * limit_table.h
 *	  What counts towards the limits of servers, and who waits for a place.
 *
 * Counts are in shared memory when the library is preloaded by the server,
 * and hold for all of its processes; else each process has its own, and
 * nobody else waits.
 *
 *-------------------------------------------------------------------------
 */
#ifndef ARAZZO_DRIVE_LIMIT_TABLE_H
#define ARAZZO_DRIVE_LIMIT_TABLE_H

#include "datatype/timestamp.h"

/* Servers with limits that are in use at a time; what is more than that is
 * counted by each process. */
#define LIMIT_TABLE_SERVERS 256

/* How long (ms) who waits goes without looking whether there is a place. */
#define LIMIT_LOOK_INTERVAL 100

/* The calls of a server. */
typedef struct LimitCount
{
	Oid			server;			/* key, with the database */
	Oid			database;
	int			in_flight;
	int			waiting;		/* processes in its line */
	double		tokens;			/* calls that its rate lets go at once */
	TimestampTz filled;			/* up to that moment; 0: new */
	TimestampTz full_at;		/* when its rate is as if nothing had been sent */
} LimitCount;

/* Asks for the memory; when the library is preloaded. */
extern void arazzo_limit_table_init(void);

/*
 * The count of a server of this database, which nobody else sees until it is
 * closed: nothing in between may throw.  The second is for a place that this
 * process has taken.
 */
extern LimitCount *arazzo_limit_table_open(Oid server);
extern LimitCount *arazzo_limit_table_open_taken(Oid server);
extern void arazzo_limit_table_close(void);

/* Others see it. */
extern bool arazzo_limit_table_is_shared(const LimitCount *count);

/* This process has a call more in flight, or one less; what it has when it
 * ends is given back, and whoever is first in line is woken. */
extern void arazzo_limit_table_take(LimitCount *count);
extern void arazzo_limit_table_give_back(LimitCount *count);

/* How many processes are before this one, because they have waited for long. */
extern int	arazzo_limit_table_ahead(LimitCount *count, TimestampTz now);

/* This process waits, or still does; it does not any more. */
extern void arazzo_limit_table_wait(LimitCount *count, TimestampTz now);
extern void arazzo_limit_table_leave(LimitCount *count);

#endif							/* ARAZZO_DRIVE_LIMIT_TABLE_H */
